// The layer table, the doors and the checker that keeps them. It sees sources as text, so that planted violations can
// be checked as well as `src/`; paths are relative to `src/`.
import { isBuiltin } from 'node:module'
import { posix } from 'node:path'
import { parseSync, Visitor } from 'oxc-parser'

export type Sources = Readonly<Record<string, string>>

const LIBRARY: Record<string, string[]> = {
  errors: [],
  disk: ['errors'],
  log: ['disk'],
  journal: ['log'],
  stores: ['journal'],
  context: ['stores', 'journal', 'interop', 'history', 'live'],
  indices: ['context', 'stores'],
  history: ['stores', 'journal', 'interop'],
  live: ['stores', 'journal', 'history'],
  interop: ['stores'],
  backends: ['stores', 'journal'],
}
const everythingPublic = [...Object.keys(LIBRARY), 'index']
const LAYERS: Record<string, string[]> = {
  ...LIBRARY,
  // An entry of its own: the rest does without the framework it needs.
  llamaindex: ['context', 'interop'],
  testing: everythingPublic,
  inspector: everythingPublic,
  cli: [...everythingPublic, 'inspector'],
  index: [...Object.keys(LIBRARY), 'testing', 'inspector', 'cli'],
}

/** What may be reached only through certain files. A package without a door here belongs to `OTHER_PACKAGES`. */
const DOORS: Record<string, RegExp> = {
  'node:fs': /^disk\/node-disk\.ts$/,
  'node:fs/promises': /^disk\/node-disk\.ts$/,
  'node:net': /^disk\/node-.*\.ts$/,
  'node:os': /^disk\/node-.*\.ts$/,
  'node:worker_threads': /^disk\/node-.*\.ts$/,
  'node:process': /^(cli\/|disk\/node-.*\.ts$)/,
  msgpackr: /^journal\/codec\.ts$/,
  immer: /^(stores|history)\//,
  chokidar: /^live\//,
  commander: /^cli\//,
  '@llamaindex/core': /^llamaindex\//,
  diff: /^cli\//,
}
const OTHER_PACKAGES = /^(backends|interop|testing)\//

/** Everything in `sources` that breaks a rule, as `file: what is wrong`; `entryPoints` are the files package.json exports. */
export function layerViolations(sources: Sources, entryPoints: readonly string[]): string[] {
  const violations: string[] = []
  const graph = new Map<string, string[]>()
  for (const [file, text] of Object.entries(sources)) {
    const report = (fact: string) => violations.push(`${file}: ${fact}`)
    const { imports, problems } = readModule(file, text)
    problems.forEach(report)
    const relative = imports.filter((name) => name.startsWith('.'))
    const targets = relative.map((name) => posix.join(posix.dirname(file), name))
    graph.set(file, targets)

    if (layerOf(file) === undefined) report('is in no layer')
    if (posix.basename(file) === 'index.ts' && !entryPoints.includes(file)) {
      report('is an index.ts that package.json does not export')
    }
    for (const target of targets) {
      if (!target.endsWith('.ts')) report(`imports ${target} without its .ts extension`)
      else if (!mayImport(file, target)) report(`may not import ${target}`)
    }
    for (const name of imports) {
      if (!name.startsWith('.') && !mayOpen(file, name)) report(`may not import ${name}`)
    }
  }
  return [...violations, ...cycles(graph)]
}

function layerOf(file: string): string | undefined {
  const layer = file.includes('/') ? file.slice(0, file.indexOf('/')) : file.replace(/\.ts$/, '')
  const isFile = layer === 'errors' || layer === 'index'
  return layer in LAYERS && isFile === !file.includes('/') ? layer : undefined
}

function mayImport(file: string, target: string): boolean {
  const [from, to] = [layerOf(file), layerOf(target)]
  if (from === undefined || to === undefined) return false
  const reachable = new Set([from])
  for (const layer of reachable) LAYERS[layer]!.forEach((below) => reachable.add(below))
  // The root reaches every layer, so whoever may import it would reach `cli` through it: there, only what is named counts.
  return LAYERS[from]!.includes('index') ? to === from || LAYERS[from]!.includes(to) : reachable.has(to)
}

function mayOpen(file: string, specifier: string): boolean {
  if (isBuiltin(specifier)) {
    const door = DOORS[specifier.startsWith('node:') ? specifier : `node:${specifier}`]
    return door === undefined || door.test(file)
  }
  const name = specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/')
  return (DOORS[name] ?? OTHER_PACKAGES).test(file)
}

/** What one file imports, types included, and what its text alone shows to be wrong. */
function readModule(file: string, text: string): { imports: string[]; problems: string[] } {
  const { module, program, errors } = parseSync(file, text)
  const problems = errors.map((error) => `does not parse: ${error.message}`)
  const imports = module.staticImports.map((found) => found.moduleRequest.value)
  for (const { entries } of module.staticExports) {
    for (const { moduleRequest } of entries) if (moduleRequest !== null) imports.push(moduleRequest.value)
  }
  const processes = new Set<number>()
  const names = new Set<number>()
  const key = (node: { computed: boolean; key: { start: number } }) => {
    if (!node.computed) names.add(node.key.start)
  }
  new Visitor({
    TSImportType: ({ source }) => imports.push(source.value),
    TSExternalModuleReference: ({ expression }) => imports.push(expression.value),
    ImportExpression({ source }) {
      if (source.type === 'Literal' && typeof source.value === 'string') imports.push(source.value)
      else problems.push('imports a computed name')
    },
    Identifier: ({ name, start }) => name === 'process' && processes.add(start),
    MemberExpression({ computed, object, property }) {
      const onGlobal = object.type === 'Identifier' && object.name === 'globalThis'
      if (!computed && !onGlobal) names.add(property.start)
    },
    Property: (node) => node.shorthand || key(node),
    MethodDefinition: key,
    PropertyDefinition: key,
    TSPropertySignature: key,
    TSMethodSignature: key,
  }).visit(program)
  const usesProcess = [...processes].some((start) => !names.has(start))
  if (usesProcess && !DOORS['node:process']!.test(file)) problems.push('may not use process')
  return { imports: [...new Set(imports)], problems }
}

/** One line per cycle met first: depth-first, a file still on the path is a way back. */
function cycles(graph: ReadonlyMap<string, string[]>): string[] {
  const found: string[] = []
  const finished = new Set<string>()
  const visit = (file: string, path: string[]) => {
    if (path.includes(file)) {
      found.push(`${file}: import cycle ${[...path.slice(path.indexOf(file)), file].join(' -> ')}`)
    } else if (!finished.has(file)) {
      for (const target of graph.get(file) ?? []) visit(target, [...path, file])
      finished.add(file)
    }
  }
  for (const file of graph.keys()) visit(file, [])
  return found
}

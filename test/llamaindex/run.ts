/**
 * `npm run llamaindex`: the drop-in under the real LlamaIndexTS, in a project of its own, as a user has it: installed from our package, as ESM and as CommonJS, type-checked, and with
 * the example's one-line change. `-- --bench`: also what an insert costs, beside the stock stores. Skips, and says why, where the registry cannot be reached.
 */
import { execFileSync } from 'node:child_process'
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { installLlamaIndex, npm } from './install.ts'

const root = join(import.meta.dirname, '../..')
const { values } = parseArgs({ options: { bench: { type: 'boolean', default: false } } })

const { LLAMAINDEX_PROJECT: shared } = process.env
const project = shared ?? mkdtempSync(join(tmpdir(), 'varve-llamaindex-'))
try {
  if (makeProject()) {
    check()
    if (values.bench) console.log(node('bench.mjs', join(project, 'bench')).join('\n'))
  }
} finally {
  if (shared === undefined) rmSync(project, { recursive: true, force: true })
}

function makeProject(): boolean {
  const reason = installLlamaIndex(project)
  if (reason !== undefined) {
    console.log(`Skipped: ${reason}`)
    return false
  }
  must(npm(['run', 'build'], root))
  must(npm(['pack', '--ignore-scripts', '--pack-destination', project], root))
  const [tarball] = readdirSync(project).filter((name) => name.endsWith('.tgz'))
  must(npm(['install', `./${tarball}`], project))
  const files = ['test/llamaindex/project', 'examples/drop-in']
  for (const folder of files) cpSync(join(root, folder), project, { recursive: true })
  return true
}

function check(): void {
  const tsc = createRequire(import.meta.url)
    .resolve('typescript/package.json')
    .replace('package.json', 'bin/tsc')
  node(tsc, '-p', project)
  console.log('types: checked with tsc --strict, as ESM and as CommonJS')

  const stockFiles = join(project, 'written by the stock stores')
  const stock = seen('esm.mjs', 'stock', stockFiles)
  assert.deepEqual(seen('esm.mjs', 'convert', stockFiles), stock)
  for (const [writer, reader] of [
    ['esm.mjs', 'cjs.cjs'],
    ['cjs.cjs', 'esm.mjs'],
  ] as const) {
    const directory = join(project, `written by ${writer}`)
    const written = seen(writer, 'write', directory)
    for (const program of [writer, reader]) assert.deepEqual(seen(program, 'read', directory), written)
    for (const [step, result] of Object.entries(stock)) assert.deepEqual(written[step], result, step)
    console.log(`${Object.keys(written).join(', ')}: written by ${writer}, read in new processes by both`)
  }
  console.log(
    `${Object.keys(stock).join(', ')}: the same as from the stock stores, whose files are read, too`,
  )
  checkExample()
}

function checkExample(): void {
  const [before, after] = ['before.mjs', 'after.mjs'].map((name) =>
    readFileSync(join(project, name), 'utf8').split('\n'),
  )
  assert.deepEqual(
    after!.filter((line, at) => line !== before![at]),
    ["import { storageContextFromDefaults } from 'varve/llamaindex'"],
  )
  for (const name of ['before', 'after']) {
    const directory = join(project, `storage-${name}`)
    const lines = ['first run', 'second run'].map(
      (run) => `${name}, ${run}: ${node(`${name}.mjs`, directory).at(-1)}`,
    )
    assert.match(lines[1]!, /Found 1001 nodes\. first$/)
    console.log(lines.join('\n'))
  }
}

function seen(program: string, mode: string, directory: string): Record<string, unknown> {
  return JSON.parse(node(program, mode, directory).at(-1)!) as Record<string, unknown>
}

/** Runs a program in the project; answers what it printed. */
function node(...args: string[]): string[] {
  const stdio = ['ignore', 'pipe', 'inherit'] as const
  return execFileSync(process.execPath, args, { cwd: project, encoding: 'utf8', stdio: [...stdio] })
    .trimEnd()
    .split('\n')
}

function must({ status, stdout, stderr }: ReturnType<typeof npm>): void {
  if (status !== 0) throw new Error(`npm failed:\n${stdout}${stderr}`)
}

/**
 * Proves import and export by the other side: the real llama-index-core and llamaindex write directories, which are imported here and exported again, byte for byte the
 * same; then they load the exports, and find in them what they find in their own.
 *
 *   tsx test/parity/run.ts python PYTHON  the interpreter of an environment with llama-index-core
 *   tsx test/parity/run.ts typescript PROJECT        a directory with llamaindex in its node_modules
 */
import { execFileSync } from 'node:child_process'
import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { isDeepStrictEqual } from 'node:util'
import { join } from 'node:path'
import process from 'node:process'
import {
  exportLlamaIndex,
  importLlamaIndex,
  loadIndexFromStorage,
  StorageContext,
  type LlamaIndexDialect,
  type NodeWithScore,
} from 'varve'
import { parseTripletKey } from '../../src/indices/triplet-key.ts'
import { hashEmbedding } from './hash-embedding.ts'

type Run = (...args: string[]) => void
type Json = Record<string, unknown>

const [dialect, where] = process.argv.slice(2) as [LlamaIndexDialect, string]
const work = mkdtempSync(join(tmpdir(), 'varve-parity-'))
const at = (...names: string[]): string => join(work, ...names)
let checks = 0
let failures = 0

function check(name: string, isGood: boolean, detail = ''): void {
  if (!isGood) failures++
  if (!isGood) console.log(`DIFFERENT  ${name}  ${detail}`)
  checks++
}

function differenceOf(theirs: unknown, ours: unknown, path = ''): string | undefined {
  if (isDeepStrictEqual(theirs, ours)) return undefined
  const areObjects = [theirs, ours].every((value) => typeof value === 'object' && value !== null)
  if (!areObjects) return `${path}: ${JSON.stringify(theirs)} / ${JSON.stringify(ours)}`
  for (const key of new Set([...Object.keys(theirs as Json), ...Object.keys(ours as Json)])) {
    const found = differenceOf((theirs as Json)[key], (ours as Json)[key], `${path}/${key}`)
    if (found !== undefined) return found
  }
  return path
}

function compareBytes(name: string): void {
  for (const file of readdirSync(at('theirs', name))) {
    const theirs = readFileSync(at('theirs', name, file))
    const ours = readFileSync(at('ours', name, file))
    let place = 0
    while (place < theirs.length && theirs[place] === ours[place]) place++
    const some = (bytes: Buffer) =>
      JSON.stringify(bytes.toString('utf8', Math.max(0, place - 40), place + 40))
    check(`${name}/${file}`, theirs.equals(ours), `at byte ${place}: ${some(theirs)} / ${some(ours)}`)
  }
}

async function again(name: string, warnings: string[]): Promise<void> {
  const report = await importLlamaIndex(at('theirs', name), { to: at('journal', name) })
  warnings.push(...report.warnings.map(({ file, message }) => `${name}: ${file}: ${message}`))
  // A directory with nothing in it makes no commit, and is read as it is.
  const from = at(report.commit ? 'journal' : 'theirs', name)
  const { omitted } = await exportLlamaIndex(from, { to: at('ours', name), format: dialect })
  check(`${name}: nothing is left out`, omitted.length === 0, JSON.stringify(omitted))
}

function toolOf(): Run {
  if (dialect === 'python')
    return (...args) =>
      void execFileSync(where, [join(import.meta.dirname, 'llama_python.py'), ...args], {
        stdio: ['ignore', 'ignore', 'inherit'],
        // So that sets come in the same order twice.
        env: { ...process.env, PYTHONHASHSEED: '0' },
      })
  const script = join(where, 'llama_typescript.mjs')
  copyFileSync(join(import.meta.dirname, 'llama_typescript.mjs'), script)
  return (...args) =>
    void execFileSync(process.execPath, [script, ...args], { stdio: ['ignore', 'ignore', 'inherit'] })
}

/** Its property graph asked by embedding, here and there. */
async function checkSimilar(run: Run): Promise<void> {
  run('similar', at('theirs'), at('similar.json'))
  const theirs = readJson('similar.json') as Record<string, Record<'triplets' | 'chunks', Scores>>
  await using storage = await StorageContext.fromDefaults({ persistDir: at('journal', 'property_graph') })
  const index = await loadIndexFromStorage(storage, { embedModel: hashEmbedding })
  const isNear = (a: number, b: number | undefined): boolean => Math.abs(a - (b ?? NaN)) < 1e-6
  for (const [search, { triplets, chunks }] of Object.entries(theirs)) {
    const [, question, topK, depth] = /^(.*) (\d+) (\d+)$/.exec(search)!
    const counts = { similarityTopK: Number(topK), graphStoreQueryDepth: Number(depth) }
    const all = { maxKnowledgeSequence: 1000, numChunksPerQuery: 1000 }
    const retriever = index.asRetriever({ retrieverMode: 'embedding', ...counts, ...all })
    const hits = await retriever.retrieve(question!)
    const found = tripletsOf(hits.pop()!)
    const scores = found.map((triplet) => triplets[triplet]!)
    check(`${search}: triplets`, isDeepStrictEqual(found.toSorted(), Object.keys(triplets).toSorted()))
    check(
      `${search}: their order`,
      isDeepStrictEqual(
        scores,
        scores.toSorted((a, b) => b - a),
      ),
    )
    const difference = differenceOf(
      chunks,
      Object.fromEntries(hits.map(({ node, score }) => [node.id_, score])),
    )
    const isSame =
      hits.length === Object.keys(chunks).length &&
      hits.every(({ node, score }) => isNear(score, chunks[node.id_]))
    check(`${search}: chunks`, isSame, difference)
  }
}

type Scores = Record<string, number>

function tripletsOf({ node }: NodeWithScore): string[] {
  return (node.metadata['kg_rel_texts'] as string[]).map((key) => parseTripletKey(key)!.join(' -> '))
}

function readJson(name: string): Json {
  return JSON.parse(readFileSync(at(name), 'utf8')) as Json
}

try {
  const run = toolOf()
  run('write', at('theirs'))
  const names = readdirSync(at('theirs'))
  const warnings: string[] = []
  for (const name of names) {
    await again(name, warnings)
    compareBytes(name)
  }
  for (const warning of warnings) console.log(`warning  ${warning}`)
  if (dialect === 'python') await checkSimilar(run)
  for (const side of ['theirs', 'ours']) {
    run('picture', at(side), at(`${side}.json`))
    run('refresh', at(side), at(`${side}-refresh.json`))
  }
  const [theirs, ours] = [readJson('theirs.json'), readJson('ours.json')]
  for (const name of names)
    check(
      `${name}, loaded and asked`,
      isDeepStrictEqual(theirs[name], ours[name]),
      differenceOf(theirs[name], ours[name]),
    )
  const [before, after] = [readJson('theirs-refresh.json'), readJson('ours-refresh.json')]
  check(`refresh ${JSON.stringify(after)}`, isDeepStrictEqual(before, after), JSON.stringify(before))
  console.log(`${dialect}: ${names.length} directories, ${checks} comparisons, ${failures} differences`)
} finally {
  rmSync(work, { recursive: true, force: true })
}
process.exitCode = failures === 0 ? 0 : 1

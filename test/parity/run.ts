/**
 * Proves import and export by the other side: the real llama-index-core and llamaindex write directories, which are imported here and exported again, byte for byte the
 * same; then they load the exports, and find in them what they find in their own.
 *
 *   tsx test/parity/run.ts python PYTHON  the interpreter of an environment with llama-index-core
 *   tsx test/parity/run.ts typescript PROJECT        a directory with llamaindex in its node_modules
 */
import { readdirSync, readFileSync } from 'node:fs'
import process from 'node:process'
import { isDeepStrictEqual } from 'node:util'
import {
  exportLlamaIndex,
  importLlamaIndex,
  loadIndexFromStorage,
  StorageContext,
  type LlamaIndexDialect,
  type NodeWithScore,
} from 'varve'
import { parseTripletKey } from '../../src/stores/triplet-key.ts'
import { hashEmbedding } from './hash-embedding.ts'
import { at, check, checkSame, comparing, differenceOf, readJson, toolOf, type Run } from './tools.ts'

const [dialect, where] = process.argv.slice(2) as [LlamaIndexDialect, string]

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

await comparing(dialect, async () => {
  const run = toolOf(dialect, where)
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
  for (const name of names) checkSame(`${name}, loaded and asked`, theirs[name], ours[name])
  const [before, after] = [readJson('theirs-refresh.json'), readJson('ours-refresh.json')]
  checkSame(`refresh ${JSON.stringify(after)}`, before, after)
})

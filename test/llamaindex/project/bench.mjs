// What one insert costs in an index of N nodes, with the stock stores and with ours: milliseconds until it is on disk (ours are synced, the stock ones are not), and bytes written.
import { readFileSync } from 'node:fs'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import {
  BaseEmbedding,
  Document,
  Settings,
  storageContextFromDefaults as stock,
  TextNode,
  VectorStoreIndex,
} from 'llamaindex'
import { storageContextFromDefaults as dropIn } from 'varve/llamaindex'

const [root] = process.argv.slice(2)
const dimensions = 1536

class Pseudorandom extends BaseEmbedding {
  async getTextEmbedding(text) {
    let state = [...text].reduce((sum, letter) => (Math.imul(sum, 31) + letter.charCodeAt(0)) >>> 0, 7)
    const next = () => (state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0) / 2 ** 32 - 0.5
    return Array.from({ length: dimensions }, next)
  }
}
Settings.embedModel = new Pseudorandom()

const textOf = (name) => `A chunk named ${name}, with words of some length. `.repeat(20)
const nodesOf = (count) =>
  Array.from({ length: count }, (_, n) => {
    const relationships = { SOURCE: { nodeId: `source${n % 10}`, metadata: {} } }
    return new TextNode({ id_: `node${n}`, text: textOf(n), metadata: { n }, relationships })
  })

/** The stock stores would need minutes to be filled through their own files. */
async function filledStock(directory, count) {
  const inMemory = await stock({})
  await VectorStoreIndex.init({ nodes: nodesOf(count), storageContext: inMemory })
  await mkdir(directory, { recursive: true })
  const { docStore, indexStore, vectorStores } = inMemory
  await writeFile(join(directory, 'doc_store.json'), JSON.stringify(docStore.toDict()))
  await writeFile(join(directory, 'index_store.json'), JSON.stringify(indexStore.toDict()))
  await writeFile(join(directory, 'vector_store.json'), JSON.stringify(vectorStores.TEXT.toDict()))
  return stock({ persistDir: directory })
}

async function filledDropIn(directory, count) {
  const storageContext = await dropIn({ persistDir: directory })
  await VectorStoreIndex.init({ nodes: nodesOf(count), storageContext })
  await storageContext.persist()
  return storageContext
}

const median = (numbers) => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)]

async function measure(storageContext, times) {
  const index = await VectorStoreIndex.init({ storageContext })
  const milliseconds = []
  const bytes = []
  for (let at = 0; at < times; at++) {
    const id = `new${String(at).padStart(3, '0')}`
    const document = new Document({ id_: id, text: textOf(id) })
    const before = written()
    const started = performance.now()
    await index.insert(document)
    await storageContext.persist?.()
    milliseconds.push(performance.now() - started)
    bytes.push(written() - before)
  }
  return { ms: median(milliseconds.slice(Math.floor(times / 4))), bytes: median(bytes) }
}

/** What this process has handed to the operating system to write. */
function written() {
  return Number(/^wchar: (\d+)$/m.exec(readFileSync('/proc/self/io', 'utf8'))[1])
}

const log = console.log
// The stock stores say where they begin.
console.log = () => {}
const sizes = [100, 1_000, 5_000]
const [ours, theirs] = [new Map(), new Map()]
// The first round warms the program up.
for (const count of [1_000, ...sizes]) {
  const storageContext = await filledDropIn(join(root, 'varve'), count)
  ours.set(count, await measure(storageContext, 200))
  await storageContext.close()
  await rm(root, { recursive: true })
}
for (const count of sizes) {
  theirs.set(count, await measure(await filledStock(join(root, 'stock'), count), 8))
  await rm(root, { recursive: true })
}

log('one insert of one chunk: 1 KB of text, 1,536 dimensions; medians')
log('      N   stock: ms        bytes   varve: ms   bytes')
for (const count of sizes) {
  const [stockInsert, insert] = [theirs.get(count), ours.get(count)]
  const cells = [
    [count, 7],
    [stockInsert.ms.toFixed(1), 12],
    [stockInsert.bytes, 13],
    [insert.ms.toFixed(1), 12],
    [insert.bytes, 8],
  ]
  log(cells.map(([value, width]) => value.toLocaleString('en').padStart(width)).join(''))
}
const [small, large] = [ours.get(100), ours.get(5_000)]
log(
  `varve, N = 5,000 beside 100: ${(large.ms / small.ms).toFixed(2)} times the time, ${large.bytes - small.bytes} bytes more`,
)

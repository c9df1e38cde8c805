/** What is measured. Each job runs in a process of its own, so that none profits from what another left in memory. */
import { loadIndexFromStorage, StorageContext, VectorStoreIndex } from 'varve'
import type { BaseIndex, BaseNode, SimpleVectorStore } from 'varve'
import { appendAndSync } from './disk-bound.ts'
import { historyJobs } from './history-jobs.ts'
import { bytesOnDisk, peakRssBytes, repeated, timed, type Spread } from './measure.ts'
import { dimensions, nodeAt, nodeId, random, range, vectorAt } from './nodes.ts'
import { payloadBytes } from './payload.ts'

export interface JobInput {
  directory: string
  /** How many nodes the directory holds after `load`. */
  nodes: number
  /** Of nodes that earlier jobs did not add: the first free one. */
  firstNew: number
  /** After `loadHistory`: how many commits the directory holds. */
  commits: number
  /** Of `past`: the number of a commit. */
  moment?: number
}

export type Figures = Record<string, number | Spread>

const singleInserts = 200
const batches = 20
const batchSize = 100
const lookups = 1000
const queries = 30

export const jobs = {
  load,
  firstGet,
  firstQuery,
  gets,
  topTen,
  insertOne,
  insertHundred,
  deleteOnePercent,
  ...historyJobs,
}

/** Nodes are made a thousand at a time, as a program would that reads them from somewhere; making them is not counted. */
async function load({ directory, nodes }: JobInput): Promise<Figures> {
  const storageContext = await StorageContext.fromDefaults({ persistDir: directory })
  const index = await VectorStoreIndex.init({ storageContext, indexId: 'bench' })
  const rssBefore = process.memoryUsage().rss
  let ms = 0
  for (let at = 0; at < nodes; at += 1000) {
    const some = Array.from(range(at, Math.min(at + 1000, nodes)), nodeAt)
    ms += (await timed(() => index.insertNodes(some))).ms
  }
  const persist = await timed(() => storageContext.persist({ message: 'bulk load' }))
  const { logs } = bytesOnDisk(directory)
  const rss = peakRssBytes() - rssBefore
  const close = await timed(() => storageContext.close())
  const bound = await appendAndSync(directory, logs, 1)
  const { snapshots } = bytesOnDisk(directory)
  return {
    toDurableMs: ms + persist.ms,
    persistMs: persist.ms,
    closeMs: close.ms,
    plainAppendMs: bound.median,
    logBytes: logs,
    snapshotBytes: snapshots,
    bytesPerPayload: logs / payloadBytes(range(0, nodes)),
    rssGrowthBytes: rss,
  }
}

async function firstGet({ directory, nodes }: JobInput): Promise<Figures> {
  const opened = await timed(() => StorageContext.fromDefaults({ persistDir: directory }))
  const storage = opened.value
  const first = await timed(() => storage.docstore.getNode(nodeId(Math.floor(nodes / 2))))
  return { openToFirstGetMs: opened.ms + first.ms, openMs: opened.ms }
}

async function firstQuery({ directory }: JobInput): Promise<Figures> {
  const rssBefore = process.memoryUsage().rss
  const { ms, value: storage } = await timed(async () => {
    const opened = await StorageContext.fromDefaults({ persistDir: directory })
    await opened.vectorStore.query({ queryEmbedding: vectorAt(-5), similarityTopK: 10 })
    return opened
  })
  const vectors = await (storage.vectorStore as SimpleVectorStore).size()
  const matrixBytes = vectors * dimensions * Float32Array.BYTES_PER_ELEMENT
  return { openToFirstQueryMs: ms, matrixBytes, beyondMatrixBytes: peakRssBytes() - rssBefore - matrixBytes }
}

async function gets({ directory, nodes }: JobInput): Promise<Figures> {
  const storage = await StorageContext.fromDefaults({ persistDir: directory })
  await storage.docstore.documentExists('none')
  const next = random(42)
  return {
    getNodeMs: await repeated(lookups, () => storage.docstore.getNode(nodeId(Math.floor(next() * nodes)))),
  }
}

async function topTen({ directory }: JobInput): Promise<Figures> {
  const { storage, index } = await openIndex(directory)
  const retriever = index.asRetriever({ similarityTopK: 10 })
  await retriever.retrieve({ embedding: vectorAt(-1) })
  const vectors = Array.from(range(2, 2 + queries), (at) => vectorAt(-at))
  const bare = (at: number) => storage.vectorStore.query({ queryEmbedding: vectors[at]!, similarityTopK: 10 })
  return {
    topTenMs: await repeated(queries, (at) => retriever.retrieve({ embedding: vectors[at]! })),
    bareTopTenMs: await repeated(queries, bare),
  }
}

async function insertOne({ directory, firstNew }: JobInput): Promise<Figures> {
  const { storage, index } = await openIndex(directory)
  const nodes = Array.from(range(firstNew, firstNew + singleInserts), nodeAt)
  const warmUp = nodes.splice(0, 20)
  for (const node of warmUp) await insert(storage, index, [node])
  const before = bytesOnDisk(directory).logs
  const time = await repeated(nodes.length, (at) => insert(storage, index, [nodes[at]!]))
  const bytes = (bytesOnDisk(directory).logs - before) / nodes.length
  await storage.close()
  const bound = await appendAndSync(directory, bytes, nodes.length)
  const payload = payloadBytes(range(firstNew + warmUp.length, firstNew + singleInserts)) / nodes.length
  return { insertOneMs: time, plainAppendMs: bound, bytesPerPersist: bytes, bytesPerPayload: bytes / payload }
}

async function insertHundred({ directory, firstNew }: JobInput): Promise<Figures> {
  const { storage, index } = await openIndex(directory)
  const nodes = Array.from(range(firstNew, firstNew + batches * batchSize), nodeAt)
  const before = bytesOnDisk(directory).logs
  const time = await repeated(batches, (at) =>
    insert(storage, index, nodes.slice(at * batchSize, (at + 1) * batchSize)),
  )
  const bytes = (bytesOnDisk(directory).logs - before) / batches
  await storage.close()
  const bound = await appendAndSync(directory, bytes, batches)
  const payload = payloadBytes(range(firstNew, firstNew + nodes.length)) / batches
  return {
    insertHundredMs: time,
    plainAppendMs: bound,
    bytesPerPersist: bytes,
    bytesPerPayload: bytes / payload,
  }
}

async function deleteOnePercent({ directory, nodes }: JobInput): Promise<Figures> {
  const { storage, index } = await openIndex(directory)
  const ids = Array.from(range(0, Math.ceil(nodes / 100)), (at) => nodeId(at * 100))
  const before = bytesOnDisk(directory).logs
  const { ms } = await timed(async () => {
    await index.deleteNodes(ids)
    await storage.persist({ message: 'delete' })
  })
  const bytes = bytesOnDisk(directory).logs - before
  await storage.close()
  return { deleteMs: ms, deletedNodes: ids.length, bytesPerNode: bytes / ids.length }
}

async function openIndex(directory: string): Promise<{ storage: StorageContext; index: BaseIndex }> {
  const storage = await StorageContext.fromDefaults({ persistDir: directory })
  return { storage, index: await loadIndexFromStorage(storage) }
}

async function insert(storage: StorageContext, index: BaseIndex, nodes: BaseNode[]): Promise<void> {
  await index.insertNodes(nodes)
  await storage.persist({ message: 'insert' })
}

/** What the past costs: measured beside the same of the present, in a directory that a bulk load and then many small commits made. */
import { createHash } from 'node:crypto'
import { open, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { StorageContext, TextNode, VectorStoreIndex, type Moment } from '../src/index.ts'
import { bytesOnDisk, cpuMs, repeated, spread, timed, writtenBytes, type Spread } from './measure.ts'
import { nodeId, range, vectorAt, vectorBytes } from './nodes.ts'
import { textNodeAt } from './text-node.ts'
import { readAndHashItems } from './verify-floor.ts'

export interface PastInput {
  directory: string
  /** How many nodes the directory holds after `loadHistory`. */
  nodes: number
  /** And how many commits. */
  commits: number
  /** Of `past`: the number of a commit. */
  moment?: number
}

export type Figures = Record<string, number | Spread>

/** So many commits lie between the moments that are compared. */
const diffCommits = 100
/** One node changes so often, and the others, from this one on, once at most. */
const manyChanges = 20
const oftenChanged = 0
const seldomChanged = 3
const chunkBytes = 1024 * 1024
/** Of the matrix that one row is erased of. */
const matrixRows = 10_000

export const pastJobs = {
  loadHistory,
  present,
  past,
  searchPast,
  byHash,
  logFirst,
  versions,
  diff,
  verify,
  eraseRow,
  eraseNode,
}

/** Half of the nodes at once; each commit after that changes one, and brings its share of the others. */
async function loadHistory({ directory, nodes, commits }: PastInput): Promise<Figures> {
  const storageContext = await StorageContext.fromDefaults({ persistDir: directory })
  const index = await VectorStoreIndex.init({ storageContext, indexId: 'bench' })
  let next = Math.ceil(nodes / 2)
  for (let at = 0; at < next; at += 1000)
    await index.insertNodes(Array.from(range(at, Math.min(at + 1000, next)), textNodeAt))
  await storageContext.persist({ message: 'bulk load' })
  const often = Math.max(1, Math.floor(commits / manyChanges))
  const all: number[] = []
  for (let commit = 2; commit <= commits; commit++) {
    const until = Math.floor((nodes / 2) * (1 + (commit - 1) / (commits - 1)))
    const added = Array.from(range(next, Math.max(next, until)), textNodeAt)
    next = Math.max(next, until)
    const changed = changedNode(commit % often === 0 ? oftenChanged : commit % Math.ceil(nodes / 2), commit)
    all.push((await timed(() => step(storageContext, index, added, changed))).ms)
  }
  await storageContext.close()
  const { logs, snapshots } = bytesOnDisk(directory)
  return { commitMs: spread(all), logBytes: logs, snapshotBytes: snapshots }
}

async function step(
  storage: StorageContext,
  index: VectorStoreIndex,
  added: TextNode[],
  changed: TextNode,
): Promise<void> {
  if (added.length > 0) await index.insertNodes(added)
  await storage.docstore.addDocuments([changed])
  await storage.persist({ message: 'a change', actor: 'bench' })
}

function changedNode(at: number, commit: number): TextNode {
  const { id_, text, metadata, relationships } = textNodeAt(at)
  return new TextNode({ id_, text: `${commit} ${text}`, metadata, relationships })
}

async function openAndGet(directory: string, asOf?: Moment): Promise<number> {
  const { ms } = await timed(async () => {
    const storage = await StorageContext.fromDefaults({ persistDir: directory, readOnly: true, asOf })
    await storage.docstore.getNode(nodeId(0))
  })
  return ms
}

async function present({ directory }: PastInput): Promise<Figures> {
  return { ms: await openAndGet(directory) }
}

async function past({ directory, moment }: PastInput): Promise<Figures> {
  return { ms: await openAndGet(directory, moment) }
}

/** In a context of the past, of which the first query reads all vectors that were there. */
async function searchPast({ directory, commits }: PastInput): Promise<Figures> {
  const storage = await StorageContext.fromDefaults({
    persistDir: directory,
    readOnly: true,
    asOf: Math.ceil(commits / 2),
  })
  const ask = (at: number): Promise<unknown> =>
    storage.vectorStore.query({ queryEmbedding: vectorAt(-at), similarityTopK: 10 })
  const { ms: firstMs } = await timed(() => ask(1))
  return { firstMs, ms: await repeated(10, () => ask(2)) }
}

/** The hash is of a commit in the midst; a beginning of it has to be looked for. */
async function byHash({ directory, commits }: PastInput): Promise<Figures> {
  const storage = await StorageContext.fromDefaults({ persistDir: directory, readOnly: true })
  let hash = ''
  for await (const commit of storage.history.log({ until: Math.ceil(commits / 2), limit: 1 }))
    hash = commit.hash
  const { ms } = await timed(async () => (await storage.asOf(hash)).docstore.getNode(nodeId(0)))
  return { ms }
}

async function logFirst({ directory }: PastInput): Promise<Figures> {
  const { ms } = await timed(async () => {
    const storage = await StorageContext.fromDefaults({ persistDir: directory, readOnly: true })
    await storage.history.log().next()
  })
  return { ms }
}

async function versions({ directory }: PastInput): Promise<Figures> {
  const storage = await StorageContext.fromDefaults({ persistDir: directory, readOnly: true })
  const count = async (at: number): Promise<number> => {
    let found = 0
    for await (const _ of storage.history.versions('docstore', nodeId(at))) found++
    return found
  }
  const { ms, value: found } = await timed(() => count(seldomChanged))
  const seldomMs = await repeated(10, () => count(seldomChanged))
  const oftenFound = await count(oftenChanged)
  return { firstMs: ms, found, seldomMs, oftenFound, oftenMs: await repeated(5, () => count(oftenChanged)) }
}

async function diff({ directory, commits }: PastInput): Promise<Figures> {
  const storage = await StorageContext.fromDefaults({ persistDir: directory, readOnly: true })
  const middle = Math.ceil(commits / 2)
  let differing = 0
  const ask = async (): Promise<void> => {
    differing = 0
    for await (const _ of storage.history.diff(Math.max(1, middle - diffCommits), middle)) differing++
  }
  await ask()
  const ms = await repeated(5, ask)
  return { ms, differing, perKeyMs: ms.median / differing }
}

/** Against reading the same bytes and hashing them once, and against hashing what the format hashes. */
async function verify({ directory }: PastInput): Promise<Figures> {
  const plainCpuBefore = cpuMs()
  const plain = await timed(() => readAndHash(directory))
  const floorCpuBefore = cpuMs()
  const plainCpuMs = floorCpuBefore - plainCpuBefore
  const floor = await timed(() => readAndHashItems(directory))
  const floorCpuMs = cpuMs() - floorCpuBefore
  const storage = await StorageContext.fromDefaults({ persistDir: directory, readOnly: true })
  const cpuBefore = cpuMs()
  const { ms, value } = await timed(() => storage.history.verify())
  const verifyCpuMs = cpuMs() - cpuBefore
  if (!value.intact) throw new Error(`${directory} is damaged.`)
  const again = await timed(() => readAndHash(directory))
  const floorAgain = await timed(() => readAndHashItems(directory))
  return {
    ms,
    plainMs: Math.min(plain.ms, again.ms),
    cpuRatio: verifyCpuMs / plainCpuMs,
    floorMs: Math.min(floor.ms, floorAgain.ms),
    floorCpuRatio: verifyCpuMs / floorCpuMs,
    items: floor.value,
    bytes: plain.value,
  }
}

async function readAndHash(directory: string): Promise<number> {
  let bytes = 0
  const chunk = Buffer.alloc(chunkBytes)
  for (const entry of await readdir(directory, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue
    const file = await open(join(entry.parentPath, entry.name))
    const hash = createHash('sha256')
    for (let read = -1; read !== 0; bytes += read) {
      read = (await file.read(chunk)).bytesRead
      hash.update(chunk.subarray(0, read))
    }
    hash.digest()
    await file.close()
  }
  return bytes
}

/** Of the whole history, which is another one afterwards; its snapshots are made anew in the background, which closing waits for. */
async function eraseNode({ directory, nodes }: PastInput): Promise<Figures> {
  const storage = await StorageContext.fromDefaults({ persistDir: directory })
  await storage.docstore.getNode(nodeId(0))
  const cpuBefore = cpuMs()
  const id = nodeId(Math.floor(nodes / 3))
  const { ms } = await timed(() => storage.history.erase({ nodeIds: [id], reason: 'a request' }))
  const eraseCpuMs = cpuMs() - cpuBefore
  const { ms: closeMs } = await timed(() => storage.close())
  return { ms, cpuMs: eraseCpuMs, closeMs }
}

/** Of a matrix that was added at once, beside the size of the row. */
async function eraseRow({ directory: beside }: PastInput): Promise<Figures> {
  const directory = `${beside}-matrix`
  const before = await StorageContext.fromDefaults({ persistDir: directory })
  await before.vectorStore.add(Array.from(range(0, matrixRows), textNodeAt))
  await before.persist({ message: 'one matrix' })
  await before.close()
  const storage = await StorageContext.fromDefaults({ persistDir: directory })
  const [cpuBefore, writtenBefore] = [cpuMs(), writtenBytes()]
  const { ms } = await timed(() => storage.history.erase({ nodeIds: [nodeId(7)], reason: 'a request' }))
  const [cpu, written] = [cpuMs() - cpuBefore, writtenBytes() - writtenBefore]
  const matrixBytes = bytesOnDisk(directory).logs
  await storage.close()
  await rm(directory, { recursive: true })
  return { ms, cpuMs: cpu, matrixBytes, writtenBytes: written, ratio: written / vectorBytes }
}

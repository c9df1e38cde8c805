/** What is measured of every contestant. Each job runs in a process of its own, so that none profits from what another left in memory. */
import type { Contestant, Store } from './contestant.ts'
import { bytesOnDisk, peakRssBytes, timed, timesOf } from './measure.ts'
import { nodeAt, nodeId, random, range, vectorAt, vectorBytes } from './nodes.ts'

export interface Place {
  /** What earlier jobs of this contestant left. */
  directory: string
  /** How many nodes `load` brought there. */
  nodes: number
  /** How many times the job ran there already. */
  round: number
}

/** Of each figure what was measured, in milliseconds (`…Ms`) or bytes. */
export type Samples = Record<string, number[]>

interface Job {
  /** The contestant's methods it calls. */
  needs: readonly (keyof Store)[]
  rounds: number
  /** Which job filled its directory; its own name: it begins with an empty one. */
  in: 'load' | 'commits'
  /** The files must not be in the page cache. */
  cold?: boolean
  /** A text says why there is nothing. */
  run(contestant: Contestant, place: Place): Promise<Samples | string>
}

const batchSize = 1000
/** A slow contestant gives fewer samples. */
const budgetMs = 5000
const callers = 32
/** So many, and so many inserts, that most are made when the compiler is done with what they run. */
const [manyGets, manyInserts] = [10_000, 1000]
/** Of a cold file: the system reads ahead, so more would be warm ones. */
const fewGets = 1000
const manyCommits = 1000
const manyCommitsMs = 60_000

const openToGet: Job = { needs: ['get'], rounds: 5, in: 'load', run: firstGet }
const randomGets: Job = { needs: ['get'], rounds: 3, in: 'load', run: gets }

/** In this order: what reads before what writes, and what brings the most last. */
export const jobs: Record<string, Job> = {
  load: { needs: ['load'], rounds: 3, in: 'load', run: load },
  hash: { needs: ['hashAll'], rounds: 3, in: 'load', run: hash },
  open: openToGet,
  openCold: { ...openToGet, cold: true },
  openAll: { needs: ['readAll'], rounds: 3, in: 'load', run: openAll },
  gets: randomGets,
  getsCold: { ...randomGets, cold: true, run: (contestant, place) => gets(contestant, place, fewGets) },
  topTen: { needs: ['topTen'], rounds: 3, in: 'load', run: topTen },
  delete: { needs: ['delete'], rounds: 3, in: 'load', run: deleteOnePercent },
  update: { needs: ['put'], rounds: 3, in: 'load', run: updateOnePercent },
  insertOne: { needs: ['put'], rounds: 3, in: 'load', run: insertOne },
  insertTogether: { needs: ['put', 'concurrent'], rounds: 3, in: 'load', run: insertTogether },
  insertHundred: { needs: ['put'], rounds: 3, in: 'load', run: insertHundred },
  commits: { needs: ['put'], rounds: 1, in: 'commits', run: commits },
  openCommits: {
    ...openToGet,
    in: 'commits',
    run: (contestant, place) => firstGet(contestant, { ...place, nodes: manyCommits }),
  },
}

/** Nodes come a thousand at a time, as in a program that reads them from somewhere; making them is not counted. */
async function load(contestant: Contestant, { directory, nodes }: Place): Promise<Samples> {
  const rssBefore = process.memoryUsage().rss
  let makingMs = 0
  function* batches(): Generator<unknown[]> {
    for (let at = 0; at < nodes; at += batchSize) {
      const start = performance.now()
      const batch = ownNodes(contestant, range(at, Math.min(at + batchSize, nodes)))
      makingMs += performance.now() - start
      yield batch
    }
  }
  const store = await contestant.open(directory)
  const { ms } = await timed(() => store.load!(batches()))
  const rssBytes = peakRssBytes() - rssBefore
  await store.close()
  const { logs, snapshots } = bytesOnDisk(directory)
  return { ms: [ms - makingMs], rssBytes: [rssBytes], diskBytes: [logs + snapshots] }
}

async function firstGet(contestant: Contestant, { directory, nodes }: Place): Promise<Samples> {
  const rssBefore = process.memoryUsage().rss
  const { ms, value: store } = await timed(async () => {
    const opened = await contestant.open(directory)
    await opened.get!(nodeId(Math.floor(nodes / 2)))
    return opened
  })
  const rssBytes = process.memoryUsage().rss - rssBefore
  await store.close()
  return { ms: [ms], rssBytes: [rssBytes] }
}

async function hash(contestant: Contestant, { directory }: Place): Promise<Samples> {
  const store = await contestant.open(directory)
  const sha256Ms = await timesOf(1, () => store.hashAll!('sha256'))
  const crc32Ms = await timesOf(1, () => store.hashAll!('crc32'))
  await store.close()
  return { sha256Ms, crc32Ms }
}

async function openAll(contestant: Contestant, { directory }: Place): Promise<Samples> {
  const { ms, value } = await timed(async () => {
    const store = await contestant.open(directory)
    return { store, all: await store.readAll!() }
  })
  if (value.all.nodes.length === 0) throw new Error(`${directory} is empty.`)
  await value.store.close()
  return { ms: [ms] }
}

async function gets(contestant: Contestant, { directory, nodes }: Place, count = manyGets): Promise<Samples> {
  const store = await contestant.open(directory)
  await store.get!(nodeId(0))
  const next = random(42)
  const ms = await timesOf(count, () => store.get!(nodeId(Math.floor(next() * nodes))), budgetMs)
  await store.close()
  return { ms }
}

async function topTen(contestant: Contestant, { directory, nodes }: Place): Promise<Samples> {
  const rssBefore = process.memoryUsage().rss
  const vectors = Array.from(range(1, 32), (at) => vectorAt(-at))
  const store = await contestant.open(directory)
  await store.topTen!(vectors[0]!)
  const rssBytes = peakRssBytes() - rssBefore - nodes * vectorBytes
  const ms = await timesOf(30, (at) => store.topTen!(vectors[at + 1]!), budgetMs)
  await store.close()
  return { ms, rssBytes: [rssBytes] }
}

function deleteOnePercent(contestant: Contestant, place: Place): Promise<Samples> {
  return inSteps(contestant, place, 10, ({ nodes }, step) => {
    const ids = Array.from(range(0, Math.floor(nodes / 100)), (at) => nodeId(at * 100 + step))
    return (store) => store.delete!(ids)
  })
}

function updateOnePercent(contestant: Contestant, place: Place): Promise<Samples> {
  return inSteps(contestant, place, 10, ({ nodes }, step) => {
    const places = Array.from(range(0, Math.floor(nodes / 100)), (at) => at * 100 + 50 + step)
    const changed = ownNodes(contestant, places, 1)
    return (store) => store.put!(changed)
  })
}

function insertOne(contestant: Contestant, place: Place): Promise<Samples> {
  return inSteps(contestant, place, manyInserts, ({ nodes }, step) => {
    const own = ownNodes(contestant, [nodes + 1_000_000 + step])
    return (store) => store.put!(own)
  })
}

function insertHundred(contestant: Contestant, place: Place): Promise<Samples> {
  return inSteps(contestant, place, 10, ({ nodes }, step) => {
    const first = nodes + 2_000_000 + step * 100
    const own = ownNodes(contestant, range(first, first + 100))
    return (store) => store.put!(own)
  })
}

/** Each caller awaits its own insert before the next; the figure is the time for each of all inserts. */
async function insertTogether(contestant: Contestant, place: Place): Promise<Samples> {
  const each = 10
  const { ms } = await inSteps(contestant, place, 10, ({ nodes }, step) => {
    const first = nodes + 3_000_000 + step * callers * each
    const own = ownNodes(contestant, range(first, first + callers * each))
    const call = async (store: Store, caller: number): Promise<void> => {
      for (let at = 0; at < each; at++) await store.put!([own[caller * each + at]])
    }
    return (store) => Promise.all(Array.from(range(0, callers), (caller) => call(store, caller)))
  })
  return { ms: ms!.map((all) => all / (callers * each)) }
}

/** What a step needs is made before the first is timed; and one node is inserted, so that what the first write opens is not counted. */
async function inSteps(
  contestant: Contestant,
  place: Place,
  count: number,
  prepare: (place: Place, step: number) => (store: Store) => unknown,
): Promise<Samples> {
  const steps = Array.from(range(0, count), (step) => prepare(place, place.round * count + step))
  const store = await contestant.open(place.directory)
  await store.put!(ownNodes(contestant, [place.nodes + 4_000_000 + place.round]))
  const ms = await timesOf(count, (step) => steps[step]!(store), budgetMs)
  await store.close()
  return { ms }
}

async function commits(contestant: Contestant, { directory }: Place): Promise<Samples | string> {
  const store = await contestant.open(directory)
  const [first, ...others] = ownNodes(contestant, range(0, manyCommits + 1))
  await store.load!([[first]])
  const ms = await timesOf(manyCommits, (at) => store.put!([others[at]]), manyCommitsMs)
  await store.close()
  if (ms.length < manyCommits) return `> ${manyCommitsMs / 1000} s`
  const { logs, snapshots, files } = bytesOnDisk(directory)
  return { ms, commitBytes: [(logs + snapshots) / (manyCommits + 1)], files: [files] }
}

function ownNodes(contestant: Contestant, places: Iterable<number>, version = 0): unknown[] {
  return Array.from(places, (at) => contestant.own(nodeAt(at, version)))
}

/** What is measured of every contestant. Each job runs in a process of its own, so that none profits from what another left in memory. */
import type { Contestant, Store } from './contestant.ts'
import { bytesOnDisk, peakRssBytes, timed, timesOf } from './measure.ts'
import { nodeAt, nodeId, random, range } from './nodes.ts'

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
  /** It makes its directory anew, for itself and those after it. */
  fresh?: boolean
  /** Which directory; by default the one that `load` fills. */
  folder?: string
  /** The files must not be in the page cache. */
  cold?: boolean
  run(contestant: Contestant, place: Place): Promise<Samples>
}

const batchSize = 1000
const budgetMs = 5000

const openToGet: Job = { needs: ['get'], rounds: 5, run: firstGet }
const randomGets: Job = { needs: ['get'], rounds: 3, run: gets }

export const jobs: Record<string, Job> = {
  load: { needs: ['load'], rounds: 3, fresh: true, run: load },
  open: openToGet,
  openCold: { ...openToGet, cold: true },
  gets: randomGets,
  insertOne: { needs: ['put'], rounds: 3, run: insertOne },
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

async function gets(contestant: Contestant, { directory, nodes }: Place): Promise<Samples> {
  const store = await contestant.open(directory)
  await store.get!(nodeId(0))
  const next = random(42)
  const ms = await timesOf(1000, () => store.get!(nodeId(Math.floor(next() * nodes))), budgetMs)
  await store.close()
  return { ms }
}

async function insertOne(contestant: Contestant, { directory, nodes, round }: Place): Promise<Samples> {
  const first = nodes + 1_000_000 + round * 1000
  const [opening, ...others] = ownNodes(contestant, range(first, first + 101))
  const store = await contestant.open(directory)
  await store.put!([opening])
  const ms = await timesOf(others.length, (at) => store.put!([others[at]]), budgetMs)
  await store.close()
  return { ms }
}

function ownNodes(contestant: Contestant, places: Iterable<number>, version = 0): unknown[] {
  return Array.from(places, (at) => contestant.own(nodeAt(at, version)))
}

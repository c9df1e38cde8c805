/**
 * How soon a follower in another process tells of a commit, counted from the writer's resolved `persist()`, and what followers cost the writer:
 * `npm run bench:live -- [--nodes 100,50000] [--commits 200] [--json]`.
 */
import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { extname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { StorageContext, VectorStoreIndex, type BaseIndex } from '../src/index.ts'
import { nowMs, type Told } from './live-follower.ts'
import { range } from './nodes.ts'
import { textNodeAt } from './text-node.ts'

const { values } = parseArgs({
  options: {
    nodes: { type: 'string', default: '100' },
    commits: { type: 'string', default: '200' },
    json: { type: 'boolean', default: false },
  },
})
const commits = Number(values.commits)
const burst = 10
const followers = 5

interface Place {
  directory: string
  storage: StorageContext
  index: BaseIndex
  /** The first node that is not there yet. */
  next: number
}

const parent = mkdtempSync(join(tmpdir(), 'varve-bench-live-'))
process.on('exit', () => rmSync(parent, { recursive: true, force: true }))
process.on('SIGINT', () => process.exit(130))

if (!values.json)
  console.log(`Node ${process.version}, ${cpus().length} × ${cpus()[0]?.model ?? 'unknown CPU'}`)
for (const nodes of values.nodes.split(',').map(Number)) {
  const place = await load(nodes)
  const alone = await writeAll(place)
  const child = await follow(place.directory)
  const single = await latencies(place, child, { burst: 1 })
  const bursts = await latencies(place, child, { burst })
  child.process.disconnect()
  const several = await Promise.all(Array.from({ length: followers }, () => follow(place.directory)))
  const followed = await writeAll(place)
  for (const each of several) each.process.disconnect()
  await place.storage.close()
  const results = { nodes, single, bursts, commitMs: { alone, followed } }
  if (values.json) console.log(JSON.stringify(results))
  else print(results)
}

async function load(nodes: number): Promise<Place> {
  const directory = join(parent, String(nodes))
  const storage = await StorageContext.fromDefaults({ persistDir: directory })
  const index = await VectorStoreIndex.init({ storageContext: storage, indexId: 'bench' })
  for (let at = 0; at < nodes; at += 1000)
    await index.insertNodes(Array.from(range(at, Math.min(at + 1000, nodes)), textNodeAt))
  await storage.persist()
  return { directory, storage, index, next: nodes }
}

async function commitOne(place: Place): Promise<{ number: number; atMs: number }> {
  await place.index.insertNodes([textNodeAt(place.next++)])
  const { number } = (await place.storage.persist())!
  return { number, atMs: nowMs() }
}

/** The median of a commit, one after another as fast as they go. */
async function writeAll(place: Place): Promise<number> {
  const took: number[] = []
  for (let at = 0; at < commits; at++) {
    const began = nowMs()
    await commitOne(place)
    took.push(nowMs() - began)
  }
  return share(took, 0.5)
}

interface Follower {
  process: ChildProcess
  told: Map<number, number>
}

async function follow(directory: string): Promise<Follower> {
  const child = fork(
    new URL(`./live-follower${extname(import.meta.filename)}`, import.meta.url),
    [directory],
    {
      execArgv: process.execArgv,
    },
  )
  const told = new Map<number, number>()
  await once(child, 'message')
  child.on('message', ({ number, atMs }: Told) => told.set(number, atMs))
  return { process: child, told }
}

/** Each commit of a burst is counted from its own `persist()`; between bursts it is quiet for a while. */
async function latencies(
  place: Place,
  { told }: Follower,
  { burst: size }: { burst: number },
): Promise<{ p50: number; p99: number; max: number }> {
  const acknowledged: { number: number; atMs: number }[] = []
  for (let at = 0; at < commits; at += size) {
    for (let one = 0; one < size; one++) acknowledged.push(await commitOne(place))
    await sleep(20 + (at % 7) * 40)
  }
  while (!told.has(acknowledged.at(-1)!.number)) await sleep(5)
  // Who is told before the writer itself has waited no time at all.
  const late = acknowledged.map(({ number, atMs }) => Math.max(0, told.get(number)! - atMs))
  return { p50: share(late, 0.5), p99: share(late, 0.99), max: share(late, 1) }
}

function share(all: readonly number[], part: number): number {
  const sorted = all.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))]!
}

type Results = {
  nodes: number
  single: { p50: number; p99: number; max: number }
  bursts: { p50: number; p99: number; max: number }
  commitMs: { alone: number; followed: number }
}

function print({ nodes, single, bursts, commitMs }: Results): void {
  const line = ({ p50, p99, max }: Results['single']): string =>
    `p50 ${p50.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms, max ${max.toFixed(1)} ms`
  console.log(`\n${nodes.toLocaleString('en')} nodes, ${commits} commits of one node`)
  console.log(`  single commits, persist() to change   ${line(single)}`)
  console.log(`  bursts of ${burst}                          ${line(bursts)}`)
  console.log(
    `  a commit, median                      ${commitMs.alone.toFixed(1)} ms alone, ${commitMs.followed.toFixed(1)} ms with ${followers} followers`,
  )
}

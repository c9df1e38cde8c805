/**
 * How soon a follower in another process tells of a commit, counted from the writer's resolved `persist()`, and what followers cost the writer:
 * `npm run bench:live -- [--nodes 100,50000] [--commits 200] [--stream 1000] [--each 1] [--apart] [--json]`. `stream`: so many commits at full speed, `each` of so many nodes. `apart`: the writer
 * has a processor for itself (Linux), so that followers cannot take its time, but only be in its way.
 */
import { execFileSync, fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { cpus, loadavg, tmpdir } from 'node:os'
import { extname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { StorageContext, VectorStoreIndex, type BaseIndex } from '../src/index.ts'
import { nowMs, type Report, type Request } from './live-follower.ts'
import { cpuMs, share } from './measure.ts'
import { range } from './nodes.ts'
import { countFrom, refuse, sizesFrom } from './options.ts'
import { textNodeAt } from './text-node.ts'

const { values } = parseArgs({
  options: {
    nodes: { type: 'string', default: '100' },
    commits: { type: 'string', default: '200' },
    stream: { type: 'string', default: '1000' },
    each: { type: 'string', default: '1' },
    apart: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
  },
})
const sizes = sizesFrom(values.nodes)
const commits = countFrom('commits', values.commits, 1)
const stream = countFrom('stream', values.stream, 1)
const each = countFrom('each', values.each, 1)
const burst = 10
/** With so many followers in turn, so often; figures are medians. */
const followerCounts = [0, 1, 5]
const rounds = 3
/** Until the compiler is done with what a follower does, as it is with what the writer does. */
const warmUp = 1000

interface Place {
  directory: string
  storage: StorageContext
  index: BaseIndex
  /** The first node that is not there yet. */
  next: number
}

/** Of one commit after another, as fast as they go. */
interface FullSpeed {
  followers: number
  medianMs: number
  meanMs: number
  /** For each commit: what the writer took of the processors, and a follower. */
  writerCpuMs: number
  followerCpuMs: number
}

const parent = mkdtempSync(join(tmpdir(), 'varve-bench-live-'))
process.on('exit', () => rmSync(parent, { recursive: true, force: true }))
process.on('SIGINT', () => process.exit(130))

const others = `1-${cpus().length - 1}`
if (values.apart && (process.platform !== 'linux' || cpus().length < 2))
  refuse('--apart needs Linux and two processors. Leave it out.')
if (values.apart) execFileSync('taskset', ['-apc', '0', String(process.pid)])
if (!values.json)
  console.log(`Node ${process.version}, ${cpus().length} × ${cpus()[0]?.model ?? 'unknown CPU'}`)
for (const nodes of sizes) {
  const place = await load(nodes)
  const child = await follow(place.directory)
  const single = await latencies(place, child, { burst: 1 })
  const bursts = await latencies(place, child, { burst })
  child.process.disconnect()
  await writeAll(place, 0) // Warm from here on.
  const turns: FullSpeed[] = []
  for (let round = 0; round < rounds; round++)
    for (const followers of followerCounts) turns.push(await writeAll(place, followers))
  const fullSpeed = followerCounts.map((count) =>
    medianOf(turns.filter(({ followers }) => followers === count)),
  )
  await place.storage.close()
  const results = { nodes, load: loadavg()[0]!, single, bursts, fullSpeed }
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

async function commitOne(place: Place, count = 1): Promise<{ number: number; atMs: number }> {
  await place.index.insertNodes(Array.from({ length: count }, () => textNodeAt(place.next++)))
  const { number } = (await place.storage.persist())!
  return { number, atMs: nowMs() }
}

async function writeAll(place: Place, followers: number): Promise<FullSpeed> {
  const children = await Promise.all(Array.from({ length: followers }, () => follow(place.directory)))
  for (const child of children) ask(child, { isQuiet: true })
  let last = { number: 0 }
  for (let at = 0; at < warmUp; at++) last = await commitOne(place, each)
  const followersBefore = await Promise.all(children.map((child) => workUntil(child, last)))
  const writerBefore = cpuMs()
  const took: number[] = []
  for (let at = 0; at < stream; at++) {
    const began = nowMs()
    last = await commitOne(place, each)
    took.push(nowMs() - began)
  }
  const writerCpuMs = (cpuMs() - writerBefore) / stream
  const followersAfter = await Promise.all(children.map((child) => workUntil(child, last)))
  for (const { process: child } of children) child.disconnect()
  const followerCpuMs = (sum(followersAfter) - sum(followersBefore)) / stream / (followers || 1)
  return { followers, medianMs: share(took, 0.5), meanMs: sum(took) / stream, writerCpuMs, followerCpuMs }
}

/** Figure by figure. */
function medianOf(turns: readonly FullSpeed[]): FullSpeed {
  const median = (figure: keyof FullSpeed): number =>
    share(
      turns.map((turn) => turn[figure]),
      0.5,
    )
  return {
    followers: turns[0]!.followers,
    medianMs: median('medianMs'),
    meanMs: median('meanMs'),
    writerCpuMs: median('writerCpuMs'),
    followerCpuMs: median('followerCpuMs'),
  }
}

interface Follower {
  process: ChildProcess
  told: Map<number, number>
}

async function follow(directory: string): Promise<Follower> {
  const follower = new URL(`./live-follower${extname(import.meta.filename)}`, import.meta.url)
  const elsewhere = { execPath: 'taskset', execArgv: ['-c', others, process.execPath] }
  const child = fork(follower, [directory], values.apart ? elsewhere : {})
  const told = new Map<number, number>()
  await once(child, 'message')
  child.on('message', (report: Report) => report.is === 'told' && told.set(report.number, report.atMs))
  return { process: child, told }
}

function ask({ process: child }: Follower, request: Request): void {
  child.send(request)
}

/** How much a follower had worked when it was told of a commit. */
async function workUntil(follower: Follower, { number }: { number: number }): Promise<number> {
  ask(follower, { workedUntil: number })
  for (;;) {
    const [report] = (await once(follower.process, 'message')) as [Report]
    if (report.is === 'worked') return report.cpuMs
  }
}

async function toldOf(children: readonly Follower[], { number }: { number: number }): Promise<void> {
  while (!children.every(({ told }) => told.has(number))) await sleep(5)
}

/** Each commit of a burst is counted from its own `persist()`; between bursts it is quiet for a while. */
async function latencies(
  place: Place,
  follower: Follower,
  { burst: size }: { burst: number },
): Promise<Latencies> {
  const acknowledged: { number: number; atMs: number }[] = []
  for (let at = 0; at < commits; at += size) {
    for (let one = 0; one < size; one++) acknowledged.push(await commitOne(place))
    await sleep(20 + (at % 7) * 40)
  }
  await toldOf([follower], acknowledged.at(-1)!)
  // Who is told before the writer itself has waited no time at all.
  const late = acknowledged.map(({ number, atMs }) => Math.max(0, follower.told.get(number)! - atMs))
  return { p50: share(late, 0.5), p99: share(late, 0.99), max: share(late, 1) }
}

function sum(all: readonly number[]): number {
  return all.reduce((so, one) => so + one, 0)
}

interface Latencies {
  p50: number
  p99: number
  max: number
}

interface Results {
  nodes: number
  /** How busy the machine was: what is above the number of processors had to wait. */
  load: number
  single: Latencies
  bursts: Latencies
  fullSpeed: FullSpeed[]
}

function print({ nodes, load, single, bursts, fullSpeed }: Results): void {
  const line = ({ p50, p99, max }: Latencies): string =>
    `p50 ${p50.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms, max ${max.toFixed(1)} ms`
  console.log(
    `\n${nodes.toLocaleString('en')} nodes, ${commits} commits of one node, load ${load.toFixed(1)}`,
  )
  console.log(`  single commits, persist() to change   ${line(single)}`)
  console.log(`  bursts of ${burst}                          ${line(bursts)}`)
  const place = values.apart ? ', the writer on a processor of its own' : ''
  console.log(`  ${stream} commits of ${each} at full speed, ${rounds} times in turn${place}`)
  for (const { followers, medianMs, meanMs, writerCpuMs, followerCpuMs } of fullSpeed) {
    const follower = followers === 0 ? '' : `, a follower ${followerCpuMs.toFixed(2)} ms`
    console.log(
      `    ${followers} followers                        ${medianMs.toFixed(2)} ms a commit, on average ${meanMs.toFixed(2)} ms; CPU: the writer ${writerCpuMs.toFixed(2)} ms${follower}`,
    )
  }
}

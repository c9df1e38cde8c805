/**
 * What Varve costs on this machine: `npm run bench -- [--nodes 1000,10000,50000] [--commits 200] [--json]`; `--past` measures only what the past costs. With `--profile FOLDER` each job leaves a CPU profile.
 */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { cpus, release, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import type { Figures, JobInput, jobs } from './jobs.ts'
import { spread, type Spread } from './measure.ts'
import { dropPageCache } from './page-cache.ts'
import { printTable } from './table.ts'

export type Results = Record<string, Figures>

const openings = 5
/** Where in the history the moments lie that are opened. */
const moments = [0, 0.13, 0.37, 0.68, 0.999]

const { values } = parseArgs({
  options: {
    nodes: { type: 'string', default: '1000,10000,50000' },
    commits: { type: 'string', default: '200' },
    past: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    profile: { type: 'string' },
  },
})
const sizes = values.nodes.split(',').map(Number)
if (!sizes.every((size) => Number.isInteger(size) && size > 0)) {
  console.error(
    `--nodes ${values.nodes} is no list of sizes. Give whole numbers, such as --nodes 1000,10000.`,
  )
  process.exit(1)
}
const commits = Number(values.commits)
if (!Number.isInteger(commits) || commits < 2) {
  console.error(`--commits ${values.commits} is not enough of a history. Give a whole number from 2 on.`)
  process.exit(1)
}

const parent = mkdtempSync(join(tmpdir(), 'varve-bench-'))
process.on('exit', () => rmSync(parent, { recursive: true, force: true }))
process.on('SIGINT', () => process.exit(130))

const machine = `Node ${process.version}, ${process.platform} ${release()}, ${cpus().length} × ${cpus()[0]?.model ?? 'unknown CPU'}`
const all = new Map<number, Results>()
let notCold: string | undefined
for (const nodes of sizes)
  all.set(nodes, { ...(values.past ? {} : await measure(nodes)), ...(await measurePast(nodes)) })

if (values.json)
  console.log(JSON.stringify({ machine, notCold, results: Object.fromEntries(all) }, undefined, 2))
else printTable({ machine, notCold, results: all })

async function measure(nodes: number): Promise<Results> {
  const input: JobInput = { directory: join(parent, String(nodes)), nodes, firstNew: nodes, commits }
  const results: Results = { load: await runJob('load', input) }
  results['firstGet'] = await inFreshProcesses('firstGet', input)
  results['firstQuery'] = await runJob('firstQuery', input)
  results['gets'] = await runJob('gets', input)
  notCold = dropPageCache()
  if (notCold === undefined) {
    results['coldFirstGet'] = await runJob('firstGet', input)
    dropPageCache()
    results['coldGets'] = await runJob('gets', input)
    dropPageCache()
    results['coldFirstQuery'] = await runJob('firstQuery', input)
  }
  results['topTen'] = await runJob('topTen', input)
  results['insertOne'] = await runJob('insertOne', input)
  results['insertHundred'] = await runJob('insertHundred', { ...input, firstNew: nodes + 1000 })
  results['deleteOnePercent'] = await runJob('deleteOnePercent', input)
  rmSync(input.directory, { recursive: true })
  return results
}

async function measurePast(nodes: number): Promise<Results> {
  const input: JobInput = { directory: join(parent, `past-${nodes}`), nodes, firstNew: nodes, commits }
  const results: Results = { loadHistory: await runJob('loadHistory', input) }
  results['present'] = await inFreshProcesses('present', input)
  let worst = 0
  for (const share of moments) {
    const moment = Math.max(1, Math.round(commits * share))
    const { ms } = await inFreshProcesses('past', { ...input, moment }, 3)
    worst = Math.max(worst, (ms as Spread).median)
  }
  results['past'] = { worstMs: worst }
  results['byHash'] = await inFreshProcesses('byHash', input, 3)
  results['logFirst'] = await inFreshProcesses('logFirst', input, 3)
  for (const name of ['versions', 'diff', 'verify', 'eraseRow'] as const)
    results[name] = await runJob(name, input)
  addRatios(results)
  rmSync(input.directory, { recursive: true })
  return results
}

/** Each beside what it is held against, of the same run. */
function addRatios({ present, past, byHash, logFirst, verify }: Results): void {
  const opening = (present!['ms'] as Spread).median
  past!['ratio'] = (past!['worstMs'] as number) / opening
  for (const job of [byHash!, logFirst!]) job['ratio'] = (job['ms'] as Spread).median / opening
  verify!['ratio'] = (verify!['ms'] as number) / (verify!['plainMs'] as number)
}

async function inFreshProcesses(
  name: keyof typeof jobs,
  input: JobInput,
  times = openings,
): Promise<Figures> {
  const runs: Figures[] = []
  for (let run = 0; run < times; run++) runs.push(await runJob(name, input))
  const figure = (key: string): Spread => spread(runs.map((run) => run[key] as number))
  return Object.fromEntries(Object.keys(runs[0]!).map((key) => [key, figure(key)]))
}

async function runJob(name: keyof typeof jobs, input: JobInput): Promise<Figures> {
  if (!values.json)
    console.error(`${input.nodes} nodes: ${name}${input.moment === undefined ? '' : ` ${input.moment}`} …`)
  const profile = values.profile
    ? [
        '--cpu-prof',
        `--cpu-prof-dir=${values.profile}`,
        `--cpu-prof-name=${name}-${input.nodes}-${Date.now()}.cpuprofile`,
      ]
    : []
  const script = new URL('./run-job.ts', import.meta.url)
  const child = fork(script, [name, JSON.stringify(input)], { execArgv: [...process.execArgv, ...profile] })
  let figures: Figures | undefined
  child.on('message', (message) => (figures = message as Figures))
  const [code] = (await once(child, 'exit')) as [number | null]
  if (figures === undefined || code !== 0) throw new Error(`The job ${name} ended with code ${code}.`)
  return figures
}

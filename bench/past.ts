/** What the past costs, beside the present: `npm run bench:past -- [--nodes 1000,10000] [--commits 200] [--json] [--profile FOLDER]`. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { inFreshProcess } from './fresh-process.ts'
import { machine } from './machine.ts'
import { spread, type Spread } from './measure.ts'
import type { Figures, PastInput, pastJobs } from './past-jobs.ts'
import { printPast, type PastResults } from './past-table.ts'
import { countFrom, sizesFrom } from './options.ts'

const openings = 5
/** Where in the history the moments lie that are opened. */
const moments = [0, 0.13, 0.37, 0.68, 0.999]

const { values } = parseArgs({
  options: {
    nodes: { type: 'string', default: '1000,10000' },
    commits: { type: 'string', default: '200' },
    json: { type: 'boolean', default: false },
    profile: { type: 'string' },
  },
})
const sizes = sizesFrom(values.nodes)
const commits = countFrom('commits', values.commits, 2)

const parent = mkdtempSync(join(tmpdir(), 'varve-bench-'))
process.on('exit', () => rmSync(parent, { recursive: true, force: true }))
process.on('SIGINT', () => process.exit(130))

const results: PastResults = new Map()
for (const nodes of sizes) results.set(nodes, await measure(nodes))
if (values.json) console.log(JSON.stringify({ machine, results: Object.fromEntries(results) }, undefined, 2))
else {
  console.log(`\n${machine}`)
  printPast(results)
}

async function measure(nodes: number): Promise<Record<string, Figures>> {
  const input: PastInput = { directory: join(parent, String(nodes)), nodes, commits }
  const results: Record<string, Figures> = { loadHistory: await runJob('loadHistory', input) }
  results['present'] = await inFreshProcesses('present', input)
  results['past'] = { worstMs: await worstOpening(input) }
  results['byHash'] = await inFreshProcesses('byHash', input, 3)
  results['logFirst'] = await inFreshProcesses('logFirst', input, 3)
  for (const name of ['searchPast', 'versions', 'diff', 'verify', 'eraseRow'] as const)
    results[name] = await runJob(name, input)
  results['eraseNode'] = await runJob('eraseNode', input)
  results['eraseNode']['presentMs'] = (await inFreshProcesses('present', input))['ms']!
  results['eraseNode']['worstMs'] = await worstOpening(input)
  addRatios(results)
  rmSync(input.directory, { recursive: true })
  return results
}

/** Of the past, to a first getNode. */
async function worstOpening(input: PastInput): Promise<number> {
  let worst = 0
  for (const share of moments) {
    const moment = Math.max(1, Math.round(commits * share))
    const { ms } = await inFreshProcesses('past', { ...input, moment }, 3)
    worst = Math.max(worst, (ms as Spread).median)
  }
  return worst
}

/** Each beside what it is held against, of the same run. */
function addRatios({ present, past, byHash, logFirst, verify, eraseNode }: Record<string, Figures>): void {
  const opening = (present!['ms'] as Spread).median
  past!['ratio'] = (past!['worstMs'] as number) / opening
  eraseNode!['ratio'] = (eraseNode!['worstMs'] as number) / (eraseNode!['presentMs'] as Spread).median
  for (const job of [byHash!, logFirst!]) job['ratio'] = (job['ms'] as Spread).median / opening
  verify!['ratio'] = (verify!['ms'] as number) / (verify!['plainMs'] as number)
  verify!['floorRatio'] = (verify!['ms'] as number) / (verify!['floorMs'] as number)
}

async function inFreshProcesses(
  name: keyof typeof pastJobs,
  input: PastInput,
  times = openings,
): Promise<Figures> {
  const runs: Figures[] = []
  for (let run = 0; run < times; run++) runs.push(await runJob(name, input))
  const figure = (key: string): Spread => spread(runs.map((run) => run[key] as number))
  return Object.fromEntries(Object.keys(runs[0]!).map((key) => [key, figure(key)]))
}

async function runJob(name: keyof typeof pastJobs, input: PastInput): Promise<Figures> {
  console.error(`${input.nodes} nodes: ${name}${input.moment === undefined ? '' : ` ${input.moment}`} …`)
  return (await inFreshProcess<Figures>({
    module: 'past-job',
    args: [name, JSON.stringify(input)],
    profile: values.profile,
  }))!
}

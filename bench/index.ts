/**
 * What Varve costs on this machine: `npm run bench -- [--nodes 1000,10000,50000] [--json]`. With `--profile FOLDER` each job leaves a CPU profile.
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

const { values } = parseArgs({
  options: {
    nodes: { type: 'string', default: '1000,10000,50000' },
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

const parent = mkdtempSync(join(tmpdir(), 'varve-bench-'))
process.on('exit', () => rmSync(parent, { recursive: true, force: true }))
process.on('SIGINT', () => process.exit(130))

const machine = `Node ${process.version}, ${process.platform} ${release()}, ${cpus().length} × ${cpus()[0]?.model ?? 'unknown CPU'}`
const all = new Map<number, Results>()
let notCold: string | undefined
for (const nodes of sizes) all.set(nodes, await measure(nodes))

if (values.json)
  console.log(JSON.stringify({ machine, notCold, results: Object.fromEntries(all) }, undefined, 2))
else printTable({ machine, notCold, results: all })

async function measure(nodes: number): Promise<Results> {
  const input: JobInput = { directory: join(parent, String(nodes)), nodes, firstNew: nodes }
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

async function inFreshProcesses(name: keyof typeof jobs, input: JobInput): Promise<Figures> {
  const runs: Figures[] = []
  for (let run = 0; run < openings; run++) runs.push(await runJob(name, input))
  const figure = (key: string): Spread => spread(runs.map((run) => run[key] as number))
  return Object.fromEntries(Object.keys(runs[0]!).map((key) => [key, figure(key)]))
}

async function runJob(name: keyof typeof jobs, input: JobInput): Promise<Figures> {
  if (!values.json) console.error(`${input.nodes} nodes: ${name} …`)
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

/**
 * `npm run explore -- --states 1000000 --seed 7`: crashes as many states as one likes, on all cores. What a
 * failure prints repeats it: `--seed 7 --workload NAME --images K --moment N --fate NAME`.
 */
import { parseArgs } from 'node:util'
import { addCounts, noCounts, printed, type Counts } from './journal/explorer.ts'
import { ExplorerPool } from './journal/explorer-pool.ts'
import { workloads } from './journal/workloads.ts'

const { values } = parseArgs({
  options: {
    states: { type: 'string', default: '100000' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    images: { type: 'string' },
    workload: { type: 'string' },
    moment: { type: 'string' },
    fate: { type: 'string' },
  },
})
const number = (text: string | undefined): number | undefined =>
  text === undefined ? undefined : Number(text)
const { workload: words = '', fate } = values
const chosen = workloads.filter(({ name }) => name.includes(words))
if (chosen.length === 0) throw new Error(`No workload's name holds ${JSON.stringify(words)}.`)

const [seed, states] = [Number(values.seed), Number(values.states)]
const share = Math.ceil(states / chosen.length)
const total: Counts = { ...noCounts }
const pool = new ExplorerPool()
const startedMs = Date.now()
await Promise.all(
  chosen.map(async ({ name: workload }) => {
    const job = {
      workload,
      seed,
      states: share,
      images: number(values.images),
      moment: number(values.moment),
      fate,
    }
    try {
      addCounts(total, await pool.explore(job))
      console.log(`${String(total.states).padStart(9)} states  ${workload}`)
    } catch (error) {
      console.error((error as Error).message)
      process.exitCode = 1
    }
  }),
)
pool.close()
const seconds = (Date.now() - startedMs) / 1000
console.log(`npm run explore -- --states ${states} --seed ${seed}`)
console.log(`${printed(total)}, in ${seconds.toFixed()} s: ${process.exitCode ? 'not ' : ''}all as promised.`)

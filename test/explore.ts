/**
 * `npm run explore -- --states 1000000 --seed 7`: crashes as many states as one likes. What a failure prints
 * repeats it: `--seed 7 --workload NAME --moment N --fate NAME`.
 */
import { parseArgs } from 'node:util'
import { explore, type Counts } from './journal/explorer.ts'
import { workloads } from './journal/workloads.ts'

const { values } = parseArgs({
  options: {
    states: { type: 'string', default: '100000' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    images: { type: 'string', default: '10' },
    workload: { type: 'string' },
    moment: { type: 'string' },
    fate: { type: 'string' },
  },
})

const wanted = Number(values.states)
const images = Number(values.images)
const moment = values.moment === undefined ? undefined : Number(values.moment)
const chosen = workloads.filter(({ name }) => values.workload === undefined || name.includes(values.workload))
const total: Counts = { states: 0, crashes: 0 }

for (let seed = Number(values.seed); total.states < wanted; seed++) {
  for (const workload of chosen) {
    const { states, crashes } = await explore(workload, {
      seed,
      images,
      goOnEvery: 1,
      recoveryEvery: 8,
      moment,
      fate: values.fate,
    })
    total.states += states
    total.crashes += crashes
    console.log(
      `seed ${seed}  ${String(total.states).padStart(9)} states  ${String(total.crashes).padStart(7)} crashes  ${workload.name}`,
    )
    if (total.states >= wanted) break
  }
  if (moment !== undefined) break
}
console.log(`${total.states} states after ${total.crashes} crashes: all as promised.`)

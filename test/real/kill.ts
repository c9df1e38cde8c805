/**
 * `npm run kill -- --times 1000 --seed 7 --variant buffered`: kills as many writers as one likes. The seed gives the instants and the order of
 * things; what the operating system does in them differs from run to run.
 */
import { parseArgs } from 'node:util'
import { killAgainAndAgain } from './kill-run.ts'
import { endChildren } from './processes.ts'

const { values } = parseArgs({
  options: {
    times: { type: 'string', default: '200' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    variant: { type: 'string' },
    verbose: { type: 'boolean', default: false },
  },
})
const [times, seed] = [Number(values.times), Number(values.seed)]
const { variant } = values
const started = performance.now()
console.log(
  `npm run kill -- --times ${times} --seed ${seed}${variant === undefined ? '' : ` --variant '${variant}'`}`,
)
try {
  const onKill = values.verbose ? console.log : undefined
  const counts = await killAgainAndAgain({ times, seed, variant, ...(onKill && { onKill }) })
  const seconds = ((performance.now() - started) / 1000).toFixed(0)
  console.log(`${JSON.stringify(counts)}: all as promised, after ${seconds} s.`)
} finally {
  await endChildren()
}

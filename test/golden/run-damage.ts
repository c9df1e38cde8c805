/**
 * `npm run damage -- --seed 7 --all`: hurts every golden directory in every way, on all cores. What a failure prints repeats it. `--only TEXT` tries only
 * the damages whose name holds the text.
 */
import { parseArgs } from 'node:util'
import { presentFormat } from './make.ts'
import { commandOf, sweepOnAllCores } from './shards.ts'
import { table } from './sweep.ts'

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    all: { type: 'boolean', default: false },
    only: { type: 'string', default: '' },
  },
})
const request = { ...values, format: presentFormat, seed: Number(values.seed) }
const startedMs = Date.now()
const { counts, failures } = await sweepOnAllCores(request)
for (const failure of failures) console.log(failure)
console.log(table(counts))
const seconds = Math.round((Date.now() - startedMs) / 1000)
console.log(`${commandOf(request)}: ${values.all ? 'every bit' : 'one bit of every byte'}, ${seconds} s`)
if (failures.length > 0) process.exitCode = 1
else console.log('Silently wrong: 0. Other errors: 0. Hangs: 0.')

import { expect, test } from 'vitest'
import { presentFormat } from './make.ts'
import { commandOf, sweepOnAllCores } from './shards.ts'
import { table } from './sweep.ts'

/** Every bit where there is time for it, else one of each byte. */
const all = Boolean(process.env['CI'])
const request = { format: presentFormat, seed: 1, all, only: '' }

test(
  'whatever is done to a golden directory, nothing is silently wrong',
  { timeout: 3_000_000 },
  async () => {
    const { counts, failures } = await sweepOnAllCores(request)
    console.log(`${table(counts)}\n${commandOf(request)}`)
    expect(failures).toEqual([])
  },
)

import { expect, test } from 'vitest'
import { presentFormat } from './make.ts'
import { commandOf, sweepOnAllCores } from './shards.ts'
import { table } from './sweep.ts'

const request = { format: presentFormat, seed: Number(process.env['SEED'] ?? 1), all: false, only: '' }

test('whatever is done to one file of a golden directory, nothing is silently wrong', async () => {
  const { counts, failures } = await sweepOnAllCores(request)
  console.log(`${table(counts)}\n${commandOf(request)}`)
  expect(failures).toEqual([])
}, 600_000)

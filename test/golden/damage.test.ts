import { expect, test } from 'vitest'
import { isKnown, knownGaps } from './known-gaps.ts'
import { presentFormat } from './make.ts'
import { commandOf, sweepOnAllCores } from './shards.ts'
import { table } from './sweep.ts'

const request = { format: presentFormat, seed: 1, all: false, only: '' }

test('whatever is done to a golden directory, nothing is silently wrong', async () => {
  const { counts, failures } = await sweepOnAllCores(request)
  const known = failures.filter(isKnown)
  console.log(`${table(counts)}\nknown gaps: ${known.length} damages\n${commandOf(request)}`)
  expect(failures.filter((failure) => !known.includes(failure))).toEqual([])
  for (const [gap, pattern] of knownGaps)
    expect(
      known.some((failure) => pattern.test(failure)),
      `mended: ${gap}`,
    ).toBe(true)
}, 900_000)

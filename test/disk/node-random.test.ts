import { expect, test } from 'vitest'
import { randomFill } from '../../src/disk/node-random.ts'

function filled(length: number): string {
  const target = new Uint8Array(length)
  randomFill(target)
  return Buffer.from(target).toString('hex')
}

test('no bytes are given twice, whatever lengths are asked for in turn', () => {
  const seen = new Set<string>()
  const lengths = Array.from({ length: 3000 }, (_, at) => 8 * (1 + ((at * 37) % 400)))
  for (const length of lengths) for (const word of filled(length).match(/.{16}/gu)!) seen.add(word)
  expect(seen.size).toBe(lengths.reduce((sum, length) => sum + length / 8, 0))
})

test('every byte is filled, and nothing beside it', () => {
  for (const length of [0, 1, 1023, 1024, 1025, 4096, 100_000]) {
    const room = new Uint8Array(length + 16)
    const ever = new Uint8Array(length)
    for (let round = 0; round < 20; round++) {
      randomFill(room.subarray(8, 8 + length))
      for (let at = 0; at < length; at++) ever[at]! |= room[8 + at]!
    }
    expect(ever.every((byte) => byte !== 0)).toBe(true)
    expect([...room.subarray(0, 8), ...room.subarray(8 + length)].every((byte) => byte === 0)).toBe(true)
  }
})

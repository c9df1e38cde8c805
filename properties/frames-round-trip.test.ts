/**
 * A frame that was written is read back as it was, and no single flipped bit of what its checks cover goes
 * unseen.
 */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { MemoryDisk } from '../src/disk/memory-disk.ts'
import { encodeFrame, frameFlags } from '../src/log/frame.ts'
import { FrameReader, isFault } from '../src/log/frame-reader.ts'
import { seededBytes } from '../test/support/seeded.ts'

const bytes = (maxLength: number): fc.Arbitrary<Uint8Array> => fc.uint8Array({ maxLength })
const input = fc.record({
  head: bytes(40),
  items: fc.array(fc.record({ row: bytes(60), payload: bytes(90) }), { maxLength: 6 }),
  isMatrix: fc.boolean(),
  syncedThrough: fc.nat(),
  seed: fc.nat(),
  before: fc.nat(20).map((count) => count * 8),
})

async function written({
  head,
  items,
  isMatrix,
  syncedThrough,
  seed,
  before,
}: typeof input extends fc.Arbitrary<infer T> ? T : never) {
  const frame = encodeFrame({
    flags: isMatrix ? frameFlags.matrix : 0,
    head,
    items,
    syncedThrough,
    random: seededBytes(seed),
  })
  const file = Buffer.concat([Buffer.alloc(before, 7), ...frame.chunks])
  expect(file.length).toBe(before + frame.sizeBytes)
  return { frame, file }
}

async function read(file: Uint8Array, offset: number) {
  const disk = new MemoryDisk()
  disk.put('/f', file)
  const opened = await disk.openToRead('/f')
  return { opened, frame: await new FrameReader(opened).read(offset, file.length, { payloads: true }) }
}

test('a frame comes back as it was written', async () => {
  await fc.assert(
    fc.asyncProperty(input, async (given) => {
      const { frame, file } = await written(given)
      const { opened, frame: back } = await read(file, given.before)
      if (isFault(back)) throw new Error(back.fault)
      expect(back.sizeBytes).toBe(frame.sizeBytes)
      expect(back.syncedThrough).toBe(given.syncedThrough)
      expect([...back.head]).toEqual([...given.head])
      expect(Buffer.compare(back.hashed, frame.hashed)).toBe(0)
      for (const [index, { row, payload }] of given.items.entries()) {
        const item = back.items[index]!
        expect([...item.row]).toEqual([...row])
        expect([...(await opened.read(item.offset, item.length))]).toEqual([...payload])
        expect(item.offset).toBe(given.before + frame.payloads[index]!.offset)
      }
      expect(back.items).toHaveLength(given.items.length)
    }),
    { numRuns: 500 },
  )
})

test('a flipped bit is a fault, or stands in padding and changes nothing', async () => {
  await fc.assert(
    fc.asyncProperty(input, fc.nat(), async (given, where) => {
      const { file } = await written(given)
      const { frame: good } = await read(file, given.before)
      const bit = where % ((file.length - given.before) * 8)
      file[given.before + (bit >> 3)]! ^= 1 << (bit & 7)
      const { frame: back } = await read(file, given.before)
      expect(isFault(back) ? good : back).toEqual(good)
    }),
    { numRuns: 1500 },
  )
})

test('a frame that is cut off is a fault', async () => {
  await fc.assert(
    fc.asyncProperty(input, fc.nat(), async (given, where) => {
      const { file } = await written(given)
      const length = given.before + (where % (file.length - given.before))
      expect(isFault((await read(file.subarray(0, length), given.before)).frame)).toBe(true)
    }),
    { numRuns: 500 },
  )
})

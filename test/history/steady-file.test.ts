/** Whatever is read, and in whatever order, is what stands in the file: what was read ahead shows in nothing. */
import { expect, test } from 'vitest'
import type { ReadableFile } from '../../src/disk/disk.ts'
import { SteadyFile } from '../../src/history/steady-file.ts'
import { seededRandom } from '../support/seeded.ts'

const sizeBytes = 5 * 1024 * 1024 + 321
const random = seededRandom(11)
const bytes = Buffer.from(
  Uint32Array.from({ length: Math.ceil(sizeBytes / 4) }, () => random() * 2 ** 32).buffer,
)
const content = bytes.subarray(0, sizeBytes)

/** A file in memory that notes what is read, and rejects where it is told to. */
function fileOf(of: Buffer, { bad = [Infinity, Infinity], code = 'EIO' } = {}) {
  const reads: { offset: number; length: number }[] = []
  const held = { bytes: of, reads, underWay: 0, closed: false }
  const file: ReadableFile = {
    size: async () => held.bytes.length,
    read: async (offset, length) => {
      if (held.closed) throw Object.assign(new Error('EBADF: read'), { code: 'EBADF' })
      reads.push({ offset, length })
      held.underWay++
      await new Promise((resume) => setImmediate(resume))
      held.underWay--
      if (offset < bad[1]! && offset + length > bad[0]!)
        throw Object.assign(new Error(`${code}: read`), { code })
      return held.bytes.subarray(offset, offset + length)
    },
    readNow: () => expect.unreachable(),
    close: async () => {
      expect(held.underWay).toBe(0)
      held.closed = true
    },
  }
  return { file: new SteadyFile(file), held }
}

test.each([1, 2, 3, 4])(
  'reads of any length, in order with leaps, give what stands there (seed %i)',
  async (seed) => {
    const next = seededRandom(seed)
    const { file } = fileOf(content)
    for (let offset = 0; offset < sizeBytes;) {
      const length = Math.floor(next() ** 20 * 2_500_000)
      expect((await file.read(offset, 40)).equals(content.subarray(offset, offset + 40))).toBe(true)
      expect((await file.read(offset, length)).equals(content.subarray(offset, offset + length))).toBe(true)
      const leap = next() < 0.2 ? Math.floor((next() - 0.5) * 300_000) : 0
      offset = Math.max(0, offset + length + 1 + leap)
    }
  },
)

test('while one piece is looked at the next is on its way, and no piece is read twice', async () => {
  const { file, held } = fileOf(content)
  for (let offset = 0; offset < sizeBytes; offset += 1000)
    await file.read(offset, Math.min(1000, sizeBytes - offset))
  let end = 0
  for (const { offset, length } of held.reads) {
    expect(offset).toBe(end)
    end += length
  }
  expect(held.reads[1]).toEqual({ offset: 64 * 1024, length: 128 * 1024 })
  await file.close()
})

test('nothing is read beyond the end of a small file', async () => {
  const { file, held } = fileOf(content.subarray(0, 5000))
  for (let offset = 0; offset < 5000; offset += 100) await file.read(offset, 100)
  expect(held.reads).toHaveLength(1)
})

test('a file that grew after it was read ahead is read as it is now', async () => {
  const { file, held } = fileOf(content.subarray(0, 70_000))
  await file.read(0, 1000)
  await new Promise((resume) => setImmediate(resume))
  held.bytes = content
  expect((await file.read(60_000, 20_000)).equals(content.subarray(60_000, 80_000))).toBe(true)
  expect((await file.read(69_000, 2000)).equals(content.subarray(69_000, 71_000))).toBe(true)
})

test('sectors that cannot be read are zeros, and known, also where they were read ahead', async () => {
  const { file } = fileOf(content, { bad: [200_000, 200_100] })
  const whole: Buffer[] = []
  for (let offset = 0; offset < 500_000; offset += 1000) whole.push(await file.read(offset, 1000))
  const expected = Buffer.from(content.subarray(0, 500_000))
  expected.fill(0, 196_608, 200_704)
  expect(Buffer.concat(whole).equals(expected)).toBe(true)
  expect(file.failedWithin(200_000, 200_001)).toBe(true)
  expect(file.failedWithin(0, 196_608)).toBe(false)
})

test('any other error meets who comes to it, and nobody else', async () => {
  const { file } = fileOf(content, { bad: [100_000, 100_001], code: 'EACCES' })
  expect(await file.read(0, 1000)).toHaveLength(1000)
  await file.close()
  const again = fileOf(content, { bad: [100_000, 100_001], code: 'EACCES' }).file
  await again.read(0, 1000)
  await expect(again.read(99_000, 2000)).rejects.toMatchObject({ code: 'EACCES' })
  await again.close()
})

test('a file is closed once what is on its way has arrived', async () => {
  const { file, held } = fileOf(content)
  await file.read(0, 1000)
  expect(held.underWay).toBe(1)
  await file.close()
  expect(held.closed).toBe(true)
})

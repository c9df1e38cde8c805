import { crc32 } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { MemoryDisk } from '../../src/disk/memory-disk.ts'
import {
  encodeFrame,
  frameFlags,
  headerBytes,
  padded,
  tableEntryBytes,
  type FrameInput,
} from '../../src/log/frame.ts'
import { FrameReader, isFault, marksBeyond } from '../../src/log/frame-reader.ts'
import { seededBytes } from '../support/seeded.ts'

const text = (value: string): Uint8Array => new TextEncoder().encode(value)
const input = (more: Partial<FrameInput> = {}): FrameInput => ({
  head: text('head'),
  items: [
    { row: text('row one'), payload: text('payload one') },
    { row: text('row two') },
    { row: text('3'), payload: text('three') },
  ],
  syncedThrough: 41,
  random: seededBytes(1),
  ...more,
})

async function fileOf(...chunks: Uint8Array[]) {
  const disk = new MemoryDisk()
  disk.put('/f', Buffer.concat(chunks))
  return disk.openToRead('/f')
}

async function faultOf(
  bytes: Uint8Array,
  limit = bytes.length,
): Promise<{ fault: string; item?: number | undefined } | undefined> {
  const frame = await new FrameReader(await fileOf(bytes)).read(0, limit, { payloads: true })
  return isFault(frame) ? { fault: frame.fault, item: frame.item } : undefined
}

describe('a frame', () => {
  test('is regions padded to 8 bytes, at the places its header says', () => {
    const { sizeBytes, chunks, hashed, payloads } = encodeFrame(input())
    const bytes = Buffer.concat(chunks)
    const [items, head, rows, payloadBytes] = [8, 12, 16, 20].map((at) => bytes.readUInt32LE(at))
    expect([items, head, rows, payloadBytes]).toEqual([3, 4, 3 * 24 + 7 + 7 + 1, 16 + 8])
    expect(hashed.length).toBe(headerBytes + 8 + 3 * tableEntryBytes)
    expect(sizeBytes).toBe(hashed.length + padded(rows!) + payloadBytes!)
    expect(bytes.length).toBe(sizeBytes)
    expect(Number(bytes.readBigUInt64LE(24))).toBe(41)
    for (const { offset, bytes: payload } of payloads) {
      expect(offset % 8).toBe(0)
      expect(bytes.subarray(offset, offset + payload.length)).toEqual(Buffer.from(payload))
    }
  })

  test('of a matrix holds its rows without a gap, and copies none', () => {
    const matrix = new Float32Array([1, 2, 3, 4, 5, 6])
    const rows = [0, 1].map((index) => new Uint8Array(matrix.buffer, index * 12, 12))
    const frame = encodeFrame(
      input({ flags: frameFlags.matrix, items: rows.map((payload) => ({ row: text('r'), payload })) }),
    )
    expect(frame.payloads[1]!.offset - frame.payloads[0]!.offset).toBe(12)
    expect(frame.chunks.some(({ buffer, length }) => buffer === matrix.buffer && length === 24)).toBe(true)
  })

  test('salts equal items differently, so that a digest tells nothing', () => {
    const same = { row: text('same'), payload: text('same') }
    const bytes = Buffer.concat(encodeFrame(input({ items: [same, same] })).chunks)
    const table = headerBytes + 8
    expect(bytes.subarray(table, table + 32)).not.toEqual(
      bytes.subarray(table + tableEntryBytes, table + tableEntryBytes + 32),
    )
  })

  test('that is too large is refused before it is made', () => {
    const huge = { length: 2 ** 31 } as Uint8Array
    expect(() => encodeFrame(input({ items: [{ row: text('r'), payload: huge }] }))).toThrow(
      expect.objectContaining({ code: 'VARVE_TOO_LARGE' }),
    )
  })

  test.each([
    ['its beginning', 0, 'no frame begins here'],
    ['its header', 25, 'its header is damaged'],
    ['its head', headerBytes + 1, 'its head or table is damaged'],
    ['its table', headerBytes + 8 + 50, 'its head or table is damaged'],
  ])('says that %s is damaged', async (_, offset, fault) => {
    const bytes = Buffer.concat(encodeFrame(input()).chunks)
    bytes[offset]! ^= 4
    expect(await faultOf(bytes)).toMatchObject({ fault })
  })

  test('says which row or payload is damaged', async () => {
    const { chunks, hashed, payloads } = encodeFrame(input())
    const bytes = Buffer.concat(chunks)
    const inRow = Buffer.from(bytes)
    inRow[hashed.length + 24 + 7 + 24]! ^= 1
    expect(await faultOf(inRow)).toEqual({ fault: 'a row is damaged', item: 1 })
    const inPayload = Buffer.from(bytes)
    inPayload[payloads[2]!.offset]! ^= 1
    expect(await faultOf(inPayload)).toEqual({ fault: 'a payload is damaged', item: 2 })
  })

  test('that is cut off says so, wherever', async () => {
    const bytes = Buffer.concat(encodeFrame(input()).chunks)
    for (let length = 1; length < bytes.length; length++)
      expect(await faultOf(bytes.subarray(0, length)), `${length}`).toBeDefined()
    expect(await faultOf(bytes)).toBeUndefined()
    expect(await faultOf(bytes, 0)).toMatchObject({ fault: 'the file ends here' })
  })

  test('believes no length that its checksum does not cover', async () => {
    const bytes = Buffer.concat(encodeFrame(input()).chunks)
    bytes.writeUInt32LE(0xffffffff, 8)
    expect(await faultOf(bytes)).toMatchObject({ fault: 'its header is damaged' })
  })

  test('behind garbage is still heard', async () => {
    const frames = [3, 9, 5].map((syncedThrough) =>
      Buffer.concat(encodeFrame(input({ syncedThrough })).chunks),
    )
    frames[1]![headerBytes + 1]! ^= 1 // A damaged head, under a header that is good.
    const bytes = Buffer.concat([
      Buffer.alloc(24, 'x'),
      frames[0]!,
      Buffer.alloc(300_000),
      frames[1]!,
      Buffer.alloc(8, 7),
      frames[2]!,
    ])
    const heard: number[] = []
    for await (const mark of marksBeyond(await fileOf(bytes), 0, bytes.length)) heard.push(mark)
    expect(heard).toEqual([3, 9, 5])
  })

  test('within what a user wrote is not heard, though the frame around it is torn', async () => {
    const [inner, ...frames] = [999, 3, 5].map((syncedThrough) =>
      Buffer.concat(encodeFrame(input({ syncedThrough })).chunks),
    )
    const payload = Buffer.concat([inner!, Buffer.alloc(300_000, inner)])
    const items = [{ row: text('row'), payload }, { row: text('row two') }]
    const torn = Buffer.concat(encodeFrame(input({ items, syncedThrough: 4 })).chunks)
    const badRow = Buffer.from(torn)
    badRow[headerBytes + 8 + 2 * tableEntryBytes]! ^= 1
    const bytes = Buffer.concat([frames[0]!, badRow, frames[1]!, torn.subarray(0, -1000)])
    const heard: number[] = []
    for await (const mark of marksBeyond(await fileOf(bytes), 0, bytes.length)) heard.push(mark)
    expect(heard).toEqual([3, 4, 5, 4])
  })

  test('are heard in a few readings, though headers claim each other for their own', async () => {
    const count = 10_000
    const bytes = Buffer.alloc(count * headerBytes)
    const whole = Buffer.concat(encodeFrame(input({ syncedThrough: 7 })).chunks)
    for (let at = 0; at < bytes.length; at += headerBytes) {
      const header = Buffer.from(whole.subarray(0, headerBytes))
      header.writeUInt32LE(0, 8)
      header.writeUInt32LE(0, 12)
      header.writeUInt32LE(bytes.length - at - headerBytes, 16)
      header.writeUInt32LE(0, 20)
      header.writeUInt32LE(crc32(header.subarray(0, 32)), 32)
      bytes.set(header, at)
    }
    const file = await fileOf(bytes)
    let read = 0
    const counting = {
      ...file,
      read: async (offset: number, length: number): Promise<Uint8Array> => {
        const part = await file.read(offset, length)
        read += part.length
        return part
      },
    }
    let heard = 0
    for await (const mark of marksBeyond(counting, 0, bytes.length)) heard += mark / 7
    expect(heard).toBe(count)
    expect(read).toBeLessThan(bytes.length * 4)
  })
})

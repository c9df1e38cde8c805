/**
 * Reads frames from a segment and says exactly what is wrong with a bad one. It believes no length before the
 * checksum over it has been met, and decides nothing: whether a fault is torn or corrupt is recovery's
 * question.
 */
import { crc32 } from 'node:zlib'
import type { ReadableFile } from '../disk/disk.ts'
import {
  cellOverheadBytes,
  digestBytes,
  headerBytes,
  itemDigest,
  padded,
  saltBytes,
  tableEntryBytes,
  frameFlags,
} from './frame.ts'
import type { ErasedAt, ErasedInFrame } from './erasures.ts'
import { nextMark, readHeader, tableIsWhole } from './frame-header.ts'

export interface ReadItem {
  row: Uint8Array
  /** Where the payload stands in the segment. */
  offset: number
  length: number
  crc: number
  /** By this commit: its bytes say nothing any more, whatever they are. */
  erasedBy?: number
}

export interface ReadFrame {
  offset: number
  sizeBytes: number
  flags: number
  syncedThrough: number
  head: Uint8Array
  /** Header, head and table: what hashes cover. */
  hashed: Uint8Array
  items: ReadItem[]
  rowsBytes: number
}

/** Why there is no good frame at an offset. `end`: there is nothing at all. */
export interface FrameFault {
  offset: number
  fault: string
  end?: true
  item?: number
  /** Set where the header itself is good: what it says. */
  syncedThrough?: number
  sizeBytes?: number
}

const windowBytes = 256 * 1024

/** Reads forward through one segment, a large read at a time, skipping payloads. */
export class FrameReader {
  readonly #file: ReadableFile
  readonly #erasedAt: ErasedAt | undefined
  #window: Buffer = Buffer.alloc(0)
  #windowOffset = 0

  constructor(file: ReadableFile, erasedAt?: ErasedAt) {
    this.#file = file
    this.#erasedAt = erasedAt
  }

  /**
   * The frame at `offset`, which must end at or before `limit`. Payloads are read and checked only with
   * `payloads: true`; with `rows: false` rows are not checked either, and all that counts is where they stand.
   */
  async read(
    offset: number,
    limit: number,
    { payloads = false, rows = true } = {},
  ): Promise<ReadFrame | FrameFault> {
    if (offset >= limit) return { offset, fault: 'the file ends here', end: true }
    const header = readHeader(await this.#bytes(offset, headerBytes, limit))
    if (typeof header === 'string') return { offset, fault: header }
    const { flags, items, syncedThrough, headBytes, rowsBytes, tableStart, hashedBytes, sizeBytes } = header
    const known = { offset, syncedThrough, sizeBytes }
    if (offset + sizeBytes > limit) return { ...known, fault: 'it is cut off' }

    const front = await this.#bytes(offset, header.frontBytes, limit)
    const hashed = front.subarray(0, hashedBytes)
    if (!tableIsWhole(hashed)) return { ...known, fault: 'its head or table is damaged' }
    const frame: ReadFrame = {
      ...known,
      flags,
      head: hashed.subarray(headerBytes, headerBytes + headBytes),
      hashed,
      items: [],
      rowsBytes,
    }
    const bad = readCells(frame, { front, items, tableStart, erased: this.#erasedAt?.(offset), rows })
    if (bad) return { ...known, ...bad }
    return payloads ? ((await this.#payloadFault(frame, front, limit)) ?? frame) : frame
  }

  /**
   * Payloads meet their checksums, items their digests. Paddings behind rows and payloads hold nothing, and
   * are not looked at.
   */
  async #payloadFault(frame: ReadFrame, front: Buffer, limit: number): Promise<FrameFault | undefined> {
    const known = { offset: frame.offset, syncedThrough: frame.syncedThrough, sizeBytes: frame.sizeBytes }
    let cell = frame.hashed.length
    let entry = frame.hashed.length - frame.items.length * tableEntryBytes
    for (const [item, { row, offset, length, crc, erasedBy }] of frame.items.entries()) {
      if (erasedBy === undefined) {
        const payload = await this.#bytes(offset, length, limit)
        if (payload.length < length || crc32(payload) !== crc)
          return { ...known, fault: 'a payload is damaged', item }
        const salted = front.subarray(cell + 8, cell + cellOverheadBytes + row.length)
        if (front.toString('binary', entry, entry + digestBytes) !== itemDigest(salted, payload))
          return { ...known, fault: 'an item does not meet its digest', item }
      }
      cell += cellOverheadBytes + row.length
      entry += tableEntryBytes
    }
    return undefined
  }

  async #bytes(offset: number, length: number, limit: number): Promise<Buffer> {
    const from = offset - this.#windowOffset
    if (from >= 0 && from + length <= this.#window.length) return this.#window.subarray(from, from + length)
    const rest = Math.max(0, limit - offset)
    // What stands last was written last, and is in memory: the thread pool would take far longer than the read.
    const read =
      rest <= windowBytes
        ? this.#file.readNow(offset, rest)
        : await this.#file.read(offset, Math.min(Math.max(length, windowBytes), rest))
    this.#window = Buffer.from(read.buffer, read.byteOffset, read.byteLength)
    this.#windowOffset = offset
    return this.#window.subarray(0, length)
  }
}

export function isFault(read: ReadFrame | FrameFault): read is FrameFault {
  return 'fault' in read
}

/**
 * What the frames from a bad place on say was synced through: a header that checks itself is evidence,
 * whatever became of its frame. Frames start at multiples of 8. Behind a head and a table that are whole stands
 * what a user wrote, and that is no evidence: it may hold a frame made by hand.
 */
export async function* marksBeyond(file: ReadableFile, from: number, limit: number): AsyncGenerator<number> {
  /** Where the bad frames end: what begins before is not read whole, else headers that claim each other's bytes would each cost all of them. */
  let claimed = 0
  let offset = padded(from)
  while (offset + headerBytes <= limit) {
    const bytes = await file.read(offset, Math.min(windowBytes, limit - offset))
    const window = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    let next = nextMark(window, 0)
    while (next !== undefined && next + headerBytes <= window.length) {
      const frame = offset + next
      const header = readHeader(window.subarray(next, next + headerBytes))
      next += 8
      if (typeof header !== 'string') {
        yield header.syncedThrough
        const { hashedBytes, sizeBytes } = header
        if (frame >= claimed && frame + hashedBytes <= limit) {
          const hashed = await file.read(frame, hashedBytes)
          if (hashed.length === hashedBytes && tableIsWhole(hashed)) next = frame - offset + sizeBytes
          else claimed = frame + hashedBytes
        }
      }
      next = next < window.length ? nextMark(window, next) : next
    }
    offset += next || Math.max(8, (window.length - 3) & ~7)
  }
}

function readCells(
  frame: ReadFrame,
  {
    front,
    items,
    tableStart,
    erased,
    rows,
  }: { front: Buffer; items: number; tableStart: number; erased: ErasedInFrame | undefined; rows: boolean },
): { fault: string; item?: number } | undefined {
  const isMatrix = (frame.flags & frameFlags.matrix) !== 0
  let cell = frame.hashed.length
  let offset = frame.offset + front.length
  for (let item = 0; item < items; item++) {
    const entry = tableStart + item * tableEntryBytes
    const rowBytes = front.readUInt32LE(entry + digestBytes)
    const length = front.readUInt32LE(entry + digestBytes + 4)
    const end = cell + cellOverheadBytes + rowBytes
    if (end > front.length) return { fault: 'its table does not fit its rows', item }
    const erasedBy = erased?.get(item)
    if (rows && erasedBy === undefined && crc32(front.subarray(cell + 8, end)) !== front.readUInt32LE(cell))
      return { fault: 'a row is damaged', item }
    frame.items.push({
      row: front.subarray(cell + 8 + saltBytes, end),
      offset,
      length,
      crc: front.readUInt32LE(cell + 4),
      ...(erasedBy !== undefined && { erasedBy }),
    })
    cell = end
    offset += isMatrix ? length : padded(length)
  }
  if (
    frame.offset + frame.sizeBytes !==
    frame.offset + front.length + padded(offset - frame.offset - front.length)
  )
    return { fault: 'its table does not fit its payloads' }
  return undefined
}

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
  /** The file ended in it. */
  #isShort = false

  constructor(file: ReadableFile, erasedAt?: ErasedAt) {
    this.#file = file
    this.#erasedAt = erasedAt
  }

  /**
   * The frame at `offset`, which must end at or before `limit`. Payloads are read and checked only with
   * `payloads: true`; with `rows: false` rows are not checked either, and all that counts is where they stand.
   * No promise, if it was read ahead: of thousands of small frames, waiting for each would cost more than all else.
   */
  read(
    offset: number,
    limit: number,
    { payloads = false, rows = true } = {},
  ): ReadFrame | FrameFault | Promise<ReadFrame | FrameFault> {
    const read = this.#frame(offset, limit, { rows, isShort: false })
    return payloads || typeof read === 'number'
      ? this.#reading(read, offset, limit, { payloads, rows })
      : read
  }

  async #reading(
    read: ReadFrame | FrameFault | number,
    offset: number,
    limit: number,
    { payloads, rows }: { payloads: boolean; rows: boolean },
  ): Promise<ReadFrame | FrameFault> {
    while (typeof read === 'number') {
      await this.#fill(offset, read, limit)
      read = this.#frame(offset, limit, { rows, isShort: this.#isShort })
    }
    return payloads && !isFault(read) ? ((await this.#payloadFault(read, limit)) ?? read) : read
  }

  /** As far as it stands in the window, else how many bytes are to be there. `isShort`: what is there is all there is. */
  #frame(
    offset: number,
    limit: number,
    { rows, isShort }: { rows: boolean; isShort: boolean },
  ): ReadFrame | FrameFault | number {
    if (offset >= limit) return { offset, fault: 'the file ends here', end: true }
    const opening = this.#inWindow(offset, headerBytes)
    if (!opening && !isShort) return headerBytes
    const header = readHeader(opening ?? this.#window)
    if (typeof header === 'string') return { offset, fault: header }
    const { flags, items, syncedThrough, headBytes, rowsBytes, tableStart, hashedBytes, sizeBytes } = header
    const known = { offset, syncedThrough, sizeBytes }
    if (offset + sizeBytes > limit) return { ...known, fault: 'it is cut off' }

    const whole = this.#inWindow(offset, header.frontBytes)
    if (!whole && !isShort) return header.frontBytes
    const front = whole ?? this.#window
    const hashed = front.subarray(0, hashedBytes)
    if (!tableIsWhole(hashed)) return { ...known, fault: 'its head or table is damaged' }
    const frame: ReadFrame = {
      flags,
      head: hashed.subarray(headerBytes, headerBytes + headBytes),
      hashed,
      items: [],
      rowsBytes,
      ...known,
    }
    const bad = readCells(frame, { front, items, tableStart, erased: this.#erasedAt?.(offset), rows })
    return bad ? { ...known, ...bad } : frame
  }

  /**
   * Payloads meet their checksums, items their digests. Paddings behind rows and payloads hold nothing, and
   * are not looked at.
   */
  async #payloadFault(frame: ReadFrame, limit: number): Promise<FrameFault | undefined> {
    const known = { offset: frame.offset, syncedThrough: frame.syncedThrough, sizeBytes: frame.sizeBytes }
    const front = this.#window.subarray(frame.offset - this.#windowOffset) // The window moves on with the payloads.
    let cell = frame.hashed.length
    let entry = frame.hashed.length - frame.items.length * tableEntryBytes
    for (const [item, { row, offset, length, crc, erasedBy }] of frame.items.entries()) {
      if (erasedBy === undefined) {
        if (!this.#inWindow(offset, length)) await this.#fill(offset, length, limit)
        const payload = this.#inWindow(offset, length)
        if (!payload || crc32(payload) !== crc) return { ...known, fault: 'a payload is damaged', item }
        const salted = front.subarray(cell + 8, cell + cellOverheadBytes + row.length)
        if (front.toString('binary', entry, entry + digestBytes) !== itemDigest(salted, payload))
          return { ...known, fault: 'an item does not meet its digest', item }
      }
      cell += cellOverheadBytes + row.length
      entry += tableEntryBytes
    }
    return undefined
  }

  #inWindow(offset: number, length: number): Buffer | undefined {
    const from = offset - this.#windowOffset
    const isThere = from >= 0 && from + length <= this.#window.length
    return isThere ? this.#window.subarray(from, from + length) : undefined
  }

  /** Moves the window, so that it begins at `offset`. */
  async #fill(offset: number, length: number, limit: number): Promise<void> {
    const rest = Math.max(0, limit - offset)
    const wanted = Math.min(Math.max(length, windowBytes), rest)
    // What stands last was written last, and is in memory: the thread pool would take far longer than the read.
    const read =
      rest <= windowBytes ? this.#file.readNow(offset, wanted) : await this.#file.read(offset, wanted)
    this.#window = Buffer.from(read.buffer, read.byteOffset, read.byteLength)
    this.#windowOffset = offset
    this.#isShort = read.length < wanted || wanted === rest
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

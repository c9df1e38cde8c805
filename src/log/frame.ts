/**
 * One event's bytes. This file knows where everything in a frame stands, and makes frames; `frame-reader`
 * reads them. It does not know what head, rows and payloads mean.
 *
 *     0   4  sync mark
 *     4   2  flags
 *     6   2  zero
 *     8   4  items
 *    12   4  head bytes, unpadded
 *    16   4  rows bytes, unpadded
 *    20   4  payloads bytes, unpadded
 *    24   8  syncedThrough
 *    32   4  CRC-32 of bytes 0-31
 *    36   4  CRC-32 of head and table, padding included
 *    40      head       zero-padded to 8
 *            table      per item: SHA-256(salt, row, payload) 32, row bytes 4, payload bytes 4
 *            rows       per item a cell: CRC-32 of salt and row 4, CRC-32 of payload 4, salt 16, row; the region zero-padded to 8
 *            payloads   each zero-padded to 8; unpadded in a matrix, whose region is padded once
 */
import { createHash, hash } from 'node:crypto'
import { crc32 } from 'node:zlib'
import { VarveError } from '../errors.ts'

export const syncMark = 0x1f_76_72_76 // "vrv" and a control character that no text holds
export const headerBytes = 40
export const tableEntryBytes = 40
export const digestBytes = 32
/** What stands before the row in a cell. */
export const cellOverheadBytes = 24
export const saltBytes = 16
export const maxFrameBytes = 1024 * 1024 * 1024

export const frameFlags = {
  /** Payloads are rows of one matrix: no padding between them. */
  matrix: 1,
  /** In the commit log: not a commit; says that what `syncedThrough` names is durable. */
  mark: 2,
  /** In the commit log, with `mark`: the session ended in order. */
  close: 4,
  /** In the commit log: first in its segment, says where the segment before it ends. */
  seal: 8,
} as const

export interface FrameItem {
  row: Uint8Array
  payload?: Uint8Array
}

export interface FrameInput {
  flags?: number
  head: Uint8Array
  items: readonly FrameItem[]
  /** The last commit known to be durable. */
  syncedThrough: number
  /** Fills a buffer with random bytes. */
  random: (target: Uint8Array) => void
}

/** A frame ready to be written, and where its payloads will stand in it. */
export interface EncodedFrame {
  /** In order; together `sizeBytes` long. */
  chunks: Uint8Array[]
  sizeBytes: number
  /** Header, head and table: what hashes cover. */
  hashed: Uint8Array
  payloads: { offset: number; bytes: Uint8Array; crc: number }[]
  rowsBytes: number
}

const emptyPayload = new Uint8Array(0)

export function padded(length: number): number {
  return Math.ceil(length / 8) * 8 // Not by bits: they end at 2^31, and a length that was never checked may lie beyond.
}

export function encodeFrame({ flags = 0, head, items, syncedThrough, random }: FrameInput): EncodedFrame {
  const isMatrix = (flags & frameFlags.matrix) !== 0
  const sizes = measure(items, isMatrix)
  const hashedBytes = headerBytes + padded(head.length) + items.length * tableEntryBytes
  const total = hashedBytes + padded(sizes.rows) + padded(sizes.payloads)
  if (total > maxFrameBytes)
    throw new VarveError('VARVE_TOO_LARGE', `One item takes ${total} bytes; at most ${maxFrameBytes} fit.`)

  const front = Buffer.alloc(isMatrix ? hashedBytes + padded(sizes.rows) : total)
  front.set(head, headerBytes)
  const salts = new Uint8Array(items.length * saltBytes)
  random(salts)
  const payloadsStart = hashedBytes + padded(sizes.rows)
  const payloads = placeItems(front, {
    items,
    salts,
    isMatrix,
    tableStart: headerBytes + padded(head.length),
    rowsStart: hashedBytes,
    payloadsStart,
  })
  writeHeader(front, { flags, items: items.length, head: head.length, syncedThrough, hashedBytes, ...sizes })

  return {
    chunks: isMatrix ? [front, ...matrixChunks(items, sizes.payloads)] : [front],
    sizeBytes: total,
    hashed: front.subarray(0, hashedBytes),
    payloads,
    rowsBytes: sizes.rows,
  }
}

function measure(items: readonly FrameItem[], isMatrix: boolean): { rows: number; payloads: number } {
  let rows = 0
  let payloads = 0
  for (const { row, payload = emptyPayload } of items) {
    rows += cellOverheadBytes + row.length
    payloads += isMatrix ? payload.length : padded(payload.length)
  }
  return { rows, payloads }
}

interface Placement {
  items: readonly FrameItem[]
  salts: Uint8Array
  isMatrix: boolean
  tableStart: number
  rowsStart: number
  payloadsStart: number
}

/**
 * Fills table, cells and, but for a matrix, payloads: a copy of small payloads costs less than a list of them
 * to write.
 */
function placeItems(
  front: Buffer,
  { items, salts, isMatrix, tableStart, rowsStart, payloadsStart }: Placement,
): EncodedFrame['payloads'] {
  let cell = rowsStart
  let entry = tableStart
  let offset = payloadsStart
  return items.map(({ row, payload = emptyPayload }, index) => {
    front.set(salts.subarray(index * saltBytes, (index + 1) * saltBytes), cell + 8)
    front.set(row, cell + cellOverheadBytes)
    const salted = front.subarray(cell + 8, cell + cellOverheadBytes + row.length)
    const crc = crc32(payload)
    front.writeUInt32LE(crc32(salted), cell)
    front.writeUInt32LE(crc, cell + 4)
    front.write(itemDigest(salted, payload), entry, 'binary')
    front.writeUInt32LE(row.length, entry + digestBytes)
    front.writeUInt32LE(payload.length, entry + digestBytes + 4)
    if (!isMatrix) front.set(payload, offset)
    const bytes = isMatrix ? payload : front.subarray(offset, offset + payload.length)
    const place = { offset, bytes, crc }
    cell += cellOverheadBytes + row.length
    entry += tableEntryBytes
    offset += isMatrix ? payload.length : padded(payload.length)
    return place
  })
}

/** Small items are joined here: to hash them in one call costs half of what a `Hash` does. */
const joined = Buffer.allocUnsafeSlow(32 * 1024)

/** As text of one character a byte, which is cheaper to make and to compare than bytes are. */
export function itemDigest(saltedRow: Uint8Array, payload: Uint8Array): string {
  const length = saltedRow.length + payload.length
  if (length > joined.length) return createHash('sha256').update(saltedRow).update(payload).digest('binary')
  joined.set(saltedRow, 0)
  joined.set(payload, saltedRow.length)
  return hash('sha256', joined.subarray(0, length), 'binary')
}

interface HeaderValues {
  flags: number
  items: number
  head: number
  rows: number
  payloads: number
  syncedThrough: number
  hashedBytes: number
}

function writeHeader(
  front: Buffer,
  { flags, items, head, rows, payloads, syncedThrough, hashedBytes }: HeaderValues,
): void {
  front.writeUInt32LE(syncMark, 0)
  front.writeUInt16LE(flags, 4)
  front.writeUInt32LE(items, 8)
  front.writeUInt32LE(head, 12)
  front.writeUInt32LE(rows, 16)
  front.writeUInt32LE(payloads, 20)
  front.writeBigUInt64LE(BigInt(syncedThrough), 24)
  front.writeUInt32LE(crc32(front.subarray(0, 32)), 32)
  front.writeUInt32LE(crc32(front.subarray(headerBytes, hashedBytes)), 36)
}

/** The rows of a matrix are written as they stand; rows that follow each other in memory as one. */
function matrixChunks(items: readonly FrameItem[], length: number): Uint8Array[] {
  const chunks: Uint8Array[] = []
  for (const { payload = emptyPayload } of items) {
    const last = chunks.at(-1)
    if (last && last.buffer === payload.buffer && last.byteOffset + last.length === payload.byteOffset)
      chunks[chunks.length - 1] = new Uint8Array(last.buffer, last.byteOffset, last.length + payload.length)
    else if (payload.length) chunks.push(payload)
  }
  if (padded(length) > length) chunks.push(new Uint8Array(padded(length) - length))
  return chunks
}

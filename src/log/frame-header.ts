/**
 * What a frame's fixed header says, once it has met its own checksum, and where a frame may begin: for whoever
 * reads frames, good or damaged. The layout is `frame.ts`'s.
 */
import { crc32 } from 'node:zlib'
import { headerBytes, padded, syncMark, tableEntryBytes } from './frame.ts'

export interface FrameHeader {
  flags: number
  /** How many. */
  items: number
  syncedThrough: number
  headBytes: number
  rowsBytes: number
  payloadsBytes: number
  /** Where the table begins. */
  tableStart: number
  /** Header, head and table. */
  hashedBytes: number
  /** The same and the rows. */
  frontBytes: number
  sizeBytes: number
}

/** What a header says, or what is wrong with it. */
export function readHeader(header: Buffer): FrameHeader | string {
  if (header.length < headerBytes) return 'its header is cut off'
  if (header.readUInt32LE(0) !== syncMark) return 'no frame begins here'
  if (crc32(header.subarray(0, 32)) !== header.readUInt32LE(32)) return 'its header is damaged'
  const items = header.readUInt32LE(8)
  const headBytes = header.readUInt32LE(12)
  const rowsBytes = header.readUInt32LE(16)
  const payloadsBytes = header.readUInt32LE(20)
  const tableStart = headerBytes + padded(headBytes)
  const hashedBytes = tableStart + items * tableEntryBytes
  const frontBytes = hashedBytes + padded(rowsBytes)
  return {
    flags: header.readUInt16LE(4),
    items,
    syncedThrough: Number(header.readBigUInt64LE(24)),
    headBytes,
    rowsBytes,
    payloadsBytes,
    tableStart,
    hashedBytes,
    frontBytes,
    sizeBytes: frontBytes + padded(payloadsBytes),
  }
}

/** Whether head and table, behind a header that has met its own checksum, meet theirs. */
export function tableIsWhole(hashed: Uint8Array): boolean {
  const stored = new DataView(hashed.buffer, hashed.byteOffset).getUint32(36, true)
  return crc32(hashed.subarray(headerBytes)) === stored
}

const markBytes = Buffer.from(Uint32Array.of(syncMark).buffer)

/** The first place from `from` on where a frame may begin: frames start at multiples of 8. */
export function nextMark(bytes: Buffer, from = 0): number | undefined {
  let at = bytes.indexOf(markBytes, from)
  while (at >= 0 && at % 8 !== 0) at = bytes.indexOf(markBytes, at + 1)
  return at < 0 ? undefined : at
}

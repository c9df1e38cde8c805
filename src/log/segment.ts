/**
 * A segment's own header, by which a foreign, swapped or misplaced file is recognised before a byte of it is
 * believed.
 *
 *     0   8  "VARVESEG"
 *     8   4  format
 *    12   4  segment number
 *    16  16  journal id
 *    32  16  session that created it
 *    48   8  first bytes of SHA-256 of the store's folder name
 *    56   4  zero
 *    60   4  CRC-32 of bytes 0-59
 */
import { createHash } from 'node:crypto'
import { crc32 } from 'node:zlib'

export const format = 1
export const segmentHeaderBytes = 64

const magic = Buffer.from('VARVESEG')

export interface SegmentHeader {
  journalId: Uint8Array
  session: Uint8Array
  folder: string
  number: number
}

export function encodeSegmentHeader({ journalId, session, folder, number }: SegmentHeader): Buffer {
  const bytes = Buffer.alloc(segmentHeaderBytes)
  bytes.set(magic, 0)
  bytes.writeUInt32LE(format, 8)
  bytes.writeUInt32LE(number, 12)
  bytes.set(journalId, 16)
  bytes.set(session, 32)
  bytes.set(folderMark(folder), 48)
  bytes.writeUInt32LE(crc32(bytes.subarray(0, 60)), 60)
  return bytes
}

/** `damaged`: a crash can leave that; `foreign`: it cannot, this is another segment in the wrong place. */
export interface SegmentFault {
  kind: 'missing' | 'damaged' | 'foreign' | 'newer'
  fault: string
}

/** `undefined` if the header is the one expected, else what is wrong with it. */
export function segmentFault(
  bytes: Uint8Array,
  expected: Omit<SegmentHeader, 'session'>,
): SegmentFault | undefined {
  const header = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (header.length < segmentHeaderBytes) return { kind: 'damaged', fault: 'its header is cut off' }
  if (!header.subarray(0, 8).equals(magic)) return { kind: 'damaged', fault: 'it is not a segment' }
  if (header.readUInt32LE(60) !== crc32(header.subarray(0, 60)))
    return { kind: 'damaged', fault: 'its header is damaged' }
  if (header.readUInt32LE(8) > format)
    return { kind: 'newer', fault: `its format is ${header.readUInt32LE(8)}` }
  if (!header.subarray(16, 32).equals(expected.journalId))
    return { kind: 'foreign', fault: 'it belongs to another journal' }
  if (!header.subarray(48, 56).equals(folderMark(expected.folder)))
    return { kind: 'foreign', fault: 'it belongs to another store' }
  const number = header.readUInt32LE(12)
  return number === expected.number ? undefined : { kind: 'foreign', fault: `it is segment ${number}` }
}

function folderMark(folder: string): Uint8Array {
  return createHash('sha256').update(folder).digest().subarray(0, 8)
}

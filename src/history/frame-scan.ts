/**
 * Reads a frame that may be damaged, and tells its items apart as long as its header, head and table are good: then one bad item costs
 * nothing but itself. The layout is that of `log/frame.ts`; whether a fault is torn or corrupt is not decided here.
 */
import { crc32 } from 'node:zlib'
import {
  cellOverheadBytes,
  digestBytes,
  frameFlags,
  headerBytes,
  itemDigest,
  maxFrameBytes,
  padded,
  saltBytes,
  tableEntryBytes,
} from '../log/frame.ts'
import type { ErasedAt, ErasedInFrame } from '../log/erasures.ts'
import { nextMark, readHeader, tableIsWhole, type FrameHeader } from '../log/frame-header.ts'
import type { FrameFault, ReadFrame } from '../log/frame-reader.ts'
import type { SteadyFile } from './steady-file.ts'

export interface ScannedItem {
  /** `undefined`: damaged. */
  row: Uint8Array | undefined
  /** `undefined`: damaged. */
  payload: Uint8Array | undefined
  /** Row and payload are what was written, whatever became of the checksums beside them. */
  whole: boolean
  /** Where the payload stands in the segment, and its checksum. */
  offset: number
  length: number
  crc: number
  fault: string | undefined
  /** By this commit: nothing else is known of it but whether its bytes are gone. */
  erased: { by: number; isGone: boolean } | undefined
}

export interface ScannedFrame extends Omit<ReadFrame, 'items' | 'rowsBytes'> {
  items: readonly ScannedItem[]
}

/** A place without a frame whose items could be told apart. */
export interface LostFrame extends Omit<FrameFault, 'item'> {
  /** How many: set where the header itself is good. */
  items?: number
}

/** For those who read frames that are whole, without what was erased: no other row of it may be damaged. */
export function toReadFrame(scanned: ScannedFrame): ReadFrame {
  const { offset, sizeBytes, flags, syncedThrough, head, hashed } = scanned
  const isErased = scanned.items.some(({ erased }) => erased)
  const left = isErased ? scanned.items.filter(({ erased }) => !erased) : scanned.items
  const items = left as (ScannedItem & { row: Uint8Array })[]
  return { offset, sizeBytes, flags, syncedThrough, head, hashed, items, rowsBytes: 0 }
}

export function isLost(scanned: ScannedFrame | LostFrame): scanned is LostFrame {
  return 'fault' in scanned
}

/** The frame at `offset`, which must end at or before `limit`, with every byte read. */
export async function scanFrame(
  file: SteadyFile,
  offset: number,
  limit: number,
  erasedAt?: ErasedAt,
): Promise<ScannedFrame | LostFrame> {
  if (offset >= limit) return { offset, fault: 'the file ends here', end: true }
  const header = readHeader(await file.read(offset, Math.min(headerBytes, limit - offset)))
  if (typeof header === 'string') return { offset, fault: header }
  const { flags, items, headBytes, syncedThrough, hashedBytes, frontBytes, sizeBytes } = header
  const known = { offset, syncedThrough, sizeBytes, items }
  if (sizeBytes > maxFrameBytes) return { ...known, fault: 'it is larger than any frame' }
  if (offset + sizeBytes > limit) return { ...known, fault: 'it is cut off' }

  const front = await file.read(offset, frontBytes)
  if (front.length < frontBytes) return { ...known, fault: 'it is cut off' }
  const hashed = front.subarray(0, hashedBytes)
  if (!tableIsWhole(hashed)) return { ...known, fault: 'its head or table is damaged' }
  const payloads = await file.read(offset + frontBytes, padded(header.payloadsBytes))
  const regions = { front, payloads, payloadsOffset: offset + frontBytes, erased: erasedAt?.(offset) }
  const scanned = scanItems(header, regions)
  if (typeof scanned === 'string') return { ...known, fault: scanned }
  const head = hashed.subarray(headerBytes, headerBytes + headBytes)
  return { offset, sizeBytes, flags, syncedThrough, head, hashed, items: scanned }
}

export interface FoundHeader extends FrameHeader {
  offset: number
}

/** The next good header at or behind `from`. Frames start at multiples of 8. */
export async function nextHeader(
  file: SteadyFile,
  from: number,
  limit: number,
): Promise<FoundHeader | undefined> {
  for (let offset = padded(from); offset + headerBytes <= limit;) {
    const bytes = await file.read(offset, Math.min(64 * 1024, limit - offset))
    const at = nextMark(bytes)
    if (at === undefined) {
      offset += Math.max(8, (bytes.length - 3) & ~7)
      continue
    }
    offset += at
    const header = readHeader(await file.read(offset, Math.min(headerBytes, limit - offset)))
    if (typeof header !== 'string') return { offset, ...header }
    offset += 8
  }
  return undefined
}

interface Regions {
  front: Buffer
  payloads: Buffer
  /** Where the payloads stand in the segment. */
  payloadsOffset: number
  erased: ErasedInFrame | undefined
}

interface TableEntry {
  digest: string
  /** Of the payload, and where it stands in the segment. */
  length: number
  offset: number
}

/** Every item with what is wrong with it, or why they cannot be told apart. */
function scanItems(header: FrameHeader, regions: Regions): ScannedItem[] | string {
  const { flags, items, tableStart, hashedBytes } = header
  const { front, payloads, payloadsOffset, erased } = regions
  const isMatrix = (flags & frameFlags.matrix) !== 0
  const scanned: ScannedItem[] = []
  let cell = hashedBytes
  let within = 0
  for (let entry = tableStart; scanned.length < items; entry += tableEntryBytes) {
    const rowBytes = front.readUInt32LE(entry + digestBytes)
    const length = front.readUInt32LE(entry + digestBytes + 4)
    const end = cell + cellOverheadBytes + rowBytes
    if (end > front.length) return 'its table does not fit its rows'
    const bytes = front.subarray(cell, end)
    const payload = payloads.subarray(within, within + length)
    const digest = front.toString('binary', entry, entry + digestBytes)
    const place = { digest, length, offset: payloadsOffset + within }
    const by = erased?.get(scanned.length)
    scanned.push(by === undefined ? scanItem(bytes, payload, place) : erasedItem(bytes, payload, place, by))
    cell = end
    within += isMatrix ? length : padded(length)
  }
  return padded(within) === payloads.length ? scanned : 'its table does not fit its payloads'
}

function scanItem(cell: Buffer, payload: Buffer, { digest, length, offset }: TableEntry): ScannedItem {
  const salted = cell.subarray(8)
  const row = salted.subarray(saltBytes)
  const crc = crc32(payload)
  const noted = cell.readUInt32LE(4)
  const isRowGood = crc32(salted) === cell.readUInt32LE(0)
  const isPayloadGood = payload.length === length && crc === noted
  if (digest === itemDigest(salted, payload)) {
    const fault = isRowGood && isPayloadGood ? undefined : 'its checksum is damaged'
    return { row, payload, whole: true, offset, length, crc, fault, erased: undefined }
  }
  return {
    row: isRowGood ? row : undefined,
    payload: isPayloadGood ? payload : undefined,
    whole: false,
    offset,
    length,
    crc: noted,
    fault: itemFault(isRowGood, isPayloadGood),
    erased: undefined,
  }
}

function erasedItem(cell: Buffer, payload: Buffer, { length, offset }: TableEntry, by: number): ScannedItem {
  const isGone = isZero(cell) && isZero(payload)
  const nothing = { row: undefined, payload: undefined, whole: false, fault: undefined }
  return { ...nothing, offset, length, crc: 0, erased: { by, isGone } }
}

function isZero(bytes: Uint8Array): boolean {
  return Buffer.compare(bytes, Buffer.alloc(bytes.length)) === 0
}

function itemFault(isRowGood: boolean, isPayloadGood: boolean): string {
  if (isRowGood && isPayloadGood) return 'it does not meet its digest'
  if (isRowGood) return 'its payload is damaged'
  return isPayloadGood ? 'its row is damaged' : 'its row and payload are damaged'
}

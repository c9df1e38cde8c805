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
  const opening = Math.min(headerBytes, limit - offset)
  const header = readHeader(file.held(offset, opening) ?? (await file.read(offset, opening)))
  if (typeof header === 'string') return { offset, fault: header }
  const { flags, items, headBytes, syncedThrough, hashedBytes, frontBytes, sizeBytes } = header
  const known = { offset, syncedThrough, sizeBytes, items }
  if (sizeBytes > maxFrameBytes) return { ...known, fault: 'it is larger than any frame' }
  if (offset + sizeBytes > limit) return { ...known, fault: 'it is cut off' }

  const front = file.held(offset, frontBytes) ?? (await file.read(offset, frontBytes))
  if (front.length < frontBytes) return { ...known, fault: 'it is cut off' }
  const hashed = front.subarray(0, hashedBytes)
  if (!tableIsWhole(hashed)) return { ...known, fault: 'its head or table is damaged' }
  const erased = erasedAt?.(offset)
  const scanned = await scanItems(file, header, { front, payloadsOffset: offset + frontBytes, erased })
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
  /** Where the payloads stand in the segment. */
  payloadsOffset: number
  erased: ErasedInFrame | undefined
}

/** What an item's place in front and table says of it. */
interface ItemPlace {
  front: Buffer
  /** In the front: its cell, to its end, and its place in the table. */
  cell: number
  end: number
  entry: number
  /** Of the payload, and where it stands in the segment. */
  length: number
  offset: number
}

/** Every item with what is wrong with it, or why they cannot be told apart. Payloads are read one by one: a frame may be large. */
async function scanItems(
  file: SteadyFile,
  { flags, items, tableStart, hashedBytes, payloadsBytes }: FrameHeader,
  { front, payloadsOffset, erased }: Regions,
): Promise<ScannedItem[] | string> {
  const isMatrix = (flags & frameFlags.matrix) !== 0
  const payloadsEnd = payloadsOffset + padded(payloadsBytes)
  const scanned: ScannedItem[] = []
  let cell = hashedBytes
  let offset = payloadsOffset
  for (let entry = tableStart; scanned.length < items; entry += tableEntryBytes) {
    const rowBytes = front.readUInt32LE(entry + digestBytes)
    const length = front.readUInt32LE(entry + digestBytes + 4)
    const end = cell + cellOverheadBytes + rowBytes
    if (end > front.length) return 'its table does not fit its rows'
    if (offset + length > payloadsEnd) return 'its table does not fit its payloads'
    const payload = length === 0 ? noBytes : (file.held(offset, length) ?? (await file.read(offset, length)))
    const by = erased?.get(scanned.length)
    const place = { front, cell, end, entry, length, offset }
    scanned.push(by === undefined ? scanItem(place, payload) : erasedItem(place, payload, by))
    cell = end
    offset += isMatrix ? length : padded(length)
  }
  return payloadsOffset + padded(offset - payloadsOffset) === payloadsEnd
    ? scanned
    : 'its table does not fit its payloads'
}

const noBytes = Buffer.alloc(0)

function scanItem({ front, cell, end, entry, length, offset }: ItemPlace, payload: Buffer): ScannedItem {
  const salted = front.subarray(cell + 8, end)
  const row = front.subarray(cell + cellOverheadBytes, end)
  const crc = length === 0 ? 0 : crc32(payload)
  const noted = front.readUInt32LE(cell + 4)
  const isRowGood = crc32(salted) === front.readUInt32LE(cell)
  const isPayloadGood = payload.length === length && crc === noted
  if (front.toString('binary', entry, entry + digestBytes) === itemDigest(salted, payload)) {
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

function erasedItem(
  { front, cell, end, length, offset }: ItemPlace,
  payload: Buffer,
  by: number,
): ScannedItem {
  const isGone = isZero(front.subarray(cell, end)) && isZero(payload)
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

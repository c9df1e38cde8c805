/** The events that commits hold, read back from the parts or places that they name: checked, decoded, and without what was erased. */
import { VarveError } from '../errors.ts'
import { frameFlags } from '../log/frame.ts'
import { isFault, type ReadFrame, type ReadItem } from '../log/frame-reader.ts'
import { readPart, ReadAhead } from '../log/part.ts'
import type { SegmentFiles } from '../log/segment-files.ts'
import type { CommittedParts } from './catalog.ts'
import { tryDecode } from './codec.ts'
import { eventVersion, type StoreKind, type StoredEvent } from './event.ts'
import { count, either, text, tuple } from './shape.ts'

/** Whose events are read. */
export interface StoreOfKind {
  readonly folder: string
  readonly kind: StoreKind
}

interface ReadEventsOptions {
  isWanted?: (row: Uint8Array) => boolean
  /** `false`: nothing beyond a part is read. */
  ahead?: ReadAhead | false
}

/**
 * The events of parts, in order, checked against what their commits saw; of each only the items whose rows are wanted, as the bytes they are, and none without any.
 * Throws `VARVE_CORRUPT` naming the place, `VARVE_NEWER`.
 */
export async function* readEvents(
  { folder, kind }: StoreOfKind,
  files: SegmentFiles,
  committed: Iterable<CommittedParts>,
  { isWanted, ahead = new ReadAhead() }: ReadEventsOptions = {},
): AsyncGenerator<ReadEvent> {
  for (const { commit, parts } of committed) {
    for (const part of parts) {
      try {
        for await (const frame of readPart(files, part, ahead ? { ahead } : {})) {
          const place = { store: folder, segment: part.segment, offset: frame.offset, commit }
          const read = eventIn(kind, frame, { place, isWanted })
          if (read) yield read
        }
      } catch (error) {
        throw inCommit(commit, error)
      }
    }
  }
}

/** The same for frames whose places are known: each is checked by itself, and the next place is asked for when the event before it is done with. */
export async function* readEventsAt(
  { folder, kind }: StoreOfKind,
  files: SegmentFiles,
  places: Iterable<FramePlace>,
  isWanted: (row: Uint8Array) => boolean,
): AsyncGenerator<ReadEvent> {
  const ahead = new ReadAhead()
  for (const { commit, segment, offset } of places) {
    const place = { store: folder, segment, offset, commit }
    const { frames, sizeBytes } = await ahead.in(files, { folder, segment })
    const frame = await frames.read(offset, sizeBytes)
    if (isFault(frame)) throw damagedEvent(place, frame.fault, { item: frame.item })
    const read = eventIn(kind, frame, { place, isWanted })
    if (read) yield read
  }
}

export interface ReadEvent {
  event: StoredEvent
  /** The number of each of its items in the frame, which may hold erased ones between them. */
  numbers: number[]
  rowsBytes: number
  place: EventPlace
}

/** `undefined`: none of its items is wanted. */
function eventIn(
  kind: StoreKind,
  frame: ReadFrame,
  { place, isWanted }: { place: EventPlace; isWanted?: ((row: Uint8Array) => boolean) | undefined },
): ReadEvent | undefined {
  const items: ReadItem[] = []
  const numbers: number[] = []
  for (const [number, item] of frame.items.entries()) {
    if (item.erasedBy !== undefined || (isWanted && !isWanted(item.row))) continue
    items.push(item)
    numbers.push(number)
  }
  if (isWanted && items.length === 0) return undefined
  frame.items = items
  return { event: toEvent(kind, frame, place), numbers, rowsBytes: frame.rowsBytes, place }
}

export interface FramePlace {
  commit: number
  segment: number
  offset: number
}

export interface EventPlace extends FramePlace {
  store: string
}

function inCommit(commit: number, error: unknown): unknown {
  if (
    !(error instanceof VarveError) ||
    error.code !== 'VARVE_CORRUPT' ||
    error.fields['commit'] !== undefined
  )
    return error
  const { fault, ...fields } = error.fields
  return new VarveError('VARVE_CORRUPT', `${error.message.split('. ')[0]}, in commit ${commit}.`, {
    ...fields,
    fault,
    commit,
    cause: error,
  })
}

const isEventHead = either(tuple(text, count), tuple(text, count, count))

/** No item of the frame may be an erased one. Throws `VARVE_CORRUPT` for what no version wrote, `VARVE_NEWER`. */
export function toEvent(kind: StoreKind, frame: ReadFrame, place: EventPlace): StoredEvent {
  const head = tryDecode(frame.head)
  if (!isEventHead(head)) throw damagedEvent(place, 'it is no event')
  const [type, version, dimensions] = head as [string, number, number | undefined]
  const shape = Object.hasOwn(kind.rows, type) ? kind.rows[type] : undefined
  if (version > eventVersion || !shape)
    throw new VarveError('VARVE_NEWER', `The log of ${place.store} holds ${type} of version ${version}.`, {
      ...place,
    })
  if ((dimensions === undefined) === ((frame.flags & frameFlags.matrix) !== 0))
    throw damagedEvent(place, 'it is half a matrix')
  const items = frame.items.map(({ row: bytes, offset, length, crc }, item) => {
    const row = tryDecode(bytes)
    if (!shape(row)) throw damagedEvent(place, `a row is not what ${type} holds`, { item })
    if (dimensions !== undefined && length !== dimensions * 4)
      throw damagedEvent(place, `a vector has not ${dimensions} dimensions`, { item })
    return { row, position: { segment: place.segment, offset, length, crc } }
  })
  return { type, version, items, ...(dimensions === undefined ? {} : { dimensions }) }
}

export function damagedEvent(
  place: EventPlace,
  fault: string,
  { item, cause }: { item?: number | undefined; cause?: unknown } = {},
): VarveError {
  const { store, segment, offset, commit } = place
  const where = `${store}, segment ${segment}, offset ${offset}${item === undefined ? '' : `, item ${item}`}`
  return new VarveError('VARVE_CORRUPT', `Damaged: ${where}: ${fault}, in commit ${commit}.`, {
    ...place,
    item,
    fault,
    cause,
  })
}

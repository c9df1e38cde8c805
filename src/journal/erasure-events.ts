/**
 * What erase commits say, in a log of its own that is nobody's store: it is read before any other, and folds to nothing.
 *
 * | event              | row                                                              |
 * |--------------------|------------------------------------------------------------------|
 * | `ItemsErased`      | folder, segment, offset of the frame, numbers of the items in it |
 * | `IdsErased`        | salt, SHA-256 of the salt and an id                              |
 * | `ErasuresFinished` | the last commit all of whose items are overwritten               |
 */
import type { ErasedItems, Erasures } from '../log/erasures.ts'
import { saltedDigest } from '../log/erasures.ts'
import { erasuresFolder } from '../log/names.ts'
import type { SegmentFiles } from '../log/segment-files.ts'
import type { CommittedParts } from './catalog.ts'
import type { EventInput, StoreKind } from './event.ts'
import { readEvents } from './read-events.ts'
import { storeFolder } from './plain-part.ts'
import { bytes, count, digest, listOf, positive, tuple } from './shape.ts'

type ItemsRow = [folder: string, segment: number, offset: number, items: number[]]

export const erasureKind: StoreKind = {
  initialState: () => ({}),
  rows: {
    ItemsErased: tuple(storeFolder, positive, positive, listOf(count)),
    IdsErased: tuple(bytes, digest),
    ErasuresFinished: tuple(positive),
  },
  evolve: () => {},
  present: () => [],
  clearing: () => [],
}

export function itemsErased(frames: readonly ErasedItems[]): EventInput {
  return {
    type: 'ItemsErased',
    items: frames.map(({ folder, segment, offset, items }) => ({
      row: [folder, segment, offset, [...items]] satisfies ItemsRow,
    })),
  }
}

export function idsErased(ids: Iterable<string>, salt: Uint8Array): EventInput {
  return { type: 'IdsErased', items: Array.from(ids, (id) => ({ row: [salt, saltedDigest(salt, id)] })) }
}

export function erasuresFinished(through: number): EventInput {
  return { type: 'ErasuresFinished', items: [{ row: [through] }] }
}

/** Tells what was erased. */
export type Telling = (erasures: Erasures) => void

/** Of parts of the log of erasures. Throws `VARVE_CORRUPT` naming the place, `VARVE_NEWER`. */
export async function readErasures(
  files: SegmentFiles,
  committed: Iterable<CommittedParts>,
): Promise<Telling> {
  const tellings: Telling[] = []
  for await (const { event, place } of readEvents(
    { folder: erasuresFolder, kind: erasureKind },
    files,
    committed,
  ))
    for (const { row } of event.items) tellings.push(tellingOf(event.type, row, place.commit))
  return (erasures) => {
    for (const tell of tellings) tell(erasures)
  }
}

export function tellingOf(type: string, row: unknown, commit: number): Telling {
  if (type === 'IdsErased') {
    const [salt, hash] = row as [Uint8Array, Uint8Array]
    return (erasures) => erasures.addId(commit, salt, hash)
  }
  if (type === 'ErasuresFinished') {
    const [through] = row as [number]
    return (erasures) => erasures.finish(through)
  }
  const [folder, segment, offset, items] = row as ItemsRow
  return (erasures) => erasures.addItems(commit, { folder, segment, offset, items })
}

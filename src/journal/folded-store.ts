/** One store's state and how it comes about: from nothing or a snapshot, by one event after another. */
import type { SegmentFiles } from '../log/segment-files.ts'
import type { CommittedParts } from './catalog.ts'
import type { StoreKind, StoredEvent, StoreState } from './event.ts'
import { damagedEvent, readEvents, type EventPlace, type StoreOfKind } from './read-events.ts'
import { erasuresKnownTo, openSnapshot, readSnapshot } from './snapshot.ts'
import { UnusableSnapshot, type SnapshotPages } from './snapshot-pages.ts'
import type { StoreSource } from './store-source.ts'
import type { UndoLog } from './table.ts'

export interface FoldedStore extends StoreOfKind {
  readonly state: StoreState
  /** Recording while there are pending changes, and only then: replay is not to be undone. */
  readonly undo: UndoLog
  /** What was folded since the snapshot, and the snapshot's size: what the snapshot policy asks for. */
  rowsBytes: number
  snapshotBytes: number
  /** The commit of that snapshot; 0: none. */
  snapshot: number
  /** Of that snapshot, while not all was read: such a state is for looking at, and nothing is to be folded into it. */
  unread: SnapshotPages | undefined
}

export function emptyStore(folder: string, kind: StoreKind): FoldedStore {
  const undo: UndoLog = { entries: undefined }
  const state = kind.initialState(undo)
  return {
    folder,
    kind,
    state,
    undo,
    rowsBytes: 0,
    snapshotBytes: 0,
    snapshot: 0,
    unread: undefined,
  }
}

/** A store that goes its own way from a state that stays as it is. */
export function forkOf({ folder, kind }: StoreOfKind, state: StoreState): FoldedStore {
  const store = emptyStore(folder, kind)
  const tables = Object.entries(state).map(([name, table]) => [name, table.fork(store.undo)])
  return { ...store, state: Object.fromEntries(tables) as StoreState }
}

/** One event: live, replayed or followed, it is the same. */
export function applyEvent(store: FoldedStore, event: StoredEvent, rowsBytes: number): void {
  store.kind.evolve(store.state, event)
  store.rowsBytes += foldedBytes(rowsBytes)
}

/** An event costs something, however small its rows are. */
export function foldedBytes(rowsBytes: number): number {
  return rowsBytes + 512
}

/**
 * What no check of shapes can see is left to `evolve`: a row that contradicts those before it, as no writer would. Here whatever it throws is
 * blamed on the bytes, with the cause; an event of our own goes through `applyEvent`, so that a bug of ours shows as what it is.
 */
export function foldStored(
  store: FoldedStore,
  event: StoredEvent,
  rowsBytes: number,
  place: EventPlace,
): void {
  try {
    applyEvent(store, event, rowsBytes)
  } catch (cause) {
    if (cause instanceof UnusableSnapshot) throw cause
    throw damagedEvent(place, `${event.type} does not fit what came before it`, { cause })
  }
}

/** With all that parts hold, in order. Throws `VARVE_CORRUPT`, naming the place. */
export async function folded(
  store: FoldedStore,
  files: SegmentFiles,
  committed: Iterable<CommittedParts>,
): Promise<FoldedStore> {
  for await (const { event, rowsBytes, place } of readEvents(store, files, committed))
    foldStored(store, event, rowsBytes, place)
  return store
}

/** Fills an empty store. `whole`: all of the snapshot is read and looked at, now. Throws `UnusableSnapshot`. */
export async function fillFromSnapshot(
  store: FoldedStore,
  source: Pick<StoreSource, 'files' | 'commitHash'>,
  { commit, whole }: { commit: number; whole: boolean },
): Promise<void> {
  const { disk, directory, journalId, erasures } = source.files
  const id = { journalId, subject: store.folder, commit }
  const found = whole ? await readSnapshot(disk, directory, id) : await openSnapshot(disk, directory, id)
  if (!found) throw new UnusableSnapshot('it is missing, or damaged')
  if ('pages' in found) store.unread = found.pages
  const known = erasuresKnownTo(found.sections)
  if (erasures.spoils(store.folder, Math.max(commit, known)))
    throw new UnusableSnapshot('it was made before an erase')
  if (known > erasures.through)
    throw new UnusableSnapshot('it was made after an erase that is not known here')
  if (!Buffer.from(found.hash).equals(await source.commitHash(commit)))
    throw new UnusableSnapshot('it is of another history')
  for (const [name, table] of Object.entries(store.state)) {
    const section = found.sections.get(name)
    if (!section) throw new UnusableSnapshot(`it has no table ${name}`)
    table.load(section)
    if (whole) table.check()
  }
  for (const section of found.sections.values()) store.snapshotBytes += section.length
  store.snapshot = commit
}

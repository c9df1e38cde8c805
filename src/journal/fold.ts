/**
 * The states of all stores at one moment: each is loaded when first asked for, from its snapshot and the tail
 * of its log, and then changed in place by every later event. Fold rows, fetch payloads: a payload is read by
 * its position, and each read is one check.
 */
import { VarveError } from '../errors.ts'
import { frameFlags } from '../log/frame.ts'
import { isFault, type ReadFrame } from '../log/frame-reader.ts'
import { readPart, ReadAhead, type Part } from '../log/part.ts'
import type { SegmentFiles } from '../log/segment-files.ts'
import { tryDecode } from './codec.ts'
import { eventVersion, type StoreKind, type StoreState, type StoredEvent } from './event.ts'
import { openSnapshot, readSnapshot } from './snapshot.ts'
import { UnusableSnapshot, type SnapshotPages } from './snapshot-pages.ts'
import { count, either, text, tuple } from './shape.ts'
import type { StoreSource } from './store-source.ts'
import type { UndoLog } from './table.ts'
import type { CommittedParts, StoreEntry } from './catalog.ts'

export interface FoldedStore {
  readonly folder: string
  readonly kind: StoreKind
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

export class Fold {
  readonly #kindOf: (folder: string) => StoreKind
  readonly #stores = new Map<string, FoldedStore>()
  readonly #loading = new Map<string, Promise<FoldedStore>>()
  #clears = 0

  constructor(kindOf: (folder: string) => StoreKind) {
    this.#kindOf = kindOf
  }

  /** A store that is loaded. */
  store(folder: string): FoldedStore | undefined {
    const store = this.#stores.get(folder)
    return store?.unread ? undefined : store
  }

  /** One that is loaded or only looked at. */
  seen(folder: string): FoldedStore | undefined {
    return this.#stores.get(folder)
  }

  /** All that are loaded or only looked at. */
  stores(): Iterable<FoldedStore> {
    return this.#stores.values()
  }

  /** No store is being loaded. */
  get isSettled(): boolean {
    return this.#loading.size === 0
  }

  /** Resolves when no store is being loaded. */
  async settled(): Promise<void> {
    while (!this.isSettled) await Promise.allSettled(this.#loading.values())
  }

  /** Loads a store once, whoever asks. */
  async load(folder: string, source: StoreSource | undefined): Promise<FoldedStore> {
    const store = await this.#seen(folder, source, { whole: true })
    return store.unread ? this.#once(folder, () => this.#complete(store, source)) : store
  }

  /**
   * Of a store that is not loaded yet, reads no more of its snapshot than is looked at. Whoever looks may then meet `UnusableSnapshot`, and must load
   * the store.
   */
  look(folder: string, source: StoreSource | undefined): Promise<FoldedStore> {
    return this.#seen(folder, source, { whole: false })
  }

  /** Forgets everything, so that it is loaded anew. */
  clear(): void {
    this.#clears++
    void this.closeSnapshots()
    this.#stores.clear()
  }

  /** What was not read of them cannot be looked at any more. */
  async closeSnapshots(): Promise<void> {
    for (const { unread } of this.#stores.values()) await unread?.close()
  }

  /** Takes the stores of another in the place of its own. */
  adopt(other: Fold): void {
    this.clear()
    for (const [folder, store] of other.#stores) this.#stores.set(folder, store)
  }

  /** A store as the log has it by now, from its first event on. It is not kept. */
  async replayed(folder: string, source: StoreSource): Promise<FoldedStore> {
    const store = this.#fresh(folder)
    if (!source.entry) return store
    await openSegments(source.files, folder, source.entry)
    return folded(store, source.files, await source.allParts())
  }

  /** From now on this is the store, for everyone. Answers the one before, if it was loaded. */
  replace(store: FoldedStore): FoldedStore | undefined {
    const before = this.#stores.get(store.folder)
    this.#stores.set(store.folder, store)
    return before
  }

  async #seen(
    folder: string,
    source: StoreSource | undefined,
    { whole }: { whole: boolean },
  ): Promise<FoldedStore> {
    return this.#stores.get(folder) ?? this.#once(folder, () => this.#load(folder, source, { whole }))
  }

  /** One at a time for each store; what is under way is not begun again. */
  #once(folder: string, load: () => Promise<FoldedStore>): Promise<FoldedStore> {
    let loading = this.#loading.get(folder)
    if (!loading) {
      loading = load().finally(() => this.#loading.delete(folder))
      this.#loading.set(folder, loading)
    }
    return loading
  }

  async #load(folder: string, source: StoreSource | undefined, { whole = true } = {}): Promise<FoldedStore> {
    const clears = this.#clears
    const store = await this.#filled(folder, source, { whole })
    if (clears !== this.#clears) return this.#load(folder, source, { whole })
    this.#stores.set(folder, store)
    return store
  }

  /** If the snapshot is no good, from the log. */
  async #filled(
    folder: string,
    source: StoreSource | undefined,
    { whole }: { whole: boolean },
  ): Promise<FoldedStore> {
    const store = this.#fresh(folder)
    if (!source?.entry) return store
    const { entry, files } = source
    await openSegments(files, folder, entry)
    if (entry.snapshot === 0) return folded(store, files, entry.tail)
    try {
      await fillFromSnapshot(store, source, { commit: entry.snapshot, whole })
      return await folded(store, files, entry.tail)
    } catch (error) {
      await store.unread?.close()
      if (!(error instanceof UnusableSnapshot)) throw error
    }
    // It may be one that can only be read whole.
    if (!whole) return this.#filled(folder, source, { whole: true })
    return folded(this.#fresh(folder), files, await source.allParts())
  }

  /** A store that was only looked at; one whose snapshot is no good is loaded anew. */
  async #complete(store: FoldedStore, source: StoreSource | undefined): Promise<FoldedStore> {
    const clears = this.#clears
    try {
      await store.unread!.readAll()
      for (const table of Object.values(store.state)) table.check()
    } catch (error) {
      if (!(error instanceof UnusableSnapshot)) throw error
      await store.unread!.close()
      return this.#load(store.folder, source)
    }
    if (clears !== this.#clears) return this.#load(store.folder, source)
    store.unread = undefined
    return store
  }

  #fresh(folder: string): FoldedStore {
    return emptyStore(folder, this.#kindOf(folder))
  }
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

async function folded(
  store: FoldedStore,
  files: SegmentFiles,
  committed: Iterable<CommittedParts>,
): Promise<FoldedStore> {
  for await (const step of foldingSteps(store, files, committed)) step()
  return store
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
 * The events of parts, in order, checked against what their commits saw; each as the step that folds it. Throws `VARVE_CORRUPT`, and so do
 * the steps, naming the place.
 */
export async function* foldingSteps(
  store: FoldedStore,
  files: SegmentFiles,
  committed: Iterable<CommittedParts>,
): AsyncGenerator<() => void> {
  for await (const { event, rowsBytes, place } of readEvents(store, files, committed))
    yield () => foldStored(store, event, rowsBytes, place)
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
  { folder, kind }: Pick<FoldedStore, 'folder' | 'kind'>,
  files: SegmentFiles,
  committed: Iterable<CommittedParts>,
  { isWanted, ahead = new ReadAhead() }: ReadEventsOptions = {},
): AsyncGenerator<ReadEvent> {
  for (const { commit, parts } of committed) {
    for (const part of parts) {
      for await (const frame of framesOf(files, part, { commit, ahead })) {
        const place = { store: folder, segment: part.segment, offset: frame.offset, commit }
        yield* eventIn(kind, frame, { place, isWanted })
      }
    }
  }
}

/** The same for frames whose places are known: each is checked by itself, and the next place is asked for when the event before it is done with. */
export async function* readEventsAt(
  { folder, kind }: Pick<FoldedStore, 'folder' | 'kind'>,
  files: SegmentFiles,
  places: Iterable<FramePlace>,
  isWanted: (row: Uint8Array) => boolean,
): AsyncGenerator<ReadEvent> {
  const ahead = new ReadAhead()
  for (const { commit, segment, offset } of places) {
    const place = { store: folder, segment, offset, commit }
    const { frames, sizeBytes } = await ahead.in(files, { folder, segment })
    const frame = await frames.read(offset, sizeBytes)
    if (isFault(frame)) throw damaged(place, frame.fault, { item: frame.item })
    yield* eventIn(kind, frame, { place, isWanted })
  }
}

export interface ReadEvent {
  event: StoredEvent
  /** The number of each of its items in the frame, which may hold erased ones between them. */
  numbers: number[]
  rowsBytes: number
  place: EventPlace
}

function* eventIn(
  kind: StoreKind,
  frame: ReadFrame,
  { place, isWanted }: { place: EventPlace; isWanted?: ((row: Uint8Array) => boolean) | undefined },
): Generator<ReadEvent> {
  const kept = frame.items.flatMap((item, number) =>
    item.erasedBy === undefined && (!isWanted || isWanted(item.row)) ? [{ item, number }] : [],
  )
  if (isWanted && kept.length === 0) return
  frame.items = kept.map(({ item }) => item)
  const numbers = kept.map(({ number }) => number)
  yield { event: toEvent(kind, frame, place), numbers, rowsBytes: frame.rowsBytes, place }
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
    throw damaged(place, `${event.type} does not fit what came before it`, { cause })
  }
}

export interface FramePlace {
  commit: number
  segment: number
  offset: number
}

export interface EventPlace extends FramePlace {
  store: string
}

async function* framesOf(
  files: SegmentFiles,
  part: Part,
  { commit, ahead }: { commit: number; ahead: ReadAhead | false },
): AsyncGenerator<ReadFrame> {
  try {
    yield* readPart(files, part, ahead ? { ahead } : {})
  } catch (error) {
    if (!(error instanceof VarveError) || error.code !== 'VARVE_CORRUPT') throw error
    const { fault, ...fields } = error.fields
    throw new VarveError('VARVE_CORRUPT', `${error.message.split('. ')[0]}, in commit ${commit}.`, {
      ...fields,
      fault,
      commit,
      cause: error,
    })
  }
}

const isEventHead = either(tuple(text, count), tuple(text, count, count))

/** No item of the frame may be an erased one. Throws `VARVE_CORRUPT` for what no version wrote, `VARVE_NEWER`. */
export function toEvent(kind: StoreKind, frame: ReadFrame, place: EventPlace): StoredEvent {
  const head = tryDecode(frame.head)
  if (!isEventHead(head)) throw damaged(place, 'it is no event')
  const [type, version, dimensions] = head as [string, number, number | undefined]
  const shape = Object.hasOwn(kind.rows, type) ? kind.rows[type] : undefined
  if (version > eventVersion || !shape)
    throw new VarveError('VARVE_NEWER', `The log of ${place.store} holds ${type} of version ${version}.`, {
      ...place,
    })
  if ((dimensions === undefined) === ((frame.flags & frameFlags.matrix) !== 0))
    throw damaged(place, 'it is half a matrix')
  const items = frame.items.map(({ row: bytes, offset, length, crc }, item) => {
    const row = tryDecode(bytes)
    if (!shape(row)) throw damaged(place, `a row is not what ${type} holds`, { item })
    if (dimensions !== undefined && length !== dimensions * 4)
      throw damaged(place, `a vector has not ${dimensions} dimensions`, { item })
    return { row, position: { segment: place.segment, offset, length, crc } }
  })
  return { type, version, items, ...(dimensions === undefined ? {} : { dimensions }) }
}

function damaged(
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

/** A store as its snapshot of a commit has it; `undefined`: a miss. */
export async function storeFromSnapshot(
  { folder, kind }: Pick<FoldedStore, 'folder' | 'kind'>,
  source: Pick<StoreSource, 'files' | 'commitHash'>,
  commit: number,
): Promise<FoldedStore | undefined> {
  const store = emptyStore(folder, kind)
  try {
    await fillFromSnapshot(store, source, { commit, whole: true })
    return store
  } catch (error) {
    if (error instanceof UnusableSnapshot) return undefined
    throw error
  }
}

/** Fills an empty store. `whole`: all of the snapshot is read and looked at, now. Throws `UnusableSnapshot`. */
async function fillFromSnapshot(
  store: FoldedStore,
  source: Pick<StoreSource, 'files' | 'commitHash'>,
  { commit, whole }: { commit: number; whole: boolean },
): Promise<void> {
  const { disk, directory, journalId, erasures } = source.files
  if (erasures.spoils(store.folder, commit)) throw new UnusableSnapshot('it was made before an erase')
  const id = { journalId, subject: store.folder, commit }
  const found = whole ? await readSnapshot(disk, directory, id) : await openSnapshot(disk, directory, id)
  if (!found) throw new UnusableSnapshot('it is missing, or damaged')
  if ('pages' in found) store.unread = found.pages
  if (!Buffer.from(found.hash).equals(await source.commitHash(commit)))
    throw new UnusableSnapshot('it is of another history')
  for (const [name, table] of Object.entries(store.state)) {
    const section = found.sections.get(name)
    if (!section) throw new UnusableSnapshot(`it has no table ${name}`)
    if (section instanceof Uint8Array) table.load(section)
    else table.load(section.bytes, section.need)
    if (whole) table.check()
  }
  for (const section of found.sections.values())
    store.snapshotBytes += section instanceof Uint8Array ? section.length : section.bytes.length
  store.snapshot = commit
}

/** Opened before anything points into them: a payload is then read without waiting for a file. */
async function openSegments(files: SegmentFiles, folder: string, { segments }: StoreEntry): Promise<void> {
  await Promise.all(
    [...segments].map(async ([segment, end]) => {
      const size = await (await files.open(folder, segment)).size()
      if (size >= end) return
      throw new VarveError(
        'VARVE_CORRUPT',
        `Damaged: ${files.path(folder, segment)} has ${size} bytes where ${end} were committed.`,
        {
          store: folder,
          segment,
          offset: size,
          fault: 'it is cut off',
        },
      )
    }),
  )
}

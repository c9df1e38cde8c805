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
import { readSnapshot } from './snapshot.ts'
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
    return this.#stores.get(folder)
  }

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
    const loaded = this.#stores.get(folder)
    if (loaded) return loaded
    let loading = this.#loading.get(folder)
    if (!loading) {
      loading = this.#load(folder, source).finally(() => this.#loading.delete(folder))
      this.#loading.set(folder, loading)
    }
    return loading
  }

  /** Forgets everything, so that it is loaded anew. */
  clear(): void {
    this.#clears++
    this.#stores.clear()
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
    for await (const step of foldingSteps(store, source.files, await source.allParts())) step()
    return store
  }

  /** From now on this is the store, for everyone. Answers the one before, if it was loaded. */
  replace(store: FoldedStore): FoldedStore | undefined {
    const before = this.#stores.get(store.folder)
    this.#stores.set(store.folder, store)
    return before
  }

  async #load(folder: string, source: StoreSource | undefined): Promise<FoldedStore> {
    const clears = this.#clears
    const store = this.#fresh(folder)
    const loaded = source?.entry ? await this.#fill(store, source, source.entry) : store
    if (clears !== this.#clears) return this.#load(folder, source)
    this.#stores.set(folder, loaded)
    return loaded
  }

  async #fill(store: FoldedStore, source: StoreSource, entry: StoreEntry): Promise<FoldedStore> {
    await openSegments(source.files, store.folder, entry)
    const snapshot = entry.snapshot > 0 ? await storeFromSnapshot(store, source, entry.snapshot) : store
    const filled = snapshot ?? store
    const parts = snapshot ? entry.tail : await source.allParts()
    for await (const step of foldingSteps(filled, source.files, parts)) step()
    return filled
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
  }
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
  { files, commitHash }: Pick<StoreSource, 'files' | 'commitHash'>,
  commit: number,
): Promise<FoldedStore | undefined> {
  if (files.erasures.spoils(folder, commit)) return undefined
  const { disk, directory, journalId } = files
  const found = await readSnapshot(disk, directory, { journalId, subject: folder, commit })
  if (!found || !Buffer.from(found.hash).equals(await commitHash(commit))) return undefined
  const store = emptyStore(folder, kind)
  const tables = Object.entries(store.state)
  if (tables.some(([name]) => !found.sections.has(name))) return undefined
  try {
    for (const [name, table] of tables) table.load(found.sections.get(name)!)
  } catch (error) {
    if (error instanceof RangeError) return undefined // It meets its checksum but not its own form: as good as none.
    throw error
  }
  for (const section of found.sections.values()) store.snapshotBytes += section.length
  store.snapshot = commit
  return store
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

/**
 * Changes that no commit holds yet: they are in the states already, have their places in the logs, and can be
 * taken back to any mark. Large ones are written early, into segments of their own.
 */
import { encodeFrame, frameFlags, type EncodedFrame, type FrameInput, type FrameItem } from '../log/frame.ts'
import type { StoreLog } from '../log/store-log.ts'
import { type StoreLogMark, type TakenParts } from '../log/store-log.ts'
import { encode } from './codec.ts'
import { eventVersion, type EventInput, type StoredEvent } from './event.ts'
import { applyEvent, foldedBytes, type FoldedStore } from './folded-store.ts'
import type { Limits } from './limits.ts'
import type { Undoable } from './table.ts'

interface PendingStore {
  store: FoldedStore
  log: StoreLog
}

export interface TakenChanges {
  stores: { store: FoldedStore; log: StoreLog; taken: TakenParts; undo: Undoable[] }[]
  bytes: number
}

export interface PendingMark {
  stores: Map<string, { log: StoreLogMark; undo: number }>
  bytes: number
}

export interface PendingOptions {
  /** Where the log of a store goes on. */
  startLog: (folder: string) => StoreLog
  syncedThrough: () => number
  random: (target: Uint8Array) => void
  /** Whether there are files to spill into. */
  canSpill: () => boolean
  limits: Limits
}

export class Pending {
  bytes = 0
  readonly #options: PendingOptions
  readonly #stores = new Map<string, PendingStore>()
  /** Those that a rollback may still return to. */
  readonly #marks = new Set<PendingMark>()

  constructor(options: PendingOptions) {
    this.#options = options
  }

  get empty(): boolean {
    for (const { log } of this.#stores.values()) if (log.pending) return false
    return true
  }

  logs(): StoreLog[] {
    return [...this.#stores.values()].map(({ log }) => log)
  }

  log(folder: string): StoreLog | undefined {
    return this.#stores.get(folder)?.log
  }

  /** Takes an event into the state, at once. */
  append(store: FoldedStore, input: EventInput): void {
    if (input.items.length === 0) return
    const { log } = this.#open(store)
    store.undo.entries ??= []
    const { spillBytes, splitBytes } = this.#options.limits
    const { type, dimensions } = input
    const [syncedThrough, { random }] = [this.#options.syncedThrough(), this.#options]
    for (const { frame, items } of eventFrames(input, { splitBytes, syncedThrough, random })) {
      const { segment, offset } = log.place(frame, {
        spill: this.bytes > spillBytes && this.#options.canSpill(),
      })
      this.bytes += frame.sizeBytes
      const event: StoredEvent = {
        type,
        version: eventVersion,
        items: frame.payloads.map((payload, index) => ({
          row: items[index]!.plain,
          position: {
            segment,
            offset: offset + payload.offset,
            length: payload.bytes.length,
            crc: payload.crc,
          },
        })),
        ...(dimensions === undefined ? {} : { dimensions }),
      }
      applyEvent(store, event, frame.rowsBytes)
      store.undo.entries.push(uncountRows(store, frame.rowsBytes))
    }
  }

  /** `split`: what stands before can be taken by itself. Every mark must be released. */
  mark({ split = false } = {}): PendingMark {
    const stores: PendingMark['stores'] = new Map()
    for (const [folder, { store, log }] of this.#stores)
      stores.set(folder, { log: log.mark({ split }), undo: store.undo.entries?.length ?? 0 })
    const mark = { stores, bytes: this.bytes }
    this.#marks.add(mark)
    return mark
  }

  release(mark: PendingMark): void {
    this.#marks.delete(mark)
  }

  /** Takes back what was changed since the mark, or all of it. Answers the segments to remove. */
  rollback(mark?: PendingMark): { folder: string; segment: number }[] {
    const removed: { folder: string; segment: number }[] = []
    for (const [folder, { store, log }] of this.#stores) {
      const to = mark?.stores.get(folder)
      const undo = store.undo.entries ?? []
      store.undo.entries = undefined
      for (const change of undo.splice(to?.undo ?? 0).reverse()) change.undo()
      store.undo.entries = undo.length ? undo : undefined
      for (const segment of log.rollback(to?.log)) removed.push({ folder, segment })
    }
    this.bytes = mark?.bytes ?? 0
    return removed
  }

  /** Hands everything over to a commit, or what stands before a mark that splits. */
  take(through?: PendingMark): TakenChanges {
    const stores: TakenChanges['stores'] = []
    for (const [folder, { store, log }] of this.#stores) {
      const to = through?.stores.get(folder)
      if (!log.pending || (through && !to?.log.parts.length)) continue
      const entries = store.undo.entries ?? []
      stores.push({
        store,
        log,
        taken: log.takeParts(to?.log),
        undo: entries.splice(0, to?.undo ?? entries.length),
      })
      store.undo.entries = log.pending ? entries : undefined
    }
    const bytes = through?.bytes ?? this.bytes
    this.bytes -= bytes
    return { stores, bytes }
  }

  /**
   * The commit was not written after all: its changes come before those that are pending now, and before
   * every mark.
   */
  reopen({ stores, bytes }: TakenChanges): void {
    for (const { store, log, taken, undo } of stores) {
      log.reopen(taken)
      store.undo.entries = [...undo, ...(store.undo.entries ?? [])]
      for (const mark of this.#marks) {
        const marked = mark.stores.get(store.folder)
        if (!marked) continue
        mark.stores.set(store.folder, {
          log: log.reopenMark(marked.log, taken),
          undo: marked.undo + undo.length,
        })
      }
    }
    this.bytes += bytes
    for (const mark of this.#marks) mark.bytes += bytes
  }

  /** Forgets the stores, which are loaded anew. Nothing may be pending. */
  clear(): void {
    this.#stores.clear()
  }

  #open(store: FoldedStore): PendingStore {
    let open = this.#stores.get(store.folder)
    if (!open) {
      open = { store, log: this.#options.startLog(store.folder) }
      this.#stores.set(store.folder, open)
    }
    open.store = store // It may have been loaded anew since.
    return open
  }
}

/** Apart from where the frame is in scope: a closure there would hold on to its bytes, which may be written early and forgotten. */
function uncountRows(store: FoldedStore, rowsBytes: number): Undoable {
  return {
    undo: () => {
      store.rowsBytes = Math.max(0, store.rowsBytes - foldedBytes(rowsBytes))
    },
  }
}

/** An event as frames, each with its items. */
export function* eventFrames(
  input: EventInput,
  { splitBytes, ...options }: { splitBytes: number } & Pick<FrameInput, 'syncedThrough' | 'random'>,
): Generator<{ frame: EncodedFrame; items: SplitItem[] }> {
  const { type, dimensions } = input
  const head = encode(dimensions === undefined ? [type, eventVersion] : [type, eventVersion, dimensions])
  const flags = dimensions === undefined ? 0 : frameFlags.matrix
  for (const items of split(input, splitBytes))
    yield { frame: encodeFrame({ flags, head, items, ...options }), items }
}

interface SplitItem extends FrameItem {
  plain: unknown
}

/** Parts of an event small enough for a frame each. */
function* split({ items }: EventInput, splitBytes: number): Generator<SplitItem[]> {
  let group: SplitItem[] = []
  let bytes = 0
  for (const { row: plain, payload } of items) {
    const row = encode(plain)
    const size = row.length + (payload?.length ?? 0)
    if (group.length && bytes + size > splitBytes) {
      yield group
      group = []
      bytes = 0
    }
    group.push(payload ? { row, payload, plain } : { row, plain })
    bytes += size
  }
  if (group.length) yield group
}

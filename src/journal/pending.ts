/**
 * Changes that no commit holds yet: they are in the states already, have their places in the logs, and can be taken back to any mark. Large ones are
 * written early, into segments of their own.
 */
import { encodeFrame, frameFlags, splitBytes, type FrameItem } from '../log/frame.ts'
import { StoreLog, type StoreLogMark, type TakenParts } from '../log/store-log.ts'
import { encode } from './codec.ts'
import { eventVersion, type EventInput, type StoredEvent } from './event.ts'
import { applyEvent, type FoldedStore } from './fold.ts'

/** Above this, pending changes are written to segments of their own. */
export const spillBytes = 8 * 1024 * 1024

interface PendingStore {
  store: FoldedStore
  log: StoreLog
}

export interface TakenChanges {
  stores: { store: FoldedStore; log: StoreLog; taken: TakenParts; undo: (() => void)[] }[]
  bytes: number
}

interface PendingMark {
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
}

export class Pending {
  bytes = 0
  readonly #options: PendingOptions
  readonly #stores = new Map<string, PendingStore>()

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
    for (const items of split(input)) {
      const { type, dimensions } = input
      const frame = encodeFrame({
        flags: dimensions === undefined ? 0 : frameFlags.matrix,
        head: encode(dimensions === undefined ? [type, eventVersion] : [type, eventVersion, dimensions]),
        items,
        syncedThrough: this.#options.syncedThrough(),
        random: this.#options.random,
      })
      const { segment, offset } = log.place(frame, { spill: this.bytes > spillBytes && this.#options.canSpill() })
      this.bytes += frame.sizeBytes
      const event: StoredEvent = {
        type,
        version: eventVersion,
        ...(dimensions === undefined ? {} : { dimensions }),
        items: frame.payloads.map((payload, index) => ({
          row: items[index]!.plain,
          position: { segment, offset: offset + payload.offset, length: payload.bytes.length, crc: payload.crc },
        })),
      }
      applyEvent(store, event, frame.rowsBytes)
    }
  }

  mark(): PendingMark {
    const stores = new Map<string, { log: StoreLogMark; undo: number }>()
    for (const [folder, { store, log }] of this.#stores) stores.set(folder, { log: log.mark(), undo: store.undo.entries?.length ?? 0 })
    return { stores, bytes: this.bytes }
  }

  /** Takes back what was changed since the mark, or all of it. Answers the segments to remove. */
  rollback(mark?: PendingMark): { folder: string; segment: number }[] {
    const removed: { folder: string; segment: number }[] = []
    for (const [folder, { store, log }] of this.#stores) {
      const to = mark?.stores.get(folder)
      const undo = store.undo.entries ?? []
      store.undo.entries = undefined
      for (const back of undo.splice(to?.undo ?? 0).reverse()) back()
      store.undo.entries = undo.length ? undo : undefined
      for (const segment of log.rollback(to?.log)) removed.push({ folder, segment })
    }
    this.bytes = mark?.bytes ?? 0
    return removed
  }

  /** Hands everything over to a commit. */
  take(): TakenChanges {
    const stores = []
    for (const { store, log } of this.#stores.values()) {
      if (!log.pending) continue
      stores.push({ store, log, taken: log.takeParts(), undo: store.undo.entries ?? [] })
      store.undo.entries = undefined
    }
    const { bytes } = this
    this.bytes = 0
    return { stores, bytes }
  }

  /** The commit was not written after all. */
  reopen({ stores, bytes }: TakenChanges): void {
    for (const { store, log, taken, undo } of stores) {
      log.reopen(taken)
      store.undo.entries = [...undo, ...(store.undo.entries ?? [])]
    }
    this.bytes += bytes
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
    return open
  }
}

interface SplitItem extends FrameItem {
  plain: unknown
}

/** Parts of an event small enough for a frame each. */
function* split({ items }: EventInput): Generator<SplitItem[]> {
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

/** Where a session writes what it erases: the log of erasures, whose events fold to nothing. */
import type { FrameInput } from '../log/frame.ts'
import { erasuresFolder } from '../log/names.ts'
import type { StoreLog } from '../log/store-log.ts'
import { erasureKind } from './erasure-events.ts'
import type { EventInput } from './event.ts'
import { emptyStore, type FoldedStore } from './folded-store.ts'
import { eventFrames, type TakenChanges } from './pending.ts'

interface LedgerOptions {
  /** Where the log goes on. */
  startLog: () => StoreLog
  syncedThrough: () => number
  splitBytes: number
  random: FrameInput['random']
}

export class Ledger {
  readonly #options: LedgerOptions
  readonly #store: FoldedStore = emptyStore(erasuresFolder, erasureKind)
  #log: StoreLog | undefined

  constructor(options: LedgerOptions) {
    this.#options = options
  }

  /** Events as changes that a commit can take. */
  changes(events: readonly EventInput[]): TakenChanges {
    this.#log ??= this.#options.startLog()
    const { splitBytes, random, syncedThrough } = this.#options
    let bytes = 0
    for (const event of events) {
      for (const { frame } of eventFrames(event, { splitBytes, random, syncedThrough: syncedThrough() })) {
        this.#log.place(frame, { spill: false })
        bytes += frame.sizeBytes
      }
    }
    return { stores: [{ store: this.#store, log: this.#log, taken: this.#log.takeParts(), undo: [] }], bytes }
  }

  /** The commit was not written: what it was to say is forgotten. */
  rollback(): void {
    this.#log?.rollback(undefined)
    this.#store.undo.entries = undefined
  }
}

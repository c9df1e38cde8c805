/**
 * Folds one store as its parts are read, and says whether its snapshots are what a replay gives. Each row is decoded once, for the state and for
 * the list of what it is about.
 */
import { tryDecode } from '../journal/codec.ts'
import type { StoreKind, StoredEvent, StoreState } from '../journal/event.ts'
import { toEvent } from '../journal/fold.ts'
import type { Sections } from '../journal/snapshot.ts'
import { hashText } from '../journal/table-base.ts'
import { readTouched, textsOf } from '../journal/touched-index.ts'
import { toReadFrame, type ScannedFrame } from './frame-scan.ts'
import type { VerifiedSnapshot } from './verify-report.ts'

export class StoreReplay {
  readonly #folder: string
  /** The last commits of which there is a snapshot: nobody asks for what comes after. */
  readonly #last: { state: number; touched: number }
  readonly #kind: StoreKind | undefined
  /** `undefined`: nobody asks for it, or one of its rows is damaged. */
  #state: StoreState | undefined
  readonly #touched = new TouchedSince()

  constructor(
    folder: string,
    kindOf: (folder: string) => StoreKind,
    last: { state: number; touched: number },
  ) {
    this.#folder = folder
    this.#last = last
    if (last.state === 0) return
    this.#kind = kindOf(folder)
    this.#state = this.#kind.initialState({ entries: undefined })
  }

  get canBeCompared(): boolean {
    return this.#state !== undefined
  }

  apply(segment: number, frame: ScannedFrame, commit: number): void {
    const event = commit <= this.#last.state ? this.#fold(segment, frame, commit) : undefined
    if (commit > this.#last.touched) return
    if (event) for (const { row } of event.items) this.#touched.add(row, commit)
    else for (const { row } of frame.items) if (row) this.#touched.add(tryDecode(row), commit)
  }

  /** It cannot be replayed from here on. */
  giveUp(): void {
    this.#state = undefined
  }

  stateOf(sections: Sections): VerifiedSnapshot['state'] {
    const tables = Object.entries(this.#state ?? {})
    if (tables.some(([name]) => !sections.has(name))) return 'unreadable'
    return tables.every(([name, table]) => table.adopt(sections.get(name)!)) ? 'equal' : 'differs'
  }

  /** A text that is missing is what matters: what is there for nothing costs time only. */
  touchedOf(sections: Sections, commit: number): VerifiedSnapshot['state'] {
    const touched = readTouched(sections)
    if (!touched) return 'unreadable'
    const missing = this.#touched.some(touched.after, (hash) => !touched.holds(hash))
    this.#touched.settle(commit)
    return missing ? 'differs' : 'equal'
  }

  #fold(segment: number, frame: ScannedFrame, commit: number): StoredEvent | undefined {
    if (!this.#kind || !this.#state) return undefined
    try {
      if (frame.items.every(({ row, erased }) => row !== undefined || erased)) {
        const place = { store: this.#folder, segment, offset: frame.offset, commit }
        const event = toEvent(this.#kind, toReadFrame(frame), place)
        this.#kind.evolve(this.#state, event)
        return event
      }
    } catch {
      // Only a hostile hand writes what meets its checksums and is no event: there is nothing to compare with.
    }
    this.giveUp()
    return undefined
  }
}

/** Which texts stood in the rows of which commits last, by their hashes. */
class TouchedSince {
  /** Since the last list that was asked for; the others before. */
  #recent = new Map<number, number>()
  readonly #older = new Map<number, number>()
  #settled = 0

  add(row: unknown, commit: number): void {
    for (const text of textsOf(row)) this.#recent.set(hashText(text), commit)
  }

  /** Whether this holds for any in the commits behind one. */
  some(after: number, holds: (hash: number) => boolean): boolean {
    for (const [hash, commit] of this.#recent) if (commit > after && holds(hash)) return true
    if (after >= this.#settled) return false // As it is where every list begins at the end of the one before.
    for (const [hash, commit] of this.#older) if (commit > after && holds(hash)) return true
    return false
  }

  settle(commit: number): void {
    for (const [hash, last] of this.#recent) this.#older.set(hash, last)
    this.#recent = new Map()
    this.#settled = commit
  }
}

/**
 * Folds one store as its parts are read, and says whether its snapshots are what a replay gives. Each row is decoded once, for the state and for
 * the list of what it is about.
 */
import { tryDecode } from '../journal/codec.ts'
import type { StoreKind, StoredEvent, StoreState } from '../journal/event.ts'
import { toEvent } from '../journal/read-events.ts'
import type { Sections } from '../journal/snapshot.ts'
import { TouchedFrames, TouchedTexts } from '../journal/touched-index.ts'
import { toReadFrame, type ScannedFrame } from './frame-scan.ts'
import type { VerifiedSnapshot } from './verify-report.ts'

export class StoreReplay {
  readonly #folder: string
  /** The last commits of which there is a snapshot: nobody asks for what comes after. */
  readonly #last: { state: number; touched: number }
  readonly #kind: StoreKind | undefined
  /** `undefined`: nobody asks for it, or one of its rows is damaged. */
  #state: StoreState | undefined
  /** What its rows say; `undefined` like the state. */
  #texts: TouchedTexts | undefined = new TouchedTexts()

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
    if (!this.#texts || commit > this.#last.touched) return
    this.#texts.begin({ commit, segment, offset: frame.offset })
    if (event) for (const { row } of event.items) this.#texts.add(row)
    else for (const { row } of frame.items) if (row) this.#texts.add(tryDecode(row))
  }

  /** It cannot be replayed from here on. */
  giveUp(): void {
    this.#state = undefined
    this.#texts = undefined
  }

  stateOf(sections: Sections): VerifiedSnapshot['state'] {
    const tables = Object.entries(this.#state ?? {})
    if (tables.some(([name]) => !sections.has(name))) return 'unreadable'
    return tables.every(([name, table]) => table.adopt(sections.get(name)!)) ? 'equal' : 'differs'
  }

  /** What is missing is what matters: what is there for nothing costs time only. */
  touchedOf(sections: Sections): VerifiedSnapshot['state'] {
    const touched = TouchedFrames.from(sections)
    if (!touched) return 'unreadable'
    if (!this.#texts) return 'not compared'
    return touched.covers(TouchedFrames.from(this.#texts.toSections(touched.after))!) ? 'equal' : 'differs'
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

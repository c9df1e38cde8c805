/**
 * The changes of commits that a follower has taken up, told while its states moved and kept until all readers have had them: so whoever keeps up costs no states of
 * its own, and no second reading. Of those who do not, it keeps only so much: they get what is older from the log, but for what was erased, which nobody finds there any more.
 */
import type { Onlooker } from '../journal/following.ts'
import { changeOf, type Change } from './change.ts'

/** So many keys are kept for those who are slow. */
const mostKeys = 10_000

/** Whoever has had all changes up to commit `number`. */
export interface Reader {
  number: number
}

interface ToldChange {
  change: Change
  keys: number
  erases: boolean
}

export class ToldChanges implements Onlooker {
  readonly #readers = new Set<Reader>()
  /** Of commits that follow one another, up to the last. */
  #changes: ToldChange[] = []
  #keys = 0
  /** Those before them that erased something. */
  #erases: Change[] = []

  readonly witness: Onlooker['witness'] = (commit) => {
    if (this.#readers.size === 0) return undefined
    const after = changeOf(commit)
    return (stateOf) => {
      const toChange = after(stateOf)
      return (catalog) => this.#add(toChange(catalog), commit.erases)
    }
  }

  readonly reset = (): void => {
    this.#changes = []
    this.#keys = 0
    this.#erases = []
  }

  join(number: number): Reader {
    const reader = { number }
    this.#readers.add(reader)
    return reader
  }

  leave(reader: Reader): void {
    this.#readers.delete(reader)
    this.#trim()
  }

  /** The next change for a reader, if it is here: its own, which it may alter. */
  next(reader: Reader): Change | undefined {
    return this.#own(this.#nextOf(reader))
  }

  has(reader: Reader): boolean {
    return this.#nextOf(reader) !== undefined
  }

  /** The change of an older commit, if that erased something and was told. */
  erase(number: number): Change | undefined {
    return this.#own(this.#erases.find(({ commit }) => commit.number === number))
  }

  had(reader: Reader, { commit }: Change): void {
    reader.number = commit.number
    this.#trim()
  }

  #nextOf({ number }: Reader): Change | undefined {
    const first = this.#changes[0]?.change.commit.number ?? 0
    return this.#changes[number + 1 - first]?.change
  }

  #own(change: Change | undefined): Change | undefined {
    return change && this.#readers.size > 1 ? structuredClone(change) : change
  }

  #add(change: Change, erases: boolean): void {
    const keys = keysOf(change)
    this.#changes.push({ change, keys, erases })
    this.#keys += keys
    this.#trim()
  }

  /** What all have had goes; and of the rest the oldest, if it is too much. */
  #trim(): void {
    const had = Math.min(...Array.from(this.#readers, ({ number }) => number)) // Infinity: nobody asks.
    let gone = 0
    for (const { change, keys, erases } of this.#changes) {
      const isMuch = this.#keys > mostKeys && gone < this.#changes.length - 1
      if (change.commit.number > had && !isMuch) break
      if (erases) this.#erases.push(change)
      this.#keys -= keys
      gone++
    }
    this.#changes.splice(0, gone)
    this.#erases = this.#erases.filter(({ commit }) => commit.number > had)
  }
}

function keysOf({ stores }: Change): number {
  let keys = 1
  for (const { added, changed, removed, patches = [] } of stores) {
    keys += added.length + changed.length + removed.length
    for (const { changes } of patches) keys += changes.length
  }
  return keys
}

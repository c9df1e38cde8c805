/**
 * The changes of commits that a follower has taken up, told while its states moved and kept until all readers have had them: so whoever keeps up costs no states of
 * its own, and no second reading. Of those who do not, it keeps only so much: they get what is older from the log.
 */
import type { Onlooker } from '../journal/following.ts'
import type { CommitLog } from '../journal/read-commit.ts'
import type { Replica } from '../journal/replica.ts'
import { changeOf, changesFrom, type Change } from './change.ts'

/** So many keys are kept for those who are slow. */
const mostKeys = 10_000

/** Whoever has had all changes up to commit `number`. */
export interface Reader {
  number: number
}

export class ToldChanges implements Onlooker {
  readonly #readers = new Set<Reader>()
  /** Of commits that follow one another. */
  #changes: { change: Change; keys: number }[] = []
  #keys = 0
  /** The states before an erase, for as long as nobody has told from them what it took. */
  #before: Replica | undefined

  readonly witness: Onlooker['witness'] = (commit) => {
    if (this.#readers.size === 0) return undefined
    const after = changeOf(commit)
    return (stateOf) => {
      const toChange = after(stateOf)
      return (catalog) => this.#add(toChange(catalog))
    }
  }

  readonly erased: Onlooker['erased'] = (before) => {
    if (this.#readers.size > 0) this.#before ??= before
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

  /** The next change for a reader, if it is here. */
  next(reader: Reader): Change | undefined {
    const first = this.#changes[0]?.change.commit.number ?? 0
    return this.#changes[reader.number + 1 - first]?.change
  }

  had(reader: Reader, { commit }: Change): void {
    reader.number = commit.number
    this.#trim()
  }

  /** What an erase took is still to be told: only the states before it know. */
  get isTelling(): boolean {
    return this.#before !== undefined
  }

  /** Tells that. If reading the commits fails, it goes on from there the next time. */
  async tellErased(log: CommitLog | undefined): Promise<void> {
    if (!this.#before || !log) return
    for await (const change of changesFrom(this.#before, log)) this.#add(change)
    this.#before = undefined
  }

  forget(): void {
    this.#before = undefined
    this.#changes = []
    this.#keys = 0
  }

  #add(change: Change): void {
    const last = this.#changes.at(-1)?.change.commit.number
    if (last !== undefined && change.commit.number !== last + 1) {
      this.#changes = []
      this.#keys = 0
    }
    const keys = change.stores.reduce(
      (sum, { added, changed, removed, patches = [] }) =>
        sum +
        added.length +
        changed.length +
        removed.length +
        patches.reduce((all, { changes }) => all + changes.length, 0),
      1,
    )
    this.#changes.push({ change, keys })
    this.#keys += keys
    this.#trim()
  }

  /** What all have had goes; and of the rest the oldest, if it is too much. */
  #trim(): void {
    const had = Math.min(...Array.from(this.#readers, ({ number }) => number)) // Infinity: nobody asks.
    let gone = 0
    for (const { change, keys } of this.#changes) {
      const isMuch = this.#keys > mostKeys && gone < this.#changes.length - 1
      if (change.commit.number > had && !isMuch) break
      this.#keys -= keys
      gone++
    }
    this.#changes.splice(0, gone)
  }
}

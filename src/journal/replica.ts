/**
 * The states of a journal after one commit and then the next, beside those that the journal itself has loaded: for those who ask what a commit changed, and
 * need what was there before it. A store is loaded when a commit names it. It takes no commits up by itself.
 */
import type { CommitSummary } from './catalog.ts'
import type { StoreKind, StoreState, StoredEvent } from './event.ts'
import { Fold, foldStored, readEvents } from './fold.ts'
import type { Home } from './home.ts'
import { erasuresFolder } from '../log/names.ts'
import { readCommits, type CommitLog } from './read-commit.ts'

export interface NextCommit {
  summary: CommitSummary
  /** Those that it names, as they were before it, and what it says of them. */
  stores: { folder: string; state: StoreState; events: StoredEvent[] }[]
  /** Brings the states up to it, and answers them. To be called before the next one is asked for. */
  apply: () => Promise<(folder: string) => StoreState>
}

export class Replica {
  readonly #home: Home
  readonly #fold: Fold

  private constructor(home: Home, fold: Fold) {
    this.#home = home
    this.#fold = fold
  }

  /** As of commit `number`, 0: before the first. It reads the files of `home`. */
  static async at(home: Home, number: number, kindOf: (folder: string) => StoreKind): Promise<Replica> {
    return new Replica(await home.at(number), new Fold(kindOf))
  }

  /** The last commit that was applied. */
  get number(): number {
    return this.#home.catalog.end.number
  }

  get hash(): Uint8Array {
    return this.#home.catalog.end.hash
  }

  /** All commits that follow, as far as `log` knows them. */
  async *commits(log: CommitLog): AsyncGenerator<NextCommit> {
    this.#home.files = log.files
    await this.#home.trimTails()
    for await (const { summary, end, place } of readCommits(log, this.number + 1, log.catalog.end.number)) {
      const stores: NextCommit['stores'] = []
      const steps: (() => void)[] = []
      const folders = new Set(summary.parts.map((part) => part.folder))
      const erases = folders.delete(erasuresFolder)
      for (const folder of folders) {
        const store = await this.#fold.load(folder, this.#home.source(folder))
        const parts = summary.parts.filter((part) => part.folder === folder)
        const events: StoredEvent[] = []
        const committed = [{ commit: summary.number, parts }]
        for await (const { event, rowsBytes, place: at } of readEvents(store, log.files, committed)) {
          events.push(event)
          steps.push(() => foldStored(store, event, rowsBytes, at))
        }
        stores.push({ folder, state: store.state, events })
      }
      yield {
        summary,
        stores,
        apply: async () => {
          if (!erases) for (const step of steps) step()
          this.#home.catalog.apply(summary, end, place)
          // What was erased is in these states: they are loaded anew without it.
          if (erases) this.#fold.clear()
          for (const folder of folders) await this.#fold.load(folder, this.#home.source(folder))
          return (folder) => this.#fold.store(folder)!.state
        },
      }
    }
  }
}

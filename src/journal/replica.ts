/**
 * The states of a journal after one commit and then the next, beside those that the journal itself has loaded: for those who ask what a commit changed, and
 * need what was there before it. All stores are loaded at the beginning: what is erased later can only be told by who holds it. It takes no commits up by itself.
 */
import { committedIn, type CommitSummary } from './catalog.ts'
import type { StoreKind } from './event.ts'
import { Fold } from './fold.ts'
import { foldStored, type FoldedStore } from './folded-store.ts'
import { readEvents, type ReadEvent } from './read-events.ts'
import type { Home } from './home.ts'
import { erasuresFolder } from '../log/names.ts'
import { ReadAhead } from '../log/part.ts'
import { readCommits, type CommitLog, type PlacedCommit } from './read-commit.ts'
import { storeSource } from './store-source.ts'
import type { NextCommit, StateOf } from './take-up.ts'

/** `apply` brings the states up to it, and answers them. To be called before the next one is asked for. */
export type ReplicaCommit = NextCommit & { apply: () => Promise<StateOf> }

export class Replica {
  readonly #home: Home
  readonly #fold: Fold

  private constructor(home: Home, fold: Fold) {
    this.#home = home
    this.#fold = fold
  }

  /** As of commit `number`, 0: before the first. It reads the files of `home`. */
  static async at(home: Home, number: number, kindOf: (folder: string) => StoreKind): Promise<Replica> {
    const replica = new Replica(await home.at(number), new Fold(kindOf))
    for (const folder of replica.#folders) await replica.#load(folder)
    return replica
  }

  /** The last commit that was applied. */
  get number(): number {
    return this.#home.catalog.end.number
  }

  get hash(): Uint8Array {
    return this.#home.catalog.end.hash
  }

  get #folders(): string[] {
    return [...this.#home.catalog.stores.keys()].filter((folder) => folder !== erasuresFolder)
  }

  #load(folder: string): Promise<FoldedStore> {
    return this.#home.despiteErasures(() => this.#fold.load(folder, this.#home.source(folder)))
  }

  #eventsOf(store: FoldedStore, summary: CommitSummary, ahead: ReadAhead): Promise<ReadEvent[]> {
    const committed = committedIn(store.folder, [summary])
    return this.#home.despiteErasures(async () => {
      const read: ReadEvent[] = []
      for await (const event of readEvents(store, this.#home.files, committed, { ahead })) read.push(event)
      return read
    })
  }

  /** All commits that follow, as far as `log` knows them. */
  async *commits(log: CommitLog): AsyncGenerator<ReplicaCommit> {
    this.#home.files = log.files
    const ahead = new ReadAhead()
    for await (const { summary, end, place } of readCommits(log, this.number + 1, log.catalog.end.number)) {
      await this.#home.trimTails() // Whoever is far behind has a long way to go here.
      const stores: NextCommit['stores'] = []
      const steps: (() => void)[] = []
      const folders = new Set(summary.parts.map((part) => part.folder))
      folders.delete(erasuresFolder)
      const erases = log.files.erasures.has(summary.number)
      if (erases) for (const folder of this.#folders) folders.add(folder)
      for (const folder of folders) {
        const store = await this.#load(folder)
        const read = await this.#eventsOf(store, summary, ahead)
        for (const { event, rowsBytes, place: at } of read)
          steps.push(() => foldStored(store, event, rowsBytes, at))
        stores.push({ folder, state: store.state, events: read.map(({ event }) => event) })
      }
      yield {
        summary,
        erases,
        stores,
        apply: async () => {
          if (erases) await this.#applyErase({ summary, end, place })
          else {
            for (const step of steps) step()
            this.#home.catalog.apply(summary, end, place)
            for (const folder of folders) await this.#load(folder)
          }
          return (folder) => this.#fold.store(folder)!.state
        },
      }
    }
  }

  /** What was erased is in these states: they are loaded anew without it. If that fails, everything is as it was. */
  async #applyErase({ summary, end, place }: PlacedCommit): Promise<void> {
    const catalog = this.#home.catalog.copy()
    catalog.apply(summary, end, place)
    const fresh = this.#fold.anew()
    for (const folder of this.#folders)
      await this.#home.despiteErasures(() =>
        fresh.load(folder, storeSource({ files: this.#home.files, catalog }, folder)),
      )
    this.#home.catalog = catalog
    this.#fold.adopt(fresh)
  }
}

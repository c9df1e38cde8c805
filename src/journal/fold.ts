/**
 * The states of all stores at one moment: each is loaded when first asked for, from its snapshot and the tail
 * of its log, and then changed in place by every later event. Fold rows, fetch payloads: a payload is read by
 * its position, and each read is one check.
 */
import { VarveError } from '../errors.ts'
import type { SegmentFiles } from '../log/segment-files.ts'
import type { StoreEntry } from './catalog.ts'
import type { StoreKind } from './event.ts'
import { emptyStore, fillFromSnapshot, folded, type FoldedStore } from './folded-store.ts'
import { UnusableSnapshot } from './snapshot-pages.ts'
import type { StoreSource } from './store-source.ts'

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
    const store = this.#stores.get(folder)
    return store?.unread ? undefined : store
  }

  /** One that is loaded or only looked at. */
  seen(folder: string): FoldedStore | undefined {
    return this.#stores.get(folder)
  }

  /** All that are loaded or only looked at. */
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
    for (;;) {
      const store = await this.#obtain(folder, source, { whole: true })
      if (!store.unread) return store
      await this.#once(folder, () => this.#complete(store, source)) // Or what began after it was forgotten.
    }
  }

  /**
   * Of a store that is not loaded yet, reads no more of its snapshot than is looked at. Whoever looks may then meet `UnusableSnapshot`, and must load
   * the store.
   */
  look(folder: string, source: StoreSource | undefined): Promise<FoldedStore> {
    return this.#obtain(folder, source, { whole: false })
  }

  /** Forgets everything, so that it is loaded anew. */
  clear(): void {
    this.#clears++
    void this.closeSnapshots()
    this.#stores.clear()
  }

  /** What was not read of them cannot be looked at any more. */
  async closeSnapshots(): Promise<void> {
    const stores = Array.from(this.#stores.values()) // They may be forgotten meanwhile.
    for (const { unread } of stores) await unread?.close()
  }

  /** Takes the stores of another in the place of its own. */
  adopt(other: Fold): void {
    this.clear()
    for (const [folder, store] of other.#stores) this.#stores.set(folder, store)
  }

  /** One of the same kinds of stores, in which nothing is loaded. */
  anew(): Fold {
    return new Fold(this.#kindOf)
  }

  /** A store that nothing was folded into. It is not kept. */
  empty(folder: string): FoldedStore {
    return emptyStore(folder, this.#kindOf(folder))
  }

  /** From now on this is the store, for everyone. Answers the one before, if it was loaded. */
  replace(store: FoldedStore): FoldedStore | undefined {
    const before = this.#stores.get(store.folder)
    this.#stores.set(store.folder, store)
    return before
  }

  async #obtain(
    folder: string,
    source: StoreSource | undefined,
    { whole }: { whole: boolean },
  ): Promise<FoldedStore> {
    return this.#stores.get(folder) ?? this.#once(folder, () => this.#load(folder, source, { whole }))
  }

  /** One at a time for each store; what is under way is not begun again. */
  #once(folder: string, load: () => Promise<FoldedStore>): Promise<FoldedStore> {
    let loading = this.#loading.get(folder)
    if (!loading) {
      loading = load().finally(() => this.#loading.delete(folder))
      this.#loading.set(folder, loading)
    }
    return loading
  }

  async #load(folder: string, source: StoreSource | undefined, { whole = true } = {}): Promise<FoldedStore> {
    const clears = this.#clears
    const store = await this.#filled(folder, source, { whole })
    if (clears !== this.#clears) {
      await store.unread?.close()
      return this.#load(folder, source, { whole })
    }
    this.#stores.set(folder, store)
    return store
  }

  /** If the snapshot is no good, from the log. */
  async #filled(
    folder: string,
    source: StoreSource | undefined,
    { whole }: { whole: boolean },
  ): Promise<FoldedStore> {
    const store = this.empty(folder)
    if (!source?.entry) return store
    const { entry, files } = source
    await openSegments(files, folder, entry)
    if (entry.snapshot === 0) return folded(store, files, entry.tail)
    try {
      await fillFromSnapshot(store, source, { commit: entry.snapshot, whole })
      return await folded(store, files, entry.tail)
    } catch (error) {
      await store.unread?.close()
      if (!(error instanceof UnusableSnapshot)) throw error
    }
    // It may be one that can only be read whole.
    if (!whole) return this.#filled(folder, source, { whole: true })
    return folded(this.empty(folder), files, await source.allParts())
  }

  /** A store that was only looked at; one whose snapshot is no good is loaded anew. */
  async #complete(store: FoldedStore, source: StoreSource | undefined): Promise<FoldedStore> {
    const clears = this.#clears
    try {
      await store.unread!.readAll()
      for (const table of Object.values(store.state)) table.check()
    } catch (error) {
      if (!(error instanceof UnusableSnapshot)) throw error
      await store.unread!.close()
      return this.#load(store.folder, source)
    }
    if (clears !== this.#clears) return this.#load(store.folder, source)
    store.unread = undefined
    return store
  }
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

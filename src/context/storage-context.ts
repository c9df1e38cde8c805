/** Where an application's documents, vectors, indices and graphs are: one journal, and any foreign stores beside it. */
import type { Disk } from '../disk/disk.ts'
import { VarveError } from '../errors.ts'
import type { Commit, CommitNote } from '../journal/commit.ts'
import type { JournalHandle } from '../journal/handle.ts'
import type { DocumentStore, GraphStore, IndexStore, VectorStore } from '../stores/contract.ts'
import { JournalStore } from '../stores/journal-store.ts'
import { defaultVectorNamespace, vectorFolder } from '../stores/vector-store.ts'
import { defaultPersistDir, openHandle, persistTo, type OpenedHandle, type OpenOptions } from './open-journal.ts'
import { copyStore } from './replace-contents.ts'
import { SimpleDocumentStore, SimpleGraphStore, SimpleIndexStore, SimplePropertyGraphStore, SimpleVectorStore } from './simple-stores.ts'

type OwnStore = JournalStore<any> // oxlint-disable-line no-explicit-any -- of whatever state

export interface StorageContextOptions extends OpenOptions {
  /** The directory of a journal or of LlamaIndex's JSON files; the first commit creates it. Default: all is in memory. */
  persistDir?: string
  docstore?: DocumentStore
  indexStore?: IndexStore
  /** The namespace `default`; it goes before `vectorStores.default`. */
  vectorStore?: VectorStore
  vectorStores?: Readonly<Record<string, VectorStore>> | ReadonlyMap<string, VectorStore>
  graphStore?: GraphStore
  propertyGraphStore?: SimplePropertyGraphStore
}

export interface TransactionOptions extends CommitNote {
  /** Go on although some stores persist by themselves and cannot be rolled back. */
  ownStoresOnly?: boolean
}

export class StorageContext {
  readonly docstore: DocumentStore
  readonly indexStore: IndexStore
  readonly graphStore: GraphStore
  readonly propertyGraphStore: SimplePropertyGraphStore
  readonly #handle: JournalHandle
  readonly #disk: Disk
  readonly #vectorStores: Map<string, VectorStore>

  private constructor({ handle, disk }: OpenedHandle, stores: StorageContextOptions) {
    this.#handle = handle
    this.#disk = disk
    this.docstore = stores.docstore ?? new SimpleDocumentStore(handle, storedNamespace(handle))
    this.indexStore = stores.indexStore ?? new SimpleIndexStore(handle)
    this.graphStore = stores.graphStore ?? new SimpleGraphStore(handle)
    this.propertyGraphStore = stores.propertyGraphStore ?? new SimplePropertyGraphStore(handle)
    this.#vectorStores = vectorStoresOf(handle, stores)
  }

  /**
   * Opens a directory, or begins in memory. Opening takes no lock, writes nothing and creates nothing. Stores that are not given come from the
   * directory, or from the directory of those that are.
   *
   * Throws `VARVE_MIXED_JOURNALS` for stores of two directories; `VARVE_NOT_A_DIRECTORY`, `VARVE_NOT_STORAGE`, `VARVE_PERMISSION`, `VARVE_NEWER`, `VARVE_CORRUPT`;
   * `VARVE_NOT_FOUND` for a missing directory with `readOnly`.
   */
  static async fromDefaults(options: StorageContextOptions = {}): Promise<StorageContext> {
    const own = ownStores(options)
    const settled = own.filter(({ handle }) => handle.journal.directory !== undefined)
    const opened = await openHandle({ ...options, join: oneJournal(settled) })
    for (const store of own) await adopt(store, opened.handle)
    return new StorageContext(opened, options)
  }

  /** By namespace. */
  get vectorStores(): ReadonlyMap<string, VectorStore> {
    return this.#vectorStores
  }

  /** The namespace `default`. */
  get vectorStore(): VectorStore {
    return this.#vectorStores.get(defaultVectorNamespace)!
  }

  /** Adds a vector store under a namespace; without one, ours. Answers the store of that namespace. */
  addVectorStore(namespace: string, store?: VectorStore): VectorStore {
    const known = this.#vectorStores.get(namespace)
    if (known && !store) return known
    vectorFolder(namespace)
    if (store instanceof JournalStore) oneJournal([...this.#ownStores(), store as OwnStore])
    const added = store ?? new SimpleVectorStore(this.#handle, namespace)
    this.#vectorStores.set(namespace, added)
    return added
  }

  /** The directory this context belongs to; `undefined`: it is in memory. */
  get persistDir(): string | undefined {
    return this.#handle.journal.directory
  }

  /** Something was changed that no commit holds. */
  get hasPendingChanges(): boolean {
    return this.#handle.journal.hasPendingChanges
  }

  /**
   * Commits: resolves when every change made before the call is durable, with the commit that carried it, even if another call wrote it; `undefined`, and
   * nothing written, if there was nothing. For stores that persist by themselves there is nothing to do.
   *
   * With a directory other than its own, it makes the present of that directory equal to this context: a new journal with one commit, or one `replace` commit in the
   * journal that stands there (`VARVE_EMPTY_REPLACE` if this context is empty). A context in memory belongs to the first directory it persists to, by default
   * `./storage`.
   *
   * Throws `VARVE_DISK_FULL` (the changes stay pending), `VARVE_OUTCOME_UNKNOWN`, `VARVE_DISPLACED`, `VARVE_LOCKED`, `VARVE_READ_ONLY`, `VARVE_IN_TRANSACTION`.
   */
  persist(note?: CommitNote): Promise<Commit | undefined>
  persist(persistDir: string, note?: CommitNote): Promise<Commit | undefined>
  async persist(first?: string | CommitNote, second?: CommitNote): Promise<Commit | undefined> {
    const persistDir = typeof first === 'string' ? first : undefined
    const note = (typeof first === 'string' ? second : first) ?? {}
    const { journal } = this.#handle
    if (this.#ownStores().length === 0) return undefined
    if (persistDir === undefined && journal.directory !== undefined) return this.#handle.persist(note)
    return persistTo({ handle: this.#handle, disk: this.#disk, directory: persistDir ?? defaultPersistDir, note })
  }

  /**
   * Everything that `change` does to the stores is one commit, or nothing: if it throws, they are as before. Other writing calls of the process wait meanwhile; nested
   * transactions join. What was pending before becomes a commit of its own. Throws `VARVE_FOREIGN_STORE` if a store persists by itself.
   */
  async transaction<T>(options: TransactionOptions, change: () => Promise<T>): Promise<T> {
    const { ownStoresOnly = false, ...note } = options
    this.#refuseForeign('A transaction', ownStoresOnly)
    return (await this.#handle.transaction(note, change)).value
  }

  /** Runs changes as one unit: if `change` throws, all own stores are as before. It does not commit. */
  together<T>(change: () => Promise<T>): Promise<T> {
    return this.#handle.together(
      change,
      this.#ownStores().map(({ folder }) => folder),
    )
  }

  /** Drops everything pending. Throws `VARVE_FOREIGN_STORE` if a store persists by itself. */
  async rollback({ ownStoresOnly = false }: { ownStoresOnly?: boolean } = {}): Promise<void> {
    this.#refuseForeign('A rollback', ownStoresOnly)
    await this.#handle.journal.rollback()
  }

  /** With durability `'buffered'`: makes everything written durable. */
  async flush(): Promise<void> {
    await this.#handle.journal.flush()
  }

  /** The commits so far, the newest first. */
  commits(): AsyncGenerator<Commit> {
    return this.#handle.journal.commits()
  }

  /** Ends the use of this context; the last one of a directory gives up its lock. Persists nothing, and warns of pending changes. */
  async close(): Promise<void> {
    await this.#handle.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  #ownStores(): OwnStore[] {
    return this.#allStores().filter((store) => store instanceof JournalStore)
  }

  #allStores(): unknown[] {
    return [this.docstore, this.indexStore, this.graphStore, this.propertyGraphStore, ...this.#vectorStores.values()]
  }

  #refuseForeign(what: string, ownStoresOnly: boolean): void {
    const foreign = this.#allStores().find((store) => !(store instanceof JournalStore))
    if (foreign === undefined || ownStoresOnly) return
    const name = (foreign as object).constructor.name
    throw new VarveError('VARVE_FOREIGN_STORE', `${what} cannot reach into ${name}, which persists by itself.`, { store: name })
  }
}

function ownStores({ docstore, indexStore, vectorStore, vectorStores, graphStore, propertyGraphStore }: StorageContextOptions): OwnStore[] {
  const given = [docstore, indexStore, vectorStore, ...vectorEntries(vectorStores).map(([, store]) => store), graphStore, propertyGraphStore]
  return given.filter((store) => store instanceof JournalStore)
}

/** A store made in memory, on its own, moves into the context's journal with what it holds. */
async function adopt(store: OwnStore, handle: JournalHandle): Promise<void> {
  const { journal } = handle
  if (store.handle.journal === journal) return
  await copyStore(store.handle.journal, journal, store.folder)
  await store.handle.moveTo(journal)
}

/** The journal that stores share; `undefined` for no stores. */
function oneJournal(stores: readonly OwnStore[]): JournalHandle | undefined {
  const handle = stores[0]?.handle
  const other = stores.find((store) => store.handle.journal !== handle?.journal)
  if (!handle || !other) return handle
  const places = [handle, other.handle].map(({ journal }) => journal.directory ?? 'memory')
  throw new VarveError('VARVE_MIXED_JOURNALS', `These stores belong to ${places[0]} and to ${places[1]}.`, { places })
}

function vectorStoresOf(handle: JournalHandle, { vectorStore, vectorStores }: StorageContextOptions): Map<string, VectorStore> {
  const stores = new Map<string, VectorStore>()
  for (const [folder, name] of handle.journal.folders()) {
    const namespace = folder.startsWith('vector_store/') ? (name ?? folder.slice('vector_store/'.length)) : undefined
    if (namespace !== undefined) stores.set(namespace, new SimpleVectorStore(handle, namespace))
  }
  if (!stores.has(defaultVectorNamespace)) stores.set(defaultVectorNamespace, new SimpleVectorStore(handle))
  for (const [namespace, store] of vectorEntries(vectorStores)) stores.set(namespace, store)
  if (vectorStore) stores.set(defaultVectorNamespace, vectorStore)
  return stores
}

function vectorEntries(stores: StorageContextOptions['vectorStores']): [string, VectorStore][] {
  if (!stores) return []
  return stores instanceof Map ? [...stores] : Object.entries(stores)
}

/** An imported directory may have its documents under another namespace. */
function storedNamespace(handle: JournalHandle): string | undefined {
  const folders = [...handle.journal.folders()].filter(([folder]) => folder === 'docstore' || folder.startsWith('docstore/'))
  const [only] = folders
  if (folders.length !== 1 || !only || only[0] === 'docstore') return undefined
  return only[1] ?? only[0].slice('docstore/'.length)
}

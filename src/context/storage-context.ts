/** Where an application's documents, vectors, indices and graphs are: one journal, and any foreign stores beside it. */
import { namingErrors } from '../disk/disk-errors.ts'
import { contextClosed, VarveError } from '../errors.ts'
import type { ExportReport } from '../interop/export-report.ts'
import {
  contentToDict,
  dictToContent,
  type StorageContent,
  type StorageDict,
} from '../interop/llamaindex-dict.ts'
import { writeExport, type ExportOptions } from '../interop/llamaindex-export.ts'
import type { Change } from '../live/change.ts'
import type { ChangesOptions } from '../live/changes.ts'
import { checkFollowOptions, Follower, type FollowEvents, type FollowOptions } from '../live/follower.ts'
import { watchFiles, watchNothing } from '../live/watch-folder.ts'
import { nodeDisk } from '../disk/node-disk.ts'
import type { Commit, CommitNote } from '../journal/commit.ts'
import type { JournalHandle } from '../journal/handle.ts'
import { noHistory, type Journal } from '../journal/journal.ts'
import { resolveMoment, type Moment } from '../journal/moment.ts'
import type {
  ChatStore,
  DocumentStore,
  GraphStore,
  IndexStore,
  PropertyGraphStore,
  VectorStore,
} from '../stores/contract.ts'
import { documentFolder, JournalDocumentStore } from '../stores/document-store.ts'
import { defaultVectorNamespace, vectorFolder } from '../stores/vector-store.ts'
import {
  givenVectorStores,
  isOwn,
  letGo,
  ownStores,
  sharedJournal,
  takeIn,
  use,
  type OwnStore,
  type StoreOptions,
} from './given-stores.ts'
import { checkNote } from './commit-note.ts'
import { appendContent } from './imported-directory.ts'
import {
  defaultPersistDir,
  openFollowed,
  openHandle,
  openPast,
  persistTo,
  type OpenOptions,
} from './open-journal.ts'
import { presentContent } from './present-content.ts'
import { StorageHistory } from './storage-history.ts'
import {
  SimpleChatStore,
  SimpleDocumentStore,
  SimpleGraphStore,
  SimpleIndexStore,
  SimplePropertyGraphStore,
  SimpleVectorStore,
} from './simple-stores.ts'

/** Every store may be given: ours, or one that persists by itself. Ours belong to the context from then on, and are closed with it. */
export interface StorageContextOptions extends OpenOptions, StoreOptions {
  /** The directory of a journal or of LlamaIndex's JSON files; the first commit creates it. Default: all is in memory. */
  persistDir?: string | undefined
  /** Opens the directory as it was at a moment: a commit's number, `HEAD~2`, a tag, a hash or its beginning, a date. For reading only. */
  asOf?: Moment | undefined
  /**
   * Keeps all stores current while another process, or another context, writes there: without a lock, for reading only, a whole commit at a time. The directory may
   * come later. It keeps the process alive until it is closed.
   */
  follow?: boolean | FollowOptions | undefined
}

export interface TransactionOptions extends CommitNote {
  /** Go on although some stores persist by themselves and cannot be rolled back. */
  ownStoresOnly?: boolean
}

export class StorageContext {
  readonly docstore: DocumentStore
  readonly indexStore: IndexStore
  readonly graphStore: GraphStore
  readonly propertyGraphStore: PropertyGraphStore
  readonly chatStore: ChatStore
  readonly #handle: JournalHandle
  readonly #vectorStores: Map<string, VectorStore>
  #closing: Promise<void> | undefined
  #history: StorageHistory | undefined
  #follower: Follower | undefined

  private constructor(handle: JournalHandle, stores: StoreOptions) {
    this.#handle = use(handle)
    this.docstore = stores.docstore ?? new SimpleDocumentStore(handle, storedNamespace(handle)).bindTo(handle)
    this.indexStore = stores.indexStore ?? new SimpleIndexStore(handle).bindTo(handle)
    this.graphStore = stores.graphStore ?? new SimpleGraphStore(handle).bindTo(handle)
    this.propertyGraphStore = stores.propertyGraphStore ?? new SimplePropertyGraphStore(handle).bindTo(handle)
    this.chatStore = stores.chatStore ?? new SimpleChatStore(handle).bindTo(handle)
    this.#vectorStores = vectorStoresOf(handle, stores)
    for (const other of this.#othersHandles()) use(other)
  }

  /**
   * Opens a directory, or begins in memory. Opening takes no lock, writes nothing and creates nothing. Stores that are not given come from the
   * directory, or from the directory of those that are.
   *
   * Throws `VARVE_MIXED_JOURNALS` for stores of two directories; `VARVE_NOT_A_DIRECTORY`, `VARVE_NOT_STORAGE`, `VARVE_PERMISSION`, `VARVE_NEWER`, `VARVE_CORRUPT`;
   * `VARVE_NOT_FOUND` for a missing directory with `readOnly`; with `asOf` what `asOf()` throws.
   */
  static async fromDefaults(options: StorageContextOptions = {}): Promise<StorageContext> {
    const own = ownStores(options)
    const join = sharedJournal(own)
    const readOnly = options.readOnly ?? (own.some(({ handle }) => handle.readOnly) || undefined)
    const request = { ...options, ...(readOnly !== undefined && { readOnly }), join }
    const follow = options.follow ? checkFollowOptions(options.follow) : undefined
    const handle = await (follow ? openFollowed(request) : openHandle(request))
    try {
      await takeIn(handle, options)
      const context = new StorageContext(handle, options)
      if (follow) context.#follow(follow)
      return context
    } catch (error) {
      await handle.close()
      throw error
    }
  }

  /**
   * A context in memory that holds what a dictionary says: our own `toDict()`, or LlamaIndex's `to_dict()` of any version. `persist(dir)` gives it a directory.
   * Throws `VARVE_BAD_FILE` where the dictionary is not LlamaIndex's.
   */
  static async fromDict(dict: object, options: FromDictOptions = {}): Promise<StorageContext> {
    const content = dictToContent(dict)
    const context = await StorageContext.fromDefaults({
      ...options,
      docstore: new SimpleDocumentStore(undefined, content.namespace),
    })
    const { onWarning = (warning: string) => console.warn(warning) } = options
    for (const { file, message } of content.warnings) onWarning(`${file}: ${message}`)
    await appendContent(context.#journal, content, onWarning)
    for (const namespace of content.vectors.keys()) context.addVectorStore(namespace)
    return context
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
    this.#checkOpen()
    const known = this.#vectorStores.get(namespace)
    if (known && !store) return known
    vectorFolder(namespace)
    if (isOwn(store) && store.handle.journal !== this.#journal) {
      const places = [this.#journal, store.handle.journal].map(({ directory }) => directory ?? 'memory')
      throw new VarveError(
        'VARVE_MIXED_JOURNALS',
        `This context belongs to ${places[0]}, the store to ${places[1]}.`,
        {
          places,
          remedy:
            'Give it to fromDefaults(), or call addVectorStore() with the namespace alone, which makes one.',
        },
      )
    }
    const added = store ?? new SimpleVectorStore(this.#handle, namespace).bindTo(this.#handle)
    this.#vectorStores.set(namespace, added)
    return added
  }

  /** The directory this context belongs to; `undefined`: it is in memory. */
  get persistDir(): string | undefined {
    return this.#journal.directory
  }

  /** Whether the caller is inside a transaction of this storage. */
  get inTransaction(): boolean {
    return this.#journal.inTurn
  }

  /** Something was changed that no commit holds. */
  get hasPendingChanges(): boolean {
    return this.#journal.hasPendingChanges
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
    const note = checkNote((typeof first === 'string' ? second : first) ?? {})
    const { directory, hasPendingChanges } = this.#journal
    return namingErrors(persistDir ?? directory ?? defaultPersistDir, async () => {
      if (persistDir === undefined && directory !== undefined) return this.#handle.persist(note)
      if (persistDir === undefined && !hasPendingChanges && this.#foreignStore() !== undefined)
        return undefined
      return persistTo(this.#handle, persistDir ?? defaultPersistDir, note)
    })
  }

  /**
   * Everything that `change` does to the stores is one commit, or nothing: if it throws, they are as before. Other writing calls of the process wait meanwhile; nested
   * transactions join. What was pending before becomes a commit of its own. Throws `VARVE_FOREIGN_STORE` if a store persists by itself. If the disk is full when the commit
   * is written (`VARVE_DISK_FULL`), the changes are made and pending: call `persist()` then, and do not run the transaction again.
   */
  async transaction<T>(options: TransactionOptions, change: () => Promise<T>): Promise<T> {
    if (typeof change !== 'function')
      throw new TypeError(
        'transaction() takes a note and a function: transaction({ message }, async () => …).',
      )
    const { ownStoresOnly = false, ...note } = options
    this.#refuseForeign('A transaction', ownStoresOnly)
    return namingErrors(
      this.#place,
      async () => (await this.#handle.transaction(checkNote(note), change)).value,
    )
  }

  /** Runs changes as one unit: if `change` throws, all own stores are as before. It does not commit. */
  together<T>(change: () => Promise<T>): Promise<T> {
    this.#checkOpen()
    return this.#handle.together(
      change,
      this.#ownStores().map(({ folder }) => folder),
    )
  }

  /** Drops everything pending. Throws `VARVE_FOREIGN_STORE` if a store persists by itself. */
  async rollback({ ownStoresOnly = false }: { ownStoresOnly?: boolean } = {}): Promise<void> {
    this.#refuseForeign('A rollback', ownStoresOnly)
    await namingErrors(this.#place, () => this.#handle.rollback())
  }

  /** With durability `'buffered'`: makes everything written durable. */
  async flush(): Promise<void> {
    const journal = this.#journal
    await namingErrors(this.#place, () => journal.flush())
  }

  /**
   * A context for reading only that holds what this directory held at a moment: a commit's number, `HEAD`, `HEAD~2`, a tag, a hash or its beginning, a `Date` or
   * ISO date (the last commit until then; 0, and what is before the first commit, is empty). It has the same stores, sees nothing that is committed later, shares
   * nothing with this context or any other, and must be closed as they are. What is pending is not in it.
   *
   * Throws `VARVE_BAD_MOMENT`, `VARVE_NO_SUCH_MOMENT`; `VARVE_FOREIGN_STORE` if a store persists by itself.
   */
  async asOf(
    moment: Moment,
    { ownStoresOnly = false }: { ownStoresOnly?: boolean } = {},
  ): Promise<StorageContext> {
    const journal = this.#journal
    this.#refuseForeign('asOf()', ownStoresOnly)
    return namingErrors(this.#place, async () => {
      await journal.refresh()
      if (!journal.log || journal.directory === undefined) throw noHistory(journal.directory)
      const number = await resolveMoment(journal.log, moment)
      return new StorageContext(await openPast(journal.directory, journal.options, number), {})
    })
  }

  /** What happened here, and the ways back. */
  get history(): StorageHistory {
    this.#checkOpen()
    return (this.#history ??= new StorageHistory(this.#handle))
  }

  /**
   * The commits of the followed directory as they come, in order, each once and whole, with what it changed. It reads at the pace of whoever asks, and ends with the signal or the
   * context. Throws `VARVE_OTHER_HISTORY` where a token names a commit that is not there (any more), and when the directory comes to hold another history.
   */
  changes(options: ChangesOptions = {}): AsyncGenerator<Change, void, undefined> {
    return this.#followed('changes()').changes(options)
  }

  /**
   * Tells of each commit (`change`), when the stores hold it; that another history stands there (`reset`), which the stores hold by then; and why nothing can be read
   * there (`error`), while the stores keep the last good state. Answers what ends it. Where nobody listens, resets and errors are warnings.
   */
  on<E extends keyof FollowEvents>(event: E, listener: (told: FollowEvents[E]) => void): () => void {
    return this.#followed('on()').on(event, listener)
  }

  /** The commits so far, the newest first. */
  commits(): AsyncGenerator<Commit> {
    return this.#journal.commits()
  }

  /**
   * Everything as LlamaIndex's `to_dict()` has it, which is all but chats, in plain values; it is a copy. Throws `VARVE_FOREIGN_STORE` if a store persists by itself.
   * Numbers that were floats though integral, and key orders that JavaScript does not keep, are carried along out of sight: `fromDict` knows them, `JSON.stringify` does not.
   */
  async toDict(): Promise<StorageDict> {
    const journal = this.#journal
    return contentToDict(await this.#content(journal, 'toDict()'))
  }

  /**
   * Writes everything, pending changes included, into a new or empty directory as LlamaIndex's files, for Python (0.14) or TypeScript (0.12.1), whose own loaders
   * then read it. The directory comes into being in one step. The report says what the format has no place for. Throws `VARVE_NOT_STORAGE` for a directory that is not
   * empty, `VARVE_TOO_LARGE` for what LlamaIndexTS could not read back, `VARVE_FOREIGN_STORE` if a store persists by itself.
   */
  async exportTo(directory: string, options: Omit<ExportOptions, 'to'>): Promise<ExportReport> {
    const journal = this.#journal
    const write = async (): Promise<ExportReport> => {
      const content = await this.#content(journal, 'An export')
      return writeExport(journal.options.disk, journal.directory, content, { ...options, to: directory })
    }
    // What is pending may be rolled back while it is read.
    return journal.hasPendingChanges ? journal.together(write) : write()
  }

  async #content(journal: Journal, what: string): Promise<StorageContent> {
    const { docstore } = this
    const vectorStores = new Map<string, OwnStore>()
    for (const [namespace, store] of this.#vectorStores) if (isOwn(store)) vectorStores.set(namespace, store)
    if (this.#foreignStore() !== undefined || !(docstore instanceof JournalDocumentStore))
      throw this.#foreignError(what, 'Only what our own stores hold can be written out.')
    return presentContent(journal, { docstore, vectorStores })
  }

  /** Ends the use of this context; the last one of a directory gives up its lock. Persists nothing, and warns of pending changes. */
  async close(): Promise<void> {
    this.#closing ??= this.#close()
    await this.#closing
  }

  async #close(): Promise<void> {
    const handles = [this.#handle, ...this.#othersHandles()]
    await this.#follower?.close()
    await Promise.all(handles.map(letGo))
  }

  #follow({ poll, watch }: FollowOptions): void {
    const { journal } = this.#handle
    const { disk, onWarning } = journal.options
    this.#follower = new Follower(journal, {
      poll,
      watch: watch ?? (disk === nodeDisk ? watchFiles : watchNothing),
      onWarning,
      onMoved: () => this.#findNamespaces(),
    })
    this.#follower.start()
  }

  #followed(what: string): Follower {
    this.#checkOpen()
    if (this.#follower) return this.#follower
    throw new VarveError(
      'VARVE_BAD_OPTION',
      `${what} tells what others commit: this context does not follow them.`,
      {
        remedy: 'Open it with { persistDir, follow: true }.',
      },
    )
  }

  /** Those that came with the last commits. */
  #findNamespaces(): void {
    for (const namespace of storedVectorNamespaces(this.#handle)) this.addVectorStore(namespace)
    const namespace = storedNamespace(this.#handle)
    if (namespace !== undefined && isOwn(this.docstore))
      this.docstore.bindTo(this.#handle, { folder: documentFolder(namespace), namespace })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  get #journal(): Journal {
    this.#checkOpen()
    return this.#handle.journal
  }

  /** What errors call it. */
  get #place(): string {
    return this.#journal.directory ?? 'memory'
  }

  #checkOpen(): void {
    if (this.#closing) throw contextClosed()
  }

  #allStores(): unknown[] {
    return [
      this.docstore,
      this.indexStore,
      this.graphStore,
      this.propertyGraphStore,
      this.chatStore,
      ...this.#vectorStores.values(),
    ]
  }

  #ownStores(): OwnStore[] {
    return this.#allStores().filter(isOwn)
  }

  /** Those of contexts that the stores belonged to before. */
  #othersHandles(): Set<JournalHandle> {
    const handles = new Set(this.#ownStores().map(({ handle }) => handle))
    handles.delete(this.#handle)
    return handles
  }

  #foreignStore(): object | undefined {
    return this.#allStores().find((store) => !isOwn(store)) as object | undefined
  }

  #refuseForeign(what: string, ownStoresOnly: boolean): void {
    if (!ownStoresOnly && this.#foreignStore() !== undefined) throw this.#foreignError(what)
  }

  #foreignError(what: string, remedy?: string): VarveError {
    const name = this.#foreignStore()?.constructor.name ?? 'a store'
    return new VarveError(
      'VARVE_FOREIGN_STORE',
      `${what} cannot reach into ${name}, which persists by itself.`,
      { store: name, remedy },
    )
  }
}

/** A context that comes from a dictionary is in memory. */
export type FromDictOptions = Omit<OpenOptions, 'readOnly' | 'takeover' | 'networkFileSystem'>

function vectorStoresOf(handle: JournalHandle, stores: StoreOptions): Map<string, VectorStore> {
  const all = new Map<string, VectorStore>()
  const make = (namespace: string): VectorStore => new SimpleVectorStore(handle, namespace).bindTo(handle)
  for (const namespace of storedVectorNamespaces(handle)) all.set(namespace, make(namespace))
  if (!all.has(defaultVectorNamespace)) all.set(defaultVectorNamespace, make(defaultVectorNamespace))
  for (const [namespace, store] of givenVectorStores(stores)) all.set(namespace, store)
  return all
}

function storedVectorNamespaces({ journal }: JournalHandle): string[] {
  return Array.from(journal.folders()).flatMap(([folder, name]) =>
    folder.startsWith('vector_store/') ? [name ?? folder.slice('vector_store/'.length)] : [],
  )
}

/** An imported directory may have its documents under another namespace. */
function storedNamespace(handle: JournalHandle): string | undefined {
  const folders = [...handle.journal.folders()].filter(
    ([folder]) => folder === 'docstore' || folder.startsWith('docstore/'),
  )
  const [only] = folders
  if (folders.length !== 1 || !only || only[0] === 'docstore') return undefined
  return only[1] ?? only[0].slice('docstore/'.length)
}

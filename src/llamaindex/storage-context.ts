/** LlamaIndexTS's storage context over ours: the same shape, so that a program changes one import. */
import type { BaseDocumentStore } from '@llamaindex/core/storage/doc-store'
import type { BaseIndexStore } from '@llamaindex/core/storage/index-store'
import type { BaseVectorStore, VectorStoreByType } from '@llamaindex/core/vector-store'
import type { OpenOptions } from '../context/open-journal.ts'
import { StorageContext } from '../context/storage-context.ts'
import type { Commit, CommitNote } from '../journal/commit.ts'
import { Autosave } from './autosave.ts'
import { DropInChatStore } from './chat-store.ts'
import type { Core } from './core.ts'
import { DropInDocumentStore } from './document-store.ts'
import { DropInIndexStore } from './index-store.ts'
import { DropInVectorStore, type DropInVectorStoreOptions } from './vector-store.ts'

/** LlamaIndexTS's options, and how the directory is opened. Stores that are given stand beside ours. */
export interface DropInOptions extends Omit<OpenOptions, 'autoPersist'> {
  docStore?: BaseDocumentStore
  indexStore?: BaseIndexStore
  vectorStore?: BaseVectorStore
  vectorStores?: VectorStoreByType
  /** The directory of a journal, or of LlamaIndex's JSON files, which are read as they are. Default: all is in memory. */
  persistDir?: string
}

export class DropInStorageContext {
  readonly docStore: BaseDocumentStore
  readonly indexStore: BaseIndexStore
  readonly vectorStores: VectorStoreByType
  /** For memories that take one. */
  readonly chatStore: DropInChatStore
  /** What it all stands in: commits, transactions, what LlamaIndexTS has no words for. */
  readonly storage: StorageContext
  readonly #core: Core
  readonly #autosave: Autosave
  #closing: Promise<void> | undefined

  private constructor(core: Core, storage: StorageContext, options: DropInOptions) {
    const { onWarning = (warning: string) => console.warn(warning) } = options
    this.#core = core
    this.storage = storage
    this.#autosave = new Autosave(storage, onWarning)
    this.docStore = options.docStore ?? new DropInDocumentStore(storage, core, this.#autosave)
    this.indexStore = options.indexStore ?? new DropInIndexStore(storage, core, this.#autosave)
    this.chatStore = new DropInChatStore(storage, this.#autosave)
    const text = options.vectorStores?.TEXT ?? options.vectorStore ?? this.addVectorStore('default')
    this.vectorStores = { ...options.vectorStores, TEXT: text }
  }

  static async open(core: Core, options: DropInOptions): Promise<DropInStorageContext> {
    const { docStore: _, indexStore: __, vectorStore: ___, vectorStores: ____, ...opening } = options
    return new DropInStorageContext(core, await StorageContext.fromDefaults(opening), options)
  }

  /** The vectors of a namespace of their own, for `vectorStores.IMAGE`. */
  addVectorStore(namespace: string, { embedModel }: DropInVectorStoreOptions = {}): BaseVectorStore {
    return new DropInVectorStore(this.storage.addVectorStore(namespace), this.#core, {
      autosave: this.#autosave,
      ...(embedModel && { embedModel }),
    })
  }

  /** Resolves when everything done before is on disk, with the commit that carried it. See `StorageContext.persist`. */
  async persist(note?: CommitNote): Promise<Commit | undefined> {
    await this.chatStore.settled()
    if (!this.storage.inTransaction) this.#autosave.releaseAll()
    return this.storage.persist(note)
  }

  /** Saves what is not saved, and lets the directory go. */
  async close(): Promise<void> {
    this.#closing ??= this.#close()
    await this.#closing
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  async #close(): Promise<void> {
    try {
      await this.chatStore.settled()
      this.#autosave.close()
      if (this.storage.persistDir !== undefined && this.storage.hasPendingChanges) await this.persist()
    } finally {
      await this.storage.close()
    }
  }
}

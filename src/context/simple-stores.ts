/** LlamaIndex's `Simple…Store`s, which can also be had one by one: from a directory, or in memory. */
import type { JournalHandle } from '../journal/handle.ts'
import { JournalChatStore } from '../stores/chat-store.ts'
import { JournalDocumentStore } from '../stores/document-store.ts'
import { JournalGraphStore } from '../stores/graph-store.ts'
import { JournalIndexStore } from '../stores/index-store.ts'
import { JournalPropertyGraphStore } from '../stores/property-graph-store.ts'
import { JournalVectorStore } from '../stores/vector-store.ts'
import { handleInMemory, openExisting, type OpenOptions } from './open-journal.ts'

/** Throws `VARVE_NOT_FOUND` if nothing was ever persisted there. Stores of one directory share one journal. */
type FromPersistDir<S> = (persistDir?: string, options?: OpenOptions) => Promise<S>

export class SimpleDocumentStore extends JournalDocumentStore {
  /** In memory, until a context takes it in. */
  constructor(handle: JournalHandle = handleInMemory(), namespace?: string) {
    super(handle, namespace)
  }

  static async fromPersistDir(
    persistDir?: string,
    { namespace, ...options }: OpenOptions & { namespace?: string } = {},
  ): Promise<SimpleDocumentStore> {
    return new SimpleDocumentStore(await openExisting(persistDir, options), namespace)
  }
}

export class SimpleIndexStore extends JournalIndexStore {
  /** In memory, until a context takes it in. */
  constructor(handle: JournalHandle = handleInMemory()) {
    super(handle)
  }

  static readonly fromPersistDir: FromPersistDir<SimpleIndexStore> = async (persistDir, options) =>
    new SimpleIndexStore(await openExisting(persistDir, options))
}

export class SimpleVectorStore extends JournalVectorStore {
  /** In memory, until a context takes it in. */
  constructor(handle: JournalHandle = handleInMemory(), namespace?: string) {
    super(handle, namespace)
  }

  static async fromPersistDir(
    persistDir?: string,
    { namespace, ...options }: OpenOptions & { namespace?: string } = {},
  ): Promise<SimpleVectorStore> {
    return new SimpleVectorStore(await openExisting(persistDir, options), namespace)
  }
}

export class SimpleGraphStore extends JournalGraphStore {
  /** In memory, until a context takes it in. */
  constructor(handle: JournalHandle = handleInMemory()) {
    super(handle)
  }

  static readonly fromPersistDir: FromPersistDir<SimpleGraphStore> = async (persistDir, options) =>
    new SimpleGraphStore(await openExisting(persistDir, options))
}

export class SimplePropertyGraphStore extends JournalPropertyGraphStore {
  /** In memory, until a context takes it in. */
  constructor(handle: JournalHandle = handleInMemory()) {
    super(handle)
  }

  static readonly fromPersistDir: FromPersistDir<SimplePropertyGraphStore> = async (persistDir, options) =>
    new SimplePropertyGraphStore(await openExisting(persistDir, options))
}

export class SimpleChatStore extends JournalChatStore {
  /** In memory, until a context takes it in. */
  constructor(handle: JournalHandle = handleInMemory()) {
    super(handle)
  }

  static readonly fromPersistDir: FromPersistDir<SimpleChatStore> = async (persistDir, options) =>
    new SimpleChatStore(await openExisting(persistDir, options))
}

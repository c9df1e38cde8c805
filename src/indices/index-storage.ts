/** The storage as indices see it. `StorageContext` is one. */
import type {
  DocumentStore,
  GraphStore,
  IndexStore,
  PropertyGraphStore,
  VectorStore,
} from '../stores/contract.ts'

export interface IndexStorage {
  readonly docstore: DocumentStore
  readonly indexStore: IndexStore
  readonly vectorStores: ReadonlyMap<string, VectorStore>
  /** The namespace `default`. */
  readonly vectorStore: VectorStore
  readonly graphStore: GraphStore
  /** For property graph indices. */
  readonly propertyGraphStore?: PropertyGraphStore
  /** Present in storages that can make a vector store of their own for a namespace. */
  addVectorStore?(namespace: string): VectorStore
  /**
   * Runs changes as one unit: if `change` throws, all own stores are as before; it does not commit. Calls to own stores made synchronously
   * one after another inside take effect in one synchronous step, so that no reader sees half. Nested ones join.
   */
  together<T>(change: () => Promise<T>): Promise<T>
}

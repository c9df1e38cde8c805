// A storage of fakes whose `together` takes everything back if the change throws, one change after another.
import { AsyncLocalStorage } from 'node:async_hooks'
import type { IndexStorage } from '../../../src/indices/index-storage.ts'
import type { VectorStore } from '../../../src/stores/contract.ts'
import { MemoryGraphStore } from './memory-graph-store.ts'
import { MemoryDocstore } from './memory-docstore.ts'
import { ViewingIndexStore, type WholeIndexStore } from './memory-index-store.ts'
import { MemoryVectorStore } from './memory-vector-store.ts'

interface GivenStores {
  indexStore?: WholeIndexStore
  vectorStore?: MemoryVectorStore
}

export class MemoryStorage implements IndexStorage {
  readonly docstore = new MemoryDocstore()
  readonly indexStore: WholeIndexStore
  readonly vectorStores = new Map<string, VectorStore>()
  readonly vectorStore: MemoryVectorStore
  readonly graphStore = new MemoryGraphStore()
  readonly #inside = new AsyncLocalStorage<true>()
  #last: Promise<unknown> = Promise.resolve()

  constructor({ indexStore, vectorStore = new MemoryVectorStore() }: GivenStores = {}) {
    this.indexStore = indexStore ?? new ViewingIndexStore()
    this.vectorStore = vectorStore
    this.vectorStores.set('default', vectorStore)
  }

  async together<T>(change: () => Promise<T>): Promise<T> {
    if (this.#inside.getStore()) return await change()
    const before = this.#last
    const running = (async () => {
      await before
      return await this.#inside.run(true, () => this.#allOrNothing(change))
    })()
    this.#last = running.catch(() => {})
    return await running
  }

  async #allOrNothing<T>(change: () => Promise<T>): Promise<T> {
    const restore = this.#snapshot()
    try {
      return await change()
    } catch (error) {
      restore()
      throw error
    }
  }

  #snapshot(): () => void {
    const { docstore, indexStore, vectorStore, graphStore } = this
    const { triplets } = graphStore
    const { nodes, hashes, refDocs } = structuredCopies(docstore)
    const structs = new Map([...indexStore.structs].map(([id, struct]) => [id, structuredClone(struct)]))
    const vectors = new Map(vectorStore.vectors)
    return () => {
      Object.assign(docstore, { nodes, hashes, refDocs })
      indexStore.structs = structs
      graphStore.triplets = triplets
      vectorStore.vectors = vectors
    }
  }
}

function structuredCopies({ nodes, hashes, refDocs }: MemoryDocstore) {
  return { nodes: new Map(nodes), hashes: new Map(hashes), refDocs: new Map(refDocs) }
}

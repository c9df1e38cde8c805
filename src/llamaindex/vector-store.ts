/** One namespace of our vectors as LlamaIndexTS's vector store. */
import type { BaseEmbedding } from '@llamaindex/core/embeddings'
import type { BaseNode as CoreNode } from '@llamaindex/core/schema'
import type { BaseVectorStore, VectorStoreQuery, VectorStoreQueryResult } from '@llamaindex/core/vector-store'
import type { VectorStore } from '../stores/contract.ts'
import type { Autosave } from './autosave.ts'
import type { Core } from './core.ts'
import { vectorFromCore } from './core-nodes.ts'

export interface DropInVectorStoreOptions {
  /** Default: `Settings.embedModel`, whatever that is when it is asked for. */
  embedModel?: BaseEmbedding
}

export class DropInVectorStore implements BaseVectorStore<VectorStore> {
  storesText = false
  readonly #vectors: VectorStore
  readonly #core: Core
  readonly #autosave: Autosave
  #embedModel: BaseEmbedding | undefined

  constructor(
    vectors: VectorStore,
    core: Core,
    { autosave, embedModel }: DropInVectorStoreOptions & { autosave: Autosave },
  ) {
    this.#vectors = vectors
    this.#core = core
    this.#autosave = autosave
    this.#embedModel = embedModel
  }

  get embedModel(): BaseEmbedding {
    return this.#embedModel ?? this.#core.Settings.embedModel
  }

  set embedModel(embedModel: BaseEmbedding) {
    this.#embedModel = embedModel
  }

  client(): VectorStore {
    return this.#vectors
  }

  async add(nodes: CoreNode[]): Promise<string[]> {
    return this.#autosave.during(async () => {
      const vectors = nodes.map(vectorFromCore)
      const ids = await this.#vectors.add(vectors)
      this.#autosave.release(vectors.map(({ refDocId }) => refDocId))
      return ids
    })
  }

  async delete(refDocId: string): Promise<void> {
    await this.#autosave.during(() => this.#vectors.delete(refDocId))
  }

  async query(query: VectorStoreQuery): Promise<VectorStoreQueryResult> {
    return this.#autosave.during(async () => {
      const { ids, similarities } = await this.#vectors.query(query)
      return { ids, similarities }
    })
  }
}

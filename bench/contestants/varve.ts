/** Varve: one commit an operation. */
import type { SimpleVectorStore, TextNode } from '../../src/index.ts'
import { loadIndexFromStorage, StorageContext, VectorStoreIndex, type BaseIndex } from '../../src/index.ts'
import type { Contestant, Store } from '../contestant.ts'
import { vectorAt } from '../nodes.ts'
import { textNode } from '../text-node.ts'

export const contestant: Contestant<TextNode> = {
  note: 'one commit over docstore, vector store and index, fdatasync before it is acknowledged; digests of every item, all history kept',
  keeps: 'durable',
  own: textNode,
  open: async (directory) => new VarveStore(await StorageContext.fromDefaults({ persistDir: directory })),
}

class VarveStore implements Store<TextNode> {
  readonly concurrent = true
  readonly #storage: StorageContext
  #index: Promise<BaseIndex> | undefined

  constructor(storage: StorageContext) {
    this.#storage = storage
  }

  async load(batches: Iterable<TextNode[]>): Promise<void> {
    const index = await VectorStoreIndex.init({ storageContext: this.#storage, indexId: 'bench' })
    for (const nodes of batches) await index.insertNodes(nodes)
    await this.#storage.persist()
  }

  async put(nodes: TextNode[]): Promise<void> {
    await (await this.#theIndex()).insertNodes(nodes)
    await this.#storage.persist()
  }

  async delete(ids: string[]): Promise<void> {
    await (await this.#theIndex()).deleteNodes(ids)
    await this.#storage.persist()
  }

  get(id: string): Promise<object> {
    return this.#storage.docstore.getNode(id)
  }

  async readAll(): Promise<{ nodes: object[]; vectors: number }> {
    const { docstore, vectorStore } = this.#storage
    const ids: string[] = []
    for await (const id of docstore.ids()) ids.push(id)
    const nodes = await docstore.getNodes(ids)
    await vectorStore.query({ queryEmbedding: vectorAt(-1), similarityTopK: 1 }) // Reads the matrix.
    return { nodes, vectors: await (vectorStore as SimpleVectorStore).size() }
  }

  async topTen(vector: Float32Array): Promise<string[]> {
    const { ids } = await this.#storage.vectorStore.query({ queryEmbedding: vector, similarityTopK: 10 })
    return ids
  }

  async close(): Promise<void> {
    await this.#storage.close()
  }

  #theIndex(): Promise<BaseIndex> {
    return (this.#index ??= loadIndexFromStorage(this.#storage))
  }
}

/** LlamaIndexTS with its own stores: three JSON files, each rewritten at every change of its store. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import {
  BaseEmbedding,
  Settings,
  SimpleDocumentStore,
  SimpleIndexStore,
  SimpleVectorStore,
  storageContextFromDefaults,
  TextNode,
  VectorStoreIndex,
  VectorStoreQueryMode,
  type StorageContext,
} from 'llamaindex'
import type { Contestant, Store } from '../contestant.ts'
import type { Node } from '../nodes.ts'

export const contestant: Contestant<TextNode> = {
  note: 'its stock stores: three JSON files, each rewritten at every change, nothing synced, nothing atomic. A load fills stores in memory and writes their files once, since its own way rewrites them for every node. It deletes whole documents only, and its calls must not overlap',
  keeps: 'not synced',
  own: textNode,
  open: async (directory) =>
    new LlamaIndexStore(directory, await storageContextFromDefaults({ persistDir: directory })),
}

/** It must have a model, though the nodes come with their vectors. */
class NoModel extends BaseEmbedding {
  // oxlint-disable-next-line no-useless-constructor -- the inherited one is protected
  constructor() {
    super()
  }

  getTextEmbedding(): Promise<number[]> {
    throw new Error('The nodes come with their vectors.')
  }
}
Settings.embedModel = new NoModel()

async function embeddedIndex(storageContext: StorageContext): Promise<VectorStoreIndex> {
  const index = await VectorStoreIndex.init({ storageContext, nodes: [] })
  index.getNodeEmbeddingResults = async (nodes) => nodes
  return index
}

class LlamaIndexStore implements Store<TextNode> {
  readonly #directory: string
  #storage: StorageContext
  #index: Promise<VectorStoreIndex> | undefined

  constructor(directory: string, storage: StorageContext) {
    this.#directory = directory
    this.#storage = storage
  }

  async load(batches: Iterable<TextNode[]>): Promise<void> {
    const vectors = new SimpleVectorStore()
    const documents = new SimpleDocumentStore()
    const indices = new SimpleIndexStore()
    const inMemory = await storageContextFromDefaults({
      vectorStore: vectors,
      docStore: documents,
      indexStore: indices,
    })
    const index = await embeddedIndex(inMemory)
    for (const nodes of batches) await index.insertNodes(nodes)
    const stores = { vector_store: vectors, doc_store: documents, index_store: indices }
    for (const [name, store] of Object.entries(stores))
      await writeFile(join(this.#directory, `${name}.json`), JSON.stringify(store.toDict()))
    this.#storage = await storageContextFromDefaults({ persistDir: this.#directory })
  }

  async put(nodes: TextNode[]): Promise<void> {
    this.#index ??= embeddedIndex(this.#storage)
    await (await this.#index).insertNodes(nodes)
  }

  async get(id: string): Promise<object> {
    return (await this.#storage.docStore.getDocument(id, true))!
  }

  async readAll(): Promise<{ nodes: object[]; vectors: number }> {
    const nodes = Object.values(await this.#storage.docStore.docs())
    const vectors = this.#vectors.toDict().embeddingDict
    return { nodes, vectors: Object.keys(vectors).length }
  }

  async topTen(vector: Float32Array): Promise<string[]> {
    const { ids } = await this.#vectors.query({
      queryEmbedding: Array.from(vector),
      similarityTopK: 10,
      mode: VectorStoreQueryMode.DEFAULT,
    })
    return ids
  }

  async close(): Promise<void> {}

  get #vectors(): SimpleVectorStore {
    return this.#storage.vectorStores.TEXT as SimpleVectorStore
  }
}

function textNode({ id, sourceId, embedding, ...fields }: Node): TextNode {
  return new TextNode({
    id_: id,
    ...fields,
    startCharIdx: fields.startCharIdx,
    embedding: Array.from(embedding),
    relationships: { SOURCE: { nodeId: sourceId, metadata: {} } },
  })
}

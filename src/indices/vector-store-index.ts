/** An index of vectors: finds the nodes most similar to a question. */
import { VarveError } from '../errors.ts'
import type { VectorStore } from '../stores/contract.ts'
import type { StructChange, StructView } from '../stores/index-struct.ts'
import type { BaseNode } from '../stores/node.ts'
import { BaseIndex, newStruct, type IndexOptions, type NewIndexOptions } from './base-index.ts'
import { checkCount } from './check-count.ts'
import { withStorage } from './default-storage.ts'
import { withEmbedding } from './copy-node.ts'
import type { EmbedModel } from './embed-model.ts'
import { checkEmbedModel, rememberEmbedModel } from './embed-model-memory.ts'
import { embedNodes } from './embed-nodes.ts'
import type { Addition } from './index-step.ts'
import type { LongWork } from './long-work.ts'
import type { Retriever, RetrieverOptions } from './retriever.ts'
import type { StructHandle } from './struct-handle.ts'
import { namespaceOf, vectorsOfNodes } from './struct-references.ts'
import { multimodalType } from './struct-types.ts'
import { VectorIndexRetriever } from './vector-index-retriever.ts'

export interface VectorIndexOptions extends IndexOptions {
  /** Needed to add nodes that have no vector, and to ask questions in words. The index remembers its id. */
  embedModel?: EmbedModel
  /** Texts given to the model at a time. Default 64. */
  embedBatchSize?: number
  /** Instead of the storage's own. */
  vectorStore?: VectorStore
  /** `true`: nodes are kept in the docstore even if the vector store keeps their text. */
  storeNodesOverride?: boolean
}

export interface NewVectorIndexOptions extends Omit<VectorIndexOptions, 'storageContext'>, NewIndexOptions {
  /** The name of the vector store in the storage, which the index remembers. Default `default`. */
  namespace?: string
}

export interface LoadVectorIndexOptions extends VectorIndexOptions {
  /** `true`: another model than the one the index remembers is remembered from now on. */
  acceptEmbedModel?: boolean
}

export class VectorStoreIndex extends BaseIndex {
  readonly #embedModel: EmbedModel | undefined
  readonly #embedBatchSize: number
  readonly #vectorStores: readonly [VectorStore, ...VectorStore[]]
  readonly #keepsNodes: boolean

  protected constructor(struct: StructHandle, options: VectorIndexOptions) {
    super(struct, options)
    this.#embedModel = options.embedModel
    this.#embedBatchSize = checkCount('embedBatchSize', options.embedBatchSize ?? 64)
    this.#vectorStores = vectorStoresOf(struct.lastSeen, options)
    this.#keepsNodes = !this.#vectorStores[0].storesText || options.storeNodesOverride === true
  }

  /** Makes a new index of documents. */
  static async fromDocuments(
    documents: readonly BaseNode[],
    options: NewVectorIndexOptions = {},
  ): Promise<VectorStoreIndex> {
    const index = await VectorStoreIndex.#new(options)
    await index.addDocuments(documents, options)
    return index
  }

  /** Makes a new index of nodes, or of none. */
  static async init({
    nodes = [],
    ...options
  }: NewVectorIndexOptions & { nodes?: readonly BaseNode[] } = {}) {
    const index = await VectorStoreIndex.#new(options)
    await index.insertNodes(nodes, options)
    return index
  }

  /** Makes a new index over the vectors that a store already holds. The store must keep the nodes' text. */
  static async fromVectorStore(
    vectorStore: VectorStore,
    options: Omit<NewVectorIndexOptions, 'vectorStore'> = {},
  ): Promise<VectorStoreIndex> {
    if (!vectorStore.storesText) {
      const remedy = 'Load the index that knows its nodes, with loadIndexFromStorage().'
      throw new VarveError('VARVE_BAD_OPTION', 'The vector store does not keep the text of its nodes.', {
        remedy,
      })
    }
    return await VectorStoreIndex.init({ ...options, vectorStore })
  }

  /** For `loadIndexFromStorage`. */
  static async load(struct: StructHandle, options: LoadVectorIndexOptions): Promise<VectorStoreIndex> {
    renewNamespace(struct.lastSeen, options)
    const index = new VectorStoreIndex(struct, options)
    await checkEmbedModel(struct, options)
    return index
  }

  static async #new(given: NewVectorIndexOptions): Promise<VectorStoreIndex> {
    const { namespace = 'default', ...options } = await withStorage(given)
    const fields = {
      type: 'vector_store',
      nodesDict: new Map(),
      docIdDict: new Map(),
      embeddingsDict: new Map(),
    }
    const elsewhere = namespace === 'default' ? {} : { vectorNamespace: namespace }
    return new VectorStoreIndex(newStruct({ ...fields, ...elsewhere }, options), options)
  }

  override asRetriever(options: RetrieverOptions = {}): Retriever {
    const { docstore } = this.storageContext
    const [vectorStore] = this.#vectorStores
    const parts = { docstore, vectorStore, struct: this.struct, embedModel: this.#embedModel }
    return new VectorIndexRetriever({ ...parts, keepsNodes: this.#keepsNodes }, options)
  }

  protected override get vectorStores(): readonly VectorStore[] {
    return this.#vectorStores
  }

  protected override get tracksNodes(): boolean {
    return this.#keepsNodes
  }

  protected override async prepare(nodes: readonly BaseNode[], work: LongWork): Promise<Addition> {
    const { onProgress, signal } = work
    const model = this.#embedModel
    const embedded = await embedNodes(nodes, { onProgress, signal, model, batchSize: this.#embedBatchSize })
    const kept = this.#keepsNodes ? embedded : []
    return {
      vectors: embedded.map(({ node, embedding }) => withEmbedding(node, embedding)),
      nodes: kept.map(({ node }) => withEmbedding(node, undefined)),
      changes: (view) => [
        ...rememberEmbedModel(view, model, embedded[0]?.embedding.length),
        ...kept.flatMap(({ node: { id_ } }) => setUnlessSo(view, id_)),
      ],
    }
  }

  protected override removalChanges(view: StructView, nodeIds: ReadonlySet<string>): StructChange[] {
    return [...vectorsOfNodes(view, nodeIds)].map((key) => ({ op: 'delete', field: 'nodesDict', key }))
  }
}

function setUnlessSo(view: StructView, id: string): StructChange[] {
  return view.get('nodesDict', id) === id ? [] : [{ op: 'set', field: 'nodesDict', key: id, value: id }]
}

/** Of an index that nothing was ever added to: a namespace without vectors is not stored, and whose it was does not matter. */
function renewNamespace(view: StructView, { vectorStore, storageContext }: LoadVectorIndexOptions): void {
  const isUsed = view.size('nodesDict') > 0 || (view.value('embedModelId') ?? null) !== null
  if (vectorStore === undefined && !isUsed) storageContext.addVectorStore?.(namespaceOf(view))
}

function vectorStoresOf(
  view: StructView,
  { vectorStore, storageContext }: VectorIndexOptions,
): [VectorStore, ...VectorStore[]] {
  if (vectorStore !== undefined) return [vectorStore]
  const namespace = namespaceOf(view)
  const own =
    namespace === 'default' ? storageContext.vectorStore : storageContext.vectorStores.get(namespace)
  if (own === undefined) {
    const fact = `Index '${view.indexId}' keeps its vectors in the namespace '${namespace}', which is not there.`
    throw new VarveError('VARVE_NAMESPACE_NOT_FOUND', fact, { namespace })
  }
  const images = view.type === multimodalType ? storageContext.vectorStores.get('image') : undefined
  return images === undefined ? [own] : [own, images]
}

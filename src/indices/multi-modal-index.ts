/**
 * An index of texts and images: texts have vectors in the namespace `default`, images in `image`, and an image with a text in both. `embedding` of a prepared image node is
 * the image's, `textEmbedding` that of its text.
 */
import { VarveError } from '../errors.ts'
import type { StructChange, StructView } from '../stores/index-struct.ts'
import { ImageNode, type BaseNode } from '../stores/node.ts'
import type { VectorStore } from '../stores/contract.ts'
import { newStruct } from './base-index.ts'
import { withEmbedding } from './copy-node.ts'
import { withStorage } from './default-storage.ts'
import { checkEmbedModel, imageModelFields, rememberEmbedModel } from './embed-model-memory.ts'
import { embedImages, type ImageEmbedModel } from './image-embed-model.ts'
import { keepingImages } from './image-nodes.ts'
import type { IndexStorage } from './index-storage.ts'
import type { Addition, PlanRequest, StepPlan } from './index-step.ts'
import type { LongWork } from './long-work.ts'
import { MultiModalRetriever } from './multi-modal-retriever.ts'
import type { Retriever, RetrieverOptions } from './retriever.ts'
import { SentenceSplitter } from './sentence-splitter.ts'
import type { StructHandle } from './struct-handle.ts'
import { multimodalType } from './struct-types.ts'
import { VectorIndexRetriever } from './vector-index-retriever.ts'
import { VectorStoreIndex, type LoadVectorIndexOptions } from './vector-store-index.ts'
import type { NewVectorIndexOptions, VectorIndexOptions } from './vector-store-index.ts'

interface ImageOptions {
  /** Needed to add images that have no vector, and to find images by words. */
  imageEmbedModel?: ImageEmbedModel
  /** Makes the ids of images. Default `crypto.randomUUID`. */
  newId?: () => string
}

export type MultiModalIndexOptions = VectorIndexOptions & ImageOptions
export type NewMultiModalIndexOptions = Omit<NewVectorIndexOptions, 'namespace'> & ImageOptions
export type LoadMultiModalIndexOptions = LoadVectorIndexOptions & ImageOptions

interface MultiModalAddition extends Addition {
  images: readonly ImageNode[]
}

export class MultiModalVectorStoreIndex extends VectorStoreIndex {
  readonly #options: MultiModalIndexOptions
  /** `undefined`: the storage has no namespace for them, nor can it make one. */
  readonly #images: VectorStore | undefined

  protected constructor(struct: StructHandle, options: MultiModalIndexOptions) {
    const images = imageStoreOf(options.storageContext)
    const nodeParser = keepingImages(options.nodeParser ?? new SentenceSplitter(), options.newId)
    super(struct, { ...options, nodeParser })
    this.#options = options
    this.#images = images
  }

  /** Makes a new index of documents; an `ImageDocument` becomes one node. */
  static override async fromDocuments(
    documents: readonly BaseNode[],
    options: NewMultiModalIndexOptions = {},
  ): Promise<MultiModalVectorStoreIndex> {
    const index = await MultiModalVectorStoreIndex.#new(options)
    await index.addDocuments(documents, options)
    return index
  }

  /** Makes a new index of nodes, or of none. */
  static override async init({
    nodes = [],
    ...options
  }: NewMultiModalIndexOptions & { nodes?: readonly BaseNode[] } = {}): Promise<MultiModalVectorStoreIndex> {
    const index = await MultiModalVectorStoreIndex.#new(options)
    await index.insertNodes(nodes, options)
    return index
  }

  /** For `loadIndexFromStorage`. */
  static override async load(
    struct: StructHandle,
    options: LoadMultiModalIndexOptions,
  ): Promise<MultiModalVectorStoreIndex> {
    const index = new MultiModalVectorStoreIndex(struct, options)
    await checkEmbedModel(struct, options)
    await checkEmbedModel(struct, { ...options, embedModel: options.imageEmbedModel }, imageModelFields)
    return index
  }

  static async #new(given: NewMultiModalIndexOptions): Promise<MultiModalVectorStoreIndex> {
    const options = await withStorage(given)
    const fields = { nodesDict: new Map(), docIdDict: new Map(), embeddingsDict: new Map() }
    return new MultiModalVectorStoreIndex(newStruct({ type: multimodalType, ...fields }, options), options)
  }

  /** Texts first, then images, each best first: their similarities cannot be compared. */
  override asRetriever(options: RetrieverOptions = {}): Retriever {
    const { docstore } = this.storageContext
    const { embedModel, imageEmbedModel } = this.#options
    const vectorStore = this.#images
    if (vectorStore === undefined) return super.asRetriever(options)
    const parts = { docstore, vectorStore, struct: this.struct, embedModel: imageEmbedModel }
    const similarityTopK = options.imageSimilarityTopK ?? options.similarityTopK
    const images = new VectorIndexRetriever(
      { ...parts, keepsNodes: true },
      { ...options, ...(similarityTopK !== undefined && { similarityTopK }) },
    )
    return new MultiModalRetriever({
      texts: super.asRetriever(options),
      images,
      asksTexts: embedModel !== undefined,
      asksImages: imageEmbedModel !== undefined,
    })
  }

  protected override get vectorStores(): readonly VectorStore[] {
    const [texts] = super.vectorStores
    return [texts!, ...(this.#images === undefined ? [] : [this.#images])]
  }

  protected override async prepare(nodes: readonly BaseNode[], work: LongWork): Promise<MultiModalAddition> {
    const given = nodes.filter((node) => node instanceof ImageNode)
    if (given.length > 0 && this.#images === undefined) throw noImageStore()
    const texts = nodes.filter((node) => !(node instanceof ImageNode) || node.text !== '')
    const addition = await super.prepare(texts.map(withTextEmbedding), work)
    const { imageEmbedModel: model, embedBatchSize: batchSize = 64 } = this.#options
    const images = await embedImages(given, { ...work, model, batchSize })
    const kept = new Set(addition.nodes.map(({ id_ }) => id_))
    const others = images.filter(({ id_ }) => !kept.has(id_))
    return {
      ...addition,
      nodes: [...addition.nodes, ...others.map((image) => withEmbedding(image, undefined))],
      images,
      changes: async (view) => [
        ...(await addition.changes(view)),
        ...rememberEmbedModel(view, model, images[0]?.embedding?.length, imageModelFields),
        ...others.flatMap(({ id_ }) => unlessKnown(view, id_)),
      ],
    }
  }

  protected override async plan(request: PlanRequest): Promise<StepPlan> {
    const plan = await super.plan(request)
    const { images = [] } = (request.addition as MultiModalAddition | undefined) ?? {}
    const store = this.#images
    if (images.length === 0 || store === undefined) return plan
    return { ...plan, calls: [{ store, call: () => store.add(images) }] }
  }
}

function withTextEmbedding(node: BaseNode): BaseNode {
  return node instanceof ImageNode ? withEmbedding(node, node.textEmbedding) : node
}

function unlessKnown(view: StructView, id: string): StructChange[] {
  return view.get('nodesDict', id) === id ? [] : [{ op: 'set', field: 'nodesDict', key: id, value: id }]
}

/** Where the storage has none yet, an empty one is added; that writes nothing. */
function imageStoreOf(storage: IndexStorage): VectorStore | undefined {
  return storage.vectorStores.get('image') ?? storage.addVectorStore?.('image')
}

function noImageStore(): VarveError {
  const fact = "There is no namespace 'image' for the vectors of images."
  return new VarveError('VARVE_NAMESPACE_NOT_FOUND', fact, { namespace: 'image' })
}

/**
 * An index of what texts say, as triplets of subject, relation and object in the graph store: finds the nodes behind the entities of a question. Triplets come
 * from a function of the caller; loading, deleting and asking need none.
 */
import type { StructChange } from '../stores/index-struct.ts'
import type { Triplet } from '../stores/contract.ts'
import type { BaseNode } from '../stores/node.ts'
import { BaseIndex, newStruct, type IndexOptions, type NewIndexOptions } from './base-index.ts'
import { checkCount } from './check-count.ts'
import { withEmbedding } from './copy-node.ts'
import { withStorage } from './default-storage.ts'
import type { EmbedModel } from './embed-model.ts'
import { checkEmbedModel, rememberEmbedModel } from './embed-model-memory.ts'
import { embedTriplets } from './embed-triplets.ts'
import type { Addition, PlanRequest, StepPlan } from './index-step.ts'
import { KnowledgeGraphRetriever, type EntityExtractor } from './knowledge-graph-retriever.ts'
import { noKnowledge, planKnowledge, type AddedKnowledge, type NodeKnowledge } from './knowledge-plan.ts'
import { warnOfMissingGraph, type WarningOptions } from './knowledge-warning.ts'
import type { LongWork } from './long-work.ts'
import type { Retriever, RetrieverOptions } from './retriever.ts'
import type { StructHandle } from './struct-handle.ts'
import { checkTriplets, extractTriplets, type TripletExtractor } from './triplet-extractor.ts'

export interface KnowledgeGraphIndexOptions extends IndexOptions {
  /** Needed to add documents and nodes; prepared triplets need none. */
  extractTriplets?: TripletExtractor
  /** Names the entities of a question. Default: those of the graph whose names stand in it. */
  extractEntities?: EntityExtractor
  /** `true`: triplets get vectors, for the retriever modes `embedding` and `hybrid`. Default `false`. */
  includeEmbeddings?: boolean
  embedModel?: EmbedModel
  /** Texts given to the model at a time. Default 64. */
  embedBatchSize?: number
}

export type NewKnowledgeGraphIndexOptions = Omit<KnowledgeGraphIndexOptions, 'storageContext'> &
  NewIndexOptions

export interface LoadKnowledgeGraphIndexOptions extends KnowledgeGraphIndexOptions, WarningOptions {
  acceptEmbedModel?: boolean
}

interface KnowledgeAddition extends Addition {
  knowledge: AddedKnowledge
}

export class KnowledgeGraphIndex extends BaseIndex {
  readonly #options: KnowledgeGraphIndexOptions
  readonly #embedBatchSize: number

  protected constructor(struct: StructHandle, options: KnowledgeGraphIndexOptions) {
    super(struct, options)
    this.#options = options
    this.#embedBatchSize = checkCount('embedBatchSize', options.embedBatchSize ?? 64)
  }

  /** Makes a new index of documents. */
  static async fromDocuments(
    documents: readonly BaseNode[],
    options: NewKnowledgeGraphIndexOptions = {},
  ): Promise<KnowledgeGraphIndex> {
    const index = await KnowledgeGraphIndex.#new(options)
    await index.addDocuments(documents, options)
    return index
  }

  /** Makes a new index of nodes, or of none: then it answers from the triplets that the graph store holds. */
  static async init({
    nodes = [],
    ...options
  }: NewKnowledgeGraphIndexOptions & { nodes?: readonly BaseNode[] } = {}) {
    const index = await KnowledgeGraphIndex.#new(options)
    await index.insertNodes(nodes, options)
    return index
  }

  /** For `loadIndexFromStorage`. */
  static async load(
    struct: StructHandle,
    options: LoadKnowledgeGraphIndexOptions,
  ): Promise<KnowledgeGraphIndex> {
    await checkEmbedModel(struct, options)
    await warnOfMissingGraph(struct.lastSeen, options)
    return new KnowledgeGraphIndex(struct, options)
  }

  static async #new(given: NewKnowledgeGraphIndexOptions): Promise<KnowledgeGraphIndex> {
    const options = await withStorage(given)
    const fields = { table: new Map(), relMap: new Map(), embeddingDict: new Map() }
    return new KnowledgeGraphIndex(newStruct({ type: 'kg', ...fields }, options), options)
  }

  override asRetriever(options: RetrieverOptions = {}): Retriever {
    const { docstore, graphStore } = this.storageContext
    const { embedModel, extractEntities } = this.#options
    return new KnowledgeGraphRetriever(
      { docstore, graphStore, struct: this.struct, embedModel, extractEntities },
      options,
    )
  }

  /** Adds a triplet that comes from no node. It stays until the graph store is told to delete it. */
  async upsertTriplet(triplet: Triplet, work: LongWork = {}): Promise<void> {
    const given = checkTriplets([triplet], 'You gave')
    await this.run({ addition: await this.#addition([], { ...noKnowledge, given }, work) }, work)
  }

  /** Adds a triplet and the node it comes from, which keeps the triplets it has. */
  async upsertTripletAndNode(triplet: Triplet, node: BaseNode, work: LongWork = {}): Promise<void> {
    await this.#extend(node, { triplets: checkTriplets([triplet], 'You gave'), keeps: true }, work)
  }

  /** Files a node under entities. It keeps those it is filed under, and its triplets. */
  async addNode(entities: readonly string[], node: BaseNode, work: LongWork = {}): Promise<void> {
    await this.#extend(node, { triplets: [], entities, keeps: true }, work)
  }

  async #extend(node: BaseNode, knowledge: NodeKnowledge, work: LongWork): Promise<void> {
    const nodes = new Map([[node.id_, knowledge]])
    await this.run({ addition: await this.#addition([node], { ...noKnowledge, nodes }, work) }, work)
  }

  protected override async prepare(nodes: readonly BaseNode[], work: LongWork): Promise<Addition> {
    const found = await extractTriplets(nodes, this.#options.extractTriplets, work)
    const known = new Map([...found].map(([id, triplets]) => [id, { triplets }]))
    return await this.#addition(nodes, { ...noKnowledge, nodes: known }, work)
  }

  async #addition(
    nodes: readonly BaseNode[],
    knowledge: AddedKnowledge,
    { onProgress, signal }: LongWork,
  ): Promise<KnowledgeAddition> {
    const { embedModel: model, includeEmbeddings = false } = this.#options
    const all = [...knowledge.given, ...[...knowledge.nodes.values()].flatMap(({ triplets }) => triplets)]
    const work = { onProgress, signal, model, batchSize: this.#embedBatchSize }
    const embeddings = includeEmbeddings ? await embedTriplets(all, work) : knowledge.embeddings
    const dimensions = [...embeddings.values()][0]?.length
    return {
      nodes: nodes.map((node) => withEmbedding(node, undefined)),
      vectors: [],
      knowledge: { ...knowledge, embeddings },
      changes: (view) => rememberEmbedModel(view, model, dimensions),
    }
  }

  protected override async plan({ view, removed, addition }: PlanRequest): Promise<StepPlan> {
    const { docstore, graphStore, indexStore } = this.storageContext
    const added = (addition as KnowledgeAddition | undefined)?.knowledge ?? noKnowledge
    const plan = await planKnowledge({ docstore, graphStore, indexStore }, { view, removed, added })
    return { ...plan, changes: [...plan.changes, ...((await addition?.changes(view)) ?? [])] }
  }

  /** Never asked: `plan` sees to both sides. */
  protected override removalChanges(): StructChange[] {
    return []
  }
}

/**
 * An index of what texts say in the property graph store, beside the texts themselves: finds the chunks behind the entities of a question, by their names or by their
 * vectors, which stand in the vector store. Triplets come from a function of the caller; loading, deleting and asking need none.
 */
import { VarveError } from '../errors.ts'
import type { PropertyGraphStore, Triplet } from '../stores/contract.ts'
import type { StructChange, StructView } from '../stores/index-struct.ts'
import type { BaseNode } from '../stores/node.ts'
import { BaseIndex, newStruct, type IndexOptions, type NewIndexOptions } from './base-index.ts'
import { checkCount } from './check-count.ts'
import { withEmbedding } from './copy-node.ts'
import { withStorage } from './default-storage.ts'
import type { EmbedModel } from './embed-model.ts'
import { checkEmbedModel, rememberEmbedModel } from './embed-model-memory.ts'
import { embedEntities, planEntityVectors } from './entity-vectors.ts'
import type { Addition, PlanRequest, StepPlan } from './index-step.ts'
import type { EntityExtractor } from './knowledge-graph-retriever.ts'
import type { LongWork } from './long-work.ts'
import type { Companions } from './node-removal.ts'
import { idOf, isChunk } from './property-graph-nodes.ts'
import { entitiesOf, planPropertyGraph, type AddedChunk } from './property-graph-plan.ts'
import { PropertyGraphRetriever } from './property-graph-retriever.ts'
import type { Retriever, RetrieverOptions } from './retriever.ts'
import type { StructHandle } from './struct-handle.ts'
import { listStructs } from './struct-list.ts'
import { checkTriplets, extractTriplets, type TripletExtractor } from './triplet-extractor.ts'

export interface PropertyGraphIndexOptions extends IndexOptions {
  /** Needed to add documents and nodes; prepared triplets need none. */
  extractTriplets?: TripletExtractor
  /** Names the entities of a question. Default: those of the graph whose names stand in it. */
  extractEntities?: EntityExtractor
  /** Entities get vectors of it, and questions are asked with it in the retriever modes `embedding` and `hybrid`. */
  embedModel?: EmbedModel
  /** Default: `true` with an `embedModel`. */
  embedKgNodes?: boolean
  /** Texts given to the model at a time. Default 64. */
  embedBatchSize?: number
}

export type NewPropertyGraphIndexOptions = Omit<PropertyGraphIndexOptions, 'storageContext'> & NewIndexOptions

export interface LoadPropertyGraphIndexOptions extends PropertyGraphIndexOptions {
  acceptEmbedModel?: boolean
}

interface PropertyGraphAddition extends Addition {
  chunks: readonly AddedChunk[]
  /** Vectors of entities, by id. */
  entities: ReadonlyMap<string, BaseNode>
}

export class PropertyGraphIndex extends BaseIndex {
  readonly #options: PropertyGraphIndexOptions
  readonly #graph: PropertyGraphStore
  readonly #embedBatchSize: number

  protected constructor(struct: StructHandle, options: PropertyGraphIndexOptions) {
    super(struct, options)
    this.#options = options
    this.#graph = propertyGraphOf(options)
    this.#embedBatchSize = checkCount('embedBatchSize', options.embedBatchSize ?? 64)
  }

  /** Makes a new index of documents. */
  static async fromDocuments(
    documents: readonly BaseNode[],
    options: NewPropertyGraphIndexOptions = {},
  ): Promise<PropertyGraphIndex> {
    const index = await PropertyGraphIndex.#new(options)
    await index.addDocuments(documents, options)
    return index
  }

  /** Makes a new index of nodes, or of none: then it answers from what the property graph store holds. */
  static async init({
    nodes = [],
    ...options
  }: NewPropertyGraphIndexOptions & { nodes?: readonly BaseNode[] } = {}) {
    const index = await PropertyGraphIndex.#new(options)
    await index.insertNodes(nodes, options)
    return index
  }

  /** For `loadIndexFromStorage`. */
  static async load(
    struct: StructHandle,
    options: LoadPropertyGraphIndexOptions,
  ): Promise<PropertyGraphIndex> {
    await checkEmbedModel(struct, options)
    return new PropertyGraphIndex(struct, options)
  }

  static async #new(given: NewPropertyGraphIndexOptions): Promise<PropertyGraphIndex> {
    const options = await withStorage(given)
    return new PropertyGraphIndex(newStruct({ type: 'simple_lpg' }, options), options)
  }

  override asRetriever(options: RetrieverOptions = {}): Retriever {
    const { docstore, vectorStore } = this.storageContext
    const { embedModel, extractEntities } = this.#options
    const { struct } = this
    return new PropertyGraphRetriever(
      { docstore, graph: this.#graph, vectorStore, struct, embedModel, extractEntities },
      options,
    )
  }

  /** Adds a node with the triplets that are known of it. */
  async insertTriplets(node: BaseNode, triplets: readonly Triplet[], work: LongWork = {}): Promise<void> {
    const chunks = [{ node, triplets: checkTriplets(triplets, 'You gave') }]
    await this.run({ addition: await this.#addition(chunks, work) }, work)
  }

  protected override async prepare(nodes: readonly BaseNode[], work: LongWork): Promise<Addition> {
    const found = await extractTriplets(nodes, this.#options.extractTriplets, work)
    const chunks = nodes.map((node) => ({ node, triplets: found.get(node.id_)! }))
    return await this.#addition(chunks, work)
  }

  async #addition(given: readonly AddedChunk[], work: LongWork): Promise<PropertyGraphAddition> {
    const nodes = given.map(({ node }) => withEmbedding(node, undefined))
    const chunks = given.map(({ node, triplets }) => ({ node, triplets: triplets.map(withoutQuotes) }))
    const { embedModel: model, embedKgNodes = model !== undefined } = this.#options
    const { onProgress, signal } = work
    const entities = embedKgNodes
      ? await embedEntities([...(await entitiesOf(this.#graph, chunks)).values()], {
          onProgress,
          signal,
          model,
          batchSize: this.#embedBatchSize,
        })
      : new Map<string, BaseNode>()
    const dimensions = [...entities.values()][0]?.getEmbedding().length
    return {
      nodes,
      vectors: [],
      chunks,
      entities,
      changes: (view) => rememberEmbedModel(view, model, dimensions),
    }
  }

  /** Imported structs name no nodes: the chunks in the graph are those of the index, but for those of its neighbours. */
  protected override async companions(
    ...[, nodeIds, wanted]: Parameters<Companions>
  ): Promise<ReadonlySet<string>> {
    const others = await this.#others()
    const chunks = (await this.#graph.get({ ids: [...wanted] })).filter(isChunk).map(idOf)
    return new Set([
      ...nodeIds,
      ...chunks.filter((id) => !others.some((view) => view.has('nodeTriplets', id))),
    ])
  }

  protected override async plan({ view, removed, addition }: PlanRequest): Promise<StepPlan> {
    const { chunks: added = [], entities = new Map<string, BaseNode>() } =
      (addition as PropertyGraphAddition | undefined) ?? {}
    const others = await this.#others()
    const plan = await planPropertyGraph(this.#graph, { view, removed, added, others })
    const { vectorStore, indexStore } = this.storageContext
    const gone = plan.goneEntities
    const vectorCalls = await planEntityVectors(vectorStore, { view, indexStore, gone, added: entities })
    const changes = [...plan.changes, ...((await addition?.changes(view)) ?? [])]
    return { changes, calls: [...plan.calls, ...vectorCalls] }
  }

  async #others(): Promise<StructView[]> {
    const structs = await listStructs(this.storageContext.indexStore)
    return structs.filter(({ type, indexId }) => type === 'simple_lpg' && indexId !== this.indexId)
  }

  /** Never asked: `plan` sees to both sides. */
  protected override removalChanges(): StructChange[] {
    return []
  }
}

function propertyGraphOf({ storageContext: { propertyGraphStore } }: IndexOptions): PropertyGraphStore {
  if (propertyGraphStore !== undefined) return propertyGraphStore
  throw new VarveError('VARVE_BAD_OPTION', 'This storage has no property graph store.', {
    remedy: 'Use a StorageContext, or give the storage a propertyGraphStore.',
  })
}

/** As LlamaIndex names entities. */
function withoutQuotes([subject, relation, object]: Triplet): Triplet {
  return [subject.replaceAll('"', ' '), relation, object.replaceAll('"', ' ')]
}

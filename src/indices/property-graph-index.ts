/**
 * An index of what texts say in the property graph store, beside the texts themselves: finds the chunks behind the entities of a question. Triplets come from a function of
 * the caller; loading, deleting and asking need none.
 */
import { VarveError } from '../errors.ts'
import type { PropertyGraphStore, Triplet } from '../stores/contract.ts'
import type { StructChange, StructView } from '../stores/index-struct.ts'
import type { BaseNode } from '../stores/node.ts'
import { BaseIndex, newStruct, type IndexOptions, type NewIndexOptions } from './base-index.ts'
import { withEmbedding } from './copy-node.ts'
import { withStorage } from './default-storage.ts'
import type { Addition, PlanRequest, StepPlan } from './index-step.ts'
import type { EntityExtractor } from './knowledge-graph-retriever.ts'
import type { LongWork } from './long-work.ts'
import type { Companions } from './node-removal.ts'
import { idOf, isChunk } from './property-graph-nodes.ts'
import { planPropertyGraph, type AddedChunk } from './property-graph-plan.ts'
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
}

export type NewPropertyGraphIndexOptions = Omit<PropertyGraphIndexOptions, 'storageContext'> & NewIndexOptions

interface PropertyGraphAddition extends Addition {
  chunks: readonly AddedChunk[]
}

export class PropertyGraphIndex extends BaseIndex {
  readonly #options: PropertyGraphIndexOptions
  readonly #graph: PropertyGraphStore

  protected constructor(struct: StructHandle, options: PropertyGraphIndexOptions) {
    super(struct, options)
    this.#options = options
    this.#graph = propertyGraphOf(options)
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
  static load(struct: StructHandle, options: PropertyGraphIndexOptions): PropertyGraphIndex {
    return new PropertyGraphIndex(struct, options)
  }

  static async #new(given: NewPropertyGraphIndexOptions): Promise<PropertyGraphIndex> {
    const options = await withStorage(given)
    return new PropertyGraphIndex(newStruct({ type: 'simple_lpg' }, options), options)
  }

  override asRetriever(options: RetrieverOptions = {}): Retriever {
    const { docstore } = this.storageContext
    const { extractEntities } = this.#options
    return new PropertyGraphRetriever(
      { docstore, graph: this.#graph, struct: this.struct, extractEntities },
      options,
    )
  }

  /** Adds a node with the triplets that are known of it. */
  async insertTriplets(node: BaseNode, triplets: readonly Triplet[], work: LongWork = {}): Promise<void> {
    await this.run(
      { addition: this.#addition([{ node, triplets: checkTriplets(triplets, 'You gave') }]) },
      work,
    )
  }

  protected override async prepare(nodes: readonly BaseNode[], work: LongWork): Promise<Addition> {
    const found = await extractTriplets(nodes, this.#options.extractTriplets, work)
    return this.#addition(nodes.map((node) => ({ node, triplets: found.get(node.id_)! })))
  }

  #addition(chunks: readonly AddedChunk[]): PropertyGraphAddition {
    const nodes = chunks.map(({ node }) => withEmbedding(node, undefined))
    const named = chunks.map(({ node, triplets }) => ({ node, triplets: triplets.map(withoutQuotes) }))
    return { nodes, vectors: [], chunks: named, changes: () => [] }
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
    const { chunks: added } = (addition as PropertyGraphAddition | undefined) ?? { chunks: [] }
    const others = await this.#others()
    return await planPropertyGraph(this.#graph, { view, removed, added, others })
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

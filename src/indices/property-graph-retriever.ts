/**
 * Answers from a property graph: the chunks behind the entities that a question names and behind the relations around them, those met most often first, and after them one
 * node that holds the relations. By embedding, the entities are those most similar to the question, and so is the order.
 */
import type { DocumentStore, PropertyGraphStore, Triplet, VectorStore } from '../stores/contract.ts'
import type { StructView } from '../stores/index-struct.ts'
import { checkCount } from './check-count.ts'
import type { EmbedModel } from './embed-model.ts'
import { embedQuestion } from './embed-question.ts'
import { fetchHits, type Hit } from './fetch-hits.ts'
import type { EntityExtractor } from './knowledge-graph-retriever.ts'
import { namedEntities } from './named-entities.ts'
import { NodeSelection } from './node-selection.ts'
import { idOf, isChunk, sourceOf } from './property-graph-nodes.ts'
import {
  asQuery,
  checkRetrieverMode,
  type NodeWithScore,
  type Query,
  type RetrieveOptions,
} from './retriever.ts'
import type { Retriever, RetrieverOptions } from './retriever.ts'
import { aroundSimilarEntities, chunksOfTriplets } from './similar-entities.ts'
import type { StructHandle } from './struct-handle.ts'
import { tripletKey } from '../stores/triplet-key.ts'
import { tripletNode } from './triplet-node.ts'

export interface PropertyGraphParts {
  docstore: DocumentStore
  graph: PropertyGraphStore
  vectorStore: VectorStore
  struct: StructHandle
  embedModel: EmbedModel | undefined
  extractEntities: EntityExtractor | undefined
}

export class PropertyGraphRetriever implements Retriever {
  readonly #parts: PropertyGraphParts
  readonly #selection: NodeSelection
  readonly #mode: 'keyword' | 'embedding' | 'hybrid'
  readonly #includeText: boolean
  readonly #counts: Record<'topK' | 'depth' | 'maxTriplets' | 'maxEntities' | 'maxHits', number>

  constructor(parts: PropertyGraphParts, options: RetrieverOptions) {
    this.#parts = parts
    this.#selection = new NodeSelection(options)
    this.#mode = checkRetrieverMode(options.retrieverMode ?? 'keyword', ['keyword', 'embedding', 'hybrid'])
    this.#includeText = options.includeText ?? true
    this.#counts = {
      topK: checkCount('similarityTopK', options.similarityTopK ?? 4),
      depth: checkCount('graphStoreQueryDepth', options.graphStoreQueryDepth ?? 1),
      maxTriplets: checkCount('maxKnowledgeSequence', options.maxKnowledgeSequence ?? 30),
      maxEntities: checkCount('maxKeywordsPerQuery', options.maxKeywordsPerQuery ?? 10),
      maxHits: checkCount('numChunksPerQuery', options.numChunksPerQuery ?? 10),
    }
  }

  /** Where nodes are chosen by what they are (`filters`, `docIds`, `nodeIds`), the relations are left out: they may come from other nodes. */
  async retrieve(query: string | Query, { signal }: RetrieveOptions = {}): Promise<NodeWithScore[]> {
    const { docstore, struct, embedModel, extractEntities } = this.#parts
    const { queryStr: question = '', embedding: given } = asQuery(query)
    const named =
      extractEntities && this.#mode !== 'embedding' ? [...(await extractEntities(question))] : undefined
    const embedding =
      this.#mode === 'keyword'
        ? undefined
        : (given ?? (await embedQuestion(question, { struct, embedModel, signal })))
    signal?.throwIfAborted()
    let all: readonly Triplet[] = []
    const hits = await fetchHits(docstore, struct, async () => {
      const view = await struct.current()
      const byName = this.#mode === 'embedding' ? nothing : await this.#byName(view, question, named)
      const similar = embedding === undefined ? nothing : await this.#similar(view, embedding)
      all = firstOfEach([...byName.triplets, ...similar.triplets], tripletKey)
      return firstOfEach([...byName.hits, ...similar.hits], ({ nodeId }) => nodeId)
    })
    const { maxHits, maxTriplets } = this.#counts
    const nodes = hits.filter(({ node }) => this.#selection.has(node)).slice(0, maxHits)
    if (all.length === 0 || this.#selection.isGiven) return nodes
    return [...nodes, { node: tripletNode(struct.indexId, all.slice(0, maxTriplets)), score: 1 }]
  }

  async #byName(view: StructView, question: string, named: readonly string[] | undefined): Promise<Found> {
    const entities = await this.#entities(question, named)
    const triplets = await this.#around(entities)
    return { triplets, hits: this.#includeText ? await this.#sources(view, entities, triplets) : [] }
  }

  async #similar(view: StructView, embedding: ArrayLike<number>): Promise<Found> {
    const { topK, depth, maxTriplets } = this.#counts
    const { indexId } = view
    const search = { indexId, embedding, topK, depth, maxTriplets }
    const scored = await aroundSimilarEntities(this.#parts, search)
    const hits = this.#includeText ? await chunksOfTriplets(this.#parts.graph, view, scored) : []
    return {
      triplets: scored.map(([triplet]) => triplet),
      hits: hits.filter(({ nodeId }) => this.#selection.hasId(nodeId)),
    }
  }

  async #entities(question: string, named: readonly string[] | undefined): Promise<string[]> {
    const found =
      named ??
      namedEntities(question, (await this.#parts.graph.get()).filter((node) => !isChunk(node)).map(idOf))
    return [...new Set(found)].slice(0, this.#counts.maxEntities)
  }

  /** Step by step, nearest first, in both directions. */
  async #around(entities: readonly string[]): Promise<Triplet[]> {
    const { depth, maxTriplets } = this.#counts
    const found = new Map<string, Triplet>()
    let ids = [...entities]
    for (let step = 0; step < depth && ids.length > 0 && found.size < maxTriplets; step++) {
      const met = (await this.#parts.graph.getTriplets({ ids })).filter(
        (triplet) => !found.has(tripletKey(triplet)),
      )
      for (const triplet of met) found.set(tripletKey(triplet), triplet)
      ids = [...new Set(met.flatMap(([subject, , object]) => [subject, object]))]
    }
    return [...found.values()].slice(0, maxTriplets)
  }

  /** The chunks that the triplets and the entities came from, as far as it was noted. */
  async #sources(
    view: StructView,
    entities: readonly string[],
    triplets: readonly Triplet[],
  ): Promise<Hit[]> {
    const { graph } = this.#parts
    const keys = new Set(triplets.map(tripletKey))
    const counts = new Map<string, number>()
    const count = (id: string | undefined): void => {
      if (id !== undefined && this.#selection.hasId(id)) counts.set(id, (counts.get(id) ?? 0) + 1)
    }
    for (const id of view.keys('nodeTriplets')) {
      for (const triplet of view.get('nodeTriplets', id) as readonly Triplet[])
        if (keys.has(tripletKey(triplet))) count(id)
    }
    const noted = [
      ...(await graph.get({ ids: entities })),
      ...(await Promise.all(triplets.map((each) => graph.getRelation(each)))),
    ]
    for (const each of noted) {
      const source = each && sourceOf(each)
      if (source !== undefined && !view.has('nodeTriplets', source)) count(source)
    }
    const ranked = [...counts].sort(([, a], [, b]) => b - a)
    const most = this.#selection.looksInside ? ranked.length : this.#counts.maxHits
    return ranked.slice(0, most).map(([nodeId]) => ({ nodeId, score: 1 }))
  }
}

interface Found {
  triplets: readonly Triplet[]
  hits: readonly Hit[]
}

const nothing: Found = { triplets: [], hits: [] }

function firstOfEach<T>(items: readonly T[], keyOf: (item: T) => string): T[] {
  const found = new Map<string, T>()
  for (const item of items) if (!found.has(keyOf(item))) found.set(keyOf(item), item)
  return [...found.values()]
}

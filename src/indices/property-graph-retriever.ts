/**
 * Answers from a property graph: the chunks behind the entities that a question names and behind the relations around them, those met most often first, and after them one
 * node that holds the relations.
 */
import type { DocumentStore, PropertyGraphStore, Triplet } from '../stores/contract.ts'
import type { StructView } from '../stores/index-struct.ts'
import { checkCount } from './check-count.ts'
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
import type { StructHandle } from './struct-handle.ts'
import { tripletKey } from '../stores/triplet-key.ts'
import { tripletNode } from './triplet-node.ts'

export interface PropertyGraphParts {
  docstore: DocumentStore
  graph: PropertyGraphStore
  struct: StructHandle
  extractEntities: EntityExtractor | undefined
}

export class PropertyGraphRetriever implements Retriever {
  readonly #parts: PropertyGraphParts
  readonly #selection: NodeSelection
  readonly #includeText: boolean
  readonly #counts: Record<'depth' | 'maxTriplets' | 'maxEntities' | 'maxHits', number>

  constructor(parts: PropertyGraphParts, options: RetrieverOptions) {
    this.#parts = parts
    this.#selection = new NodeSelection(options)
    checkRetrieverMode(options.retrieverMode ?? 'keyword', ['keyword'])
    this.#includeText = options.includeText ?? true
    this.#counts = {
      depth: checkCount('graphStoreQueryDepth', options.graphStoreQueryDepth ?? 1),
      maxTriplets: checkCount('maxKnowledgeSequence', options.maxKnowledgeSequence ?? 30),
      maxEntities: checkCount('maxKeywordsPerQuery', options.maxKeywordsPerQuery ?? 10),
      maxHits: checkCount('numChunksPerQuery', options.numChunksPerQuery ?? 10),
    }
  }

  /** Where nodes are chosen by what they are (`filters`, `docIds`, `nodeIds`), the relations are left out: they may come from other nodes. */
  async retrieve(query: string | Query, { signal }: RetrieveOptions = {}): Promise<NodeWithScore[]> {
    const { docstore, struct, extractEntities } = this.#parts
    const question = asQuery(query).queryStr ?? ''
    const named = extractEntities && [...(await extractEntities(question))]
    signal?.throwIfAborted()
    let triplets: Triplet[] = []
    const hits = await fetchHits(docstore, struct, async () => {
      const view = await struct.current()
      const entities = await this.#entities(question, named)
      triplets = await this.#around(entities)
      return this.#includeText ? await this.#sources(view, entities, triplets) : []
    })
    const nodes = hits.filter(({ node }) => this.#selection.has(node)).slice(0, this.#counts.maxHits)
    if (triplets.length === 0 || this.#selection.isGiven) return nodes
    return [...nodes, { node: tripletNode(struct.indexId, triplets), score: 1 }]
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

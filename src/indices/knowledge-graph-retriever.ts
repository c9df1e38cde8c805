/**
 * Answers from a knowledge graph: the nodes behind the entities and triplets that a question is about, those met most often first, and after them one node
 * that holds the triplets. Deterministic: equals stay in the order of the question's entities and of the graph.
 */
import type { DocumentStore, GraphStore, Triplet } from '../stores/contract.ts'
import type { StructView } from '../stores/index-struct.ts'
import { checkCount } from './check-count.ts'
import type { EmbedModel } from './embed-model.ts'
import { embedQuestion } from './embed-question.ts'
import { fetchHits, type Hit } from './fetch-hits.ts'
import { refuseWithoutEmbeddings, searchByEmbedding, searchByEntity, type Found } from './knowledge-search.ts'
import { nodesOfEntity } from './knowledge-table.ts'
import { NodeSelection } from './node-selection.ts'
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

/** Names the entities that a question is about, exactly as the graph spells them. */
export type EntityExtractor = (question: string) => Iterable<string> | Promise<Iterable<string>>

export interface KnowledgeGraphParts {
  docstore: DocumentStore
  graphStore: GraphStore
  struct: StructHandle
  embedModel: EmbedModel | undefined
  extractEntities: EntityExtractor | undefined
}

/** LlamaIndex's score of whatever was found by name. */
const namedScore = 1000

export class KnowledgeGraphRetriever implements Retriever {
  readonly #parts: KnowledgeGraphParts
  readonly #selection: NodeSelection
  readonly #mode: 'keyword' | 'embedding' | 'hybrid'
  readonly #includeText: boolean
  readonly #counts: Record<'topK' | 'depth' | 'maxTriplets' | 'maxEntities' | 'maxHits', number>

  constructor(parts: KnowledgeGraphParts, options: RetrieverOptions) {
    this.#parts = parts
    this.#selection = new NodeSelection(options)
    this.#mode = checkRetrieverMode(options.retrieverMode ?? 'keyword', ['keyword', 'embedding', 'hybrid'])
    this.#includeText = options.includeText ?? true
    this.#counts = {
      topK: checkCount('similarityTopK', options.similarityTopK ?? 2),
      depth: checkCount('graphStoreQueryDepth', options.graphStoreQueryDepth ?? 2),
      maxTriplets: checkCount('maxKnowledgeSequence', options.maxKnowledgeSequence ?? 30),
      maxEntities: checkCount('maxKeywordsPerQuery', options.maxKeywordsPerQuery ?? 10),
      maxHits: checkCount('numChunksPerQuery', options.numChunksPerQuery ?? 10),
    }
  }

  /**
   * Where nodes are chosen by what they are (`filters`, `docIds`, `nodeIds`), the triplets are left out: they may come from other nodes.
   */
  async retrieve(query: string | Query, { signal }: RetrieveOptions = {}): Promise<NodeWithScore[]> {
    const { docstore, struct, extractEntities } = this.#parts
    const asked = asQuery(query)
    const question = asked.queryStr ?? ''
    const entities =
      extractEntities && this.#mode !== 'embedding' ? [...(await extractEntities(question))] : undefined
    const embedding = this.#mode === 'keyword' ? undefined : await this.#embeddingOf(asked, signal)
    signal?.throwIfAborted()
    let triplets: readonly Triplet[] = []
    const hits = await fetchHits(docstore, struct, async () => {
      const view = await struct.current()
      const found = await this.#search(view, { question, entities, embedding })
      triplets = found.triplets
      return this.#includeText ? this.#rank(view, found) : []
    })
    const nodes = hits.filter(({ node }) => this.#selection.has(node)).slice(0, this.#counts.maxHits)
    if (triplets.length === 0 || this.#selection.isGiven) return nodes
    return [...nodes, { node: tripletNode(struct.indexId, triplets), score: namedScore }]
  }

  async #embeddingOf(query: Query, signal: AbortSignal | undefined): Promise<ArrayLike<number>> {
    const { struct, embedModel } = this.#parts
    refuseWithoutEmbeddings(await struct.current())
    return query.embedding ?? (await embedQuestion(query.queryStr ?? '', { struct, embedModel, signal }))
  }

  async #search(view: StructView, { question, entities, embedding }: Asked): Promise<Found> {
    const { maxEntities, depth, maxTriplets, topK } = this.#counts
    const search = { question, maxEntities, depth, maxTriplets, ...(entities && { entities }) }
    const byEntity =
      this.#mode === 'embedding'
        ? { entities: [], triplets: [] }
        : await searchByEntity(view, this.#parts.graphStore, search)
    const similar = embedding ? searchByEmbedding(view, embedding, topK) : []
    const all = new Map([...similar, ...byEntity.triplets].map((each) => [tripletKey(each), each]))
    return { entities: byEntity.entities, triplets: [...all.values()].slice(0, maxTriplets) }
  }

  /** A node counts once for each entity it is filed under, of those named and of those in triplets. */
  #rank(view: StructView, { entities, triplets }: Found): Hit[] {
    const counts = new Map<string, number>()
    for (const entity of [...entities, ...triplets.flatMap(([subject, , object]) => [subject, object])]) {
      for (const id of nodesOfEntity(view, entity)) {
        if (this.#selection.hasId(id)) counts.set(id, (counts.get(id) ?? 0) + 1)
      }
    }
    const ranked = [...counts].sort(([, a], [, b]) => b - a)
    const most = this.#selection.looksInside ? ranked.length : this.#counts.maxHits
    return ranked.slice(0, most).map(([nodeId]) => ({ nodeId, score: namedScore }))
  }
}

interface Asked {
  question: string
  entities: readonly string[] | undefined
  embedding: ArrayLike<number> | undefined
}

/** Finds the nodes of one index whose vectors are most similar to a question. */
import { VarveError } from '../errors.ts'
import type { DocumentStore, VectorStore, VectorStoreQueryResult } from '../stores/contract.ts'
import type { StructView } from '../stores/index-struct.ts'
import { checkCount } from './check-count.ts'
import type { EmbedModel } from './embed-model.ts'
import { embedQuestion } from './embed-question.ts'
import { fetchHits, type Hit } from './fetch-hits.ts'
import { asQuery, modeOptions, type NodeWithScore, type Query, type RetrieveOptions } from './retriever.ts'
import type { Retriever, RetrieverOptions } from './retriever.ts'
import type { StructHandle } from './struct-handle.ts'
import { nodeIdOfVector } from './struct-references.ts'
import { VectorCandidates } from './vector-candidates.ts'

export interface VectorIndexParts {
  docstore: DocumentStore
  vectorStore: VectorStore
  struct: StructHandle
  embedModel: EmbedModel | undefined
  /** `false`: the vector store keeps the nodes, and the struct does not know them. */
  keepsNodes: boolean
}

export class VectorIndexRetriever implements Retriever {
  readonly #parts: VectorIndexParts
  readonly #options: RetrieverOptions
  readonly #nodeIds: ReadonlySet<string> | undefined

  constructor(parts: VectorIndexParts, options: RetrieverOptions) {
    this.#parts = parts
    this.#options = { ...options, similarityTopK: checkCount('similarityTopK', options.similarityTopK ?? 2) }
    this.#nodeIds = options.nodeIds && new Set(options.nodeIds)
  }

  async retrieve(query: string | Query, { signal }: RetrieveOptions = {}): Promise<NodeWithScore[]> {
    const { docstore, struct, embedModel, keepsNodes } = this.#parts
    const asked = asQuery(query)
    const isInWords = wordModes.has(this.#options.vectorStoreQueryMode)
    const embedding = isInWords
      ? asked.embedding
      : (asked.embedding ?? (await embedQuestion(asked.queryStr ?? '', { struct, embedModel, signal })))
    signal?.throwIfAborted()
    if (keepsNodes) return await fetchHits(docstore, struct, () => this.#find(asked, embedding))
    const result = await this.#ask(asked, { embedding, nodeIds: this.#options.nodeIds })
    return nodesOf(result)
  }

  async #find(query: Query, embedding: ArrayLike<number> | undefined): Promise<Hit[]> {
    const view = await this.#parts.struct.current()
    const nodeIds = new VectorCandidates(view, this.#nodeIds)
    const { ids, similarities } = await this.#ask(query, { embedding, nodeIds })
    return ids.flatMap((id, at) => hitOf(view, id, similarities[at]!))
  }

  async #ask({ queryStr }: Query, { embedding, nodeIds }: Wanted): Promise<VectorStoreQueryResult> {
    const { similarityTopK, vectorStoreQueryMode: mode, filters, docIds } = this.#options
    return await this.#parts.vectorStore.query({
      ...modeOptions(this.#options),
      ...(embedding !== undefined && { queryEmbedding: embedding }),
      similarityTopK,
      ...(queryStr !== undefined && { queryStr }),
      ...(mode !== undefined && { mode }),
      ...(filters !== undefined && { filters }),
      ...(docIds !== undefined && { docIds }),
      ...(nodeIds !== undefined && { nodeIds }),
    })
  }
}

interface Wanted {
  embedding: ArrayLike<number> | undefined
  nodeIds: readonly string[] | ReadonlySet<string> | undefined
}

/** These ask a database for words: the question needs no vector. */
const wordModes: ReadonlySet<string | undefined> = new Set(['text_search', 'sparse'])

/** A vector that left the index while the store searched is no hit. */
function hitOf(view: StructView, vectorId: string, score: number): Hit[] {
  const nodeId = nodeIdOfVector(view, vectorId)
  return nodeId === undefined ? [] : [{ nodeId, score }]
}

function nodesOf({ nodes, ids, similarities }: VectorStoreQueryResult): NodeWithScore[] {
  if (nodes === undefined && ids.length > 0) {
    const fact = 'The vector store says that it keeps the text of its nodes, but answered without them.'
    throw new VarveError('VARVE_UNSUPPORTED_QUERY', fact, { remedy: 'Its query() must give nodes.' })
  }
  return (nodes ?? []).map((node, at) => ({ node, score: similarities[at]! }))
}

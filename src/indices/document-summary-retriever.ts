/** Finds the documents whose summaries are most similar to a question, and answers their nodes, each with its document's similarity. */
import { VarveError } from '../errors.ts'
import type { DocumentStore, VectorStore } from '../stores/contract.ts'
import type { StructView } from '../stores/index-struct.ts'
import { checkCount } from './check-count.ts'
import { nodesOfSummary, summaryOfDocument } from './document-summaries.ts'
import type { EmbedModel } from './embed-model.ts'
import { embedQuestion } from './embed-question.ts'
import { fetchHits, type Hit } from './fetch-hits.ts'
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

export interface DocumentSummaryParts {
  docstore: DocumentStore
  vectorStore: VectorStore
  struct: StructHandle
  embedModel: EmbedModel | undefined
}

export class DocumentSummaryRetriever implements Retriever {
  readonly #parts: DocumentSummaryParts
  readonly #selection: NodeSelection
  readonly #docIds: readonly string[] | undefined
  readonly #topK: number

  constructor(parts: DocumentSummaryParts, options: RetrieverOptions) {
    this.#parts = parts
    this.#selection = new NodeSelection(options)
    checkRetrieverMode(options.retrieverMode ?? 'embedding', ['embedding'])
    this.#docIds = options.docIds
    this.#topK = checkCount('similarityTopK', options.similarityTopK ?? 1)
  }

  async retrieve(query: string | Query, { signal }: RetrieveOptions = {}): Promise<NodeWithScore[]> {
    const { docstore, struct, embedModel } = this.#parts
    const { embedding, queryStr = '' } = asQuery(query)
    const asked = embedding ?? (await embedQuestion(queryStr, { struct, embedModel, signal }))
    signal?.throwIfAborted()
    const hits = await fetchHits(docstore, struct, () => this.#find(asked))
    return hits.filter(({ node }) => this.#selection.has(node))
  }

  async #find(queryEmbedding: ArrayLike<number>): Promise<Hit[]> {
    const view = await this.#parts.struct.current()
    const nodeIds = this.#candidates(view)
    if (nodeIds.size === 0) return []
    const { ids, similarities } = await this.#parts.vectorStore.query({
      queryEmbedding,
      similarityTopK: this.#topK,
      nodeIds,
    })
    if (ids.length === 0) throw withoutVectors(view)
    return ids.flatMap((id, at) => {
      const wanted = nodesOfSummary(view, id).filter((nodeId) => this.#selection.hasId(nodeId))
      return wanted.map((nodeId): Hit => ({ nodeId, score: similarities[at]! }))
    })
  }

  #candidates(view: StructView): Set<string> {
    if (this.#docIds === undefined) return new Set(view.keys('summaryIdToNodeIds'))
    return new Set(this.#docIds.flatMap((id) => summaryOfDocument(view, id) ?? []))
  }
}

function withoutVectors({ indexId }: StructView): VarveError {
  const fact = `The summaries of index '${indexId}' have no vectors.`
  const remedy = 'Build it with an embedModel, or open the whole directory, its vector store included.'
  return new VarveError('VARVE_UNSUPPORTED_QUERY', fact, { remedy, indexId })
}

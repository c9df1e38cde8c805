/** What every retriever can do, whatever index it asks. */
import type { MetadataFilters } from '../stores/metadata-filters.ts'
import type { BaseNode } from '../stores/node.ts'

export interface NodeWithScore {
  node: BaseNode
  /**
   * Higher is better. Of a vector index the similarity; of a keyword table the share of the question's keywords that the node has; of a
   * summary index always 1.
   */
  score: number
}

export interface Query {
  queryStr?: string
  /** Instead of having the question embedded. */
  embedding?: ArrayLike<number>
}

export interface RetrieveOptions {
  signal?: AbortSignal
}

export interface Retriever {
  /** Best first. */
  retrieve(query: string | Query, options?: RetrieveOptions): Promise<NodeWithScore[]>
}

/** For all retrievers; those of one kind of index are ignored by the others. */
export interface RetrieverOptions {
  /** Only nodes whose metadata matches. */
  filters?: MetadataFilters
  /** Only nodes of these source documents. */
  docIds?: readonly string[]
  /** Only these nodes. */
  nodeIds?: readonly string[]
  /** Vector index: how many hits. Default 2. */
  similarityTopK?: number
  /** Vector index: a query mode of its vector store. Default `default`. */
  mode?: string
  /** Keyword table: how many of the question's keywords count. Default 10. */
  maxKeywordsPerQuery?: number
  /** Keyword table: how many hits. Default 10. */
  numChunksPerQuery?: number
}

export function asQuery(query: string | Query): Query {
  return typeof query === 'string' ? { queryStr: query } : query
}

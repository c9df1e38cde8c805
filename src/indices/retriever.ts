/** What every retriever can do, whatever index it asks. */
import { VarveError } from '../errors.ts'
import type { VectorStoreQuery } from '../stores/contract.ts'
import type { MetadataFilters } from '../stores/metadata-filters.ts'
import type { BaseNode } from '../stores/node.ts'

export interface NodeWithScore {
  node: BaseNode
  /**
   * Higher is better. Where vectors are compared the similarity (of mode `mmr` its own score); of a keyword table the share of the question's keywords that the
   * node has; of a summary index that answers all nodes always 1; of a knowledge graph always 1,000, as in LlamaIndex, and the order tells.
   */
  score: number
}

export interface Query {
  queryStr?: string
  /** Instead of having the question embedded. */
  embedding?: ArrayLike<number>
  /** Multimodal index: the same for its images. */
  imageEmbedding?: ArrayLike<number>
}

export interface RetrieveOptions {
  signal?: AbortSignal
}

export interface Retriever {
  /** Best first. */
  retrieve(query: string | Query, options?: RetrieveOptions): Promise<NodeWithScore[]>
}

/** Handed to the vector store as they are: what a mode other than `default` asks for. */
const modeOptionNames = [
  'mmrThreshold',
  'mmrPrefetchK',
  'mmrPrefetchFactor',
  'alpha',
  'sparseTopK',
  'hybridTopK',
] as const satisfies (keyof VectorStoreQuery)[]

type ModeOptions = Pick<VectorStoreQuery, (typeof modeOptionNames)[number]>

export function modeOptions(options: ModeOptions): ModeOptions {
  return Object.fromEntries(
    modeOptionNames.flatMap((name) => (options[name] === undefined ? [] : [[name, options[name]]])),
  )
}

/** For all retrievers; those of one kind of index are ignored by the others. */
export interface RetrieverOptions extends ModeOptions {
  /** Only nodes whose metadata matches. */
  filters?: MetadataFilters
  /** Only nodes of these source documents. */
  docIds?: readonly string[]
  /** Only these nodes. */
  nodeIds?: readonly string[]
  /**
   * Vector index: how many hits, default 2. Knowledge graph by embedding: how many triplets, default 2; property graph: how many entities, default 4. Summary index by embedding, document summary index:
   * how many nodes, or documents, default 1.
   */
  similarityTopK?: number
  /** Multimodal index: how many images. Default: as many as texts. */
  imageSimilarityTopK?: number
  /** Vector index: a query mode of its vector store; ours has `default` and `mmr`. Default `default`. */
  vectorStoreQueryMode?: string
  /** Keyword table: how many of the question's keywords count; knowledge graph: how many entities. Default 10. */
  maxKeywordsPerQuery?: number
  /** Keyword table, knowledge graph: how many hits. Default 10. */
  numChunksPerQuery?: number
  /** How an index that knows several ways searches; each names those it knows. */
  retrieverMode?: RetrieverMode
  /** Tree: how many children are followed at each node. Default 1. */
  childBranchFactor?: number
  /** Knowledge graph: how many steps from the entities of the question, default 2; property graph: the same, LlamaIndex's `path_depth`, default 1. */
  graphStoreQueryDepth?: number
  /** Knowledge graph: how many triplets. Default 30. */
  maxKnowledgeSequence?: number
  /** Knowledge graph: `false` leaves the nodes out and answers triplets only. Default `true`. */
  includeText?: boolean
}

/**
 * | index             | modes, the default first                         |
 * |-------------------|--------------------------------------------------|
 * | summary           | `default` (all nodes), `embedding`               |
 * | document summary  | `embedding`                                      |
 * | keyword table     | `default`, `simple`, `rake`                      |
 * | knowledge graph   | `keyword`, `embedding`, `hybrid`                 |
 * | property graph    | `keyword`, `embedding`, `hybrid`                 |
 * | tree              | `select_leaf_embedding`, `all_leaf`, `root`      |
 *
 * LlamaIndex's modes that have a language model choose (`llm`, `select_leaf`) are refused.
 */
export type RetrieverMode =
  | 'default'
  | 'simple'
  | 'rake'
  | 'keyword'
  | 'embedding'
  | 'hybrid'
  | 'select_leaf_embedding'
  | 'all_leaf'
  | 'root'

export function checkRetrieverMode<M extends RetrieverMode>(mode: RetrieverMode, known: readonly M[]): M {
  const found = known.find((each) => each === mode)
  if (found !== undefined) return found
  const remedy = `This index knows ${known.map((each) => `'${each}'`).join(', ')}.`
  throw new VarveError('VARVE_BAD_OPTION', `There is no retrieverMode '${mode}'.`, { remedy })
}

export function asQuery(query: string | Query): Query {
  if (typeof query === 'string') return { queryStr: query }
  const isQuery = typeof query === 'object' && query !== null && !('query' in query)
  if (isQuery) return query
  throw new TypeError('retrieve() takes a text, or { queryStr } or { embedding }.')
}

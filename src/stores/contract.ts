/**
 * What a store of each kind must be able to do, whoever keeps it: ours in the journal, a database, or a caller's own class.
 * Names are LlamaIndex's in TypeScript's spelling. Everything is asynchronous, so that a foreign store fits.
 */
import type { BaseNode } from './node.ts'
import type { MetadataFilters } from './metadata-filters.ts'
import type { IndexStruct, StructChange, StructView } from './index-struct.ts'

interface Store {
  /** A store that persists by itself (a database) says so: `persist()` has nothing to do for it. */
  readonly persistsByItself?: boolean
}

export interface RaiseOption {
  /** `true` (default): an unknown id is an error. `false`: it is `undefined`, or left out of a list. */
  raiseError?: boolean
}

/** A source document and the nodes made from it. */
export interface RefDocInfo {
  nodeIds: string[]
  /** The union of its nodes' metadata; later nodes win. */
  metadata: Record<string, unknown>
}

export interface AddDocumentsOptions {
  /** `true` (default): a node whose id is known replaces the old one. `false`: `VARVE_DUPLICATE_ID`, and nothing is added. */
  allowUpdate?: boolean
  /** `false`: only hashes and ref doc infos are stored, for nodes whose text another store keeps. Default `true`. */
  storeText?: boolean
}

export interface DocumentStore extends Store {
  addDocuments(nodes: readonly BaseNode[], options?: AddDocumentsOptions): Promise<void>
  getDocument(id: string, options: RaiseOption & { raiseError: false }): Promise<BaseNode | undefined>
  getDocument(id: string, options?: RaiseOption): Promise<BaseNode>
  getNode(id: string, options: RaiseOption & { raiseError: false }): Promise<BaseNode | undefined>
  getNode(id: string, options?: RaiseOption): Promise<BaseNode>
  /** In the order of the ids. */
  getNodes(ids: readonly string[], options?: RaiseOption): Promise<BaseNode[]>
  /** The same shape as the argument, ids replaced by nodes. */
  getNodeDict(ids: ReadonlyMap<number, string>): Promise<Map<number, BaseNode>>
  documentExists(id: string): Promise<boolean>
  deleteDocument(id: string, options?: RaiseOption): Promise<void>
  /** Those that are there, in one step. */
  deleteDocuments?(ids: readonly string[]): Promise<void>
  /** Deletes a source document and all nodes made from it. */
  deleteRefDoc(refDocId: string, options?: RaiseOption): Promise<void>
  getRefDocInfo(refDocId: string): Promise<RefDocInfo | undefined>
  getAllRefDocInfo(): Promise<Map<string, RefDocInfo>>
  refDocExists(refDocId: string): Promise<boolean>
  setDocumentHash(id: string, hash: string): Promise<void>
  setDocumentHashes(hashes: ReadonlyMap<string, string>): Promise<void>
  getDocumentHash(id: string): Promise<string | undefined>
  /** From hash to id, as LlamaIndex has it: of ids with equal hashes the last stands. */
  getAllDocumentHashes(): Promise<Map<string, string>>
  /** The ids of all nodes and documents kept whole, in the order they were added. */
  ids(): AsyncIterable<string>
}

export interface IndexStore extends Store {
  /** Adds a struct, or makes a known one equal to this. */
  addIndexStruct(struct: IndexStruct): Promise<void>
  getIndexStruct(indexId: string): Promise<IndexStruct | undefined>
  indexStructs(): Promise<IndexStruct[]>
  /** Deleting an unknown id does nothing. */
  deleteIndexStruct(indexId: string): Promise<void>
  /** Present in stores that can change a struct's entries without being handed the whole. */
  changeIndexStruct?(indexId: string, changes: readonly StructChange[]): Promise<void>
  /** Ids, types and summaries. Present in stores that can tell them without the entries. */
  listIndexStructs?(): Promise<{ indexId: string; type: string; summary: string | null }[]>
  /** Present in stores that can show a struct that stays current; others are read once with `getIndexStruct`. */
  viewIndexStruct?(indexId: string): Promise<StructView | undefined>
}

export interface VectorStoreQuery {
  queryEmbedding?: ArrayLike<number>
  /** How many hits at most. Default 1. */
  similarityTopK?: number
  /** Only vectors of these source documents. */
  docIds?: readonly string[]
  /** Only these vectors; an empty list means none. */
  nodeIds?: readonly string[] | ReadonlySet<string>
  filters?: MetadataFilters
  /** `default` is exact cosine similarity; `mmr` also avoids hits that are similar to the hit before; databases know more. */
  mode?: string
  queryStr?: string
  /** For `mmr`: from 0, which avoids similar hits at any price, to 1, which does not. Default 0.5. */
  mmrThreshold?: number
  /** For `mmr`: hits come from the so many most similar vectors. Default: all; each hit costs a pass over them. */
  mmrPrefetchK?: number
  /** The same as a multiple of `similarityTopK`. */
  mmrPrefetchFactor?: number
  /** For databases with `hybrid`: the weight of vectors against words. */
  alpha?: number
  /** For databases with `sparse` or `hybrid`. */
  sparseTopK?: number
  /** For databases with `hybrid`. */
  hybridTopK?: number
}

/** Parallel lists, best first. */
export interface VectorStoreQueryResult {
  ids: string[]
  similarities: number[]
  /** Only from stores that keep text (`storesText`). */
  nodes?: BaseNode[]
}

export interface DeleteNodesOptions {
  nodeIds?: readonly string[]
  filters?: MetadataFilters
}

export interface VectorStore extends Store {
  /** `true`: the store keeps the nodes themselves, so that an index needs no docstore. */
  readonly storesText: boolean
  /** Adds the nodes' embeddings, replacing those of equal id. Answers the ids. */
  add(nodes: readonly BaseNode[]): Promise<string[]>
  /** Deletes the vectors of a source document; an unknown one does nothing. */
  delete(refDocId: string): Promise<void>
  /** Deletes vectors by id and by filter (both given: those that meet both; neither: `TypeError`). */
  deleteNodes?(options: DeleteNodesOptions): Promise<void>
  query(query: VectorStoreQuery): Promise<VectorStoreQueryResult>
  clear?(): Promise<void>
}

/**
 * With every field it came with. LlamaIndex for Python writes `blocks` and `additional_kwargs`, older versions and LlamaIndexTS `content`.
 */
export interface ChatMessage {
  role: string
  content?: unknown
  blocks?: readonly unknown[]
  additional_kwargs?: Record<string, unknown>
  [field: string]: unknown
}

export interface ChatStore extends Store {
  /** Makes these the messages of a chat, or begins it. */
  setMessages(key: string, messages: readonly ChatMessage[]): Promise<void>
  /** None for an unknown key. */
  getMessages(key: string): Promise<ChatMessage[]>
  /** Before the message at `idx`; below 0 it counts from the end, and beyond the ends it is the end. Default: at the end. */
  addMessage(key: string, message: ChatMessage, idx?: number): Promise<void>
  /** Ends a chat. Answers its messages; `undefined` for an unknown key. */
  deleteMessages(key: string): Promise<ChatMessage[] | undefined>
  /** Answers the message that was there; below 0 `idx` counts from the end. The chat stays, even without messages. */
  deleteMessage(key: string, idx: number): Promise<ChatMessage | undefined>
  deleteLastMessage(key: string): Promise<ChatMessage | undefined>
  /** In the order the chats were begun. */
  getKeys(): Promise<string[]>
}

/** `[subject, relation, object]`. */
export type Triplet = readonly [string, string, string]

export interface GraphStore extends Store {
  /** The `[relation, object]` pairs of a subject. */
  get(subject: string): Promise<[string, string][]>
  /** From each subject to the triplets met walking at most `depth` steps from it, at most `limit` in all. */
  getRelMap(
    subjects?: readonly string[],
    options?: { depth?: number; limit?: number },
  ): Promise<Map<string, Triplet[]>>
  upsertTriplet(subject: string, relation: string, object: string): Promise<void>
  delete(subject: string, relation: string, object: string): Promise<void>
}

/** An entity (with a `name`) or a chunk of text (with `text` and `id_`), in LlamaIndex's spelling; all fields are kept. */
export interface LabelledNode {
  label: string
  name?: string
  text?: string
  id_?: string
  embedding?: number[] | null
  properties: Record<string, unknown>
  [field: string]: unknown
}

export interface Relation {
  label: string
  source_id: string
  target_id: string
  properties: Record<string, unknown>
  [field: string]: unknown
}

/** All that are given must be met. An empty list meets nothing. */
export interface GraphFilter {
  /** Ids of nodes; of a triplet one of its ends. */
  ids?: readonly string[]
  /** Triplets: the same, as LlamaIndex calls entities. */
  entityNames?: readonly string[]
  /** Triplets: labels of relations. */
  relationNames?: readonly string[]
  /** One of them is enough: equal in the node, or in one of a triplet's nodes or its relation. */
  properties?: Readonly<Record<string, unknown>>
}

export interface RelMapOptions {
  /** How many steps. Default 2. */
  depth?: number
  /** How many triplets. Default 30. */
  limit?: number
  /** Labels of relations that are not answered; the walk goes on behind them. */
  ignoreRels?: readonly string[]
}

export interface PropertyGraphStore extends Store {
  /** Adds nodes, or replaces those of equal id. */
  upsertNodes(nodes: readonly LabelledNode[]): Promise<void>
  /** Adds relations, or replaces those between the same nodes with the same label. Unknown ends become entities of their name. */
  upsertRelations(relations: readonly Relation[]): Promise<void>
  /** The nodes that meet the filter, or all. Unknown ids are left out. */
  get(filter?: Pick<GraphFilter, 'ids' | 'properties'>): Promise<LabelledNode[]>
  /** The relation of a triplet, with its properties. */
  getRelation(triplet: Triplet): Promise<Relation | undefined>
  /** The triplets that meet the filter, or all. */
  getTriplets(filter?: GraphFilter): Promise<Triplet[]>
  /** What is around nodes, given whole or by id: step by step, each triplet once. */
  getRelMap(nodes: readonly (LabelledNode | string)[], options?: RelMapOptions): Promise<Triplet[]>
  /**
   * Deletes the nodes that meet the filter with all their relations, and the relations that meet it; with `relationNames`, or given `triplets`, relations only.
   * Unknown ones do nothing; without any filter it is a `TypeError`.
   */
  delete(what: GraphFilter | { triplets: readonly Triplet[] }): Promise<void>
}

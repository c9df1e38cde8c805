/** Varve: LlamaIndex-style storage, kept as an event log. */
export { VarveError, type VarveErrorCode } from './errors.ts'

export {
  StorageContext,
  type FromDictOptions,
  type StorageContextOptions,
  type TransactionOptions,
} from './context/storage-context.ts'
export type { OpenOptions } from './context/open-journal.ts'
export { importLlamaIndex, type ImportOptions, type ImportReport } from './context/import-directory.ts'
export { exportLlamaIndex } from './context/export-directory.ts'
export type { ReadProgress } from './interop/llamaindex-directory.ts'
export type { LlamaIndexDialect, LlamaIndexFile, LlamaIndexWarning } from './interop/llamaindex-content.ts'
export type { StorageDict } from './interop/llamaindex-dict.ts'
export type { ExportOptions } from './interop/llamaindex-export.ts'
export type { ExportProgress, ExportReport, Omission } from './interop/export-report.ts'
export {
  SimpleChatStore,
  SimpleDocumentStore,
  SimpleGraphStore,
  SimpleIndexStore,
  SimplePropertyGraphStore,
  SimpleVectorStore,
} from './context/simple-stores.ts'
export type { Commit, CommitKind, CommitNote, TagChange } from './journal/commit.ts'
export type { Reset } from './journal/following.ts'
export type { Moment } from './journal/moment.ts'
export type { Change, StoreChange, StructPatch } from './live/change.ts'
export type { ChangesOptions } from './live/changes.ts'
export type { FollowEvents, FollowOptions } from './live/follower.ts'
export type { FolderListener, FolderWatcher, WatchFolder } from './live/watch-folder.ts'
export type { EraseOptions, ProveOptions, StorageHistory, Tag } from './context/storage-history.ts'
export type { ChangedPath } from './history/changed-paths.ts'
export type { Difference, DiffOptions } from './history/difference.ts'
export type { EraseReport } from './history/erase-report.ts'
export type { EraseRequest, Remaining } from './history/erase.ts'
export type { HistoryKey } from './history/history-key.ts'
export type { LoggedCommit, LogOptions, TouchedStore } from './history/log.ts'
export type { StoredDocument, StoredVector } from './history/stored-value.ts'
export type { Blame, Version } from './history/versions.ts'
export type { Anchor } from './history/anchor.ts'
export type { VerifyOptions } from './history/verify.ts'
export type {
  AnchorReport,
  Damage,
  TornReport,
  UnnamedBytes,
  VerifiedSnapshot,
  VerifiedStore,
  VerifyReport,
} from './history/verify-report.ts'
export type { CheckpointOptions, CommitProof, ConsistencyProof, SignedCheckpoint } from './history/prove.ts'

export type { Durability } from './journal/commit-queue.ts'
export { verifyCheckpoint, type Checkpoint, type VerifyCheckpointOptions } from './history/checkpoint.ts'
export { verifyConsistency, type ProvenConsistency } from './history/consistency-proof.ts'
export { verifyInclusion, type ProvenCommit, type VerifyInclusionOptions } from './history/inclusion-proof.ts'

export {
  BaseNode,
  Document,
  ImageDocument,
  ImageNode,
  IndexNode,
  MetadataMode,
  Node,
  NodeRelationship,
  ObjectType,
  TextNode,
} from './stores/node.ts'
export type {
  CarriedHash,
  Embedding,
  ImageDocumentInit,
  ImageNodeInit,
  IndexNodeInit,
  MediaNodeInit,
  MediaResource,
  Metadata,
  NodeClassName,
  NodeInit,
  RelatedNodeInfo,
  Relationships,
  TextNodeInit,
} from './stores/node.ts'
export type {
  AddDocumentsOptions,
  ChatMessage,
  ChatStore,
  DeleteNodesOptions,
  DocumentStore,
  GraphFilter,
  GraphStore,
  IndexStore,
  LabelledNode,
  PropertyGraphStore,
  RaiseOption,
  RefDocInfo,
  Relation,
  RelMapOptions,
  Triplet,
  VectorStore,
  VectorStoreQuery,
  VectorStoreQueryResult,
} from './stores/contract.ts'
export type { EntryChange } from './stores/index-events.ts'
export type { FieldKind, IndexStruct, StructChange, StructView } from './stores/index-struct.ts'
export type { FilterOperator, MetadataFilter, MetadataFilters } from './stores/metadata-filters.ts'

export { VectorStoreIndex, type NewVectorIndexOptions } from './indices/vector-store-index.ts'
export { SummaryIndex } from './indices/summary-index.ts'
export { SimpleKeywordTableIndex } from './indices/simple-keyword-table-index.ts'
export { KeywordTableIndex } from './indices/keyword-table-index.ts'
export { RAKEKeywordTableIndex } from './indices/rake-keyword-table-index.ts'
export { KnowledgeGraphIndex } from './indices/knowledge-graph-index.ts'
export { PropertyGraphIndex } from './indices/property-graph-index.ts'
export { DocumentSummaryIndex } from './indices/document-summary-index.ts'
export { TreeIndex } from './indices/tree-index.ts'
export { MultiModalVectorStoreIndex } from './indices/multi-modal-index.ts'
export { EmptyIndex } from './indices/empty-index.ts'
export { ComposableGraph, type GraphOptions, type GraphRetrieverOptions } from './indices/composable-graph.ts'
export { loadGraphFromStorage, type LoadGraphOptions } from './indices/load-graph.ts'
export { BaseIndex, type NewIndexOptions } from './indices/base-index.ts'
export type { NodeParser } from './indices/node-parser.ts'
export type { DocstoreStrategy, IngestOptions, IngestReport } from './indices/docstore-strategy.ts'
export { loadIndexFromStorage, loadIndicesFromStorage, type LoadIndexOptions } from './indices/load-index.ts'
export { SentenceSplitter, type SentenceSplitterOptions } from './indices/sentence-splitter.ts'
export {
  QueryEngine,
  type LanguageModel,
  type QueryEngineOptions,
  type QueryResponse,
} from './indices/query-engine.ts'
export type { KeywordExtractor } from './indices/keyword-extractor.ts'
export type { TripletExtractor } from './indices/triplet-extractor.ts'
export type { Summarizer } from './indices/summarizer.ts'
export type { ImageEmbedModel } from './indices/image-embed-model.ts'
export type { EmbedModel, EmbedOptions } from './indices/embed-model.ts'
export type {
  NodeWithScore,
  Query,
  RetrieveOptions,
  Retriever,
  RetrieverMode,
  RetrieverOptions,
} from './indices/retriever.ts'
export type { LongWork, Progress } from './indices/long-work.ts'

/** Finds the indices of a storage again. */
import { VarveError } from '../errors.ts'
import type { StructView } from '../stores/index-struct.ts'
import type { BaseIndex } from './base-index.ts'
import { DocumentSummaryIndex, type LoadDocumentSummaryIndexOptions } from './document-summary-index.ts'
import { EmptyIndex } from './empty-index.ts'
import { KeywordTableIndex, type KeywordIndexOptions } from './keyword-table-index.ts'
import type { IndexStorage } from './index-storage.ts'
import { KnowledgeGraphIndex, type LoadKnowledgeGraphIndexOptions } from './knowledge-graph-index.ts'
import { hasTriplets } from './knowledge-warning.ts'
import { MultiModalVectorStoreIndex, type LoadMultiModalIndexOptions } from './multi-modal-index.ts'
import { PropertyGraphIndex, type LoadPropertyGraphIndexOptions } from './property-graph-index.ts'
import { RAKEKeywordTableIndex } from './rake-keyword-table-index.ts'
import { SimpleKeywordTableIndex } from './simple-keyword-table-index.ts'
import { StructHandle } from './struct-handle.ts'
import { listStructs } from './struct-list.ts'
import { isVectorType, multimodalType } from './struct-types.ts'
import { SummaryIndex } from './summary-index.ts'
import { TreeIndex, type LoadTreeIndexOptions } from './tree-index.ts'
import { VectorStoreIndex, type LoadVectorIndexOptions } from './vector-store-index.ts'

interface KeywordTableLoadOptions {
  /** `true`: keyword tables are asked, and added to, by RAKE. */
  rake?: boolean
}

/** For all indices that are loaded; each takes what is meant for its type. */
export type LoadIndexOptions = Omit<
  LoadVectorIndexOptions &
    KeywordIndexOptions &
    KeywordTableLoadOptions &
    LoadKnowledgeGraphIndexOptions &
    LoadPropertyGraphIndexOptions &
    LoadDocumentSummaryIndexOptions &
    LoadTreeIndexOptions &
    LoadMultiModalIndexOptions,
  'storageContext'
>

/** Without `indexId` the storage must hold exactly one index. */
export async function loadIndexFromStorage(
  storage: IndexStorage,
  { indexId, ...options }: LoadIndexOptions & { indexId?: string } = {},
): Promise<BaseIndex> {
  return await load(storage, indexId ?? (await onlyIndexId(storage)), options)
}

/** All indices of the storage in the order they were made, or those of the ids in the order given. */
export async function loadIndicesFromStorage(
  storage: IndexStorage,
  { indexIds, ...options }: LoadIndexOptions & { indexIds?: readonly string[] } = {},
): Promise<BaseIndex[]> {
  const ids = indexIds ?? (await listStructs(storage.indexStore)).map((view) => view.indexId)
  return await Promise.all(ids.map((id) => load(storage, id, options)))
}

async function load(storage: IndexStorage, indexId: string, given: LoadIndexOptions): Promise<BaseIndex> {
  const struct = await StructHandle.open(storage.indexStore, indexId)
  if (struct === undefined) throw await notFound(storage, indexId)
  const options = { ...given, storageContext: storage }
  const { type } = struct.lastSeen
  if (type === multimodalType) return await MultiModalVectorStoreIndex.load(struct, options)
  if (isVectorType(type)) return await VectorStoreIndex.load(struct, options)
  if (type === 'list') return SummaryIndex.load(struct, options)
  if (type === 'simple_lpg') return await PropertyGraphIndex.load(struct, options)
  if (type === 'kg') return await KnowledgeGraphIndex.load(struct, options)
  if (type === 'keyword_table') return loadKeywordTable(struct, options)
  if (type === 'document_summary') return await DocumentSummaryIndex.load(struct, options)
  if (type === 'tree') return await TreeIndex.load(struct, options)
  if (type === 'empty') return EmptyIndex.load(struct, options)
  const fact = `Index '${indexId}' is of the type '${type}', which this version does not load.`
  throw new VarveError('VARVE_UNKNOWN_INDEX_TYPE', fact, { indexId, type })
}

/** No struct tells how its keywords were found. */
function loadKeywordTable(
  struct: StructHandle,
  options: KeywordTableLoadOptions & KeywordIndexOptions,
): BaseIndex {
  if (options.rake === true) return RAKEKeywordTableIndex.load(struct, options)
  const Table = options.keywordExtractor === undefined ? SimpleKeywordTableIndex : KeywordTableIndex
  return Table.load(struct, options)
}

async function onlyIndexId(storage: IndexStorage): Promise<string> {
  const [first, ...others] = await listStructs(storage.indexStore)
  if (first === undefined) throw await noIndex(storage, 'There is no index in this storage.')
  if (others.length === 0) return first.indexId
  const structs = [first, ...others]
  const fact = `There are ${structs.length} indices in this storage: ${listed(structs.map(described))}.`
  throw new VarveError('VARVE_SEVERAL_INDICES', fact, { indexIds: structs.map((view) => view.indexId) })
}

async function notFound(storage: IndexStorage, indexId: string): Promise<VarveError> {
  const structs = await listStructs(storage.indexStore)
  if (structs.length === 0) {
    return await noIndex(storage, `There is no index '${indexId}', nor any other, in this storage.`, {
      indexId,
    })
  }
  const remedy = `Known are ${listed(structs.map(described))}.`
  const indexIds = structs.map((view) => view.indexId)
  return new VarveError('VARVE_INDEX_NOT_FOUND', `There is no index '${indexId}'.`, {
    remedy,
    indexId,
    indexIds,
  })
}

/** A graph can be asked though the index that made it is missing. */
async function noIndex(
  storage: IndexStorage,
  fact: string,
  fields: Record<string, unknown> = {},
): Promise<VarveError> {
  if (!(await hasTriplets(storage))) return new VarveError('VARVE_NO_INDEX', fact, fields)
  const whole = `${fact} Its graph store holds triplets, but the index store no index (is index_store.json missing?).`
  const remedy = 'Make one that answers from them with KnowledgeGraphIndex.init({ storageContext }).'
  return new VarveError('VARVE_NO_INDEX', whole, { remedy, ...fields })
}

function described({ indexId, type, summary }: StructView): string {
  return `'${indexId}' (${type}${summary === null ? '' : `: ${JSON.stringify(shortened(summary))}`})`
}

function shortened(text: string): string {
  return text.length > 80 ? `${text.slice(0, 79)}…` : text
}

function listed(items: readonly string[], most = 20): string {
  const rest = items.length - most
  return rest > 0 ? `${items.slice(0, most).join(', ')} and ${rest} more` : items.join(', ')
}

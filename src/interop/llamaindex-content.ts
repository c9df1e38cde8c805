/** What a LlamaIndex directory holds, whichever program and version wrote it: complete, and in nobody's spelling but Varve's. */
import type { RefDocInfo, Triplet } from '../stores/contract.ts'
import type { IndexStruct } from '../stores/index-struct.ts'
import type { ReadNodes } from './read-nodes.ts'
import type { Spelling } from '../stores/spelling.ts'
import type { SpelledTree } from '../stores/stored-metadata.ts'

export type LlamaIndexDialect = 'python' | 'typescript'

/** A file that was read, by which a later change of it can be noticed. */
export interface LlamaIndexFile {
  name: string
  sizeBytes: number
  modifiedMs: number
  /** Hexadecimal. */
  sha256: string
}

/** What the docstore remembers of an id apart from the node: also of source documents, which it does not keep whole. */
export interface DocumentRecord {
  hash?: string
  refDocId?: string
  /** Fields this version does not know. */
  extra?: Record<string, unknown>
}

export interface RefDocRecord extends RefDocInfo {
  extra?: Record<string, unknown>
  /** Of `metadata`, whose pointer is `''`. */
  spelling?: Spelling
}

export interface VectorRecord {
  id: string
  vector: Float32Array
  /** How the file wrote its numbers: bits of `numerals`. */
  numerals?: number
  refDocId?: string
  /** As the file has it, with the entries that LlamaIndex adds (`doc_id`, `_node_type`, …). */
  metadata?: Record<string, unknown>
  /** Of `metadata`, whose pointer is `''`. */
  spelling?: Spelling
}

export interface LlamaIndexWarning {
  file: string
  message: string
}

export interface LlamaIndexContent {
  dialect: LlamaIndexDialect
  files: LlamaIndexFile[]
  /** Of the docstore: `docstore`, unless its writer chose another. */
  namespace: string
  /** In the order of the file. */
  nodes: ReadNodes
  documentMetadata: Map<string, DocumentRecord>
  /** Made from the nodes' sources where the file is too old to hold any. */
  refDocs: Map<string, RefDocRecord>
  structs: IndexStruct[]
  /** By namespace, in the order of the file. */
  vectors: Map<string, VectorRecord[]>
  /** In the order of the file. */
  graph: Triplet[]
  /** The file's tree, whole. */
  propertyGraph?: { tree: Record<string, unknown>; spelling: Spelling }
  /** By key, in the order of the file. */
  chats?: [key: string, messages: SpelledTree[]][]
  warnings: LlamaIndexWarning[]
}

/** Every spelling of a node's fields that a LlamaIndex file may hold, and the codes Python uses for classes and relations. */
import type { LlamaIndexDialect } from './llamaindex-content.ts'
import type { NodeClassName } from '../stores/node.ts'

/** From the file's key to the node's field. Keys that already are the field's name are not listed. */
const pythonFields: Readonly<Record<string, string>> = {
  excluded_embed_metadata_keys: 'excludedEmbedMetadataKeys',
  excluded_llm_metadata_keys: 'excludedLlmMetadataKeys',
  metadata_template: 'metadataTemplate',
  metadata_separator: 'metadataSeparator',
  // Python's own spelling up to 0.11.
  metadata_seperator: 'metadataSeparator',
  text_template: 'textTemplate',
  start_char_idx: 'startCharIdx',
  end_char_idx: 'endCharIdx',
  image_path: 'imagePath',
  image_url: 'imageUrl',
  image_mimetype: 'imageMimetype',
  text_embedding: 'textEmbedding',
  index_id: 'indexId',
  text_resource: 'textResource',
  image_resource: 'imageResource',
  audio_resource: 'audioResource',
  video_resource: 'videoResource',
  // Before 0.7.
  extra_info: 'metadata',
  doc_id: 'id_',
  doc_hash: 'hash',
  // Other than in a node.
  class_name: 'className',
  node_id: 'nodeId',
  node_type: 'nodeType',
}

export function fieldOf(key: string): string {
  return Object.hasOwn(pythonFields, key) ? (pythonFields[key] ?? key) : key
}

const classesByType: Readonly<Record<string, NodeClassName>> = {
  '1': 'TextNode',
  '2': 'ImageNode',
  '3': 'IndexNode',
  '4': 'Document',
  '5': 'Node',
  TEXT: 'TextNode',
  IMAGE: 'ImageNode',
  INDEX: 'IndexNode',
  DOCUMENT: 'Document',
  IMAGE_DOCUMENT: 'ImageDocument',
  MULTIMODAL: 'Node',
}

const typesByCode: Readonly<Record<string, string>> = {
  '1': 'TEXT',
  '2': 'IMAGE',
  '3': 'INDEX',
  '4': 'DOCUMENT',
  '5': 'MULTIMODAL',
}

/** The class of a `__type__`; `undefined` for unknown ones. One version of LlamaIndexTS wrote Python's codes, with a 5 of its own. */
export function classOfType(type: string, dialect: LlamaIndexDialect): NodeClassName | undefined {
  if (type === '5' && dialect === 'typescript') return 'ImageDocument'
  return Object.hasOwn(classesByType, type) ? classesByType[type] : undefined
}

export function nodeTypeOf(type: string, dialect: LlamaIndexDialect): string {
  if (type === '5' && dialect === 'typescript') return 'IMAGE_DOCUMENT'
  return Object.hasOwn(typesByCode, type) ? (typesByCode[type] ?? type) : type
}

const relationships: Readonly<Record<string, string>> = {
  '1': 'SOURCE',
  '2': 'PREVIOUS',
  '3': 'NEXT',
  '4': 'PARENT',
  '5': 'CHILD',
}

export function relationshipOf(key: string): string {
  return Object.hasOwn(relationships, key) ? (relationships[key] ?? key) : key
}

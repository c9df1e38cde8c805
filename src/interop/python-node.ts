/** A node as LlamaIndex for Python writes it in 2026: `{ __data__, __type__ }`, fields in pydantic's order. */
import { BaseNode, ImageNode, IndexNode, Node, type NodeClassName, type TextNode } from '../stores/node.ts'
import { keysAsSpelled, pointerTo, type Spelling } from '../stores/spelling.ts'
import { extend, objectOf, spelled } from './python-spelled.ts'
import type { Embedding, MediaResource, RelatedNodeInfo } from '../stores/node.ts'

const typeCodes: Readonly<Record<NodeClassName, string>> = {
  TextNode: '1',
  ImageNode: '2',
  IndexNode: '3',
  Document: '4',
  ImageDocument: '4',
  Node: '5',
}

/** Python knows no code of its own for image documents. */
const nodeTypeCodes: Readonly<Record<string, string>> = {
  TEXT: '1',
  IMAGE: '2',
  INDEX: '3',
  DOCUMENT: '4',
  IMAGE_DOCUMENT: '4',
  MULTIMODAL: '5',
}

const relationshipCodes: Readonly<Record<string, string>> = {
  SOURCE: '1',
  PREVIOUS: '2',
  NEXT: '3',
  PARENT: '4',
  CHILD: '5',
}

/**
 * What Python has no field for is written all the same, where its readers ignore it and ours find it: bytes of media in base64, a hash that another program gave, unknown
 * fields.
 */
export function nodeToPython(node: BaseNode): Record<string, unknown> {
  const { spelling } = node
  const extra = spelled(node.extra, spelling, '/extra') as Record<string, unknown>
  const { __type__: unknownType } = extra
  const data: Record<string, unknown> = {
    id_: node.id_,
    embedding: vectorOf(node.embedding),
    metadata: spelled(node.metadata, spelling, '/metadata'),
    excluded_embed_metadata_keys: [...node.excludedEmbedMetadataKeys],
    excluded_llm_metadata_keys: [...node.excludedLlmMetadataKeys],
    relationships: relationshipsOf(node),
    ...hashOf(node),
    metadata_template: node.metadataTemplate,
    metadata_separator: node.metadataSeparator,
    ...(node instanceof Node ? mediaFields(node) : textFields(node as TextNode)),
  }
  extend(data, extra)
  delete data.__type__
  data.class_name = node.className
  if (node.baseClassName === 'Document' || node.baseClassName === 'ImageDocument') data.text ??= node.text
  return { __data__: data, __type__: unknownType ?? typeCodes[node.baseClassName] }
}

function textFields(node: TextNode): Record<string, unknown> {
  return {
    text: node.text,
    mimetype: node.mimetype,
    ...places(node),
    text_template: node.textTemplate,
    ...(node instanceof ImageNode && {
      image: node.image ?? null,
      image_path: node.imagePath ?? null,
      image_url: node.imageUrl ?? null,
      image_mimetype: node.imageMimetype ?? null,
      text_embedding: vectorOf(node.textEmbedding),
    }),
    ...(node instanceof IndexNode && { index_id: node.indexId, obj: objOf(node) }),
  }
}

function mediaFields(node: Node): Record<string, unknown> {
  const { spelling, mimetype, startCharIdx, endCharIdx } = node
  return {
    text_resource: resourceOf(node.textResource, spelling, '/textResource'),
    image_resource: resourceOf(node.imageResource, spelling, '/imageResource'),
    audio_resource: resourceOf(node.audioResource, spelling, '/audioResource'),
    video_resource: resourceOf(node.videoResource, spelling, '/videoResource'),
    text_template: node.textTemplate,
    // Only documents from before 0.12 or from TypeScript have these.
    ...(mimetype !== undefined && { mimetype }),
    ...((startCharIdx !== undefined || endCharIdx !== undefined) && places(node)),
  }
}

function places({ startCharIdx, endCharIdx }: BaseNode): Record<string, unknown> {
  return { start_char_idx: startCharIdx ?? null, end_char_idx: endCharIdx ?? null }
}

function hashOf(node: BaseNode): Record<string, unknown> {
  const isCarried = node.carriedHash !== undefined && node.hash === node.carriedHash.hash
  return isCarried ? { hash: node.hash } : {}
}

function objOf({ obj, spelling }: IndexNode): unknown {
  return obj instanceof BaseNode ? nodeToPython(obj) : spelled(obj ?? null, spelling, '/obj')
}

function vectorOf(vector: Embedding | undefined): number[] | null {
  return vector === undefined ? null : Array.from(vector)
}

function resourceOf(resource: MediaResource | undefined, spelling: Spelling, at: string): unknown {
  if (resource === undefined) return null
  const { embeddings, text, path, url, mimetype, data, extra = {} } = resource
  const fields = {
    embeddings: spelled(embeddings ?? null, spelling, `${at}/embeddings`),
    text: text ?? null,
    path: path ?? null,
    url: url ?? null,
    mimetype: mimetype ?? null,
    ...(data && { data: Buffer.from(data).toString('base64') }),
  }
  return extend(fields, spelled(extra, spelling, `${at}/extra`) as Record<string, unknown>)
}

function relationshipsOf({ relationships, spelling }: BaseNode): Record<string, unknown> {
  const at = '/relationships'
  return objectOf(
    keysAsSpelled(relationships, at, spelling).flatMap((name) => {
      const related = relationships[name]
      if (related === undefined) return []
      const here = pointerTo(at, name)
      const value = Array.isArray(related)
        ? related.map((info, index) => infoOf(info, spelling, pointerTo(here, index)))
        : infoOf(related, spelling, here)
      return [[Object.hasOwn(relationshipCodes, name) ? relationshipCodes[name]! : name, value] as const]
    }),
  )
}

function infoOf(info: RelatedNodeInfo, spelling: Spelling, at: string): Record<string, unknown> {
  const { nodeId, nodeType, metadata, hash, extra = {} } = info
  const isKnown = nodeType !== undefined && Object.hasOwn(nodeTypeCodes, nodeType)
  const fields = {
    node_id: nodeId,
    node_type: isKnown ? nodeTypeCodes[nodeType] : (nodeType ?? null),
    metadata: spelled(metadata, spelling, `${at}/metadata`),
    hash: hash ?? null,
    class_name: 'RelatedNodeInfo',
  }
  return extend(fields, spelled(extra, spelling, `${at}/extra`) as Record<string, unknown>)
}

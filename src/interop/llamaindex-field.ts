/** The value of one field of a node, from JSON. `undefined` says that the field cannot have such a value. */
import { keysAsRead } from '../stores/float.ts'
import { fieldKinds } from '../stores/node-fields.ts'
import { setOwn } from '../stores/own-property.ts'
import { isPlainSpelling, pointerTo, takeSpelling, type Spelling } from '../stores/spelling.ts'
import { asNumber } from './json-number.ts'
import { fieldOf, nodeTypeOf, relationshipOf } from './llamaindex-spellings.ts'
import type { LlamaIndexDialect } from './llamaindex-content.ts'
import type { BaseNode, MediaResource, RelatedNodeInfo, Relationships } from '../stores/node.ts'

export interface NodeJson {
  /** The key it stood under, which counts: one reader of Python's made up new ids for nodes from before 0.7. */
  id: string
  /** `__type__` beside the data. */
  type?: string
  /** As the JSON reader gave it. */
  data: Record<string, unknown>
  dialect: LlamaIndexDialect
}

export interface FieldContext {
  dialect: LlamaIndexDialect
  /** For a node inside a node. */
  nodeFromJson: (json: NodeJson) => BaseNode
  /** Collects what is spelled otherwise than plain values can say. */
  spellings: Spelling[]
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** A tree as plain values; `pointer` is where it will stand. */
export function plainAt(tree: unknown, pointer: string, spellings: Spelling[]): unknown {
  const { value, spelling } = takeSpelling(tree, pointer)
  if (!isPlainSpelling(spelling)) spellings.push(spelling)
  return value
}

export function convertField(field: string, value: unknown, context: FieldContext): unknown {
  switch (fieldKinds[field]) {
    case 'text':
      return typeof value === 'string' ? value : undefined
    case 'number':
      return value === null ? undefined : asNumber(value)
    case 'names':
      return Array.isArray(value) && value.every((name) => typeof name === 'string') ? value : undefined
    case 'vector':
      return toVector(value)
    case 'metadata':
      return isObject(value) ? plainAt(value, `/${field}`, context.spellings) : undefined
    case 'relationships':
      return isObject(value) ? toRelationships(value, context) : undefined
    case 'resource':
      return isObject(value) ? toResource(value, `/${field}`, context) : undefined
    case 'object':
      return toObj(value, context)
    case undefined:
      return undefined
  }
}

function toVector(value: unknown): number[] | undefined {
  if (!Array.isArray(value)) return undefined
  const numbers = value.map(asNumber)
  return numbers.includes(undefined) ? undefined : (numbers as number[])
}

/** All or nothing: relations of which one has an unknown shape are kept as they came. */
function toRelationships(value: Record<string, unknown>, context: FieldContext): Relationships | undefined {
  const relationships: Relationships = {}
  for (const key of keysAsRead(value)) {
    const related = value[key]
    if (related === null) continue
    const name = relationshipOf(key)
    const at = pointerTo('/relationships', name)
    const infos = Array.isArray(related)
      ? related.map((each: unknown, index) => toInfo(each, pointerTo(at, index), context))
      : toInfo(related, at, context)
    if (infos === undefined || (Array.isArray(infos) && infos.includes(undefined))) return undefined
    setOwn(relationships, name, infos)
  }
  return relationships
}

/** Before 0.7 a relation was an id and nothing more. */
function toInfo(
  value: unknown,
  at: string,
  { dialect, spellings }: FieldContext,
): RelatedNodeInfo | undefined {
  if (typeof value === 'string') return { nodeId: value, metadata: {} }
  if (!isObject(value)) return undefined
  const info: Partial<RelatedNodeInfo> = {}
  const extra: Record<string, unknown> = {}
  for (const key of keysAsRead(value)) {
    const part = value[key]
    const field = fieldOf(key)
    if (field === 'nodeId' && typeof part === 'string') info.nodeId = part
    else if (field === 'nodeType' && typeof part === 'string') info.nodeType = nodeTypeOf(part, dialect)
    else if (field === 'hash' && typeof part === 'string') info.hash = part
    else if (field === 'metadata' && isObject(part)) {
      info.metadata = plainAt(part, `${at}/metadata`, spellings) as Record<string, unknown>
    } else if (!isNothing(field, part)) setOwn(extra, key, part)
  }
  if (info.nodeId === undefined) return undefined
  const { nodeId, metadata = {}, ...rest } = info
  const hasExtra = Object.keys(extra).length > 0
  const plainExtra = hasExtra && {
    extra: plainAt(extra, `${at}/extra`, spellings) as Record<string, unknown>,
  }
  return { nodeId, metadata, ...rest, ...plainExtra }
}

function isNothing(field: string, part: unknown): boolean {
  if (field === 'className') return part === 'RelatedNodeInfo'
  return part === null && (field === 'nodeType' || field === 'hash' || field === 'metadata')
}

function toResource(value: Record<string, unknown>, at: string, { spellings }: FieldContext): MediaResource {
  const resource: MediaResource = {}
  const extra: Record<string, unknown> = {}
  for (const key of keysAsRead(value)) {
    const part = value[key]
    const isText = key === 'text' || key === 'path' || key === 'url' || key === 'mimetype'
    if (isText && typeof part === 'string') resource[key] = part
    else if (key === 'data' && isBase64(part)) resource.data = Uint8Array.from(Buffer.from(part, 'base64'))
    else if (key === 'embeddings' && part !== null)
      resource.embeddings = plainAt(part, `${at}/embeddings`, spellings)
    else if (part !== null || !(isText || key === 'embeddings')) setOwn(extra, key, part)
  }
  if (Object.keys(extra).length > 0)
    resource.extra = plainAt(extra, `${at}/extra`, spellings) as Record<string, unknown>
  return resource
}

/** LlamaIndex leaves the bytes out; our own dictionaries have them. */
function isBase64(part: unknown): part is string {
  return typeof part === 'string' && Buffer.from(part, 'base64').toString('base64') === part
}

/** A node stands in the same wrapping as in a docstore. */
function toObj(value: unknown, { dialect, spellings, nodeFromJson }: FieldContext): unknown {
  if (isObject(value) && isObject(value.__data__) && typeof value.__type__ === 'string') {
    const data = value.__data__
    const id = data.id_ ?? data.doc_id
    if (typeof id === 'string') return nodeFromJson({ id, type: value.__type__, data, dialect })
  }
  return plainAt(value, '/obj', spellings)
}

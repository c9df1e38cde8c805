/**
 * A node from the JSON that any version of LlamaIndex wrote for it. Nothing is dropped: what is unknown, or has a shape its field cannot
 * have, is kept in `extra` under the key it had.
 */
import { blankNodes } from '../stores/blank-nodes.ts'
import { fieldKinds } from '../stores/node-fields.ts'
import { Node, nodeClasses, type BaseNode, type NodeClassName } from '../stores/node.ts'
import { keysAsRead } from '../stores/float.ts'
import { setOwn } from '../stores/own-property.ts'
import { joinSpellings, type Spelling } from '../stores/spelling.ts'
import { convertField, isObject, plainAt, type NodeJson } from './llamaindex-field.ts'
import { classOfType, fieldOf } from './llamaindex-spellings.ts'
import type { LlamaIndexDialect } from './llamaindex-content.ts'

export function nodeFromJson({ id, type, data, dialect }: NodeJson): BaseNode {
  const typeName = type ?? (typeof data.type === 'string' ? data.type : '')
  const ownName = typeof data.class_name === 'string' ? data.class_name : undefined
  const baseName = baseClassOf(ownName, typeName, dialect)
  const draft: Draft = { id, baseName, dialect, init: {}, extra: {}, spellings: [] }
  for (const key of keysAsRead(data)) addField(draft, key, data)
  if (typeName !== '' && classOfType(typeName, dialect) === undefined)
    setOwn(draft.extra, '__type__', typeName)

  const NodeClass = nodeClasses[baseName]
  const extra = plainAt(draft.extra, '/extra', draft.spellings) as Record<string, unknown>
  const node = new NodeClass({
    ...draft.init,
    id_: id,
    ...(ownName !== undefined && { className: ownName }),
    extra,
    spelling: joinSpellings(draft.spellings),
  })
  if (draft.hash !== undefined) node.carryHash(draft.hash)
  return node
}

interface Draft {
  id: string
  baseName: NodeClassName
  dialect: LlamaIndexDialect
  /** For the constructor. */
  init: Record<string, unknown>
  extra: Record<string, unknown>
  hash?: string
  spellings: Spelling[]
}

function baseClassOf(name: string | undefined, type: string, dialect: LlamaIndexDialect): NodeClassName {
  if (name !== undefined && Object.hasOwn(nodeClasses, name)) return name as NodeClassName
  return classOfType(type, dialect) ?? 'TextNode'
}

function addField(draft: Draft, key: string, data: Record<string, unknown>): void {
  const value = data[key]
  const field = fieldOf(key)
  // Where a field is spelled twice, its modern spelling counts.
  const isOutdone = field !== key && field !== 'id_' && Object.hasOwn(data, field)
  const isTaken = !isOutdone && (takeIdentity(draft, field, value) || takeContent(draft, field, value))
  if (!isTaken) setOwn(draft.extra, key, value)
}

/** What says which node this is. */
function takeIdentity(draft: Draft, field: string, value: unknown): boolean {
  switch (field) {
    case 'id_':
      return value === draft.id || value === null
    case 'className':
      return typeof value === 'string'
    case 'type':
      return (
        draft.dialect === 'typescript' &&
        typeof value === 'string' &&
        classOfType(value, draft.dialect) !== undefined
      )
    case 'hash':
      if (typeof value === 'string') draft.hash = value
      return typeof value === 'string' || value === null
    default:
      return false
  }
}

function takeContent(draft: Draft, field: string, value: unknown): boolean {
  const { baseName, init } = draft
  if (field === 'node_info') return takeNodeInfo(draft, value)
  if (field === 'embeddings' && value === null) return true
  if (!Object.hasOwn(fieldKinds, field)) return false
  if (value === null) return true
  if (field === 'text' && isMedia(baseName)) return takeDocumentText(draft, value)
  if (baseName === 'ImageDocument' && imageFields.has(field)) return takeDocumentImage(draft, field, value)
  if (!(field in blankNodes[baseName])) return false
  const converted = convertField(field, value, { ...draft, nodeFromJson })
  if (converted === undefined) return false
  init[field] = converted
  return true
}

/** Before 0.7: `{ start, end }`. */
function takeNodeInfo({ init }: Draft, value: unknown): boolean {
  if (value === null) return true
  if (!isObject(value)) return false
  const { start, end, ...rest } = value
  const isKnown = (place: unknown) => place === undefined || place === null || typeof place === 'number'
  if (Object.keys(rest).length > 0 || !isKnown(start) || !isKnown(end)) return false
  init.startCharIdx = start ?? undefined
  init.endCharIdx = end ?? undefined
  return true
}

/** Since 0.12 a document's text is derived from its resource and only repeated; before, it was all there is. */
function takeDocumentText({ init }: Draft, value: unknown): boolean {
  const resource = init.textResource as { text?: string } | undefined
  if (typeof value !== 'string') return false
  if (resource === undefined) {
    init.text = value
    return true
  }
  return value === (resource.text ?? '')
}

const imageFields = new Set(['image', 'imagePath', 'imageUrl', 'imageMimetype'])

/** Before 0.12 the parts of a document's image stood beside its text. An image that is no base64 cannot become bytes. */
function takeDocumentImage({ init }: Draft, field: string, value: unknown): boolean {
  if (typeof value !== 'string' || init.imageResource !== undefined) return false
  if (field === 'image' && Buffer.from(value, 'base64').toString('base64') !== value) return false
  init[field] = value
  return true
}

function isMedia(name: NodeClassName): boolean {
  return nodeClasses[name].prototype instanceof Node || name === 'Node'
}

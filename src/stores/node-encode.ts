/** The fields of a node as they are stored. Checks what a caller without types may have put into them. */
import { checkMetadata, checkTree } from './metadata.ts'
import { blankNodes } from './blank-nodes.ts'
import { BaseNode } from './node.ts'
import { escapeText, toStorable, type Storable } from './storable.ts'
import { fieldKinds, type FieldKind, type StoredNode } from './node-fields.ts'
import { vectorToBytes } from './stored-vector.ts'
import type { Embedding, MediaResource, RelatedNodeInfo, Relationships } from './node.ts'

type EncodeNode = (node: BaseNode) => StoredNode

export function encodeFields(
  node: BaseNode,
  encodeNode: EncodeNode,
): { fields: StoredNode; negativeZeros: string[] } {
  const fields: StoredNode = {}
  const negativeZeros: string[] = []
  const tree = (value: unknown, at: string): Storable => {
    const storable = toStorable(value, at)
    negativeZeros.push(...storable.negativeZeros)
    return storable.tree
  }
  const blank = blankNodes[node.baseClassName] as unknown as Record<string, unknown>
  for (const [field, kind] of Object.entries(fieldKinds)) {
    // Own fields only: what a class derives from others (a document's text) is stored where it comes from.
    const value = Object.hasOwn(node, field) ? (node as unknown as Record<string, unknown>)[field] : undefined
    if (value === undefined || value === blank[field] || (value === null && kind !== 'object')) continue
    const at = `node ${node.id_}: ${field}`
    const stored = encodeField(kind, value, { field, what: at, tree, encodeNode })
    if (stored !== undefined)
      fields[kind === 'vector' && value instanceof Float32Array ? `${field}32` : field] = stored
  }
  return { fields, negativeZeros }
}

interface FieldContext {
  field: string
  /** The field, for messages. */
  what: string
  tree: (value: unknown, at: string) => Storable
  encodeNode: EncodeNode
}

/** `undefined`: empty, left out. */
function encodeField(
  kind: FieldKind,
  value: unknown,
  { field, what, tree, encodeNode }: FieldContext,
): Storable | undefined {
  switch (kind) {
    case 'text':
      if (typeof value !== 'string') throw wrongType(what, 'a string')
      return escapeText(value)
    case 'number':
      if (typeof value !== 'number') throw wrongType(what, 'a number')
      return value
    case 'names':
      if (!Array.isArray(value) || !value.every((name) => typeof name === 'string'))
        throw wrongType(what, 'a list of strings')
      return value.length === 0 ? undefined : value.map(escapeText)
    case 'vector':
      return vectorToBytes(value as Embedding)
    case 'metadata': {
      const metadata = checkMetadata(value, what)
      return isEmpty(metadata) ? undefined : tree(metadata, `/${field}`)
    }
    case 'relationships':
      return isEmpty(value as object)
        ? undefined
        : tree(relationshipsToTree(value as Relationships, what), `/${field}`)
    case 'resource': {
      const { data, ...rest } = value as MediaResource
      const fields = tree(checkTree(rest, what), `/${field}`) as StoredNode
      return data === undefined ? fields : { ...fields, data }
    }
    case 'object':
      if (value instanceof BaseNode) return { id: value.id_, node: encodeNode(value) }
      return { value: tree(checkTree(value, what), `/${field}`) }
  }
}

function relationshipsToTree(relationships: Relationships, what: string): unknown {
  const withoutEmpty = (info: RelatedNodeInfo) => {
    const { metadata, ...rest } = info
    return isEmpty(metadata ?? {}) ? rest : info
  }
  const entries = Object.entries(relationships).flatMap(([key, related]) => {
    if (related === undefined) return []
    return [[key, Array.isArray(related) ? related.map(withoutEmpty) : withoutEmpty(related)] as const]
  })
  return checkTree(Object.fromEntries(entries), what)
}

function isEmpty(object: object): boolean {
  for (const _ in object) return false
  return true
}

function wrongType(what: string, expected: string): TypeError {
  return new TypeError(`${what} must be ${expected}.`)
}

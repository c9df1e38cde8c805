/** Stored fields as what the constructor of a node's class takes. */
import { bytes, either, isObject, listOf, recordOf, text, tuple, type Shape } from '../journal/shape.ts'
import { fieldKinds, type FieldKind, type StoredNode } from './node-fields.ts'
import { restoreNegativeZeros, storedSpelling } from './spelling-codec.ts'
import { fromStorable, type Storable } from './storable.ts'
import { doublesFromBytes, singlesFromBytes } from './stored-vector.ts'
import type { BaseNode, MediaResource, Relationships } from './node.ts'

type DecodeNode = (id: string, stored: unknown) => BaseNode

const vectorOf =
  (width: number): Shape =>
  (value) =>
    value instanceof Uint8Array && value.length % width === 0

const relatedInfo: Shape = (value) => isObject(value) && text(value['nodeId'])

const shapes: Readonly<Record<FieldKind, Shape>> = {
  text,
  number: (value) => typeof value === 'number',
  names: listOf(text),
  vector: vectorOf(8),
  metadata: isObject,
  relationships: recordOf(text, either(relatedInfo, listOf(relatedInfo))),
  resource: (value) => isObject(value) && (value['data'] === undefined || bytes(value['data'])),
  object: (value) => isObject(value) && (value['node'] === undefined || text(value['id'])),
}

const ownShapes: Readonly<Record<string, Shape>> = {
  class: text,
  className: text,
  floats: storedSpelling[0],
  keyOrders: storedSpelling[1],
  carriedHash: tuple(text, text),
}

/** Fields that mean nothing here are passed over; those that do are what this version would write. */
export function isStoredNode(stored: unknown): stored is StoredNode {
  return isObject(stored) && Object.entries(stored).every(([field, value]) => isStoredField(field, value))
}

function isStoredField(field: string, value: unknown): boolean {
  if (Object.hasOwn(fieldKinds, field)) return shapes[fieldKinds[field]!](value)
  if (Object.hasOwn(ownShapes, field)) return ownShapes[field]!(value)
  const isSingle = field.endsWith('32') && fieldKinds[field.slice(0, -2)] === 'vector'
  return !isSingle || vectorOf(4)(value)
}

export function decodeFields(stored: StoredNode, decodeNode: DecodeNode): Record<string, unknown> {
  const init: Record<string, unknown> = {}
  for (const [field, kind] of Object.entries(fieldKinds)) {
    const value = stored[field]
    if (value !== undefined) init[field] = decodeField(kind, value, decodeNode)
    const single = kind === 'vector' ? stored[`${field}32`] : undefined
    if (single !== undefined) init[field] = singlesFromBytes(single as Uint8Array)
  }
  restoreNegativeZeros(init, (stored.floats ?? []) as string[])
  return init
}

function decodeField(kind: FieldKind, value: Storable, decodeNode: DecodeNode): unknown {
  switch (kind) {
    case 'vector':
      return doublesFromBytes(value as Uint8Array)
    case 'relationships':
      return relationshipsFromTree(fromStorable(value) as Relationships)
    case 'resource': {
      const { data, ...rest } = value as StoredNode
      const resource = fromStorable(rest) as MediaResource
      return data === undefined ? resource : { ...resource, data: Uint8Array.from(data as Uint8Array) }
    }
    case 'object': {
      const { id, node, value: plain } = value as StoredNode
      return node === undefined ? fromStorable(plain ?? null) : decodeNode(id as string, node)
    }
    case 'text':
    case 'number':
    case 'names':
    case 'metadata':
      return fromStorable(value)
  }
}

function relationshipsFromTree(relationships: Relationships): Relationships {
  for (const related of Object.values(relationships)) {
    for (const info of Array.isArray(related) ? related : [related]) {
      if (info !== undefined) info.metadata ??= {}
    }
  }
  return relationships
}

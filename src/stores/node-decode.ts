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
  return !isSingle(field) || vectorOf(4)(value)
}

function isSingle(field: string): boolean {
  return field.endsWith('32') && fieldKinds[field.slice(0, -2)] === 'vector'
}

export function decodeFields(stored: StoredNode, decodeNode: DecodeNode): Record<string, unknown> {
  const init: Record<string, unknown> = {}
  for (const field of Object.keys(stored)) {
    const value = stored[field]
    if (value === undefined) continue
    if (Object.hasOwn(fieldKinds, field)) init[field] ??= decodeField(fieldKinds[field]!, value, decodeNode)
    else if (isSingle(field)) init[field.slice(0, -2)] = singlesFromBytes(value as Uint8Array)
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

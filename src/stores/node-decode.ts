/** Stored fields as what the constructor of a node's class takes. */
import { fieldKinds, type FieldKind, type StoredNode } from './node-fields.ts'
import { restoreNegativeZeros } from './spelling-codec.ts'
import { fromStorable, type Storable } from './storable.ts'
import { doublesFromBytes, singlesFromBytes } from './stored-vector.ts'
import type { BaseNode, MediaResource, Relationships } from './node.ts'

type DecodeNode = (id: string, stored: StoredNode) => BaseNode

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
      return node === undefined ? fromStorable(plain ?? null) : decodeNode(id as string, node as StoredNode)
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

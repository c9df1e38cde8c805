/** Stored fields as what the constructor of a node's class takes. */
import { fieldKinds, type FieldKind, type StoredNode } from './node-fields.ts'
import { setOwn } from './own-property.ts'
import { fromStorable, unescapeText, type Storable } from './storable.ts'
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
  for (const pointer of (stored.floats ?? []) as string[]) {
    if (pointer.startsWith('-')) setNegativeZero(init, unescapeText(pointer.slice(1)))
  }
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

function setNegativeZero(root: Record<string, unknown>, pointer: string): void {
  const steps = pointer
    .split('/')
    .slice(1)
    .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'))
  const last = steps.pop() ?? ''
  const parent = steps.reduce<unknown>(
    (value, step) => (value as Record<string, unknown> | undefined)?.[step],
    root,
  )
  // Whatever the bytes say, only a zero becomes minus zero.
  if (ownMember(parent, last) === 0) setOwn(parent as object, last, -0)
}

function ownMember(value: unknown, key: string): unknown {
  const isInside = typeof value === 'object' && value !== null && Object.hasOwn(value, key)
  return isInside ? (value as Record<string, unknown>)[key] : undefined
}

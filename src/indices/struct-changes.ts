/** Index structs in memory: read entry by entry, and changed, where a store can do neither itself. */
import { structFields } from '../stores/index-struct.ts'
import type { IndexStruct, StructChange, StructView } from '../stores/index-struct.ts'
import { canonicalStructType } from '../stores/struct-types.ts'

/** A copy whose fields have the shapes of their kinds, whatever came: a store may hand over plain objects where maps are meant. */
export function copyStruct(struct: IndexStruct): IndexStruct {
  const kinds = structFields[canonicalStructType(struct.type)] ?? {}
  const copy: IndexStruct = { ...struct }
  for (const [field, value] of Object.entries(struct)) {
    if (value instanceof Map) copy[field] = new Map(value)
    else if (Array.isArray(value)) copy[field] = [...(value as unknown[])]
  }
  for (const [field, kind] of Object.entries(kinds)) {
    const value = struct[field]
    if (kind === 'list') copy[field] = [...((value ?? []) as Iterable<string>)]
    else if (kind === 'map') copy[field] = new Map(entriesOf(value))
    else if (kind === 'sets')
      copy[field] = new Map(entriesOf(value).map(([key, set]) => [key, new Set(toSet(set))]))
  }
  return copy
}

/** Changes `struct` and the lists and maps in it: give it a copy. */
export function applyChanges(struct: IndexStruct, changes: readonly StructChange[]): void {
  for (const change of changes) applyChange(struct, change)
}

function applyChange(struct: IndexStruct, change: StructChange): void {
  switch (change.op) {
    case 'set':
      mapOf(struct, change.field).set(change.key, change.value)
      break
    case 'delete':
      mapOf(struct, change.field).delete(change.key)
      break
    case 'add': {
      const sets = mapOf(struct, change.field)
      sets.set(change.key, toSet(sets.get(change.key)).add(change.member))
      break
    }
    case 'remove':
      removeMember(mapOf(struct, change.field), change.key, change.member)
      break
    case 'append':
      listOf(struct, change.field).push(change.member)
      break
    case 'withdraw':
      struct[change.field] = membersOf(struct[change.field]).filter((member) => member !== change.member)
      break
    case 'replace':
      struct[change.field] = change.value
      break
  }
}

/** Shows `struct` as it is at each call, so it stays current as long as that very object is changed. */
export function viewOf(struct: IndexStruct): StructView {
  const map = (field: string) =>
    struct[field] instanceof Map ? (struct[field] as Map<string, unknown>) : undefined
  return {
    get indexId() {
      return struct.indexId
    },
    get type() {
      return struct.type
    },
    get summary() {
      return struct.summary ?? null
    },
    value: (field) => struct[field],
    get: (field, key) => map(field)?.get(key),
    has: (field, key) => map(field)?.has(key) ?? false,
    keys: (field) => map(field)?.keys() ?? [],
    members: (field) => membersOf(struct[field]),
    size: (field) => map(field)?.size ?? membersOf(struct[field]).length,
  }
}

function mapOf(struct: IndexStruct, field: string): Map<string, unknown> {
  const value = struct[field]
  if (value instanceof Map) return value as Map<string, unknown>
  const map = new Map(entriesOf(value))
  struct[field] = map
  return map
}

function listOf(struct: IndexStruct, field: string): string[] {
  const list = membersOf(struct[field])
  struct[field] = list
  return list
}

/** A key whose last member goes, goes too. */
function removeMember(sets: Map<string, unknown>, key: string, member: string): void {
  const members = toSet(sets.get(key))
  members.delete(member)
  if (members.size === 0) sets.delete(key)
}

function entriesOf(value: unknown): [string, unknown][] {
  if (value instanceof Map) return [...(value as Map<string, unknown>)]
  return typeof value === 'object' && value !== null ? Object.entries(value) : []
}

function toSet(value: unknown): Set<string> {
  return value instanceof Set ? (value as Set<string>) : new Set((value ?? []) as Iterable<string>)
}

function membersOf(value: unknown): string[] {
  return Array.isArray(value) ? (value as string[]) : []
}

/** What must change for a struct that is stored to equal one that is handed over whole: entries are compared, never rewritten because one changed. */
import { isDeepStrictEqual } from 'node:util'
import { entryKey, fieldEntries, type IndexState, type StructHeader } from './index-state.ts'
import type { EntryChange } from './index-events.ts'
import { structFields, type FieldKind } from './index-struct.ts'
import { checkTree } from './metadata.ts'
import { canonicalStructType } from './struct-types.ts'

/** A struct's fields, each with its kind, its entries in one shape. */
export interface StructFields {
  kinds: Map<string, FieldKind>
  maps: Map<string, Map<string, unknown>>
  sets: Map<string, Map<string, Set<string>>>
  lists: Map<string, string[]>
  values: Map<string, unknown>
}

export function toFields(type: string, struct: Record<string, unknown>): StructFields {
  const known = structFields[canonicalStructType(type)] ?? {}
  const fields: StructFields = { kinds: new Map(), maps: new Map(), sets: new Map(), lists: new Map(), values: new Map() }
  for (const [field, value] of Object.entries(struct)) {
    if (value === undefined) continue
    const kind = Object.hasOwn(known, field) && value !== null ? known[field]! : guessKind(value)
    fields.kinds.set(field, kind)
    if (kind === 'map') fields.maps.set(field, new Map(entriesOf(value).map(([key, entry]) => [key, checkTree(entry, `${field}.${key}`)])))
    else if (kind === 'sets') fields.sets.set(field, new Map(entriesOf(value).map(([key, members]) => [key, new Set(members as Iterable<string>)])))
    else if (kind === 'list') fields.lists.set(field, [...(value as Iterable<string>)])
    else fields.values.set(field, checkTree(value, field))
  }
  return fields
}

/** `header` `undefined`: everything is new. */
export function structDifference(state: IndexState, header: StructHeader | undefined, fields: StructFields): EntryChange[] {
  const changes: EntryChange[] = []
  for (const [field, kind] of fields.kinds) if (header && !header.kinds.has(field)) changes.push({ op: 'field', field, kind })
  for (const [field, value] of fields.values) {
    if (!header || !isDeepStrictEqual(header.values.get(field), value)) changes.push({ op: 'replace', field, value })
  }
  const before: Before = { state, header }
  for (const [field, map] of fields.maps) changes.push(...mapDifference(before, field, map))
  for (const [field, sets] of fields.sets) changes.push(...setsDifference(before, field, sets))
  for (const [field, list] of fields.lists) changes.push(...listDifference(before, field, list))
  if (header) changes.push(...goneFields(before, header, fields))
  return changes
}

interface Before {
  state: IndexState
  header: StructHeader | undefined
}

function stored({ state, header }: Before, field: string, key: string): unknown {
  return header?.kinds.has(field) ? state.entries.get(entryKey(header, field, key)) : undefined
}

function storedEntries({ state, header }: Before, field: string): Iterable<[string, unknown]> {
  return header?.kinds.has(field) ? fieldEntries(state, header, field) : []
}

function* mapDifference(before: Before, field: string, map: Map<string, unknown>): Generator<EntryChange> {
  for (const [key] of [...storedEntries(before, field)]) if (!map.has(key)) yield { op: 'delete', field, key }
  for (const [key, value] of map) if (!isDeepStrictEqual(stored(before, field, key), value)) yield { op: 'set', field, key, value }
}

function* setsDifference(before: Before, field: string, sets: Map<string, Set<string>>): Generator<EntryChange> {
  for (const [key, members] of [...storedEntries(before, field)]) {
    for (const member of members as Set<string>) if (!sets.get(key)?.has(member)) yield { op: 'remove', field, key, member }
  }
  for (const [key, members] of sets) {
    const known = stored(before, field, key) as Set<string> | undefined
    for (const member of members) if (!known?.has(member)) yield { op: 'add', field, key, member }
  }
}

/** Lists mostly grow at their end, or lose members. Any other change withdraws everything after the place where they part. */
function* listDifference(before: Before, field: string, list: readonly string[]): Generator<EntryChange> {
  const known = Array.from(storedEntries(before, field), ([, member]) => member as string)
  const wanted = new Set(list)
  const kept = known.filter((member) => wanted.has(member))
  const gone = new Set(known.filter((member) => !wanted.has(member)))
  const isPrefix = kept.length <= list.length && kept.every((member, index) => member === list[index])
  const withdrawn = isPrefix ? gone : new Set(known)
  for (const member of withdrawn) yield { op: 'withdraw', field, member }
  for (const member of isPrefix ? list.slice(kept.length) : list) yield { op: 'append', field, member }
}

/** A field that is not handed over any more loses its entries, or its value. */
function* goneFields(before: Before, header: StructHeader, fields: StructFields): Generator<EntryChange> {
  for (const [field, kind] of header.kinds) {
    if (fields.kinds.has(field)) continue
    if (kind === 'map') yield* mapDifference(before, field, new Map())
    else if (kind === 'sets') yield* setsDifference(before, field, new Map())
    else if (kind === 'list') yield* listDifference(before, field, [])
    else if (header.values.get(field) !== null) yield { op: 'replace', field, value: null }
  }
}

function guessKind(value: unknown): FieldKind {
  if (value instanceof Map) {
    const first = (value as Map<string, unknown>).values().next().value
    return first instanceof Set ? 'sets' : 'map'
  }
  if (Array.isArray(value)) return value.length > 0 && value.every((member) => typeof member === 'string') ? 'list' : 'value'
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype ? 'map' : 'value'
}

function entriesOf(value: unknown): [string, unknown][] {
  if (value instanceof Map) return [...(value as Map<string, unknown>)]
  return Object.entries(value as object)
}

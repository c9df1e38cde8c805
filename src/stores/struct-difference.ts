/** What must change for a struct that is stored to equal one that is handed over whole: entries are compared, never rewritten because one changed. */
import { isDeepStrictEqual } from 'node:util'
import { entryKey, fieldEntries, type IndexState, type StructHeader } from './index-state.ts'
import type { EntryChange } from './index-events.ts'
import { fieldsOfType, type FieldKind } from './index-struct.ts'
import { checkTree } from './metadata.ts'

/** A struct's fields, each with its kind, its entries in one shape. */
export interface StructFields {
  kinds: Map<string, FieldKind>
  maps: Map<string, Map<string, unknown>>
  sets: Map<string, Map<string, Set<string>>>
  lists: Map<string, string[]>
  values: Map<string, unknown>
}

/** Throws `TypeError` for a field that has not the shape which the type gives it. */
export function toFields(type: string, struct: Record<string, unknown>): StructFields {
  const known = fieldsOfType(type)
  const fields: StructFields = {
    kinds: new Map(),
    maps: new Map(),
    sets: new Map(),
    lists: new Map(),
    values: new Map(),
  }
  for (const [field, value] of Object.entries(struct)) {
    if (value === undefined) continue
    const kind = Object.hasOwn(known, field) && value !== null ? known[field]! : guessKind(value)
    fields.kinds.set(field, kind)
    const what = `${field} of a struct of type ${type}`
    if (kind === 'map')
      fields.maps.set(
        field,
        new Map(entriesOf(value, what).map(([key, entry]) => [key, checkTree(entry, `${field}.${key}`)])),
      )
    else if (kind === 'sets') fields.sets.set(field, toSets(entriesOf(value, what), what))
    else if (kind === 'list') fields.lists.set(field, stringsOf(value, what))
    else fields.values.set(field, checkTree(value, field))
  }
  return fields
}

/** `header` `undefined`: everything is new. */
export function structDifference(
  state: IndexState,
  header: StructHeader | undefined,
  fields: StructFields,
): EntryChange[] {
  const isKnown = (field: string): boolean =>
    header !== undefined && header.kinds.get(field) === fields.kinds.get(field)
  return [...differences({ state, header, isKnown }, fields)]
}

function* differences(before: Before, fields: StructFields): Generator<EntryChange> {
  const { header, isKnown } = before
  if (header) yield* goneFields(before, header)
  for (const [field, kind] of fields.kinds) if (header && !isKnown(field)) yield { op: 'field', field, kind }
  for (const [field, value] of fields.values) {
    const isSame =
      isKnown(field) && header!.values.has(field) && isDeepStrictEqual(header!.values.get(field), value)
    if (!isSame) yield { op: 'replace', field, value }
  }
  for (const [field, map] of fields.maps) yield* mapDifference(before, field, map)
  for (const [field, sets] of fields.sets) yield* setsDifference(before, field, sets)
  for (const [field, list] of fields.lists) yield* listDifference(before, field, list)
}

interface Before {
  state: IndexState
  header: StructHeader | undefined
  /** The field is stored, as the kind that it is now. */
  isKnown: (field: string) => boolean
}

function stored({ state, header, isKnown }: Before, field: string, key: string): unknown {
  return header && isKnown(field) ? state.entries.get(entryKey(header, field, key)) : undefined
}

function storedEntries({ state, header, isKnown }: Before, field: string): Iterable<[string, unknown]> {
  return header && isKnown(field) ? fieldEntries(state, header, field) : []
}

function* mapDifference(before: Before, field: string, map: Map<string, unknown>): Generator<EntryChange> {
  for (const [key] of storedEntries(before, field)) if (!map.has(key)) yield { op: 'delete', field, key }
  for (const [key, value] of map)
    if (!isDeepStrictEqual(stored(before, field, key), value)) yield { op: 'set', field, key, value }
}

function* setsDifference(
  before: Before,
  field: string,
  sets: Map<string, Set<string>>,
): Generator<EntryChange> {
  for (const [key, members] of storedEntries(before, field)) {
    for (const member of members as Set<string>)
      if (!sets.get(key)?.has(member)) yield { op: 'remove', field, key, member }
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

/** A field that is not handed over any more, or as another kind, loses its entries first. */
function* goneFields({ state, isKnown }: Before, header: StructHeader): Generator<EntryChange> {
  for (const [field, kind] of header.kinds) {
    if (isKnown(field)) continue
    const all: Before = { state, header, isKnown: () => true }
    if (kind === 'map') yield* mapDifference(all, field, new Map())
    else if (kind === 'sets') yield* setsDifference(all, field, new Map())
    else if (kind === 'list') yield* listDifference(all, field, [])
    yield { op: 'drop', field }
  }
}

function guessKind(value: unknown): FieldKind {
  if (value instanceof Map) {
    const members = [...(value as Map<string, unknown>).values()]
    return members.length > 0 && members.every((member) => member instanceof Set) ? 'sets' : 'map'
  }
  if (Array.isArray(value))
    return value.length > 0 && value.every((member) => typeof member === 'string') ? 'list' : 'value'
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype
    ? 'map'
    : 'value'
}

function entriesOf(value: unknown, what: string): [string, unknown][] {
  if (value instanceof Map) return [...(value as Map<string, unknown>)]
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return Object.entries(value)
  throw new TypeError(`${what} must be a Map or an object.`)
}

function toSets(entries: [string, unknown][], what: string): Map<string, Set<string>> {
  return new Map(entries.map(([key, members]) => [key, new Set(stringsOf(members, `${key} in ${what}`))]))
}

function stringsOf(value: unknown, what: string): string[] {
  const members =
    value instanceof Set || Array.isArray(value) ? [...(value as Iterable<unknown>)] : [undefined]
  if (members.every((member) => typeof member === 'string')) return members
  throw new TypeError(`${what} must hold strings.`)
}

/**
 * What an index remembers beside the stores: LlamaIndex's index structs, as fields whose kinds say how they change.
 * A struct is never one value: each entry of a `map`, `sets` or `list` field is set and deleted alone.
 */

import { oneOf, type Shape } from '../journal/shape.ts'
import { canonicalStructType } from './struct-types.ts'

/**
 * | kind   | in memory                   | an entry is                     |
 * |--------|-----------------------------|---------------------------------|
 * | `map`  | `Map<string, unknown>`      | a key with its value            |
 * | `sets` | `Map<string, Set<string>>`  | a key with one member           |
 * | `list` | `string[]`, repeats allowed | a place with its member         |
 * | `value`| anything JSON can say       | the whole field                 |
 */
export type FieldKind = 'map' | 'sets' | 'list' | 'value'

export const fieldKind: Shape = oneOf('map', 'sets', 'list', 'value')

/** A struct as a whole. Fields are spelled in camel case (`nodesDict`); what is not named here is kept as it came. */
export interface IndexStruct {
  indexId: string
  /** LlamaIndex's name of the type: `vector_store`, `list`, `keyword_table`, … */
  type: string
  summary?: string | null
  [field: string]: unknown
}

/** The fields of the known types, and how they change. Fields of unknown types: objects are `map`, lists of strings `list`. */
export const structFields: Readonly<Record<string, Readonly<Record<string, FieldKind>>>> = {
  vector_store: { nodesDict: 'map', docIdDict: 'map', embeddingsDict: 'map' },
  multimodal: { nodesDict: 'map', docIdDict: 'map', embeddingsDict: 'map' },
  list: { nodes: 'list' },
  tree: { allNodes: 'map', rootNodes: 'map', nodeIdToChildrenIds: 'map' },
  keyword_table: { table: 'sets' },
  kg: { table: 'sets', relMap: 'map', embeddingDict: 'map' },
  simple_lpg: {},
  document_summary: { summaryIdToNodeIds: 'map', nodeIdToSummaryId: 'map', docIdToSummaryId: 'map' },
  empty: {},
}

/** The fields of a type that is known, under any of its names; of others none. */
export function fieldsOfType(type: string): Readonly<Record<string, FieldKind>> {
  const name = canonicalStructType(type)
  return Object.hasOwn(structFields, name) ? structFields[name]! : {}
}

/** Which fields an operation changes. */
export const kindOfChange: Readonly<Record<StructChange['op'], FieldKind>> = {
  set: 'map',
  delete: 'map',
  add: 'sets',
  remove: 'sets',
  append: 'list',
  withdraw: 'list',
  replace: 'value',
}

/** One change of one struct. */
export type StructChange =
  | { op: 'set'; field: string; key: string; value: unknown }
  | { op: 'delete'; field: string; key: string }
  | { op: 'add'; field: string; key: string; member: string }
  | { op: 'remove'; field: string; key: string; member: string }
  /** Appends to a list. */
  | { op: 'append'; field: string; member: string }
  /** Removes every occurrence of a member from a list. */
  | { op: 'withdraw'; field: string; member: string }
  /** Replaces a field of kind `value`; `summary` is one. */
  | { op: 'replace'; field: string; value: unknown }

/** A struct that stays current, read entry by entry. */
export interface StructView {
  readonly indexId: string
  readonly type: string
  readonly summary: string | null
  value(field: string): unknown
  /** Of a `map` (its value) or of `sets` (a `ReadonlySet`). */
  get(field: string, key: string): unknown
  has(field: string, key: string): boolean
  /** Keys of a `map` or `sets`, in the order they were first set. */
  keys(field: string): Iterable<string>
  /** The members of a `list`, in order. */
  members(field: string): Iterable<string>
  /** Number of entries of a field. */
  size(field: string): number
}

/**
 * What happens in an index store. A struct is never one item: each of its entries is.
 *
 * | event            | row                                                             |
 * |------------------|-----------------------------------------------------------------|
 * | `StructsAdded`   | index id, type, list of field and kind                          |
 * | `StructsDeleted` | index id                                                        |
 * | `EntriesChanged` | index id, operation, field, key, value; trailing `null`s left out |
 *
 * Operations are `StructChange`'s: `set` (value `null` and no more: the key itself), `delete`, `add` and `remove` (value: the member), `append` and `withdraw`
 * (key: the member), `replace` (no key); and `field` (key: its kind), for a field that the struct did not have before.
 */
import type { EventInput } from '../journal/event.ts'
import type { FieldKind, StructChange } from './index-struct.ts'
import { fromStorable, toStorable, type Storable } from './storable.ts'

export type StructRow = [indexId: string, type: string, fields: [field: string, kind: FieldKind][]]
export type EntryChange = StructChange | { op: 'field'; field: string; kind: FieldKind }
export type EntryRow = [indexId: string, op: EntryChange['op'], field: string, key?: string | null, value?: unknown]

export function structsAdded(structs: readonly { indexId: string; type: string; fields: [string, FieldKind][] }[]): EventInput {
  return { type: 'StructsAdded', items: structs.map(({ indexId, type, fields }) => ({ row: [indexId, type, fields] satisfies StructRow })) }
}

export function structsDeleted(indexIds: readonly string[]): EventInput {
  return { type: 'StructsDeleted', items: indexIds.map((indexId) => ({ row: [indexId] })) }
}

export function entriesChanged(indexId: string, changes: readonly EntryChange[]): EventInput {
  return { type: 'EntriesChanged', items: changes.map((change) => ({ row: toRow(indexId, change) })) }
}

function toRow(indexId: string, change: EntryChange): EntryRow {
  switch (change.op) {
    case 'field':
      return [indexId, 'field', change.field, change.kind]
    case 'set':
      return change.value === change.key ? [indexId, 'set', change.field, change.key] : [indexId, 'set', change.field, change.key, stored(change.value)]
    case 'delete':
      return [indexId, 'delete', change.field, change.key]
    case 'add':
    case 'remove':
      return [indexId, change.op, change.field, change.key, change.member]
    case 'append':
    case 'withdraw':
      return [indexId, change.op, change.field, change.member]
    case 'replace':
      return [indexId, 'replace', change.field, null, stored(change.value)]
  }
}

export function toChange(row: EntryRow): EntryChange {
  const [, op, field, first, value] = row
  const key = first ?? ''
  switch (op) {
    case 'field':
      return { op, field, kind: key as FieldKind }
    case 'set':
      return { op, field, key, value: row.length === 4 ? key : restored(value) }
    case 'delete':
      return { op, field, key }
    case 'add':
    case 'remove':
      return { op, field, key, member: String(value) }
    case 'append':
    case 'withdraw':
      return { op, field, member: key }
    case 'replace':
      return { op, field, value: restored(value) }
  }
}

function stored(value: unknown): unknown {
  return toStorable(value ?? null).tree
}

function restored(value: unknown): unknown {
  return fromStorable((value ?? null) as Storable)
}

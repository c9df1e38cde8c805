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
 * (key: the member), `replace` (no key); and `field` (key: its kind), for a field that the struct did not have before, and `drop`, for one that it lost.
 * Keys and members are escaped as `storable.ts` says, values are as `stored-metadata.ts` says.
 */
import type { EventInput } from '../journal/event.ts'
import { either, listOf, oneOf, text, tuple, type Shape } from '../journal/shape.ts'
import { fieldKind, type FieldKind, type StructChange } from './index-struct.ts'
import { escapeText, unescapeText } from './storable.ts'
import { storedTree, treeFromStored, treeToStored } from './stored-metadata.ts'

export type StructRow = [indexId: string, type: string, fields: [field: string, kind: FieldKind][]]
export type EntryChange =
  | StructChange
  | { op: 'field'; field: string; kind: FieldKind }
  | { op: 'drop'; field: string }
export type EntryRow = [
  indexId: string,
  op: EntryChange['op'],
  field: string,
  key?: string | null,
  value?: unknown,
]

const entryRows: Readonly<Record<EntryChange['op'], Shape>> = {
  field: tuple(text, text, text, fieldKind),
  drop: tuple(text, text, text),
  set: either(tuple(text, text, text, text), tuple(text, text, text, text, storedTree)),
  delete: tuple(text, text, text, text),
  add: tuple(text, text, text, text, text),
  remove: tuple(text, text, text, text, text),
  append: tuple(text, text, text, text),
  withdraw: tuple(text, text, text, text),
  replace: tuple(text, text, text, oneOf(null), storedTree),
}

export const indexRows = {
  StructsAdded: tuple(text, text, listOf(tuple(text, fieldKind))),
  StructsDeleted: tuple(text),
  EntriesChanged: (row: unknown): boolean => {
    const op = Array.isArray(row) ? (row[1] as EntryChange['op']) : undefined
    return typeof op === 'string' && Object.hasOwn(entryRows, op) && entryRows[op](row)
  },
}

export function structsAdded(
  structs: readonly { indexId: string; type: string; fields: [string, FieldKind][] }[],
): EventInput {
  return {
    type: 'StructsAdded',
    items: structs.map(({ indexId, type, fields }) => ({ row: [indexId, type, fields] satisfies StructRow })),
  }
}

export function structsDeleted(indexIds: readonly string[]): EventInput {
  return { type: 'StructsDeleted', items: indexIds.map((indexId) => ({ row: [indexId] })) }
}

export function entriesChanged(indexId: string, changes: readonly EntryChange[]): EventInput {
  return { type: 'EntriesChanged', items: changes.map((change) => ({ row: toRow(indexId, change) })) }
}

function toRow(indexId: string, change: EntryChange): EntryRow {
  const { op } = change
  const field = escapeText(change.field)
  switch (op) {
    case 'field':
      return [indexId, op, field, change.kind]
    case 'drop':
      return [indexId, op, field]
    case 'set': {
      const key = escapeText(change.key)
      return change.value === change.key
        ? [indexId, op, field, key]
        : [indexId, op, field, key, treeToStored(change.value)]
    }
    case 'delete':
      return [indexId, op, field, escapeText(change.key)]
    case 'add':
    case 'remove':
      return [indexId, op, field, escapeText(change.key), escapeText(change.member)]
    case 'append':
    case 'withdraw':
      return [indexId, op, field, escapeText(change.member)]
    case 'replace':
      return [indexId, op, field, null, treeToStored(change.value)]
  }
}

export function toChange(row: EntryRow): EntryChange {
  const [, op, escapedField, first, value] = row
  const field = unescapeText(escapedField)
  const key = unescapeText(first ?? '')
  switch (op) {
    case 'field':
      return { op, field, kind: key as FieldKind }
    case 'drop':
      return { op, field }
    case 'set':
      return { op, field, key, value: row.length === 4 ? key : treeFromStored(value).value }
    case 'delete':
      return { op, field, key }
    case 'add':
    case 'remove':
      return { op, field, key, member: unescapeText(value as string) }
    case 'append':
    case 'withdraw':
      return { op, field, member: key }
    case 'replace':
      return { op, field, value: treeFromStored(value).value }
  }
}

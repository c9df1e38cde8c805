/**
 * What an index store folds to: of each struct a small header, and its entries in one table, each under its own key.
 *
 * An entry's key is `slot/field/key`, with the struct's and the field's number, so that it is short and no id can be mistaken for another; the last part is escaped as
 * `storable.ts` says.
 * Invariant: `sizes` counts the entries of each field.
 */
import { enableMapSet, produce } from 'immer'
import type { StoreKind, StoredEvent } from '../journal/event.ts'
import { count, either, listOf, oneOf, text, tuple } from '../journal/shape.ts'
import { Table, type UndoLog, type ValueCodec } from '../journal/table.ts'
import { inGroups } from './in-groups.ts'
import {
  entriesChanged,
  indexRows,
  structsAdded,
  structsDeleted,
  toChange,
  type EntryChange,
  type EntryRow,
  type StructRow,
} from './index-events.ts'
import { fieldKind, kindOfChange, type FieldKind, type StructChange } from './index-struct.ts'
import { escapeText, unescapeText } from './storable.ts'
import { storedTree, treeFromStored, treeToStored } from './stored-metadata.ts'
import { entriesHolding, prefixOf } from './struct-members.ts'

enableMapSet()

export interface StructHeader {
  type: string
  /** Its number in entry keys. */
  slot: number
  /** In order; a field's number in entry keys is its place here. One that was dropped keeps its place, and has no kind. */
  fields: string[]
  kinds: Map<string, FieldKind>
  sizes: Map<string, number>
  /** Of fields of kind `value`. */
  values: Map<string, unknown>
  /** The place of the next member of a list. */
  nextPlace: number
}

export type IndexState = {
  structs: Table<StructHeader>
  entries: Table<unknown>
}

export const indexKind: StoreKind<IndexState> = {
  initialState: (undo: UndoLog) => ({
    structs: new Table(headerCodec, undo),
    entries: new Table(entryCodec, undo),
  }),
  rows: indexRows,
  evolve,
  *present(state) {
    for (const [indexId, header] of state.structs.entries()) {
      yield structsAdded([{ indexId, type: header.type, fields: [...header.kinds] }])
      yield* inGroups(presentChanges(state, header), (changes) => entriesChanged(indexId, changes))
    }
  },
  *clearing(state) {
    yield structsDeleted([...state.structs.keys()])
  },
}

export function entryKey(header: StructHeader, field: string, key: string): string {
  return `${header.slot}/${header.fields.indexOf(field)}/${escapeText(key)}`
}

export type EntriesOf = (header: StructHeader, field: string) => Iterable<[key: string, value: unknown]>

/** The entries of a field, in the order they were first set. If there are any, a walk over all keys of the store. */
export function* fieldEntries(
  state: IndexState,
  header: StructHeader,
  field: string,
): Generator<[key: string, value: unknown]> {
  if (!header.sizes.get(field)) return
  const prefix = entryKey(header, field, '')
  for (const [key, value] of state.entries.entries({ prefix }))
    yield [unescapeText(key.slice(prefix.length)), value]
}

/** The same for who asks for all fields of all structs: one walk, that keeps what it finds. */
export function allFieldEntries(state: IndexState): EntriesOf {
  const fields = new Map<string, [key: string, value: unknown][]>()
  for (const [key, value] of state.entries.entries()) {
    const prefix = prefixOf(key)
    const own = fields.get(prefix) ?? []
    fields.set(prefix, own)
    own.push([unescapeText(key.slice(prefix.length)), value])
  }
  return (header, field) => fields.get(entryKey(header, field, '')) ?? []
}

function* presentChanges(state: IndexState, header: StructHeader): Generator<EntryChange> {
  for (const [field, value] of header.values) yield { op: 'replace', field, value }
  for (const field of header.fields) {
    const kind = header.kinds.get(field)
    if (kind === 'value' || kind === undefined) continue
    for (const [key, value] of fieldEntries(state, header, field)) {
      if (kind === 'map') yield { op: 'set', field, key, value }
      else if (kind === 'list') yield { op: 'append', field, member: value as string }
      else for (const member of value as Set<string>) yield { op: 'add', field, key, member }
    }
  }
}

function evolve(state: IndexState, { type, items }: StoredEvent): void {
  if (type === 'StructsAdded') for (const { row } of items) addStruct(state, row as StructRow)
  else if (type === 'StructsDeleted') for (const { row } of items) deleteStruct(state, (row as [string])[0])
  else if (type === 'EntriesChanged')
    changeEntries(
      state,
      items.map(({ row }) => row as EntryRow),
    )
}

/** Of each state the struct that was added last, and its slot: the highest as long as it is there. */
const newest = new WeakMap<IndexState, { indexId: string; slot: number }>()

function nextSlot(state: IndexState): number {
  const known = newest.get(state)
  if (known && state.structs.get(known.indexId)?.slot === known.slot) return known.slot + 1
  let next = 0
  for (const [, { slot }] of state.structs.entries()) next = Math.max(next, slot + 1)
  return next
}

function addStruct(state: IndexState, [indexId, type, fields]: StructRow): void {
  const slot = nextSlot(state)
  newest.set(state, { indexId, slot })
  state.structs.set(indexId, {
    type,
    slot,
    fields: fields.map(([field]) => field),
    kinds: new Map(fields),
    sizes: new Map(),
    values: new Map(),
    nextPlace: 0,
  })
}

function deleteStruct(state: IndexState, indexId: string): void {
  const header = state.structs.get(indexId)
  if (!header) return
  const own = [...state.entries.entries({ prefix: `${header.slot}/` })]
  for (const [key] of own) state.entries.delete(key)
  state.structs.delete(indexId)
}

/** Headers are immutable values: one new one for each event that touches them, however many entries it changes. */
function changeEntries(state: IndexState, rows: readonly EntryRow[]): void {
  let tally: Tally | undefined
  for (const row of rows) {
    if (row[0] !== tally?.indexId) {
      tally?.settle(state)
      const header = state.structs.get(row[0])
      tally = header && new Tally(row[0], header)
    }
    if (tally) changeEntry(state, tally, toChange(row))
  }
  tally?.settle(state)
}

/** A header, and what an event adds to it. */
class Tally {
  readonly indexId: string
  #header: StructHeader
  readonly #growth = new Map<string, number>()
  readonly #values = new Map<string, unknown>()
  /** Members to be taken out of lists. */
  readonly #withdrawn = new Map<string, Set<string>>()
  #nextPlace: number

  constructor(indexId: string, header: StructHeader) {
    this.indexId = indexId
    this.#header = header
    this.#nextPlace = header.nextPlace
  }

  key(field: string, key: string): string {
    return entryKey(this.#header, field, key)
  }

  /** An entry of another kind would be taken for what it is not. */
  check({ op, field }: StructChange): void {
    const kind = this.#header.kinds.get(field)
    if (kind !== kindOfChange[op])
      throw new TypeError(`The field ${field} is of kind ${kind}; '${op}' does not change that.`)
  }

  grow(field: string, by: number): void {
    this.#growth.set(field, (this.#growth.get(field) ?? 0) + by)
  }

  addField(field: string, kind: FieldKind): void {
    this.#header = produce(this.#header, (draft) => {
      if (!draft.fields.includes(field)) draft.fields.push(field)
      draft.kinds.set(field, kind)
    })
  }

  /** Its entries are gone by now. */
  dropField(field: string): void {
    this.#values.delete(field)
    this.#header = produce(this.#header, (draft) => {
      draft.kinds.delete(field)
      draft.values.delete(field)
    })
  }

  replace(field: string, value: unknown): void {
    this.#values.set(field, value)
  }

  append(state: IndexState, field: string, member: string): void {
    if (this.#withdrawn.get(field)?.has(member)) this.settleWithdrawals(state)
    state.entries.set(this.key(field, String(this.#nextPlace++)), member)
    this.grow(field, 1)
  }

  withdraw(field: string, member: string): void {
    this.#withdrawn.set(field, (this.#withdrawn.get(field) ?? new Set()).add(member))
  }

  settle(state: IndexState): void {
    this.settleWithdrawals(state)
    const sizes = new Map(this.#header.sizes)
    for (const [field, growth] of this.#growth) sizes.set(field, (sizes.get(field) ?? 0) + growth)
    const values = new Map([...this.#header.values, ...this.#values])
    state.structs.set(this.indexId, { ...this.#header, sizes, values, nextPlace: this.#nextPlace })
  }

  settleWithdrawals({ entries }: IndexState): void {
    for (const [field, members] of this.#withdrawn) {
      const prefix = this.key(field, '')
      const places = Array.from(members, (member) => [...entriesHolding(entries, prefix, member)]).flat()
      for (const key of places) entries.delete(key)
      this.grow(field, -places.length)
    }
    this.#withdrawn.clear()
  }
}

function changeEntry(state: IndexState, tally: Tally, change: EntryChange): void {
  const { entries } = state
  const { field } = change
  if (change.op !== 'field' && change.op !== 'drop') tally.check(change)
  switch (change.op) {
    case 'field':
      tally.addField(field, change.kind)
      break
    case 'drop':
      tally.settleWithdrawals(state)
      tally.dropField(field)
      break
    case 'set': {
      const key = tally.key(field, change.key)
      if (!entries.has(key)) tally.grow(field, 1)
      entries.set(key, change.value)
      break
    }
    case 'delete':
      if (entries.delete(tally.key(field, change.key))) tally.grow(field, -1)
      break
    case 'add':
      addMember(entries, tally, change)
      break
    case 'remove':
      removeMember(entries, tally, change)
      break
    case 'append':
      tally.append(state, field, change.member)
      break
    case 'withdraw':
      tally.withdraw(field, change.member)
      break
    case 'replace':
      tally.replace(field, change.value)
      break
  }
}

type MemberChange = Extract<EntryChange, { op: 'add' | 'remove' }>

function addMember(
  entries: IndexState['entries'],
  tally: Tally,
  { field, key: name, member }: MemberChange,
): void {
  const key = tally.key(field, name)
  const members = entries.get(key) as Set<string> | undefined
  if (members?.has(member)) return
  if (!members) {
    entries.set(key, new Set([member]))
    tally.grow(field, 1)
    return
  }
  entries.update(
    key,
    (value) => (value as Set<string>).add(member),
    (value) => (value as Set<string>).delete(member),
  )
}

/** A key whose last member goes, goes too. */
function removeMember(
  entries: IndexState['entries'],
  tally: Tally,
  { field, key: name, member }: MemberChange,
): void {
  const key = tally.key(field, name)
  const members = entries.get(key) as Set<string> | undefined
  if (!members?.has(member)) return
  if (members.size === 1) {
    entries.delete(key)
    tally.grow(field, -1)
    return
  }
  const place = [...members].indexOf(member)
  entries.update(
    key,
    (value) => (value as Set<string>).delete(member),
    (value) => {
      const set = value as Set<string>
      const after = [...set].slice(place)
      for (const each of after) set.delete(each)
      for (const each of [member, ...after]) set.add(each)
    },
  )
}

const headerCodec: ValueCodec<StructHeader> = {
  shape: tuple(
    text,
    count,
    listOf(text),
    listOf(tuple(text, fieldKind)),
    listOf(tuple(text, count)),
    listOf(tuple(text, storedTree)),
    count,
  ),
  toPlain: ({ type, slot, fields, kinds, sizes, values, nextPlace }) => [
    type,
    slot,
    fields,
    [...kinds],
    [...sizes],
    Array.from(values, ([field, value]) => [field, treeToStored(value)]),
    nextPlace,
  ],
  fromPlain(plain) {
    const [type, slot, fields, kinds, sizes, values, nextPlace] = plain as [
      string,
      number,
      string[],
      [string, FieldKind][],
      [string, number][],
      [string, unknown][],
      number,
    ]
    const restored = values.map(([field, value]) => [field, treeFromStored(value).value] as const)
    return {
      type,
      slot,
      fields,
      kinds: new Map(kinds),
      sizes: new Map(sizes),
      values: new Map(restored),
      nextPlace,
    }
  },
}

/** A set is told from any value by its wrapping. */
const entryCodec: ValueCodec<unknown> = {
  shape: either(tuple(oneOf(1), listOf(text)), tuple(oneOf(0), storedTree)),
  toPlain: (value) =>
    value instanceof Set ? [1, Array.from(value as Set<string>, escapeText)] : [0, treeToStored(value)],
  fromPlain(plain) {
    const [isSet, value] = plain as [number, unknown]
    return isSet ? new Set((value as string[]).map(unescapeText)) : treeFromStored(value).value
  },
  copy: (value) => (value instanceof Set ? new Set(value as Set<string>) : value),
}

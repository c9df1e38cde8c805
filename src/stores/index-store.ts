/**
 * The index store that keeps its structs in the journal, entry by entry: a struct known before is stored as what changed, whoever hands it over whole. Types and
 * fields that mean nothing here are kept and come back unchanged.
 */
import type { JournalHandle } from '../journal/handle.ts'
import { VarveError } from '../errors.ts'
import type { IndexStore } from './contract.ts'
import { checkId } from './ids.ts'
import { entriesChanged, structsAdded, structsDeleted, type EntryChange } from './index-events.ts'
import {
  allFieldEntries,
  entryKey,
  fieldEntries,
  type EntriesOf,
  type IndexState,
  type StructHeader,
} from './index-state.ts'
import {
  fieldsOfType,
  kindOfChange,
  type FieldKind,
  type IndexStruct,
  type StructChange,
  type StructView,
} from './index-struct.ts'
import { JournalStore } from './journal-store.ts'
import { checkTree } from './metadata.ts'
import { setOwn } from './own-property.ts'
import { unescapeText } from './storable.ts'
import { structDifference, toFields, type StructFields } from './struct-difference.ts'
import { entriesHolding } from './struct-members.ts'

export const indexFolder = 'index_store'

export class JournalIndexStore extends JournalStore<IndexState> implements IndexStore {
  constructor(handle: JournalHandle) {
    super(handle, indexFolder)
  }

  async addIndexStruct(struct: IndexStruct): Promise<void> {
    const { indexId, type, fields } = checkStruct(struct)
    await this.change((state, append) => {
      const header = state.structs.get(indexId)
      if (header && header.type !== type) append(structsDeleted([indexId]))
      if (header?.type === type) {
        append(entriesChanged(indexId, structDifference(state, header, fields)))
        return
      }
      append(structsAdded([{ indexId, type, fields: [...fields.kinds] }]))
      append(entriesChanged(indexId, structDifference(state, undefined, fields)))
    })
  }

  async changeIndexStruct(indexId: string, changes: readonly StructChange[]): Promise<void> {
    const checked = changes.map(checkChange)
    await this.change((state, append) => {
      const header = state.structs.get(indexId)
      if (!header)
        throw new VarveError('VARVE_INDEX_NOT_FOUND', `There is no index '${indexId}'.`, { indexId })
      append(entriesChanged(indexId, [...newFields(header, checked), ...checked]))
    })
  }

  async getIndexStruct(indexId: string): Promise<IndexStruct | undefined> {
    return this.read((state) => {
      const header = state.structs.get(indexId)
      return header && toStruct(state, indexId, header)
    })
  }

  async indexStructs(): Promise<IndexStruct[]> {
    return this.read(structsIn)
  }

  async deleteIndexStruct(indexId: string): Promise<void> {
    await this.change((state, append) => {
      if (state.structs.has(indexId)) append(structsDeleted([indexId]))
    })
  }

  async viewIndexStruct(indexId: string): Promise<StructView | undefined> {
    await this.handle.load(this.folder) // The view looks at it later.
    return this.read((state) => (state.structs.has(indexId) ? this.#view(indexId, state) : undefined))
  }

  /** Ids, types and summaries, without the entries. */
  async listIndexStructs(): Promise<{ indexId: string; type: string; summary: string | null }[]> {
    return this.read((state) =>
      Array.from(state.structs.entries(), ([indexId, header]) => ({
        indexId,
        type: header.type,
        summary: summaryOf(header),
      })),
    )
  }

  /**
   * Answers from whatever state is current when it is asked; after a deletion, as if empty. Where the state was forgotten, since something was erased, and nobody
   * has loaded it anew yet: from the one before.
   */
  #view(indexId: string, loaded: IndexState): StructView {
    let last = loaded
    const state = (): IndexState =>
      (last = (this.handle.loaded(this.folder) as IndexState | undefined) ?? last)
    const header = (): StructHeader | undefined => state().structs.get(indexId)
    const entry = (field: string, key: string): unknown => {
      const known = header()
      return known && state().entries.get(entryKey(known, field, key))
    }
    const entries = (field: string): Iterable<[string, unknown]> => {
      const known = header()
      return known ? fieldEntries(state(), known, field) : []
    }
    return {
      indexId,
      get type() {
        return header()?.type ?? 'empty'
      },
      get summary() {
        return summaryOf(header())
      },
      value: (field) => header()?.values.get(field),
      get: entry,
      has: (field, key) => entry(field, key) !== undefined,
      *keys(field) {
        for (const [key] of entries(field)) yield key
      },
      *members(field) {
        for (const [, member] of entries(field)) yield member as string
      },
      size: (field) => header()?.sizes.get(field) ?? 0,
      *keysHolding(field, member) {
        const known = header()
        if (known === undefined) return
        const prefix = entryKey(known, field, '')
        for (const key of entriesHolding(state().entries, prefix, member))
          yield unescapeText(key.slice(prefix.length))
      },
    }
  }
}

/** In the order they were added. */
export function structsIn(state: IndexState): IndexStruct[] {
  const entriesOf = allFieldEntries(state)
  return Array.from(state.structs.entries(), ([indexId, header]) =>
    toStruct(state, indexId, header, entriesOf),
  )
}

function summaryOf(header: StructHeader | undefined): string | null {
  return (header?.values.get('summary') ?? null) as string | null
}

function checkStruct(struct: IndexStruct): { indexId: string; type: string; fields: StructFields } {
  const { indexId, type, ...rest } = struct
  checkId(indexId, 'index id')
  if (typeof type !== 'string' || type === '') throw new TypeError('An index struct needs a type.')
  return { indexId, type, fields: toFields(type, rest) }
}

function checkChange(change: StructChange): StructChange {
  if (!Object.hasOwn(kindOfChange, change.op))
    throw new TypeError(`There is no struct change '${String(change.op)}'.`)
  if (typeof change.field !== 'string') throw new TypeError('A struct change needs a field.')
  if ('key' in change) checkId(change.key, 'struct key')
  if ('member' in change && typeof change.member !== 'string')
    throw new TypeError(`A member of ${change.field} must be a string.`)
  if (change.op !== 'set' && change.op !== 'replace') return change
  return { ...change, value: checkTree(change.value, change.field) }
}

/** Fields that a struct of its type has but this one came without. */
function newFields(header: StructHeader, changes: readonly StructChange[]): EntryChange[] {
  const fields = new Map<string, FieldKind>()
  const ofType = fieldsOfType(header.type)
  for (const { op, field } of changes) {
    const known = header.kinds.get(field) ?? fields.get(field)
    const kind = known ?? (Object.hasOwn(ofType, field) ? ofType[field]! : kindOfChange[op])
    if (kind !== kindOfChange[op])
      throw new TypeError(`The field ${field} is of kind ${kind}; '${op}' does not change that.`)
    if (known === undefined) fields.set(field, kind)
  }
  return Array.from(fields, ([field, kind]) => ({ op: 'field', field, kind }))
}

export function toStruct(
  state: IndexState,
  indexId: string,
  header: StructHeader,
  entriesOf?: EntriesOf,
): IndexStruct {
  const struct: IndexStruct = { indexId, type: header.type }
  for (const field of new Set([...header.values.keys(), ...header.fields])) {
    const value = fieldOf(state, header, field, entriesOf)
    if (value !== undefined) setOwn(struct, field, value)
  }
  return struct
}

/** A field as a struct that is handed over whole has it; `undefined`: there is none. */
export function fieldOf(
  state: IndexState,
  header: StructHeader,
  field: string,
  entriesOf: EntriesOf = (own, name) => fieldEntries(state, own, name),
): unknown {
  const kind = header.kinds.get(field)
  if (kind === undefined) return undefined
  if (kind === 'value') return structuredClone(header.values.get(field))
  const entries = [...entriesOf(header, field)]
  return kind === 'list'
    ? entries.map(([, member]) => member)
    : new Map(entries.map(([key, value]) => [key, structuredClone(value)]))
}

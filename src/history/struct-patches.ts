/** What commits say of index structs, as changes that anyone can apply to a copy. */
import type { EventInput, StoredEvent } from '../journal/event.ts'
import { toChange, type EntryChange, type EntryRow, type StructRow } from '../stores/index-events.ts'
import type { IndexState } from '../stores/index-state.ts'
import { restoringEvents } from './restoring-events.ts'

/** The state: what they found. A struct that they leave nothing of has no patch. */
export function structPatches(
  { structs }: IndexState,
  events: Iterable<StoredEvent | EventInput>,
): { indexId: string; changes: EntryChange[] }[] {
  const patches = new Map<string, EntryChange[] | undefined>()
  /** What must go of a struct that stood there before. */
  const dropped = (indexId: string): EntryChange[] =>
    Array.from(structs.get(indexId)?.kinds.keys() ?? [], (field) => ({ op: 'drop', field }))
  for (const { type, items } of events) {
    for (const { row } of items) {
      const [indexId] = row as [string]
      if (type === 'StructsDeleted') patches.set(indexId, undefined)
      else if (type === 'StructsAdded') {
        const fields = (row as StructRow)[2].map(([field, kind]): EntryChange => ({
          op: 'field',
          field,
          kind,
        }))
        patches.set(indexId, [...dropped(indexId), ...fields])
      } else {
        const changes = patches.get(indexId) ?? []
        patches.set(indexId, changes)
        changes.push(toChange(row as EntryRow))
      }
    }
  }
  return Array.from(patches).flatMap(([indexId, changes]) => (changes ? [{ indexId, changes }] : []))
}

/** From one state of all structs to another, which share nothing. */
export function patchesBetween(before: IndexState, after: IndexState): ReturnType<typeof structPatches> {
  const keys = [...before.structs.keys(), ...after.structs.keys()]
  const held = (state: IndexState) => ({ state, payload: () => new Uint8Array(0) }) // Structs have none.
  const restoring = { keys: [...new Set(keys)], now: held(before), past: held(after) }
  return structPatches(before, restoringEvents('index_store', restoring))
}

/** What commits say of index structs, as changes that anyone can apply to a copy. */
import type { StoredEvent } from '../journal/event.ts'
import { toChange, type EntryChange, type EntryRow, type StructRow } from '../stores/index-events.ts'
import type { IndexState } from '../stores/index-state.ts'

/** The state: what they found. A struct that they leave nothing of has no patch. */
export function structPatches(
  { structs }: IndexState,
  events: readonly StoredEvent[],
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

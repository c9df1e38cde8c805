/**
 * Where an index struct differs between two states, told from the changes that came between: only the entries that these name are looked up, however
 * many the struct has.
 */
import type { EntryChange } from '../stores/index-events.ts'
import { entryKey, type IndexState, type StructHeader } from '../stores/index-state.ts'
import { fieldOf } from '../stores/index-store.ts'
import { changedPaths, pathTo, type ChangedPath } from './changed-paths.ts'
import { toTree } from './stored-value.ts'

export interface HeldStruct {
  state: IndexState
  header: StructHeader
}

export function structPaths(
  changes: readonly EntryChange[],
  before: HeldStruct,
  after: HeldStruct,
): ChangedPath[] {
  const byField = new Map<string, EntryChange[]>()
  for (const change of changes) {
    const own = byField.get(change.field) ?? []
    byField.set(change.field, own)
    own.push(change)
  }
  const fields = Array.from(byField, ([field, own]) => fieldPaths(field, own, [before, after]))
  return [...changedPaths(before.header.type, after.header.type, '/type'), ...fields.flat()]
}

function fieldPaths(
  field: string,
  changes: readonly EntryChange[],
  [before, after]: [HeldStruct, HeldStruct],
): ChangedPath[] {
  const path = pathTo(field)
  // A list that only grew has changed, as a whole: that is known without walking through it.
  if (changes.every(({ op }) => op === 'append'))
    return [
      {
        path,
        get before() {
          return fieldTree(before, field)
        },
        get after() {
          return fieldTree(after, field)
        },
      },
    ]
  const keys = new Set(changes.map((change) => ('key' in change ? change.key : undefined)))
  if (keys.has(undefined)) return changedPaths(fieldTree(before, field), fieldTree(after, field), path)
  return Array.from(keys as Set<string>).flatMap((key) =>
    changedPaths(entryTree(before, field, key), entryTree(after, field, key), pathTo(key, path)),
  )
}

function fieldTree({ state, header }: HeldStruct, field: string): unknown {
  return toTree(fieldOf(state, header, field))
}

function entryTree({ state, header }: HeldStruct, field: string, key: string): unknown {
  return toTree(state.entries.get(entryKey(header, field, key)))
}

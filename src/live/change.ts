/** What one commit changed: the keys, found by asking the states before it and after it; and of index structs the entries. Its cost is the commit's size. */
import { holds } from '../history/stored-value.ts'
import { fromText, storeOf, type HistoryKey } from '../history/history-key.ts'
import { structPatches } from '../history/struct-patches.ts'
import { touchedWithin } from '../history/touched-between.ts'
import type { Catalog } from '../journal/catalog.ts'
import { toCommit, type Commit } from '../journal/commit.ts'
import type { NextCommit } from '../journal/replica.ts'
import type { EntryChange } from '../stores/index-events.ts'
import type { IndexState } from '../stores/index-state.ts'
import { tokenOf } from './token.ts'

export interface Change {
  commit: Commit
  /** For `changes({ from })`: goes on after this commit. */
  token: string
  /** Those that the commit names. */
  stores: StoreChange[]
}

export interface StoreChange {
  /** `docstore`, `vector_store/images`, … */
  store: string
  added: HistoryKey[]
  changed: HistoryKey[]
  removed: HistoryKey[]
  /** Of `index_store`: how the structs that are added or changed came about. */
  patches?: StructPatch[]
}

export interface StructPatch {
  indexId: string
  /** In order. `field` and `drop` give a struct a field, and take one away with all that is in it. */
  changes: EntryChange[]
}

/** Brings the replica up to the commit. */
export async function changeOf({ summary, stores, apply }: NextCommit, catalog: Catalog): Promise<Change> {
  const noted = stores.map(({ folder, state, events }) => {
    const keys = Array.from(touchedWithin(folder, events, state), fromText)
    const before = keys.map((key) => holds(folder, state, key))
    const patches = folder === 'index_store' ? structPatches(state as IndexState, events) : undefined
    return { folder, keys, before, patches }
  })
  const stateOf = await apply()
  return {
    commit: toCommit(summary),
    token: tokenOf(summary),
    stores: noted.map(({ folder, keys, before, patches }) => {
      const after = keys.map((key) => holds(folder, stateOf(folder), key))
      return {
        store: storeOf(folder, catalog),
        added: keys.filter((_, at) => !before[at] && after[at]),
        changed: keys.filter((_, at) => before[at] && after[at]),
        removed: keys.filter((_, at) => before[at] && !after[at]),
        ...(patches && { patches }),
      }
    }),
  }
}

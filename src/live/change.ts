/**
 * What one commit changed: the keys, found by asking the states before it and after it; and of index structs the entries. Its cost is the commit's size; that of one
 * that erases, all there is.
 */
import { keysIn } from '../history/held-state.ts'
import { holds } from '../history/stored-value.ts'
import { fromText, storeOf, toText, type HistoryKey } from '../history/history-key.ts'
import { patchesBetween, structPatches } from '../history/struct-patches.ts'
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
  /** Those that the commit names, or erases from. */
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
export async function changeOf(
  { summary, erases, stores, apply }: NextCommit,
  catalog: Catalog,
): Promise<Change> {
  const noted = stores.map(({ folder, state, events }) => {
    const touched = touchedWithin(folder, events, state)
    const keys = Array.from(touched, fromText)
    const others = erases ? Array.from(keysIn(folder, state)).filter((key) => !touched.has(toText(key))) : []
    const before = keys.map((key) => holds(folder, state, key))
    const patches =
      folder === 'index_store' && !erases ? structPatches(state as IndexState, events) : undefined
    return { folder, state, keys, others, before, patches }
  })
  const stateOf = await apply()
  const changes = noted.map(({ folder, state, keys, others, before, patches }): StoreChange => {
    const now = stateOf(folder)
    const after = keys.map((key) => holds(folder, now, key))
    const lost = others.filter((key) => !holds(folder, now, key))
    const change: StoreChange = {
      store: storeOf(folder, catalog),
      added: keys.filter((_, at) => !before[at] && after[at]),
      changed: keys.filter((_, at) => before[at] && after[at]),
      removed: [...keys.filter((_, at) => before[at] && !after[at]), ...lost],
      ...(patches && { patches }),
    }
    return erases && folder === 'index_store'
      ? withoutErased(change, state as IndexState, now as IndexState)
      : change
  })
  const isNamed = new Set(summary.parts.map(({ folder }) => storeOf(folder, catalog)))
  return {
    commit: toCommit(summary),
    token: tokenOf(summary),
    stores: changes.filter(
      ({ store, changed, removed }) => isNamed.has(store) || changed.length + removed.length > 0,
    ),
  }
}

/** No event says which entries of a struct were erased: the structs themselves are compared. */
function withoutErased(
  { changed, ...change }: StoreChange,
  before: IndexState,
  after: IndexState,
): StoreChange {
  const patches = patchesBetween(before, after)
  const differing = patches.map(({ indexId }) => indexId).filter((id) => before.structs.has(id))
  return { ...change, changed: [...new Set([...changed, ...differing])], patches }
}

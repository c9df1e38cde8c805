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
import type { CommitLog } from '../journal/read-commit.ts'
import type { Replica } from '../journal/replica.ts'
import type { NextCommit, StateOf } from '../journal/take-up.ts'
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
  /**
   * Of an erase: all that it took, which may be more than who comes late was told of, since nobody can tell that any more; and what the next erases took, if they were known by then.
   */
  removed: HistoryKey[]
  /** Of `index_store`: how the structs that are added or changed came about. */
  patches?: StructPatch[]
}

export interface StructPatch {
  indexId: string
  /** In order. `field` and `drop` give a struct a field, and take one away with all that is in it. */
  changes: EntryChange[]
}

/** Asked before the commit is folded; its answer, after. What that answers gives the stores their names. */
export function changeOf({ summary, erases, stores }: NextCommit): (stateOf: StateOf) => ToChange {
  const noted = stores.map(({ folder, state, events }) => {
    const touched = touchedWithin(folder, events, state)
    const keys = Array.from(touched, fromText)
    const others = erases ? Array.from(keysIn(folder, state)).filter((key) => !touched.has(toText(key))) : []
    const before = keys.map((key) => holds(folder, state, key))
    const patches =
      folder === 'index_store' && !erases ? structPatches(state as IndexState, events) : undefined
    return { folder, state, keys, others, before, patches }
  })
  return (stateOf) => {
    const changes = noted.map(({ folder, state, keys, others, before, patches }): StoreChange => {
      const now = stateOf(folder)
      const after = keys.map((key) => holds(folder, now, key))
      const lost = others.filter((key) => !holds(folder, now, key))
      const change: StoreChange = {
        store: folder,
        added: keys.filter((_, at) => !before[at] && after[at]),
        changed: keys.filter((_, at) => before[at] && after[at]),
        removed: [...keys.filter((_, at) => before[at] && !after[at]), ...lost],
        ...(patches && { patches }),
      }
      return erases && folder === 'index_store'
        ? withoutErased(change, state as IndexState, now as IndexState)
        : change
    })
    const isNamed = new Set(summary.parts.map(({ folder }) => folder))
    const told = changes.filter(
      ({ store, changed, removed }) => isNamed.has(store) || changed.length + removed.length > 0,
    )
    return (catalog) => ({
      commit: toCommit(summary),
      token: tokenOf(summary),
      stores: told.map((change) => ({ ...change, store: storeOf(change.store, catalog) })),
    })
  }
}

/** Brings the replica up to each of the commits that `log` knows and it does not. */
export async function* changesFrom(replica: Replica, log: CommitLog): AsyncGenerator<Change> {
  for await (const next of replica.commits(log)) {
    const after = changeOf(next)
    const toChange = after(await next.apply())
    yield toChange(log.catalog)
  }
}

type ToChange = (catalog: Catalog) => Change

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

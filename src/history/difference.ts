/** What differs between two moments. Only keys that a commit between them was about are looked at. */
import type { Journal } from '../journal/journal.ts'
import type { CommitLog } from '../journal/read-commit.ts'
import { changedPaths } from './changed-paths.ts'
import { folderOf, fromText, storeOf, toText, type HistoryKey } from './history-key.ts'
import { toTree, valueOf } from './stored-value.ts'
import { touchedBetween } from './touched-between.ts'

export interface DiffOptions {
  /** Of this store only: `docstore`, `vector_store/images`, … */
  store?: string | undefined
  /** Of these keys only. */
  keys?: readonly HistoryKey[] | undefined
}

export interface Difference {
  added: { store: string; key: HistoryKey; value: unknown }[]
  changed: ChangedValue[]
  removed: { store: string; key: HistoryKey; value: unknown }[]
}

export interface ChangedValue {
  store: string
  key: HistoryKey
  before: unknown
  after: unknown
  /** JSON pointers to what changed: `/node/metadata/page`. */
  paths: string[]
}

/** A journal as it was when a commit was its last. */
export interface PastJournal {
  number: number
  journal: Journal
}

export async function differenceOf(
  log: CommitLog,
  [a, b]: readonly [PastJournal, PastJournal],
  { store, keys }: DiffOptions = {},
): Promise<Difference> {
  const [first, last] = a.number <= b.number ? [a, b] : [b, a]
  const touched = await touchedBetween(
    log,
    { from: first.number + 1, to: last.number },
    {
      before: (folder) => first.journal.load(folder),
      only: store === undefined ? undefined : new Set([folderOf(store)]),
    },
  )
  const wanted = keys && new Set(keys.map(toText))
  const difference: Difference = { added: [], changed: [], removed: [] }
  for (const [folder, texts] of touched) {
    const name = storeOf(folder, log.catalog)
    const [before, after] = [await reader(a.journal, folder), await reader(b.journal, folder)]
    for (const text of texts) {
      if (wanted && !wanted.has(text)) continue
      const key = fromText(text)
      compare(difference, { store: name, key, before: before(key), after: after(key) })
    }
  }
  return difference
}

function compare(
  { added, changed, removed }: Difference,
  { store, key, before, after }: Omit<ChangedValue, 'paths'>,
): void {
  if (before === undefined && after === undefined) return
  if (before === undefined) added.push({ store, key, value: after })
  else if (after === undefined) removed.push({ store, key, value: before })
  else {
    const paths = changedPaths(toTree(before), toTree(after))
    if (paths.length > 0) changed.push({ store, key, before, after, paths })
  }
}

async function reader(journal: Journal, folder: string): Promise<(key: HistoryKey) => unknown> {
  const state = await journal.load(folder)
  return (key) => valueOf(folder, state, key, (position) => journal.payload(folder, position))
}

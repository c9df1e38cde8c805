/** What differs between two moments, key by key. Only what a commit between them was about is looked at. */
import type { StoredEvent, StoreState } from '../journal/event.ts'
import type { Journal } from '../journal/journal.ts'
import type { CommitLog } from '../journal/read-commit.ts'
import type { IndexState } from '../stores/index-state.ts'
import { indexFolder } from '../stores/index-store.ts'
import { changedPaths, type ChangedPath } from './changed-paths.ts'
import { folderOf, fromText, storeOf, toText, type HistoryKey } from './history-key.ts'
import { toTree, valueOf } from './stored-value.ts'
import { structPatches } from './struct-patches.ts'
import { structPaths, type HeldStruct } from './struct-paths.ts'
import { touchedBetween } from './touched-between.ts'

export interface DiffOptions {
  /** Of this store only: `docstore`, `vector_store/images`, … */
  store?: string | undefined
  /** Of these keys only. */
  keys?: readonly HistoryKey[] | undefined
}

export interface Difference {
  change: 'added' | 'changed' | 'removed'
  store: string
  key: HistoryKey
  /** What the key held; `undefined`: nothing. An index struct is made each time it is asked for, from all its entries. */
  readonly before: unknown
  readonly after: unknown
  /** Where they differ, with what stands there. Of what was added or removed: the whole. */
  readonly paths: ChangedPath[]
}

/** A journal as it was when a commit was its last. */
export interface PastJournal {
  number: number
  journal: Journal
}

/** Store by store. */
export async function* differencesOf(
  log: CommitLog,
  [a, b]: readonly [PastJournal, PastJournal],
  { store, keys }: DiffOptions = {},
): AsyncGenerator<Difference> {
  const [first, last] = a.number <= b.number ? [a, b] : [b, a]
  const structEvents: StoredEvent[] = []
  const touched = await touchedBetween(
    log,
    { from: first.number + 1, to: last.number },
    {
      before: (folder) => first.journal.load(folder),
      only: store === undefined ? undefined : new Set([folderOf(store)]),
      onEvent: (folder, event) => {
        if (folder === indexFolder) structEvents.push(event)
      },
    },
  )
  const wanted = keys && new Set(keys.map(toText))
  for (const [folder, texts] of touched) {
    const sides: Sides = [await sideOf(a.journal, folder), await sideOf(b.journal, folder)]
    const atFirst = sides[first === a ? 0 : 1]
    const compare = folder === indexFolder ? structsCompared(sides, atFirst, structEvents) : compared(sides)
    for (const text of texts) {
      if (wanted && !wanted.has(text)) continue
      const key = fromText(text)
      const found = compare(key)
      if (found.paths.length > 0) yield toDifference({ store: storeOf(folder, log.catalog), key }, found)
    }
  }
}

interface Side {
  state: StoreState
  value: (key: HistoryKey) => unknown
}
type Sides = [before: Side, after: Side]

async function sideOf(journal: Journal, folder: string): Promise<Side> {
  const state = await journal.load(folder)
  return {
    state,
    value: (key) => valueOf(folder, state, key, (position) => journal.payload(folder, position)),
  }
}

interface Compared {
  isThere: [before: boolean, after: boolean]
  before: () => unknown
  after: () => unknown
  /** None: they do not differ. */
  paths: ChangedPath[]
}

type Compare = (key: HistoryKey) => Compared

function compared(sides: Sides): Compare {
  return (key) => {
    const [before, after] = sides.map((side) => side.value(key))
    return {
      isThere: [before !== undefined, after !== undefined],
      before: () => before,
      after: () => after,
      paths: changedPaths(toTree(before), toTree(after)),
    }
  }
}

/** By their entries; whole ones are made for nobody but who asks. */
function structsCompared(sides: Sides, atFirst: Side, events: readonly StoredEvent[]): Compare {
  const changes = new Map(
    structPatches(atFirst.state as IndexState, events).map((patch) => [patch.indexId, patch.changes]),
  )
  return (key) => {
    const [before, after] = sides.map((side) => () => side.value(key)) as [() => unknown, () => unknown]
    const [was, is] = sides.map(({ state }) => heldStruct(state as IndexState, key as string))
    const whole = {
      path: '',
      get before() {
        return toTree(before())
      },
      get after() {
        return toTree(after())
      },
    }
    const paths =
      was && is ? structPaths(changes.get(key as string) ?? [], was, is) : was || is ? [whole] : []
    return { isThere: [was !== undefined, is !== undefined], before, after, paths }
  }
}

function heldStruct(state: IndexState, indexId: string): HeldStruct | undefined {
  const header = state.structs.get(indexId)
  return header && { state, header }
}

function toDifference(
  { store, key }: Pick<Difference, 'store' | 'key'>,
  { isThere: [wasThere, isThere], before, after, paths }: Compared,
): Difference {
  return {
    change: !wasThere ? 'added' : isThere ? 'changed' : 'removed',
    store,
    key,
    get before() {
      return before()
    },
    get after() {
      return after()
    },
    paths,
  }
}

/** What differs between two moments, key by key. Only what a commit between them was about is looked at. */
import type { StoreState } from '../journal/event.ts'
import { foldStored, forkOf } from '../journal/folded-store.ts'
import type { CommitLog } from '../journal/read-commit.ts'
import type { ReadEvent } from '../journal/read-events.ts'
import type { IndexState } from '../stores/index-state.ts'
import { indexFolder } from '../stores/index-store.ts'
import { kindOf } from '../stores/store-kinds.ts'
import { changedPaths, type ChangedPath } from './changed-paths.ts'
import { payloadsOf } from './held-state.ts'
import { folderOf, fromText, storeOf, toText, type HistoryKey } from './history-key.ts'
import { stateAbout } from './state-about.ts'
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

/** For the commit of one number to become that of another, store by store. */
export async function* differencesOf(
  log: CommitLog,
  [a, b]: readonly [number, number],
  { store, keys }: DiffOptions = {},
): AsyncGenerator<Difference> {
  const [first, last] = a <= b ? [a, b] : [b, a]
  const structEvents: ReadEvent[] = []
  const touched = await touchedBetween(
    log,
    { from: first + 1, to: last },
    {
      only: store === undefined ? undefined : new Set([folderOf(store)]),
      onEvent: (folder, read) => {
        if (folder === indexFolder) structEvents.push(read)
      },
    },
  )
  const wanted = keys && new Set(keys.map(toText))
  for (const [folder, { keys: all, before }] of touched) {
    const texts = new Set(wanted ? Array.from(all).filter((text) => wanted.has(text)) : all)
    if (texts.size === 0) continue
    const payload = await payloadsOf(log, folder)
    const toSide = (state: StoreState): Side => ({
      state,
      value: (key) => valueOf(folder, state, key, payload),
    })
    const state = await before()
    const isNear = folder === indexFolder && structEvents.length <= mostFolded
    const later = isNear ? structsAfter(state, structEvents) : await stateAbout(log, folder, texts, last)
    const sides = [toSide(state), toSide(later)] as const
    const [atA, atB] = first === a ? sides : [sides[1], sides[0]]
    const compare =
      folder === indexFolder ? structsCompared([atA, atB], sides[0], structEvents) : compared([atA, atB])
    for (const text of texts) {
      const found = compare(storeOf(folder, log.catalog), fromText(text))
      if (found) yield found
    }
  }
}

interface Side {
  state: StoreState
  value: (key: HistoryKey) => unknown
}
type Sides = [before: Side, after: Side]

/** `undefined`: nothing differs. */
type Compare = (store: string, key: HistoryKey) => Difference | undefined

/** To fold more events than these costs more than to load the entries a second time. */
const mostFolded = 1000

/** From the events that came between, which are at hand: entries are not loaded a second time. */
function structsAfter(before: StoreState, events: readonly ReadEvent[]): StoreState {
  const store = forkOf({ folder: indexFolder, kind: kindOf(indexFolder) }, before)
  for (const { event, rowsBytes, place } of events) foldStored(store, event, rowsBytes, place)
  return store.state
}

function compared(sides: Sides): Compare {
  return (store, key) => {
    const [before, after] = sides.map((side) => side.value(key))
    const paths = changedPaths(toTree(before), toTree(after))
    return paths.length > 0
      ? { change: changeOf(before, after), store, key, before, after, paths }
      : undefined
  }
}

/** By their entries; whole ones are made for nobody but who asks. */
function structsCompared([before, after]: Sides, atFirst: Side, events: readonly ReadEvent[]): Compare {
  const stored = events.map(({ event }) => event)
  const changes = new Map(
    structPatches(atFirst.state as IndexState, stored).map((patch) => [patch.indexId, patch.changes]),
  )
  return (store, key) => {
    const [was, is] = [heldStruct(before, key), heldStruct(after, key)]
    if (!was && !is) return undefined
    const whole = {
      path: '',
      get before() {
        return toTree(before.value(key))
      },
      get after() {
        return toTree(after.value(key))
      },
    }
    const paths = was && is ? structPaths(changes.get(key as string) ?? [], was, is) : [whole]
    if (paths.length === 0) return undefined
    return {
      change: changeOf(was, is),
      store,
      key,
      get before() {
        return before.value(key)
      },
      get after() {
        return after.value(key)
      },
      paths,
    }
  }
}

function heldStruct({ state }: Side, key: HistoryKey): HeldStruct | undefined {
  const header = (state as IndexState).structs.get(key as string)
  return header && { state: state as IndexState, header }
}

function changeOf(before: unknown, after: unknown): Difference['change'] {
  return before === undefined ? 'added' : after === undefined ? 'removed' : 'changed'
}

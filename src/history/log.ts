/** The commits, filtered, each with what it touched. */
import type { CommitSummary } from '../journal/catalog.ts'
import { toCommit, type Commit } from '../journal/commit.ts'
import { resolveMoment, type Moment } from '../journal/moment.ts'
import { readCommits, readCommitsBackwards, type CommitLog } from '../journal/read-commit.ts'
import { eventsOf } from './commit-events.ts'
import { folderOf, fromText, storeOf, toText, type HistoryKey, type KeyText } from './history-key.ts'
import { everyKey, touchedBy } from './touched-keys.ts'

export interface LogOptions {
  /** Commits after this moment. */
  since?: Moment | undefined
  /** Commits up to this moment. */
  until?: Moment | undefined
  /** Those that touched this store: `docstore`, `vector_store/images`, … */
  store?: string | undefined
  /** Those that touched this key. */
  key?: HistoryKey | undefined
  actor?: string | undefined
  /** At most so many. */
  limit?: number | undefined
  /** The oldest first. */
  reverse?: boolean | undefined
  /** Tells the keys that were touched, too. */
  keys?: boolean | undefined
}

export interface LoggedCommit extends Commit {
  touched: TouchedStore[]
}

export interface TouchedStore {
  store: string
  /** How many items each type of event had. */
  counts: Record<string, number>
  /** If they were asked for. */
  keys?: HistoryKey[]
}

/** Streams: a commit is read when it is asked for. Throws what `resolveMoment` does. */
export async function* logOf(log: CommitLog, options: LogOptions = {}): AsyncGenerator<LoggedCommit> {
  const { since, until = 'HEAD', store, key, actor, limit = Infinity, reverse = false } = options
  const from = since === undefined ? 1 : (await resolveMoment(log, since)) + 1
  const to = await resolveMoment(log, until)
  const folder = store === undefined ? undefined : folderOf(store)
  const text = key === undefined ? undefined : toText(key)
  let left = limit
  if (left <= 0) return
  for await (const { summary } of reverse
    ? readCommits(log, from, to)
    : readCommitsBackwards(log, from, to)) {
    if (actor !== undefined && summary.note.actor !== actor) continue
    if (folder !== undefined && !summary.parts.some((part) => part.folder === folder)) continue
    const touched = await touchedStores(log, summary)
    if (text !== undefined && !touchesKey(touched, folder, text)) continue
    yield { ...toCommit(summary), touched: touched.map((each) => shown(log, each, options.keys ?? false)) }
    if (--left === 0) return
  }
}

interface Touched {
  folder: string
  counts: Record<string, number>
  keys: Set<KeyText>
  /** Whatever was in it. */
  isWhole: boolean
}

async function touchedStores(log: CommitLog, commit: CommitSummary): Promise<Touched[]> {
  const stores = new Map<string, Touched>()
  for await (const { folder, event } of eventsOf(log, commit)) {
    const touched = stores.get(folder) ?? { folder, counts: {}, keys: new Set(), isWhole: false }
    stores.set(folder, touched)
    touched.counts[event.type] = (touched.counts[event.type] ?? 0) + event.items.length
    for (const { keys } of touchedBy(folder, event)) {
      if (keys === everyKey) touched.isWhole = true
      else for (const key of keys) touched.keys.add(key)
    }
  }
  return [...stores.values()]
}

function touchesKey(touched: readonly Touched[], folder: string | undefined, key: KeyText): boolean {
  return touched.some((each) => (!folder || each.folder === folder) && (each.isWhole || each.keys.has(key)))
}

function shown({ catalog }: CommitLog, { folder, counts, keys }: Touched, withKeys: boolean): TouchedStore {
  return {
    store: storeOf(folder, catalog),
    counts,
    ...(withKeys ? { keys: Array.from(keys, fromText) } : {}),
  }
}

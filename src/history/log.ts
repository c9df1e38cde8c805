/** The commits, filtered, each with what it touched. */
import { shown as shownText, VarveError } from '../errors.ts'
import type { CommitSummary } from '../journal/catalog.ts'
import { toCommit, type Commit } from '../journal/commit.ts'
import { resolveMoment, type Moment } from '../journal/moment.ts'
import { readCommits, readCommitsBackwards, type CommitLog } from '../journal/read-commit.ts'
import { eventsOf } from './commit-events.ts'
import { folderOf, fromText, storeOf, toText, type HistoryKey, type KeyText } from './history-key.ts'
import { everyKey, touchedBy } from './touched-keys.ts'
import { changesOf } from './versions.ts'

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
  /** Tells the keys that were touched, too: those that its events name. */
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
  if (limit !== Infinity && !(Number.isInteger(limit) && limit >= 0))
    throw new VarveError('VARVE_BAD_OPTION', `limit is ${shownText(limit)}.`, {
      remedy: 'Give a whole number.',
    })
  let left = limit
  if (left <= 0) return
  const changing =
    typeof key === 'string' ? await changingDocument(log, folder, toText(key)) : new Set<number>()
  for await (const { summary } of reverse
    ? readCommits(log, from, to)
    : readCommitsBackwards(log, from, to)) {
    if (actor !== undefined && summary.note.actor !== actor) continue
    if (folder !== undefined && !summary.parts.some((part) => part.folder === folder)) continue
    const touched = await touchedStores(log, summary)
    if (text !== undefined && !changing.has(summary.number) && !touchesKey(touched, folder, text)) continue
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

/** The commits that changed a document, also by events that name only its nodes. */
async function changingDocument(
  log: CommitLog,
  folder: string | undefined,
  key: KeyText,
): Promise<Set<number>> {
  const changing = new Set<number>()
  for (const each of folder === undefined ? log.catalog.stores.keys() : [folder]) {
    if (!each.startsWith('docstore') || !log.catalog.stores.has(each)) continue
    for await (const { number } of changesOf(log, each, key)) changing.add(number)
  }
  return changing
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

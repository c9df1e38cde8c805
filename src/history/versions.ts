/**
 * Every value that one key had, and who set each of its fields: a fold of the events that are about this key, and of no others.
 */
import { isDeepStrictEqual } from 'node:util'
import { toCommit, type Commit } from '../journal/commit.ts'
import { emptyStore, foldStored } from '../journal/folded-store.ts'
import { readCommit, type CommitLog } from '../journal/read-commit.ts'
import { kindOf } from '../stores/store-kinds.ts'
import { changedPaths, leavesOf } from './changed-paths.ts'
import { eventsAbout } from './events-about.ts'
import { payloadsOf } from './held-state.ts'
import { folderOf, fromText, toText, type HistoryKey, type KeyText } from './history-key.ts'
import { KeyFamily } from './key-family.ts'
import { toTree, valueOf } from './stored-value.ts'

export interface Version {
  commit: Commit
  /** `undefined`: it was deleted. */
  value: unknown
}

/** The oldest first. A key that was never there has none. */
export async function* versionsOf(log: CommitLog, store: string, key: HistoryKey): AsyncGenerator<Version> {
  for await (const { number, value } of changesOf(log, folderOf(store), toText(key)))
    yield { commit: toCommit(await readCommit(log, number)), value }
}

/** The commits that changed what a key holds, also where no event names it: a document goes with the last of its nodes. */
export async function* changesOf(
  log: CommitLog,
  folder: string,
  key: KeyText,
): AsyncGenerator<{ number: number; value: unknown }> {
  let before: unknown
  for await (const changed of valuesOf(log, folder, key)) {
    const tree = toTree(changed.value)
    if (changedPaths(before, tree).length === 0) continue
    before = tree
    yield changed
  }
}

export interface Blame {
  /** The field, as a JSON pointer: `/node/metadata/page`. */
  path: string
  /** Who set it last. */
  commit: Commit
}

/** The commit that set each field of what a key holds now; none if it holds nothing. */
export async function blameOf(log: CommitLog, store: string, key: HistoryKey): Promise<Blame[]> {
  let fields = new Map<string, { leaf: unknown; commit: Commit }>()
  for await (const { commit, value } of versionsOf(log, store, key)) {
    const before = fields
    fields = new Map()
    for (const [path, leaf] of value === undefined ? [] : leavesOf(toTree(value))) {
      const known = before.get(path)
      fields.set(path, known && isDeepStrictEqual(known.leaf, leaf) ? known : { leaf, commit })
    }
  }
  return Array.from(fields, ([path, { commit }]) => ({ path, commit }))
}

/** The value after each commit that is about the key. */
async function* valuesOf(
  log: CommitLog,
  folder: string,
  key: KeyText,
): AsyncGenerator<{ number: number; value: unknown }> {
  const store = emptyStore(folder, kindOf(folder))
  const payload = await payloadsOf(log, folder)
  const value = (): unknown => valueOf(folder, store.state, fromText(key), payload)
  const range = { from: 1, to: log.catalog.end.number }
  let number = 0
  for await (const { event, rowsBytes, place } of eventsAbout(log, {
    folder,
    range,
    family: new KeyFamily(folder, [key]),
  })) {
    if (number > 0 && number !== place.commit) yield { number, value: value() }
    number = place.commit
    foldStored(store, event, rowsBytes, place)
  }
  if (number > 0) yield { number, value: value() }
}

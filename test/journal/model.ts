/**
 * What must be there: every change that was attempted, where the commits cut them, and how many of these
 * commits were promised.
 */
import type { MemoryDisk } from '../../src/disk/memory-disk.ts'
import { Home } from '../../src/journal/home.ts'
import { Journal } from '../../src/journal/journal.ts'
import type { JournalOptions } from '../../src/journal/journal-options.ts'
import { contents, toyOptions } from '../support/toy-store.ts'

export const directory = '/data/storage'
export const folders = ['docstore', 'index_store', 'vector_store/default'] as const
export type Folder = (typeof folders)[number]

export interface Change {
  folder: Folder
  key: string
  /** `undefined`: removed. */
  value: unknown
}

/** A moment of the model: it is never changed again. */
export interface Expectation {
  changes: readonly Change[]
  /** Commit n ends before change `cuts[n - 1]`. */
  cuts: readonly number[]
  /** Commits that must survive the end of the process. */
  acknowledged: number
  /** Commits that must survive the end of the power. */
  durable: number
}

export const nothing: Expectation = { changes: [], cuts: [], acknowledged: 0, durable: 0 }

/** The content of a store at a commit, in order. */
function expected({ changes, cuts }: Expectation, commit: number, folder: Folder): [string, unknown][] {
  const store = new Map<string, unknown>()
  for (const { folder: where, key, value } of changes.slice(0, cuts[commit - 1] ?? 0)) {
    if (where !== folder) continue
    if (value === undefined) store.delete(key)
    else store.set(key, value)
  }
  return [...store]
}

/** The number of the last commit that a reader finds. */
export async function lastCommit(disk: MemoryDisk): Promise<number> {
  const home = await Home.open(disk, directory)
  await home?.files.close()
  return home?.catalog.end.number ?? 0
}

export function openJournal(disk: MemoryDisk, options: Partial<JournalOptions>): Promise<Journal> {
  return Journal.open(directory, toyOptions({ disk, ...options }))
}

/** Every store, every payload. Answers what differs. */
export async function difference(
  journal: Journal,
  expectation: Expectation,
  commit: number,
): Promise<string | undefined> {
  for (const folder of folders) {
    const seen = JSON.stringify(Object.entries(await contents(journal, folder)))
    const wanted = JSON.stringify(expected(expectation, commit, folder))
    if (seen !== wanted) return `at commit ${commit}, ${folder} holds ${seen} instead of ${wanted}`
  }
  return undefined
}

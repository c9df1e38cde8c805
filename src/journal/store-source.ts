/** Where a store is loaded from. */
import type { SegmentFiles } from '../log/segment-files.ts'
import { committedIn, type CommittedParts, type StoreEntry } from './catalog.ts'
import { hashOfCommit, readCommits, type CommitLog } from './read-commit.ts'

export interface StoreSource {
  files: SegmentFiles
  /** What the catalog knows of the store; `undefined`: nothing is committed. */
  entry: StoreEntry | undefined
  /** The hash of a commit that is not the last. */
  commitHash(number: number): Promise<Uint8Array>
  /** Every part ever committed in the store: what a lost snapshot costs. */
  allParts(): Promise<CommittedParts[]>
}

export function storeSource(log: CommitLog, folder: string): StoreSource {
  return {
    files: log.files,
    entry: log.catalog.stores.get(folder),
    commitHash: (number) => hashOfCommit(log, number),
    allParts: () => partsBetween(log, folder, { from: 1, to: log.catalog.end.number }),
  }
}

/** Every part ever committed, by the folder of its store: whoever asks about several stores reads the commit log once. */
export async function allParts(log: CommitLog): Promise<Map<string, CommittedParts[]>> {
  const all = new Map<string, CommittedParts[]>()
  for await (const { summary } of readCommits(log, 1, log.catalog.end.number)) {
    for (const folder of new Set(summary.parts.map((part) => part.folder))) {
      const committed = all.get(folder) ?? []
      all.set(folder, committed)
      committed.push(...committedIn(folder, [summary]))
    }
  }
  return all
}

/** What the commits from one number to another, both of them counted, put into a store. The catalog knows it of those after the store's last snapshot. */
export async function partsBetween(
  log: CommitLog,
  folder: string,
  { from, to }: { from: number; to: number },
): Promise<CommittedParts[]> {
  const { snapshot = 0, tail = [] } = log.catalog.stores.get(folder) ?? {}
  if (from > snapshot) return tail.filter(({ commit }) => commit >= from && commit <= to)
  const committed: CommittedParts[] = []
  for await (const { summary } of readCommits(log, from, to))
    committed.push(...committedIn(folder, [summary]))
  return committed
}

/** Where a store is loaded from. */
import type { SegmentFiles } from '../log/segment-files.ts'
import type { CommittedParts, StoreEntry } from './catalog.ts'
import { readCommit, readCommits, type CommitLog } from './read-commit.ts'

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
    commitHash: async (number) => (await readCommit(log, number)).hash,
    allParts: () => partsOf(log, folder),
  }
}

async function partsOf(log: CommitLog, folder: string): Promise<CommittedParts[]> {
  const all: CommittedParts[] = []
  for await (const { summary } of readCommits(log, 1, log.catalog.end.number)) {
    const parts = summary.parts.filter((part) => part.folder === folder)
    if (parts.length) all.push({ commit: summary.number, parts })
  }
  return all
}

/** The events of commits, for those who ask the log and keep no state. */
import type { CommitSummary } from '../journal/catalog.ts'
import { readEvents, type ReadEvent } from '../journal/read-events.ts'
import { kindOf } from '../stores/store-kinds.ts'
import type { CommitLog } from '../journal/read-commit.ts'
import { partsBetween } from '../journal/store-source.ts'
import { erasuresFolder } from '../log/names.ts'
import { ReadAhead } from '../log/part.ts'

export interface CommitRange {
  /** The first and the last, both of them counted. */
  from: number
  to: number
}

/** What was read ahead of each store, for commits that are asked for one after another, the oldest first. */
export type ReadAheads = Map<string, ReadAhead>

/** The events of one commit, of all its stores or of some. */
export async function* eventsOf(
  { files }: CommitLog,
  { number, parts }: Pick<CommitSummary, 'number' | 'parts'>,
  { folders, aheads }: { folders?: ReadonlySet<string> | undefined; aheads?: ReadAheads } = {},
): AsyncGenerator<{ folder: string } & ReadEvent> {
  for (const folder of new Set(parts.map((part) => part.folder))) {
    if (folder === erasuresFolder || (folders && !folders.has(folder))) continue
    const own = parts.filter((part) => part.folder === folder)
    const store = { folder, kind: kindOf(folder) }
    const ahead = aheads?.get(folder) ?? new ReadAhead()
    aheads?.set(folder, ahead)
    const options = { ahead: aheads !== undefined && ahead }
    for await (const read of readEvents(store, files, [{ commit: number, parts: own }], options))
      yield { folder, ...read }
  }
}

/** The events of one store, in order, in one pass: of each the items whose rows are wanted, as bytes; all, if nothing says which. */
export async function* eventsOfStore(
  log: CommitLog,
  folder: string,
  { from, to, ...wanted }: CommitRange & { isWanted?: (row: Uint8Array) => boolean },
): AsyncGenerator<ReadEvent> {
  const committed = await partsBetween(log, folder, { from, to })
  yield* readEvents({ folder, kind: kindOf(folder) }, log.files, committed, wanted)
}

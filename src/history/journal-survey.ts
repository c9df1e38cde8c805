/**
 * What a journal's commit log holds, past any damage, and where what was promised ends. It comes to recovery's verdicts: a break at or below
 * what is known to be durable is damage; what lies above is torn, from the first break on.
 */
import { listSnapshots, snapshottedAfter, type SnapshotName } from '../journal/snapshot.ts'
import type { LogPlace } from '../log/recovery.ts'
import { segmentHeaderBytes } from '../log/segment.ts'
import { storeFolders } from '../log/store-folders.ts'
import { linkCommits, type ChainFault, type CommitChain } from './commit-chain.ts'
import { readCommitLog, type LogCommit } from './commit-log.ts'
import { nextHeader } from './frame-scan.ts'
import type { SegmentReader } from './segment-reader.ts'
import type { SteadyFile } from './steady-file.ts'

export interface JournalSurvey {
  /** Those that count, ascending; with gaps where commits are lost. */
  commits: LogCommit[]
  /** Damage to what was promised. */
  faults: ChainFault[]
  segments: CommitChain['segments']
  /** The last commit known to be durable. */
  syncedThrough: number
  snapshots: SnapshotName[]
  torn: TornEnd | undefined
}

export interface TornEnd extends LogPlace {
  commits: number
  fault: string
}

/**
 * A writer may be at work meanwhile: what it made durable after the log was read is no damage, so a verdict stands only on evidence that was there
 * before. Throws `VARVE_NEWER`.
 */
export async function surveyJournal(
  reader: SegmentReader,
  signal: AbortSignal | undefined,
): Promise<JournalSurvey> {
  const snapshots = await listSnapshots(reader.files.disk, reader.files.directory)
  for (let proven = 0; ;) {
    await reader.closeAll() // What was read ahead may be old by now.
    const chain = linkCommits(await readCommitLog(reader, signal))
    const last = chain.commits.at(-1)?.number ?? 0
    if (proven > last) return judge(chain, proven, snapshots)
    proven = Math.max(
      proven,
      chain.syncedThrough,
      await snapshottedAfter(reader.files, last, { snapshots }),
      await knownToTails(reader, chain.commits),
    )
    for (const { at } of chain.faults)
      proven = await promisedDespite(at, reader, { ...chain, snapshots, syncedThrough: proven })
    if (proven <= last) return judge(chain, proven, snapshots)
  }
}

/** How far everything is known to be durable, given that commit `at` is not whole: a snapshot of it or of a later one shows that it was. */
export async function promisedDespite(
  at: number,
  { files }: SegmentReader,
  { commits, snapshots, syncedThrough }: Pick<JournalSurvey, 'commits' | 'snapshots' | 'syncedThrough'>,
): Promise<number> {
  if (at <= syncedThrough) return syncedThrough
  return Math.max(syncedThrough, await snapshottedAfter(files, at - 1, { snapshots, commits }))
}

function judge(chain: CommitChain, proven: number, snapshots: SnapshotName[]): JournalSurvey {
  const faults = chain.faults.filter(({ at }) => at <= proven)
  const breaks = chain.faults.filter(({ at }) => at > proven).toSorted((a, b) => a.at - b.at)
  const first = breaks[0]
  const commits = first ? chain.commits.filter(({ number }) => number < first.at) : chain.commits
  const last = commits.at(-1)?.number ?? 0
  if (proven > last) loseEnd(faults, { last, proven, segments: chain.segments })
  const torn = first && { ...first, commits: chain.commits.length - commits.length }
  const sorted = faults.toSorted((a, b) => a.at - b.at)
  return { commits, faults: sorted, segments: chain.segments, syncedThrough: proven, snapshots, torn }
}

/** The log ends before what it promised. */
function loseEnd(
  faults: ChainFault[],
  { last, proven, segments }: { last: number; proven: number; segments: CommitChain['segments'] },
): void {
  const lost: [number, number] = [last + 1, proven]
  const there = faults.find(({ at, lost: known }) => at === last + 1 && !known)
  if (there) {
    there.lost = lost
    return
  }
  const [segment, offset] = [...segments].at(-1) ?? [1, 0]
  faults.push({ segment, offset, fault: 'the commit log ends here', at: last + 1, lost })
}

/** What stands behind the committed bytes of each store was never committed, but it may know of a commit that was. */
async function knownToTails(reader: SegmentReader, commits: readonly LogCommit[]): Promise<number> {
  const { files } = reader
  const ends = committedEnds(commits)
  let known = 0
  for (const folder of await storeFolders(files)) {
    const { segment, end } = ends.get(folder) ?? { segment: 1, end: segmentHeaderBytes }
    for (const number of await files.numbers(folder)) {
      if (number < segment) continue
      const from = number === segment ? end : segmentHeaderBytes
      const { file } = await reader.open(folder, number)
      if (file) known = Math.max(known, await highestMark(file, from))
    }
    await reader.close(folder) // There may be thousands.
  }
  return known
}

async function highestMark(file: SteadyFile, from: number): Promise<number> {
  const limit = await file.size()
  let known = 0
  for (let offset = from; ;) {
    const found = await nextHeader(file, offset, limit)
    if (!found) return known
    known = Math.max(known, found.syncedThrough)
    offset = found.offset + (found.offset + found.sizeBytes <= limit ? found.sizeBytes : 8)
  }
}

function committedEnds(commits: readonly LogCommit[]): Map<string, { segment: number; end: number }> {
  const ends = new Map<string, { segment: number; end: number }>()
  for (const { parts } of commits) {
    for (const { folder, segment, to } of parts) {
      const known = ends.get(folder)
      const isLater = !known || segment > known.segment || (segment === known.segment && to > known.end)
      if (isLater) ends.set(folder, { segment, end: to })
    }
  }
  return ends
}

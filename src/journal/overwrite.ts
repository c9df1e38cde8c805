/**
 * Takes the bytes of erased items off the disk: cells and payloads become zeros where they stand, what no commit names too, since it may
 * hold copies, and the snapshots that knew them go. Nothing else in Varve writes a byte twice; this may be repeated, whole or from the middle.
 */
import { cellOverheadBytes } from '../log/frame.ts'
import { FrameReader, isFault } from '../log/frame-reader.ts'
import { joinPath, parseSnapshotName, snapshotsFolder } from '../log/names.ts'
import { gapsBetween, namedRanges, type Range } from '../log/part-gaps.ts'
import type { SegmentFiles } from '../log/segment-files.ts'
import { storeFolders } from '../log/store-folders.ts'
import { VarveError } from '../errors.ts'
import { readCommits, type CommitLog } from './read-commit.ts'

/** Written at a time. */
const pieceBytes = 1024 * 1024

/** What these commits erased; all of them must be durable. `mustHold` throws where another writer has taken over. */
export async function overwriteErased(
  log: CommitLog,
  commits: ReadonlySet<number>,
  mustHold: () => Promise<void>,
): Promise<void> {
  const ranges = await unnamedRanges(log)
  for (const { folder, segment, offsets } of log.files.erasures.places(commits)) {
    const path = log.files.path(folder, segment)
    const erased = await erasedRanges(log.files, { folder, segment, offsets })
    ranges.set(path, [...(ranges.get(path) ?? []), ...erased])
  }
  for (const [path, all] of ranges) {
    await mustHold()
    await writeZeros(log.files, path, all)
  }
  await mustHold()
  await dropSnapshots(log.files, commits)
  // What was removed before must not be back after the power goes.
  for (const folder of await storeFolders(log.files))
    await log.files.disk.syncDirectory(joinPath(log.files.directory, folder))
}

/** Pending changes that were never committed, in segments that some commit names. */
async function unnamedRanges(log: CommitLog): Promise<Map<string, Range[]>> {
  const { files, catalog } = log
  const commits = []
  for await (const { summary } of readCommits(log, 1, catalog.end.number)) commits.push(summary)
  const named = namedRanges(commits)
  const found = new Map<string, Range[]>()
  for (const [folder, { segments }] of catalog.stores) {
    for (const segment of segments.keys()) {
      const path = files.path(folder, segment)
      const sizeBytes = (await files.disk.stat(path))?.sizeBytes ?? 0
      const gaps = gapsBetween(named.get(`${folder}/${segment}`) ?? [], sizeBytes)
      if (gaps.length > 0) found.set(path, gaps)
    }
  }
  return found
}

async function erasedRanges(
  files: SegmentFiles,
  { folder, segment, offsets }: { folder: string; segment: number; offsets: readonly number[] },
): Promise<Range[]> {
  const file = await files.open(folder, segment)
  const reader = new FrameReader(file, files.erasures.in(folder, segment))
  const size = await file.size()
  const ranges: Range[] = []
  for (const offset of offsets) {
    const frame = await reader.read(offset, size, { rows: false }) // Those beside may be damaged.
    if (isFault(frame))
      throw new VarveError(
        'VARVE_CORRUPT',
        `Damaged: ${files.path(folder, segment)}, offset ${offset}: ${frame.fault}; what was erased there cannot be found, and nothing is written here until it is overwritten.`,
        {
          store: folder,
          segment,
          offset,
          fault: frame.fault,
          remedy: `Run varve repair ${files.directory} --to NEW, which takes over all else, and then remove ${files.directory}.`,
        },
      )
    let cell = offset + frame.hashed.length
    for (const { row, offset: payload, length, erasedBy } of frame.items) {
      const end = cell + cellOverheadBytes + row.length
      if (erasedBy !== undefined) {
        ranges.push([cell, end])
        if (length > 0) ranges.push([payload, payload + length])
      }
      cell = end
    }
  }
  return ranges
}

async function writeZeros(files: SegmentFiles, path: string, ranges: readonly Range[]): Promise<void> {
  const file = await files.disk.openToWrite(path)
  try {
    for (const [from, to] of joinedRanges(ranges))
      for (let at = from; at < to; at += pieceBytes)
        await file.write([new Uint8Array(Math.min(pieceBytes, to - at))], at)
    await file.sync()
  } finally {
    await file.close()
  }
}

/** In order, those that touch as one. */
function joinedRanges(ranges: readonly Range[]): Range[] {
  const joined: Range[] = []
  for (const [from, to] of ranges.toSorted(([a], [b]) => a - b)) {
    const last = joined.at(-1)
    if (last && from <= last[1]) last[1] = Math.max(last[1], to)
    else joined.push([from, to])
  }
  return joined
}

/** Also those that were never finished. Catalogs say nothing that a user wrote but tags, and stay. */
async function dropSnapshots(
  { disk, directory, erasures }: SegmentFiles,
  commits: ReadonlySet<number>,
): Promise<void> {
  const folder = joinPath(directory, snapshotsFolder)
  if ((await disk.stat(folder))?.kind !== 'directory') return
  const names = await disk.list(folder)
  for (const name of names) {
    const snapshot = parseSnapshotName(name)
    const [subject = ''] = snapshot?.subject.split('=touched') ?? []
    const knows = snapshot ? erasures.spoils(subject, snapshot.commit, commits) : name.endsWith('.new')
    if (knows) await disk.unlink(joinPath(folder, name))
  }
  await disk.syncDirectory(folder)
}

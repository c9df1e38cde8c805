/** Finds the bytes of segments that no commit names. For readers they do not exist: they were never committed, or a dead writer's. */
import { commitsFolder, joinPath, segmentName } from '../log/names.ts'
import { gapsBetween, namedRanges, type Range } from '../log/part-gaps.ts'
import type { SegmentFiles } from '../log/segment-files.ts'
import { storeFolders } from '../log/store-folders.ts'
import type { LogCommit } from './commit-log.ts'
import type { UnnamedBytes } from './verify-report.ts'

interface Named {
  commits: readonly LogCommit[]
  /** The commit log's own segments, with the end of what counts in each. */
  logSegments: ReadonlyMap<number, number>
}

export async function unnamedBytes(
  files: SegmentFiles,
  { commits, logSegments }: Named,
): Promise<UnnamedBytes[]> {
  const named = namedRanges(commits)
  const found: UnnamedBytes[] = []
  for (const folder of await storeFolders(files)) {
    for (const { segment, path, sizeBytes } of await segmentsOf(files, folder)) {
      const ranges = named.get(`${folder}/${segment}`)
      const gaps = ranges ? gapsBetween(ranges, sizeBytes) : [[0, sizeBytes] satisfies Range]
      for (const [from, to] of gaps) found.push({ path, from, to, what: ranges ? 'unnamed' : 'leftover' })
    }
  }
  for (const { segment, path, sizeBytes } of await segmentsOf(files, commitsFolder)) {
    const end = logSegments.get(segment)
    if (end === undefined) found.push({ path, from: 0, to: sizeBytes, what: 'leftover' })
    else if (end < sizeBytes) found.push({ path, from: end, to: sizeBytes, what: 'sealed away' })
  }
  return found
}

async function segmentsOf(
  files: SegmentFiles,
  folder: string,
): Promise<{ segment: number; path: string; sizeBytes: number }[]> {
  const found: { segment: number; path: string; sizeBytes: number }[] = []
  for (const segment of await files.numbers(folder)) {
    const sizeBytes = (await files.disk.stat(files.path(folder, segment)))?.sizeBytes
    // A living writer removes what it rolls back.
    if (sizeBytes !== undefined)
      found.push({ segment, path: joinPath(folder, segmentName(segment)), sizeBytes })
  }
  return found
}

/** Which bytes of a golden directory belong to its last group of commits, if no mark stands behind it: what damage may drop, as a crash would. */
import { decodeCommit } from '../../src/journal/commit.ts'
import { FrameReader, isFault } from '../../src/log/frame-reader.ts'
import { MemoryDisk } from '../../src/disk/memory-disk.ts'
import type { Damage } from './damages.ts'
import type { Golden } from './golden.ts'
import { framesOf } from '../support/damage.ts'

interface Range {
  path: string
  from: number
  to: number
}

const known = new Map<string, Range[]>()

/** Must have been called once for each golden directory before `lastGroupTouched`. */
export async function findLastGroup({ name, files, commits, unmarked }: Golden): Promise<void> {
  const ranges: Range[] = []
  known.set(name, ranges)
  if (unmarked === 0) return
  const path = [...files.keys()].filter((each) => each.startsWith('commits/')).sort().at(-1)!
  const disk = new MemoryDisk()
  disk.put(path, files.get(path)!)
  const reader = new FrameReader(await disk.openToRead(path))
  for (const { offset, end } of framesOf(files.get(path)!)) {
    const frame = await reader.read(offset, end)
    if (isFault(frame) || frame.flags !== 0) continue
    const { number, parts } = decodeCommit(frame)
    if (number <= commits.length - unmarked) continue
    ranges.push({ path, from: offset, to: end })
    for (const { folder, segment, from, to } of parts)
      ranges.push({ path: `${folder}/${String(segment).padStart(10, '0')}.log`, from, to })
  }
}

/** A segment that the group began is its own, header and all. */
export function lastGroupTouched({ name, files }: Golden, { changes }: Damage): boolean {
  return changes.some(([path, bytes]) =>
    known.get(name)!.some((range) => {
      if (range.path !== path) return false
      if (!bytes) return true
      const from = range.from === 64 ? 0 : range.from
      const before = Buffer.from(files.get(path)!).subarray(from, range.to)
      return !before.equals(bytes.subarray(from, range.to))
    }),
  )
}

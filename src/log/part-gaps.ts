/** The bytes of a segment that commits name, and those between them. */
import type { Part } from './part.ts'
import { segmentHeaderBytes } from './segment.ts'

export type Range = [from: number, to: number]

/** By folder and segment: `docstore/1`. */
export function namedRanges(commits: Iterable<{ parts: readonly Part[] }>): Map<string, Range[]> {
  const named = new Map<string, Range[]>()
  for (const { parts } of commits) {
    for (const { folder, segment, from, to } of parts) {
      const key = `${folder}/${segment}`
      const ranges = named.get(key) ?? []
      ranges.push([from, to])
      named.set(key, ranges)
    }
  }
  return named
}

export function gapsBetween(ranges: readonly Range[], sizeBytes: number): Range[] {
  const gaps: Range[] = []
  let end = segmentHeaderBytes
  for (const [from, to] of ranges.toSorted(([a], [b]) => a - b)) {
    if (from > end) gaps.push([end, from])
    end = Math.max(end, to)
  }
  if (sizeBytes > end) gaps.push([end, sizeBytes])
  return gaps
}

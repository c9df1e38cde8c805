/** Numbers of commits as ranges, so that a thousand lost ones take one line. */
import type { CommitRange } from './verify-report.ts'

/** Adds a range in place; ranges must come in ascending order of their starts. */
export function addRange(ranges: CommitRange[], [from, to]: CommitRange): void {
  const last = ranges.at(-1)
  if (last && from <= last[1] + 1) last[1] = Math.max(last[1], to)
  else ranges.push([from, to])
}

/** `commit 4`, `commits 4 to 6 and 9`. */
export function nameCommits(ranges: readonly CommitRange[]): string {
  const names = ranges.map(([from, to]) => (from === to ? String(from) : `${from} to ${to}`))
  const last = names.pop() ?? 'none'
  const isOne = names.length === 0 && ranges[0]?.[0] === ranges[0]?.[1]
  const list = names.length > 0 ? `${names.join(', ')} and ${last}` : last
  return `${isOne ? 'commit' : 'commits'} ${list}`
}

export function capitalized(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}

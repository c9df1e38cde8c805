/** How far a chain is anchored by something that was kept elsewhere: a chain alone cannot show that it was rewritten as a whole, or that its end was cut off. */
import type { Checkpoint } from './checkpoint.ts'
import type { LogCommit } from './commit-log.ts'
import { merkleRoot } from './merkle-tree.ts'
import type { AnchorReport } from './verify-report.ts'

/** A commit's number and hash (in hex), or a checkpoint whose signature was verified. */
export type Anchor = { number: number; hash: string } | Checkpoint

type Link = Pick<LogCommit, 'number' | 'previous' | 'hash'>

export function holdAgainst(commits: readonly Link[], anchor: Anchor): AnchorReport {
  const number = 'size' in anchor ? anchor.size : anchor.number
  const last = commits.at(-1)?.number ?? 0
  return { state: stateOf(commits, anchor, number), number, later: Math.max(0, last - number) }
}

function stateOf(commits: readonly Link[], anchor: Anchor, number: number): AnchorReport['state'] {
  const last = commits.at(-1)?.number ?? 0
  if (number > last) return 'cut short'
  const seen = commits.slice(0, number)
  if (seen.some((commit, index) => commit.number !== index + 1)) return 'unknown'
  return isWhatItSaw(seen, anchor) ? 'anchored' : 'rewritten'
}

function isWhatItSaw(seen: readonly Link[], anchor: Anchor): boolean {
  if ('root' in anchor) return Buffer.from(anchor.root).equals(merkleRoot(seen.map(({ hash }) => hash)))
  const isLinked = seen.every(
    ({ previous }, index) => index === 0 || Buffer.from(previous).equals(seen[index - 1]!.hash),
  )
  return isLinked && Buffer.from(seen.at(-1)?.hash ?? []).toString('hex') === anchor.hash.toLowerCase()
}

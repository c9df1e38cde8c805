/** What the sweep found and nobody mended yet. Each is a line of a failure; whoever mends one takes it away here. */
export const knownGaps: readonly [gap: string, failure: RegExp][] = [
  [
    'A damaged header of a segment that durable commits name drops the unmarked commits after them, as if they were torn',
    /^killed: (bit flipped|cut|zeroed|swapped|lengthened): .*docstore\/0000000001\.log.*\n.*Silently wrong: [12] of 4 commits are gone/,
  ],
  [
    'A later segment of the commit log, or a segment of the last group, in whose place another stands is passed over as torn, not refused',
    /^(spilled|abandoned|killed|flushed): (swapped|of another journal): .*\n.*Silently wrong: 1 of [24] commits are gone/,
  ],
  [
    'A store that no commit which is left names is not asked what it knows',
    /^sealed: older: all but vector_store as of moment 0\n.*Silently wrong: 3 of 4 commits are gone/,
  ],
]

export function isKnown(failure: string): boolean {
  return knownGaps.some(([, pattern]) => pattern.test(failure))
}

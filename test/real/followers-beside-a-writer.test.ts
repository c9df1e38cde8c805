import { createHash } from 'node:crypto'
import { mkdtemp, realpath, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { StorageContext } from '../../src/index.ts'
import type { FollowerOrder } from './follower-child.ts'
import { smallShape } from './kill-variants.ts'
import { endChildren, startChild, type Child } from './processes.ts'
import type { WriterOrder } from './writer-child.ts'

/** Of ten events each, once the oldest nodes are deleted again. */
const commits = Number(process.env['FOLLOWED_COMMITS'] ?? (process.env['CI'] ? 10_000 : 250))
let directory: string

beforeEach(async () => (directory = await realpath(await mkdtemp(join(tmpdir(), 'varve-followers-')))))
afterEach(async () => {
  await endChildren()
  await rm(directory, { recursive: true, force: true })
})

test(
  'five followers of a writer at full speed get every commit once, see none in halves, and end with what it wrote',
  { timeout: 900_000 },
  async () => {
    const [writer, ...followers] = await Promise.all([
      startChild('writer-child.ts'),
      ...Array.from({ length: 5 }, () => startChild('follower-child.ts')),
    ])
    const persistDir = join(directory, 'storage')
    const common = { directory: persistDir, shape: smallShape, actor: 'the writer' }
    for (const follower of followers) follower.order({ ...common, commits } satisfies FollowerOrder)
    await Promise.all(followers.map((follower) => follower.until('opened')))
    const order = { ...common, seed: 1, durability: 'commit', mode: 'persist', fromJson: false } as const
    writer.order({ ...order, commits } satisfies WriterOrder)
    await Promise.all([writer, ...followers].map((child) => doneOrFailed(child)))

    const storage = await StorageContext.fromDefaults({ persistDir, readOnly: true })
    const digest = createHash('sha256')
      .update(JSON.stringify(await storage.toDict()))
      .digest('hex')
    await storage.close()
    for (const { reports } of followers) {
      expect(reports.filter(({ is }) => is === 'warned')).toEqual([])
      expect(reports.flatMap((each) => (each.is === 'holds' ? [each.digest] : []))).toEqual([digest])
    }
    const seen = followers.map((follower) => follower.numbers('saw'))
    for (const numbers of seen) {
      expect(numbers).toEqual(numbers.toSorted((a, b) => a - b))
      expect(new Set(numbers).size).toBeGreaterThan(1)
    }
    const grown = followers.map((follower) => grownBytes(follower))
    // It stays flat: what was deleted, and what the writer's snapshots hold, is forgotten. Either kept would be thousands.
    if (commits >= 5000) for (const bytes of grown) expect(bytes).toBeLessThan(1500)
    const looks = seen.map(({ length }) => length).join(', ')
    const bytes = grown.map(Math.round).join(', ')
    console.log(`${commits} commits; followers looked ${looks} times, and grew by ${bytes} bytes a commit`)
  },
)

/**
 * For each commit, from the least of the first half of the weights to the least of the second: what a follower that is behind takes up at once weighs, too, but
 * is let go of.
 */
function grownBytes({ reports }: Child): number {
  const weights = reports.flatMap((report) => (report.is === 'weighs' ? [report.heapBytes] : []))
  const half = weights.length / 2
  const [first, second] = [Math.min(...weights.slice(0, half)), Math.min(...weights.slice(half))]
  return (second - first) / (commits / 2)
}

async function doneOrFailed(child: Child): Promise<void> {
  const failed = child.until('failed').then((report) => {
    throw new Error(`A process failed: ${JSON.stringify(report)}`)
  })
  await Promise.race([child.until('done'), failed])
}

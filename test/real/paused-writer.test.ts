/** A writer is stopped at a random instant, displaced by another, and goes on later: it must notice. */
import { mkdtemp, realpath, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { seededRandom } from '../support/seeded.ts'
import type { Shape } from './contents.ts'
import { smallShape } from './kill-variants.ts'
import { endChildren, startChild, type Child } from './processes.ts'
import { countCommits, lastCommit } from './reader.ts'
import { sleepExactly } from './sleep.ts'
import type { WriterOrder } from './writer-child.ts'
import { Writer } from './writer.ts'

const large: Shape = { nodes: 160, textBytes: 64 * 1024, idBytes: 12, dimensions: 64, window: 2 }

type Variant = Pick<WriterOrder, 'mode' | 'durability'> & { name: string; shape: Shape; flightMs: number }

const variants: Variant[] = [
  { name: 'commits', mode: 'persist', durability: 'commit', shape: smallShape, flightMs: 5 },
  { name: 'groups', mode: 'transactions', durability: 'commit', shape: smallShape, flightMs: 8 },
  { name: 'buffered commits', mode: 'persist', durability: 'buffered', shape: smallShape, flightMs: 3 },
  { name: 'spilling transactions', mode: 'transactions', durability: 'commit', shape: large, flightMs: 120 },
]

const rounds = process.env['CI'] ? 20 : 7
const seed = Number(process.env['PAUSE_SEED'] ?? Date.now() % 1_000_000)
let top: string

beforeEach(async () => (top = await realpath(await mkdtemp(join(tmpdir(), 'varve-pause-')))))
afterEach(async () => {
  await endChildren()
  await rm(top, { recursive: true, force: true })
})

test.each(variants)(
  'a writer that was stopped while it made $name, and displaced, acknowledges nothing and harms nothing',
  { timeout: 20_000 + rounds * 6000 },
  async (variant) => {
    console.log(`${variant.name}: repeat with PAUSE_SEED=${seed} npm test -- test/real/paused-writer`)
    const random = seededRandom(seed)
    const outcomes: Record<string, number> = {}
    const first = await startChild('writer-child.ts')
    for (let round = 0; round < rounds; round++) {
      const outcome = await displaceOnce(first, { round, random, variant })
      outcomes[outcome] = (outcomes[outcome] ?? 0) + 1
    }
    console.log(`${variant.name}: ${JSON.stringify(outcomes)}`)
    expect(outcomes['VARVE_DISPLACED']).toBeGreaterThan(rounds / 2)
    expect(await countCommits(top)).toBe(await lastCommit(top, variant.shape))
  },
)

interface Round {
  round: number
  random: () => number
  variant: Variant
}

/** Answers how the first writer ended. */
async function displaceOnce(first: Child, { round, random, variant }: Round): Promise<string> {
  const { shape, flightMs, mode, durability } = variant
  const before = round === 0 ? 0 : await lastCommit(top, shape)
  // Now and then it is about to close, or does.
  const ending = random() < 0.25 ? { commits: 1 + Math.floor(random() * 2) } : {}
  const actor = `first ${round}`
  const order = { directory: top, shape, actor, seed: round, durability, mode, fromJson: false, ...ending }
  first.order(order satisfies WriterOrder)
  await first.until(ending.commits === 1 ? 'attempted' : 'acknowledged')
  if (ending.commits === undefined) {
    await sleepExactly(random() * flightMs * 4)
    await first.until('attempted', first.reports.length)
  }
  await sleepExactly(random() * flightMs)
  await stop(first)

  const second = await Writer.open(top, { shape, actor: `second ${round}`, takeover: true })
  const found = second.last
  expect(found).toBeGreaterThanOrEqual(Math.max(before, ...first.numbers('acknowledged')))
  expect(found).toBeLessThanOrEqual(Math.max(before, ...first.numbers('attempted')))
  for (let many = random() * 3; many > 0; many--) await second.commit()
  const closesEarly = random() < 0.4
  if (closesEarly) await second.close()
  first.signal('SIGCONT')
  if (!closesEarly) for (let many = random() * 4; many > 0; many--) await second.commit()
  const end = await endOf(first)
  if (!closesEarly) {
    await second.commit()
    await second.expectAll()
    await second.close()
  }

  // What it tells afterwards is true at least: the second found it there.
  expect(Math.max(0, ...first.numbers('acknowledged'))).toBeLessThanOrEqual(found)
  if (first.numbers('attempted').some((number) => number > found)) expect(end).toBe('VARVE_DISPLACED')
  expect(await lastCommit(top, shape)).toBe(second.last)
  return end
}

async function stop(child: Child): Promise<void> {
  child.signal('SIGSTOP')
  await expect.poll(() => child.state(), { interval: 1, timeout: 5000 }).toBe('T')
  // What it had told is in the pipe, and is read before anything else is asked.
  await sleepExactly(5)
}

async function endOf(child: Child): Promise<string> {
  const failed = child.until('failed').then(({ code }) => code)
  const done = child.until('done').then(() => 'done')
  return Promise.race([failed, done])
}

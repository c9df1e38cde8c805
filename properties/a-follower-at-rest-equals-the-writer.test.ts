/**
 * Whatever a writer does, wherever it is killed, and whichever events come late, twice or never: what a follower shows is at each moment what the directory held at one
 * commit, it never goes back, and at rest it is what the writer left.
 */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { MemoryDisk } from '../src/disk/memory-disk.ts'
import { Journal } from '../src/journal/journal.ts'
import { Follower } from '../src/live/follower.ts'
import { FakeWatcher } from '../test/live/support.ts'
import { seededBytes } from '../test/support/seeded.ts'
import { toyOptions } from '../test/support/toy-store.ts'
import { directory, read, step, take } from './support/histories.ts'

type Move =
  | { kind: 'step'; step: typeof step extends fc.Arbitrary<infer S> ? S : never }
  /** The writer is killed at its n-th operation from now on; a write arrives in part. */
  | { kind: 'kill'; at: number }
  | { kind: 'hint'; times: number }
  | { kind: 'wait'; turns: number }
  /** What is shown is held against the past. */
  | { kind: 'look' }

const move: fc.Arbitrary<Move> = fc.oneof(
  { weight: 12, arbitrary: step.map((each) => ({ kind: 'step' as const, step: each })) },
  { weight: 1, arbitrary: fc.nat(12).map((at) => ({ kind: 'kill' as const, at })) },
  { weight: 3, arbitrary: fc.nat(3).map((times) => ({ kind: 'hint' as const, times })) },
  { weight: 3, arbitrary: fc.nat(8).map((turns) => ({ kind: 'wait' as const, turns })) },
  { weight: 2, arbitrary: fc.constant({ kind: 'look' as const }) },
)

test('a follower at rest equals the writer, and shows nothing but commits before', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(move, { maxLength: 60 }), fc.nat(), async (moves, seed) => {
      const disk = new MemoryDisk()
      const writer = new Writer(disk, seed)
      const watcher = new FakeWatcher()
      const journal = await Journal.follow(directory, toyOptions({ disk, random: seededBytes(seed) }))
      const troubles: unknown[] = []
      const follower = new Follower(journal, {
        poll: 3,
        watch: watcher.watch,
        onWarning: (warning) => troubles.push(warning),
        onMoved: () => {},
      })
      follower.start()
      let shown = 0
      const look = async (): Promise<void> => {
        const now = await seen(journal)
        if (now.number === 0) return
        expect(now.number).toBeGreaterThanOrEqual(shown)
        shown = now.number
        const past = await Journal.openPast(
          directory,
          toyOptions({ disk, random: seededBytes(seed) }),
          now.number,
        )
        expect(now.contents).toEqual(await read(past))
        await past.close()
      }
      for (const each of moves) {
        if (each.kind === 'step') await writer.take(each.step)
        else if (each.kind === 'kill') writer.killAt(each.at)
        else if (each.kind === 'hint') for (let times = 0; times <= each.times; times++) watcher.hint()
        else if (each.kind === 'wait') await turns(each.turns)
        else await look()
      }
      await writer.leave()
      const last = await Journal.open(directory, toyOptions({ disk, random: seededBytes(seed) }))
      const end = last.log?.catalog.end.number ?? 0
      while ((await seen(journal)).number !== end) await turns(1)
      expect(await read(journal)).toEqual(await read(last))
      await look()
      await last.close()
      await follower.close()
      await journal.close()
      expect(troubles).toEqual([])
    }),
    { numRuns: process.env['CI'] ? 1500 : 150 },
  )
}, 200_000)

/** Number and contents of one moment: what is loaded is read without waiting. */
async function seen(journal: Journal): Promise<{ number: number; contents: unknown }> {
  for (;;) {
    const number = journal.log?.catalog.end.number ?? 0
    const contents = await read(journal)
    if (number === (journal.log?.catalog.end.number ?? 0)) return { number, contents }
  }
}

async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setImmediate(resolve))
  if (count > 6) await new Promise((resolve) => setTimeout(resolve, 1))
}

/** One process after another, each of them until it is killed. */
class Writer {
  readonly #disk: MemoryDisk
  readonly #seed: number
  #process: MemoryDisk
  #pid = 100
  #killAt: number | undefined
  #journal: Journal | undefined
  #isKilled = false

  constructor(disk: MemoryDisk, seed: number) {
    this.#disk = disk
    this.#seed = seed
    this.#process = disk.asProcess({ pid: this.#pid })
    disk.onOperation = ({ pid, kind, sizeBytes = 0 }) => {
      if (pid !== this.#pid || this.#killAt === undefined || this.#killAt-- > 0) return
      this.#isKilled = true
      this.#process.kill()
      const written = kind === 'write' ? { written: sizeBytes >> 1 } : {}
      throw Object.assign(new Error('ECRASHED: killed'), { code: 'ECRASHED', ...written })
    }
  }

  killAt(operations: number): void {
    this.#killAt = operations
  }

  async take(each: Parameters<typeof take>[1]): Promise<void> {
    try {
      this.#journal ??= await Journal.open(directory, this.#options())
      await take(this.#journal, each)
      if (each.kind === 'reopen') this.#journal = undefined
    } catch (error) {
      if (!this.#isKilled) throw error
      this.#next()
    }
  }

  async leave(): Promise<void> {
    if (!this.#isKilled) this.#killAt = undefined
    await this.#journal?.close().catch((error: unknown) => {
      if (!this.#isKilled) throw error
    })
  }

  #next(): void {
    this.#killAt = undefined
    this.#isKilled = false
    this.#journal = undefined
    this.#process = this.#disk.asProcess({ pid: ++this.#pid })
  }

  #options(): ReturnType<typeof toyOptions> {
    const random = seededBytes(this.#seed + this.#pid)
    return toyOptions({
      disk: this.#process,
      random,
      limits: { segmentBytes: 2000, snapshotRowsBytes: 1000 },
    })
  }
}

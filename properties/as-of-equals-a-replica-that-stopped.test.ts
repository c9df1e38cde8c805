/**
 * The journal as of any commit holds what a replica holds that stopped there, whatever the writer beside it goes
 * on to do before the states are loaded and while they are read.
 */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { MemoryDisk } from '../src/disk/memory-disk.ts'
import { Journal } from '../src/journal/journal.ts'
import { seededBytes } from '../test/support/seeded.ts'
import { toyOptions } from '../test/support/toy-store.ts'
import { directory, Model, read, step, take } from './support/histories.ts'

const limits = fc.record({
  spillBytes: fc.constantFrom(300, 1e9),
  segmentBytes: fc.constantFrom(900, 1e9),
  snapshotRowsBytes: fc.constantFrom(1, 1e9),
  catalogCommits: fc.constantFrom(0, 256),
})

test('as of a commit equals a replica that stopped there', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { maxLength: 40 }),
      fc.array(step, { maxLength: 15 }),
      limits,
      fc.array(fc.nat(), { minLength: 1, maxLength: 4 }),
      async (before, after, sizes, picks) => {
        const disk = new MemoryDisk()
        const model = new Model()
        const options = (session: number) => toyOptions({ disk, limits: sizes, random: seededBytes(session) })
        let sessions = 1
        let journal = await Journal.open(directory, options(sessions))
        const run = async (steps: typeof before): Promise<void> => {
          for (const each of steps) {
            if (await take(journal, each)) model.apply(each)
            if (each.kind === 'reopen') journal = await Journal.open(directory, options(++sessions))
          }
        }
        await run(before)
        const last = model.commits.length - 1
        fc.pre(last > 0)
        const numbers = picks.map((pick) => pick % (last + 1))
        const pasts = await Promise.all(
          numbers.map((number) => Journal.openPast(directory, options(1000 + number), number)),
        )
        expect(await read(pasts[0]!)).toEqual(model.at(numbers[0]!))
        await run(after)
        for (const [index, past] of pasts.entries()) {
          await past.refresh()
          expect(await read(past)).toEqual(model.at(numbers[index]!))
        }
        await Promise.all([journal, ...pasts].map((each) => each.close()))
      },
    ),
    { numRuns: 300 },
  )
}, 60_000)

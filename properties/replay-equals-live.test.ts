/**
 * What a journal holds while it is written is what another process reads from the files: live, replay,
 * snapshot and follow are one fold.
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
  splitBytes: fc.constantFrom(200, 1e9),
  segmentBytes: fc.constantFrom(900, 1e9),
  snapshotRowsBytes: fc.constantFrom(1, 1e9),
  catalogCommits: fc.constantFrom(0, 256),
})

test('replay equals live', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { maxLength: 40 }),
      limits,
      fc.constantFrom('commit' as const, 'buffered' as const),
      async (steps, sizes, durability) => {
        const disk = new MemoryDisk()
        const model = new Model()
        let session = 0
        const open = (): Promise<Journal> =>
          Journal.open(
            directory,
            toyOptions({ disk, durability, limits: sizes, random: seededBytes(++session) }),
          )
        let journal = await open()
        const follower = await open()
        await follower.load('docstore')
        for (const each of steps) {
          if (await take(journal, each)) model.apply(each)
          if (each.kind === 'reopen') journal = await open()
          expect(await read(journal)).toEqual(model.now)
          if (each.kind !== 'persist') continue
          await follower.refresh()
          expect(await read(follower)).toEqual(model.at(model.commits.length - 1))
        }
        const reader = await open()
        expect(await read(reader)).toEqual(model.at(model.commits.length - 1))
        await Promise.all([journal.close(), follower.close(), reader.close()])
      },
    ),
    { numRuns: 300 },
  )
}, 60_000)

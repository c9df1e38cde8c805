/** Snapshots are caches: with all of them, any one missing or none, a journal holds the same. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { MemoryDisk } from '../src/disk/memory-disk.ts'
import { Journal } from '../src/journal/journal.ts'
import { filesUnder } from '../test/support/damage.ts'
import { seededBytes } from '../test/support/seeded.ts'
import { toyOptions } from '../test/support/toy-store.ts'
import { directory, Model, read, step, take } from './support/histories.ts'

test('a snapshot and its tail equal a replay', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 50 }), async (steps) => {
      const disk = new MemoryDisk()
      const model = new Model()
      const limits = { snapshotRowsBytes: 1, catalogCommits: 1 }
      let session = 0
      const open = (on = disk): Promise<Journal> =>
        Journal.open(directory, toyOptions({ disk: on, limits, random: seededBytes(++session) }))
      let journal = await open()
      for (const each of steps) {
        if (await take(journal, each)) model.apply(each)
        if (each.kind === 'reopen') journal = await open()
      }
      await journal.close()
      const wanted = model.at(model.commits.length - 1)

      const snapshots = (await disk.stat(`${directory}/snapshots`))
        ? await filesUnder(disk, `${directory}/snapshots`)
        : []
      for (const missing of [[], snapshots, ...snapshots.map((path) => [path])]) {
        const twin = disk.snapshot()
        for (const path of missing) await twin.unlink(path)
        const reader = await open(twin)
        expect(await read(reader)).toEqual(wanted)
        await reader.close()
      }
    }),
    { numRuns: 200 },
  )
}, 60_000)

/**
 * The versions of any key are what the storage holds as of each commit, wherever sessions end and snapshots say
 * which commits need not be read.
 */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { StorageContext } from '../src/context/storage-context.ts'
import { MemoryDisk } from '../src/disk/memory-disk.ts'
import type { Difference } from '../src/history/difference.ts'
import type { HistoryKey } from '../src/history/history-key.ts'
import { toTree } from '../src/history/stored-value.ts'
import { seededBytes } from '../test/support/seeded.ts'
import { storeStep } from './support/store-steps.ts'

const asked: [store: string, key: HistoryKey][] = [
  ...['a', 'b'].flatMap((id): [string, HistoryKey][] => [
    ['docstore', id],
    ['vector_store', id],
    ['index_store', id],
  ]),
  ['graph_store', ['a', 'b', 'c']],
]

test('versions equal what is held as of each commit', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(
        fc.record({ steps: fc.array(storeStep, { minLength: 1, maxLength: 4 }), isLast: fc.boolean() }),
        {
          minLength: 1,
          maxLength: 8,
        },
      ),
      fc.nat(),
      async (commits, seed) => {
        const disk = new MemoryDisk()
        let session = seed
        const open = () =>
          StorageContext.fromDefaults({ persistDir: '/storage', disk, random: seededBytes(++session) })
        let storage = await open()
        for (const { steps, isLast } of commits) {
          for (const each of steps) await each(storage)
          await storage.persist()
          if (!isLast) continue
          await storage.close()
          storage = await open()
        }
        const last = (await storage.history.log({ limit: 1 }).next()).value?.number ?? 0
        fc.pre(last > 0)
        for (const [store, key] of asked) {
          const held: [number, unknown][] = []
          for (let number = 1; number <= last; number++) {
            const difference = await storage.history.diff(0, number, { store, keys: [key] }).next()
            const value = toTree((difference.value as Difference | undefined)?.after)
            const before = held.at(-1)?.[1]
            if (JSON.stringify(value) !== JSON.stringify(before)) held.push([number, value])
          }
          const versions: [number, unknown][] = []
          for await (const { commit, value } of storage.history.versions(store, key))
            versions.push([commit.number, toTree(value)])
          expect(versions).toEqual(held)
        }
        await storage.close()
      },
    ),
    { numRuns: 60 },
  )
}, 60_000)

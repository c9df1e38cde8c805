/**
 * The difference of any two moments of a random history of all kinds of stores, applied to what the first held, is
 * what the second held; and restoring a moment leaves none.
 */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { StorageContext } from '../src/context/storage-context.ts'
import { MemoryDisk } from '../src/disk/memory-disk.ts'
import { changedPaths, type ChangedPath } from '../src/history/changed-paths.ts'
import { toText, type HistoryKey } from '../src/history/history-key.ts'
import { toTree } from '../src/history/stored-value.ts'
import { seededBytes } from '../test/support/seeded.ts'
import { storeStep } from './support/store-steps.ts'

/** Every value of every key, as plain trees. */
async function contents(storage: StorageContext): Promise<Map<string, unknown>> {
  const held = new Map<string, unknown>()
  for await (const { store, key, after } of storage.history.diff(0, 'HEAD'))
    held.set(place(store, key), toTree(after))
  return held
}

function place(store: string, key: HistoryKey): string {
  return `${store} ${toText(key)}`
}

function inOrder(paths: readonly ChangedPath[]): ChangedPath[] {
  return paths.toSorted((a, b) => (a.path < b.path ? -1 : 1))
}

test('a diff applied to a gives b', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(storeStep, { minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 8 }),
      fc.nat(),
      fc.nat(),
      fc.nat(),
      async (commits, first, second, seed) => {
        const disk = new MemoryDisk()
        const storage = await StorageContext.fromDefaults({
          persistDir: '/storage',
          disk,
          random: seededBytes(seed),
        })
        for (const steps of commits) {
          for (const each of steps) await each(storage)
          await storage.persist()
        }
        const last = (await storage.history.log({ limit: 1 }).next()).value?.number ?? 0
        fc.pre(last > 0)
        const [a, b] = [first % (last + 1), second % (last + 1)]
        const [atA, atB] = [await storage.asOf(a), await storage.asOf(b)]
        const held = await contents(atA)
        for await (const { change, store, key, before, after, paths } of storage.history.diff(a, b)) {
          const [was, is] = [toTree(before), toTree(after)]
          expect(change).toBe(was === undefined ? 'added' : is === undefined ? 'removed' : 'changed')
          expect(held.get(place(store, key))).toEqual(was)
          expect(inOrder(paths)).toEqual(inOrder(changedPaths(was, is)))
          if (is === undefined) held.delete(place(store, key))
          else held.set(place(store, key), is)
        }
        expect(held).toEqual(await contents(atB))

        await storage.history.restore(a)
        expect((await storage.history.diff(a, 'HEAD').next()).done).toBe(true)
        expect(await contents(storage)).toEqual(await contents(atA))
        expect((await storage.toDict()).graph_store).toEqual((await atA.toDict()).graph_store)
        await Promise.all([storage, atA, atB].map((each) => each.close()))
      },
    ),
    { numRuns: 80 },
  )
}, 60_000)

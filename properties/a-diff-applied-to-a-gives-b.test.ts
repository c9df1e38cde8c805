/**
 * The difference of any two moments of a random history of all kinds of stores, applied to what the first held as a whole, is
 * what the second held, wherever sessions end and leave snapshots; and restoring a moment leaves none.
 */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { StorageContext } from '../src/context/storage-context.ts'
import { MemoryDisk } from '../src/disk/memory-disk.ts'
import { changedPaths, type ChangedPath } from '../src/history/changed-paths.ts'
import { heldState, keysIn } from '../src/history/held-state.ts'
import { storeOf, toText, type HistoryKey } from '../src/history/history-key.ts'
import { toTree, valueOf } from '../src/history/stored-value.ts'
import { Home } from '../src/journal/home.ts'
import { seededBytes } from '../test/support/seeded.ts'
import { storeStep } from './support/store-steps.ts'

const persistDir = '/storage'

/** Every value of every key at one moment, as plain trees, from whole states. */
async function contents(disk: MemoryDisk, number: number): Promise<Map<string, unknown>> {
  const held = new Map<string, unknown>()
  const home = await (await Home.open(disk, persistDir))!.at(number)
  for (const folder of home.catalog.stores.keys()) {
    const { state, payload } = await heldState(home, folder)
    for (const key of keysIn(folder, state))
      held.set(place(storeOf(folder, home.catalog), key), toTree(valueOf(folder, state, key, payload)))
  }
  await home.files.close()
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
      fc.array(
        fc.record({ steps: fc.array(storeStep, { minLength: 1, maxLength: 4 }), isLast: fc.boolean() }),
        { minLength: 1, maxLength: 8 },
      ),
      fc.nat(),
      fc.nat(),
      fc.nat(),
      async (commits, first, second, seed) => {
        const disk = new MemoryDisk()
        let session = seed
        const open = () => StorageContext.fromDefaults({ persistDir, disk, random: seededBytes(++session) })
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
        const [a, b] = [first % (last + 1), second % (last + 1)]
        const held = await contents(disk, a)
        for await (const { change, store, key, before, after, paths } of storage.history.diff(a, b)) {
          const [was, is] = [toTree(before), toTree(after)]
          expect(change).toBe(was === undefined ? 'added' : is === undefined ? 'removed' : 'changed')
          expect(held.get(place(store, key))).toEqual(was)
          expect(inOrder(paths)).toEqual(inOrder(changedPaths(was, is)))
          if (is === undefined) held.delete(place(store, key))
          else held.set(place(store, key), is)
        }
        expect(held).toEqual(await contents(disk, b))

        const atA = await storage.asOf(a)
        const restored = (await storage.history.restore(a))?.number ?? last
        expect((await storage.history.diff(a, 'HEAD').next()).done).toBe(true)
        expect(await contents(disk, restored)).toEqual(await contents(disk, a))
        expect((await storage.toDict()).graph_store).toEqual((await atA.toDict()).graph_store)
        await Promise.all([storage, atA].map((each) => each.close()))
      },
    ),
    { numRuns: 80 },
  )
}, 60_000)

/**
 * The difference of any two moments of a random history of all kinds of stores, applied to what the first held, is
 * what the second held; and restoring a moment leaves none.
 */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { StorageContext } from '../src/context/storage-context.ts'
import { MemoryDisk } from '../src/disk/memory-disk.ts'
import { toText, type HistoryKey } from '../src/history/history-key.ts'
import { toTree } from '../src/history/stored-value.ts'
import { seededBytes } from '../test/support/seeded.ts'
import { storeStep } from './support/store-steps.ts'

/** Every value of every key, as plain trees. */
async function contents(storage: StorageContext): Promise<Map<string, unknown>> {
  const { added } = await storage.history.diff(0, 'HEAD')
  return new Map(added.map(({ store, key, value }) => [place(store, key), toTree(value)]))
}

function place(store: string, key: HistoryKey): string {
  return `${store} ${toText(key)}`
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
        const { added, changed, removed } = await storage.history.diff(a, b)
        for (const { store, key } of removed) expect(held.delete(place(store, key))).toBe(true)
        for (const { store, key, value } of added) {
          expect(held.has(place(store, key))).toBe(false)
          held.set(place(store, key), toTree(value))
        }
        for (const { store, key, before, after } of changed) {
          expect(held.get(place(store, key))).toEqual(toTree(before))
          held.set(place(store, key), toTree(after))
        }
        expect(held).toEqual(await contents(atB))

        await storage.history.restore(a)
        expect(await storage.history.diff(a, 'HEAD')).toEqual({ added: [], changed: [], removed: [] })
        expect(await contents(storage)).toEqual(await contents(atA))
        expect((await storage.toDict()).graph_store).toEqual((await atA.toDict()).graph_store)
        await Promise.all([storage, atA, atB].map((each) => each.close()))
      },
    ),
    { numRuns: 80 },
  )
}, 60_000)

/** A struct that is known and handed over whole again is stored as what changed; what comes back is the struct that was handed over. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { StorageContext } from '../src/context/storage-context.ts'
import { MemoryDisk } from '../src/disk/memory-disk.ts'
import type { IndexStruct } from '../src/stores/index-struct.ts'

const id = fc.constantFrom('a', 'b', 'c', 'd', '__proto__', '\ud800', '10', '2')
const leaf = fc.oneof(id, fc.constantFrom(0, -0, NaN, 1.5, null, true, 2n ** 64n))
const value = fc.oneof(
  leaf,
  fc.array(leaf, { maxLength: 3 }),
  fc.dictionary(id, leaf, { maxKeys: 3 }).filter((object) => !Object.hasOwn(object, '__proto__')),
)
const mapOf = <T>(member: fc.Arbitrary<T>) =>
  fc.array(fc.tuple(id, member), { maxLength: 4 }).map((entries) => new Map(entries))
const set = fc.array(id, { minLength: 1, maxLength: 4 }).map((members) => new Set(members))
const list = fc.array(id, { maxLength: 6 })
const summary = fc.constantFrom(null, 'about a', 'about b')

const known = fc.oneof(
  fc.record({ type: fc.constant('vector_store'), summary, nodesDict: mapOf(id) }),
  fc.record({ type: fc.constant('list'), summary, nodes: list }),
  fc.record({ type: fc.constant('keyword_table'), summary, table: mapOf(set) }),
  fc.record({ type: fc.constant('tree'), summary, allNodes: mapOf(id), nodeIdToChildrenIds: mapOf(list) }),
)
const field = fc.oneof(value, mapOf(value), mapOf(set), list)
const unknown = fc
  .tuple(fc.constantFrom('x', 'y'), fc.dictionary(fc.constantFrom('f', 'g', 'h'), field, { maxKeys: 3 }))
  .map(([type, fields]) => ({ type, ...fields }))
const struct = fc.oneof(known, unknown).map((fields): IndexStruct => ({ indexId: 'i', ...fields }))

async function whole(given: IndexStruct): Promise<IndexStruct> {
  const storage = await StorageContext.fromDefaults()
  await storage.indexStore.addIndexStruct(given)
  const struct = (await storage.indexStore.getIndexStruct('i'))!
  await storage.close()
  return struct
}

/** Lists of entries, so that nothing is equal that only looks so. */
function entries(value: unknown): unknown {
  if (!(value instanceof Map)) return value
  const sorted = [...(value as Map<string, unknown>)].sort(([a], [b]) => (a < b ? -1 : 1))
  return sorted.map(([key, member]) => [
    key,
    member instanceof Set ? [...(member as Set<string>)].sort() : member,
  ])
}

test('the last struct handed over comes back', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(struct, fc.constantFrom('go on', 'persist', 'reopen')), {
        minLength: 1,
        maxLength: 6,
      }),
      async (steps) => {
        const disk = new MemoryDisk()
        const open = () => StorageContext.fromDefaults({ disk, persistDir: '/s' })
        let storage = await open()
        for (const [given, then] of steps) {
          await storage.indexStore.addIndexStruct(given)
          if (then !== 'go on') await storage.persist()
          if (then === 'reopen') {
            await storage.close()
            storage = await open()
          }
          const [found, expected] = [(await storage.indexStore.getIndexStruct('i'))!, await whole(given)]
          expect(Object.keys(found).sort()).toEqual(Object.keys(expected).sort())
          for (const [name, content] of Object.entries(expected))
            expect(entries(found[name])).toEqual(entries(content))
          const view = (await (
            storage.indexStore as {
              viewIndexStruct?: (id: string) => Promise<{ size(field: string): number } | undefined>
            }
          ).viewIndexStruct!('i'))!
          for (const [name, content] of Object.entries(expected)) {
            if (content instanceof Map) expect(view.size(name)).toBe(content.size)
          }
          await storage.indexStore.addIndexStruct(given)
          if (then !== 'go on') expect(storage.hasPendingChanges).toBe(false)
        }
        await storage.rollback()
        await storage.close()
      },
    ),
    { numRuns: 300 },
  )
}, 120_000)

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
import { TextNode } from '../src/stores/node.ts'
import { seededBytes } from '../test/support/seeded.ts'

type Step = (storage: StorageContext) => Promise<unknown>

const id = fc.constantFrom('a', 'b', 'c', 'd')
const text = fc.constantFrom('x', 'y', '')
const metadata = fc.dictionary(fc.constantFrom('p', 'q'), fc.nat(3), { maxKeys: 2 })

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ id, doc: fc.option(id), text, metadata }).map(
    ({ id: id_, doc, ...init }): Step =>
      ({ docstore }) =>
        docstore.addDocuments([
          new TextNode({
            id_,
            ...init,
            ...(doc !== null && { relationships: { SOURCE: { nodeId: doc, metadata: {} } } }),
          }),
        ]),
  ),
  id.map(
    (each): Step =>
      ({ docstore }) =>
        docstore.deleteDocument(each, { raiseError: false }),
  ),
  id.map(
    (each): Step =>
      ({ docstore }) =>
        docstore.deleteRefDoc(each, { raiseError: false }),
  ),
  fc.tuple(id, text).map(
    ([each, hash]): Step =>
      ({ docstore }) =>
        docstore.setDocumentHash(each, hash),
  ),
  fc.tuple(id, id, fc.nat(3)).map(
    ([id_, nodeId, number]): Step =>
      ({ vectorStore }) =>
        vectorStore.add([
          new TextNode({ id_, embedding: [number, 1], relationships: { SOURCE: { nodeId, metadata: {} } } }),
        ]),
  ),
  id.map(
    (each): Step =>
      ({ vectorStore }) =>
        vectorStore.delete(each),
  ),
  fc.tuple(id, fc.uniqueArray(id), text).map(
    ([indexId, nodes, summary]): Step =>
      ({ indexStore }) =>
        indexStore.addIndexStruct({ indexId, type: 'list', summary, nodes }),
  ),
  id.map(
    (each): Step =>
      ({ indexStore }) =>
        indexStore.deleteIndexStruct(each),
  ),
  fc.tuple(id, id, id).map(
    (triplet): Step =>
      ({ graphStore }) =>
        graphStore.upsertTriplet(...triplet),
  ),
  fc.tuple(id, id, id).map(
    (triplet): Step =>
      ({ graphStore }) =>
        graphStore.delete(...triplet),
  ),
  fc.tuple(id, text, fc.integer({ min: -2, max: 2 })).map(
    ([key, content, idx]): Step =>
      ({ chatStore }) =>
        chatStore.addMessage(key, { role: 'user', content }, idx),
  ),
  fc.tuple(id, fc.array(text, { maxLength: 4 })).map(
    ([key, contents]): Step =>
      ({ chatStore }) =>
        chatStore.setMessages(
          key,
          contents.map((content) => ({ role: 'user', content })),
        ),
  ),
  id.map(
    (key): Step =>
      ({ chatStore }) =>
        chatStore.deleteMessages(key),
  ),
)

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
      fc.array(fc.array(step, { minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 8 }),
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
    { numRuns: 150 },
  )
}, 60_000)

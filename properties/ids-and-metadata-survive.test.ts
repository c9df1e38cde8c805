/** Any text can be an id, a keyword, a namespace or a part of a triplet, and any tree metadata; all of them come back from the disk, and from a dictionary, as they were. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { StorageContext } from '../src/context/storage-context.ts'
import { MemoryDisk } from '../src/disk/memory-disk.ts'
import type { Triplet } from '../src/stores/contract.ts'
import type { JournalGraphStore } from '../src/stores/graph-store.ts'
import { TextNode } from '../src/stores/node.ts'
import type { JournalVectorStore } from '../src/stores/vector-store.ts'

const strange = fc.constantFrom(
  '__proto__',
  'constructor',
  '../../x',
  '/',
  '~1',
  '\u0000',
  '\uf8ff',
  '\uf8ff__proto__',
  '10',
  '2',
  'a'.repeat(8192),
)
const id = fc
  .oneof(fc.string({ unit: 'binary', minLength: 1, maxLength: 30 }), strange)
  .filter((text) => (text as unknown as { isWellFormed(): boolean }).isWellFormed())
const text = fc.oneof(fc.string({ unit: 'binary' }), strange, fc.constantFrom('\ud800', '\udfff\uf8ff', ''))
const leaf = fc.oneof(
  text,
  fc.double(),
  fc.integer(),
  fc.boolean(),
  fc.constantFrom(null, -0, NaN, Infinity),
  fc.bigInt({ min: -(2n ** 80n), max: 2n ** 80n }),
)
const tree = fc.letrec<{ value: unknown; object: Record<string, unknown> }>((tie) => ({
  value: fc.oneof({ depthSize: 'small' }, leaf, fc.array(tie('value'), { maxLength: 3 }), tie('object')),
  object: fc
    .array(fc.tuple(text, tie('value')), { maxLength: 3 })
    .map((entries) => Object.fromEntries(entries)),
})).object

const content = fc.record({
  nodes: fc.uniqueArray(fc.record({ id, source: fc.option(id, { nil: undefined }), metadata: tree, text }), {
    selector: (node) => node.id,
    maxLength: 5,
  }),
  keywords: fc.uniqueArray(text, { maxLength: 4 }),
  triplets: fc.uniqueArray(fc.tuple(id, id, id), {
    selector: (triplet) => JSON.stringify(triplet),
    maxLength: 4,
  }),
  namespace: id.filter((name) => Buffer.byteLength(name) <= 1024),
})

async function picture(storage: StorageContext, namespace: string) {
  const ids: string[] = []
  for await (const each of storage.docstore.ids()) ids.push(each)
  const vectors = storage.vectorStores.get(namespace) as JournalVectorStore | undefined
  const vectorIds = (await vectors?.ids()) ?? []
  const triplets: Triplet[] = await (storage.graphStore as JournalGraphStore).triplets()
  return {
    ids,
    nodes: await storage.docstore.getNodes(ids),
    hashes: await Promise.all(ids.map((each) => storage.docstore.getDocumentHash(each))),
    refDocs: [...(await storage.docstore.getAllRefDocInfo())],
    vectors: await Promise.all(
      vectorIds.map(async (each) => [each, await vectors!.get(each), await vectors!.getMetadata(each)]),
    ),
    structs: await storage.indexStore.indexStructs(),
    triplets,
  }
}

test('ids and metadata come back as they were', async () => {
  await fc.assert(
    fc.asyncProperty(content, async ({ nodes, keywords, triplets, namespace }) => {
      const disk = new MemoryDisk()
      const storage = await StorageContext.fromDefaults({ disk, persistDir: '/s' })
      const made = nodes.map(
        ({ id: id_, source, metadata, text: content }) =>
          new TextNode({
            id_,
            text: content,
            metadata,
            relationships: source === undefined ? {} : { SOURCE: { nodeId: source, metadata } },
          }),
      )
      await storage.docstore.addDocuments(made)
      await storage
        .addVectorStore(namespace)
        .add(made.map(({ id_, metadata }, index) => new TextNode({ id_, metadata, embedding: [index, 1] })))
      const table = new Map(keywords.map((keyword) => [keyword, new Set([keyword, 'n'])]))
      await storage.indexStore.addIndexStruct({ indexId: 'k', type: 'keyword_table', summary: null, table })
      for (const triplet of triplets) await storage.graphStore.upsertTriplet(...triplet)

      const before = await picture(storage, namespace)
      expect(before.ids).toEqual(nodes.map((node) => node.id))
      expect(before.nodes).toEqual(made)
      expect(before.structs).toEqual([{ indexId: 'k', type: 'keyword_table', summary: null, table }])
      expect(before.triplets.map(String).sort()).toEqual(triplets.map(String).sort())

      const copy = await StorageContext.fromDict(await storage.toDict(), { onWarning: () => {} })
      expect(await picture(copy, namespace)).toEqual(before)
      await copy.close()
      await storage.persist()
      await storage.close()
      for (const round of ['from a snapshot', 'from the logs']) {
        const again = await StorageContext.fromDefaults({ disk, persistDir: '/s' })
        expect({ round, ...(await picture(again, namespace)) }).toEqual({ round, ...before })
        await again.close()
        for (const name of await disk.list('/s/snapshots')) await disk.unlink(`/s/snapshots/${name}`)
      }
      for (const path of await disk.list('/')) expect(path).toBe('s')
      expect(Object.keys(Object.prototype)).toEqual([])
    }),
    { numRuns: 200 },
  )
}, 120_000)

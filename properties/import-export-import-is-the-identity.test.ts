/** What `toDict()` says, `fromDict()` holds, and says again: the same dictionary, and the same contents, also when it went through JSON, and through directories of both kinds. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { MemoryDisk } from '../src/disk/memory-disk.ts'
import { importLlamaIndex, NodeRelationship, StorageContext, TextNode } from '../src/index.ts'
import { picture } from '../test/context/support.ts'

const id = fc.oneof(
  fc.constantFrom('a', 'b', '__proto__', '../../x', '1', 'constructor', 'é', '𝔘'),
  fc.string({ unit: 'grapheme', minLength: 1, maxLength: 8 }),
)
const text = fc.string({ unit: 'grapheme', maxLength: 20 })
const metadata = fc.dictionary(id, fc.jsonValue({ maxDepth: 2, noUnicodeString: false }), { maxKeys: 4 })
const node = fc.record({ id, text, metadata, refDoc: fc.option(id, { nil: undefined }) })
const vector = fc.record({
  id,
  metadata,
  embedding: fc.array(fc.float({ noNaN: true, noDefaultInfinity: true }), { minLength: 2, maxLength: 2 }),
})
const namespace = fc.constantFrom('default', 'images', 'Ü/../odd')
const struct = fc.oneof(
  fc.record({
    indexId: id,
    type: fc.constant('keyword_table'),
    summary: fc.option(text),
    table: fc.dictionary(id, fc.uniqueArray(id, { minLength: 1, maxLength: 3 }), { maxKeys: 3 }).map(toSets),
  }),
  fc.record({
    indexId: id,
    type: fc.constant('list'),
    summary: fc.option(text),
    nodes: fc.array(id, { maxLength: 4 }),
  }),
  fc.record({
    indexId: id,
    type: fc.constant('vector_store'),
    summary: fc.option(text),
    nodesDict: fc.dictionary(id, id, { maxKeys: 3 }).map((members) => new Map(Object.entries(members))),
    docIdDict: fc.constant(new Map()),
    embeddingsDict: fc.constant(new Map()),
  }),
)
const contents = fc.record({
  nodes: fc.array(node, { maxLength: 4 }),
  hashes: fc.dictionary(id, text, { maxKeys: 2 }),
  vectors: fc.dictionary(namespace, fc.array(vector, { minLength: 1, maxLength: 3 }), { maxKeys: 3 }),
  structs: fc.uniqueArray(struct, { maxLength: 3, selector: ({ indexId }) => indexId }),
  triplets: fc.array(fc.tuple(id, id, id), { maxLength: 4 }),
  entities: fc.array(fc.record({ name: id, properties: metadata }), { maxLength: 3 }),
  relations: fc.array(fc.record({ label: id, source_id: id, target_id: id, properties: metadata }), {
    maxLength: 3,
  }),
})
type Contents = typeof contents extends fc.Arbitrary<infer T> ? T : never

function toSets(table: Record<string, string[]>): Map<string, Set<string>> {
  return new Map(Object.entries(table).map(([key, members]) => [key, new Set(members)]))
}

async function fill(storage: StorageContext, { nodes, vectors, structs, ...rest }: Contents): Promise<void> {
  const { docstore, indexStore, graphStore, propertyGraphStore } = storage
  await docstore.addDocuments(
    nodes.map(({ id: id_, refDoc, ...init }) => {
      const relationships =
        refDoc === undefined ? {} : { [NodeRelationship.SOURCE]: { nodeId: refDoc, metadata: {} } }
      return new TextNode({ id_, ...init, relationships })
    }),
  )
  for (const [of, hash] of Object.entries(rest.hashes)) await docstore.setDocumentHash(of, hash)
  for (const [name, records] of Object.entries(vectors)) {
    const store = storage.addVectorStore(name)
    await store.add(records.map(({ id: id_, ...init }) => new TextNode({ id_, text: '', ...init })))
  }
  for (const each of structs) await indexStore.addIndexStruct(each)
  for (const triplet of rest.triplets) await graphStore.upsertTriplet(...triplet)
  await propertyGraphStore.upsertNodes(rest.entities.map((entity) => ({ label: 'entity', ...entity })))
  await propertyGraphStore.upsertRelations(rest.relations)
}

/** An integer from 2^53 on leaves as a number and comes as a BigInt. */
function withoutBigInt(dict: object): unknown {
  return JSON.parse(
    JSON.stringify(dict, (_, value: unknown) => (typeof value === 'bigint' ? Number(value) : value)),
  )
}

test('import, export, import is the identity', async () => {
  await fc.assert(
    fc.asyncProperty(contents, async (all) => {
      await using storage = await StorageContext.fromDefaults()
      await fill(storage, all)
      const dict = await storage.toDict()
      const expected = await picture(storage)

      await using copy = await StorageContext.fromDict(dict, { onWarning: () => {} })
      expect(await copy.toDict()).toEqual(dict)
      expect(await picture(copy)).toEqual(expected)

      const json = JSON.stringify(dict)
      await using fromJson = await StorageContext.fromDict(JSON.parse(json) as object, {
        onWarning: () => {},
      })
      expect(JSON.parse(JSON.stringify(await fromJson.toDict()))).toEqual(JSON.parse(json))

      const disk = new MemoryDisk()
      await using toDisk = await StorageContext.fromDict(dict, { disk, onWarning: () => {} })
      await toDisk.persist('/storage')
      const image = disk.image('all')
      await using read = await StorageContext.fromDefaults({
        persistDir: '/storage',
        disk: image,
      })
      expect(await read.toDict()).toEqual(dict)

      const { omitted } = await read.exportTo('/python', { format: 'python' })
      const vectors = Object.entries(dict.vector_store)
      const placed = vectors.filter(
        ([name]) => !omitted.some(({ what }) => what.startsWith(`namespace ${name} `)),
      )
      await importLlamaIndex('/python', { to: '/imported', disk: image })
      await using imported = await StorageContext.fromDefaults({ persistDir: '/imported', disk: image })
      const expectedDict = { ...dict, vector_store: Object.fromEntries(placed) }
      expect(withoutBigInt(await imported.toDict())).toEqual(withoutBigInt(expectedDict))
    }),
    { numRuns: 100 },
  )
}, 120_000)

/** What LlamaIndexTS has a place for comes back from a directory in its format as it was; and what came back is exported as the same bytes. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { MemoryDisk } from '../src/disk/memory-disk.ts'
import { Document, importLlamaIndex, NodeRelationship, StorageContext, TextNode } from '../src/index.ts'

const id = fc.oneof(
  fc.constantFrom('a', 'b', 'c', '__proto__', '../../x', '1', 'constructor', 'é', '𝔘'),
  fc.string({ unit: 'grapheme', minLength: 1, maxLength: 8 }),
)
const text = fc.string({ unit: 'grapheme', maxLength: 20 })
const metadata = fc.dictionary(id, fc.jsonValue({ maxDepth: 2, noUnicodeString: false }), { maxKeys: 4 })
const node = fc.record({
  id,
  text,
  metadata,
  source: fc.option(id, { nil: undefined }),
  next: fc.option(id, { nil: undefined }),
  places: fc.option(fc.tuple(fc.nat(9), fc.nat(9)), { nil: undefined }),
  isDocument: fc.boolean(),
  embedding: fc.array(fc.float({ noNaN: true, noDefaultInfinity: true }), { minLength: 2, maxLength: 2 }),
})
const contents = fc.record({
  nodes: fc.uniqueArray(node, { maxLength: 5, selector: (each) => each.id }),
  hashes: fc.dictionary(id, text, { maxKeys: 2 }),
  summaries: fc.tuple(fc.option(text), fc.option(text)),
  indexIds: fc.uniqueArray(id, { minLength: 2, maxLength: 2 }),
})
type Contents = typeof contents extends fc.Arbitrary<infer T> ? T : never

async function fill(
  storage: StorageContext,
  { nodes, hashes, summaries, indexIds }: Contents,
): Promise<void> {
  const { docstore, indexStore, vectorStore } = storage
  const made = nodes.map(({ id: id_, source, next, places, isDocument, ...init }) => {
    const relationships = {
      ...(source !== undefined && { [NodeRelationship.SOURCE]: { nodeId: source, metadata: {} } }),
      ...(next !== undefined && { [NodeRelationship.NEXT]: { nodeId: next, metadata: init.metadata } }),
    }
    const [startCharIdx, endCharIdx] = places ?? []
    const fields = { id_, text: init.text, metadata: init.metadata, relationships }
    if (isDocument) return new Document(fields)
    return new TextNode({ ...fields, ...(places && { startCharIdx, endCharIdx }) })
  })
  await docstore.addDocuments(made)
  for (const [of, hash] of Object.entries(hashes)) await docstore.setDocumentHash(of, hash)
  await vectorStore.add(
    nodes.map(
      ({ id: id_, embedding }, at) =>
        new TextNode({ id_, text: '', embedding, relationships: made[at]!.relationships }),
    ),
  )
  const [vectors, list] = indexIds
  const [ofVectors, ofList] = summaries.map((summary) => (summary === null ? {} : { summary }))
  const nodesDict = new Map(nodes.map((each) => [each.id, each.id]))
  // As it comes from LlamaIndexTS, Python's two fields being empty.
  const dict = { nodesDict, docIdDict: new Map(), embeddingsDict: new Map() }
  await indexStore.addIndexStruct({ indexId: vectors!, type: 'simple_dict', ...ofVectors, ...dict })
  await indexStore.addIndexStruct({
    indexId: list!,
    type: 'list',
    ...ofList,
    nodes: nodes.map((each) => each.id),
  })
}

/** Hashes of nodes are LlamaIndexTS's own there; that they say the same, `.ci/parity` shows. */
async function picture(storage: StorageContext): Promise<unknown> {
  const withoutHashes = (_: string, value: unknown): unknown => {
    if (typeof value === 'bigint') return Number(value)
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
    const { hash: _hash, doc_hash: _docHash, ...rest } = value as Record<string, unknown>
    return rest
  }
  return JSON.parse(JSON.stringify(await storage.toDict(), withoutHashes))
}

test('a TypeScript export imports as it was', async () => {
  await fc.assert(
    fc.asyncProperty(contents, async (all) => {
      const disk = new MemoryDisk()
      await using storage = await StorageContext.fromDefaults({ disk })
      await fill(storage, all)
      const { omitted } = await storage.exportTo('/typescript', { format: 'typescript' })
      expect(omitted).toEqual([])

      await importLlamaIndex('/typescript', { to: '/imported', disk })
      await using imported = await StorageContext.fromDefaults({ persistDir: '/imported', disk })
      expect(await picture(imported)).toEqual(await picture(storage))

      await imported.exportTo('/again', { format: 'typescript' })
      for (const name of await disk.list('/typescript'))
        expect(textOf(disk, `/again/${name}`)).toBe(textOf(disk, `/typescript/${name}`))
    }),
    { numRuns: 100 },
  )
}, 120_000)

const textOf = (disk: MemoryDisk, path: string): string => Buffer.from(disk.peek(path)).toString()

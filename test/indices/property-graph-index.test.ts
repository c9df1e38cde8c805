import { beforeEach, expect, test, vi } from 'vitest'
import { StorageContext } from '../../src/context/storage-context.ts'
import { loadIndexFromStorage } from '../../src/indices/load-index.ts'
import { PropertyGraphIndex } from '../../src/indices/property-graph-index.ts'
import type { RetrieverOptions } from '../../src/indices/retriever.ts'
import { SummaryIndex } from '../../src/indices/summary-index.ts'
import type { Triplet } from '../../src/stores/contract.ts'
import { document, node, oneSentenceANode } from './support/documents.ts'
import { MemoryStorage } from './support/memory-storage.ts'

/** `Alice knows Bob.` is one triplet. */
const extractTriplets = (text: string): Triplet[] => {
  const words = text.replace('.', '').split(' ')
  return words.length < 3 ? [] : [[words[0]!, words.slice(1, -1).join(' '), words.at(-1)!]]
}

let storageContext: StorageContext
let index: PropertyGraphIndex
const options = (indexId = 'P', prefix = 'n') => ({
  storageContext,
  nodeParser: oneSentenceANode(prefix),
  indexId,
  extractTriplets,
})
const people = document('people', 'Alice knows Bob. Bob likes Tea.')
beforeEach(async () => {
  storageContext = await StorageContext.fromDefaults()
  index = await PropertyGraphIndex.fromDocuments(
    [people, document('tea', 'Tea comes from China.')],
    options(),
  )
})
const graphIds = async () =>
  (await storageContext.propertyGraphStore.get()).map(({ id_, name }) => id_ ?? name).sort()
const triplets = async () => (await storageContext.propertyGraphStore.getTriplets()).sort()
const found = async (question: string, given: RetrieverOptions = {}, asked = index) =>
  (await asked.asRetriever(given).retrieve(question)).map((hit) => hit.node.id_)

test('chunks, entities and relations go to the graph, with the chunk they came from', async () => {
  expect(await graphIds()).toEqual(['Alice', 'Bob', 'China', 'Tea', 'n1', 'n2', 'n3'])
  const [alice, chunk] = await storageContext.propertyGraphStore.get({ ids: ['Alice', 'n1'] })
  expect(alice).toMatchObject({ label: 'entity', properties: { triplet_source_id: 'n1' } })
  expect(chunk).toMatchObject({
    label: 'text_chunk',
    text: 'Alice knows Bob.',
    properties: { ref_doc_id: 'people' },
  })
  expect(await storageContext.propertyGraphStore.getRelation(['Bob', 'likes', 'Tea'])).toMatchObject({
    properties: { triplet_source_id: 'n2' },
  })
})

test('a chunk that goes takes its relations along, and writes none that stays', async () => {
  const store = storageContext.propertyGraphStore
  const upserts = [vi.spyOn(store, 'upsertRelations'), vi.spyOn(store, 'upsertNodes')]
  await index.deleteNodes(['n2'])
  expect(await triplets()).toEqual([
    ['Alice', 'knows', 'Bob'],
    ['Tea', 'comes from', 'China'],
  ])
  expect(await graphIds()).toEqual(['Alice', 'Bob', 'China', 'Tea', 'n1', 'n3'])
  for (const upsert of upserts) expect(upsert).not.toHaveBeenCalled()
})

test('a question is asked by keyword, and other modes are refused by name', async () => {
  expect(await found('Alice', { retrieverMode: 'keyword' })).toEqual(await found('Alice'))
  expect(() => index.asRetriever({ retrieverMode: 'root' })).toThrow(/no retrieverMode 'root'.*'keyword'/)
})

test('a question leads to the chunks behind its entities and to the relations around them', async () => {
  expect(await found('What does Alice do?')).toEqual(['n1', 'P/triplets'])
  expect(await found('tea')).toEqual(['n2', 'n3', 'P/triplets'])
  expect(await found('alice', { graphStoreQueryDepth: 3 })).toEqual(['n1', 'n2', 'n3', 'P/triplets'])
  expect(await found('tea', { docIds: ['tea'] })).toEqual(['n3'])
  expect(await found('tea', { includeText: false })).toEqual(['P/triplets'])
  expect(await found('coffee')).toEqual([])
})

test('deleting a document deletes its chunks, and what came from nothing else', async () => {
  await index.insertNodes([node('x', 'Alice knows Bob.', 'other')])
  await index.deleteRefDoc('people')
  expect(await triplets()).toEqual([
    ['Alice', 'knows', 'Bob'],
    ['Tea', 'comes from', 'China'],
  ])
  expect(await graphIds()).toEqual(['Alice', 'Bob', 'China', 'Tea', 'n3', 'x'])
  await index.deleteNodes(['n3', 'unknown'])
  expect(await graphIds()).toEqual(['Alice', 'Bob', 'x'])
  expect(await storageContext.docstore.documentExists('n3')).toBe(false)
})

test('a relation that goes leaves its ends their other relations, with their properties', async () => {
  const relation = { label: 'is', source_id: 'Bob', target_id: 'Bob', properties: { since: 1 } }
  await storageContext.propertyGraphStore.upsertRelations([relation])
  await index.deleteNodes(['n2'])
  expect(await triplets()).toEqual([
    ['Alice', 'knows', 'Bob'],
    ['Bob', 'is', 'Bob'],
    ['Tea', 'comes from', 'China'],
  ])
  expect(await storageContext.propertyGraphStore.getRelation(['Bob', 'is', 'Bob'])).toEqual(relation)
})

test('documents are refreshed, and nodes replaced, with what they say', async () => {
  expect(await index.refreshRefDocs([document('people', 'Alice knows Carol.')])).toEqual([true])
  expect(await triplets()).toEqual([
    ['Alice', 'knows', 'Carol'],
    ['Tea', 'comes from', 'China'],
  ])
  await index.insertNodes([node('n3', 'Tea is hot.', 'tea')])
  expect(await triplets()).toEqual([
    ['Alice', 'knows', 'Carol'],
    ['Tea', 'is', 'hot'],
  ])
})

test('indices of one graph leave each other their chunks and relations', async () => {
  const other = await PropertyGraphIndex.fromDocuments([people], options('O', 'o'))
  await other.deleteNodes(['n3'])
  await index.deleteRefDoc('people')
  expect(await triplets()).toContainEqual(['Alice', 'knows', 'Bob'])
  expect(await found('Alice', {}, other)).toEqual(['o1', 'O/triplets'])
  const list = await SummaryIndex.init({
    storageContext,
    indexId: 'L',
    nodes: [await storageContext.docstore.getNode('o1')],
  })
  await other.deleteNodes(['o1', 'o2'])
  expect(await graphIds()).toEqual(['China', 'Tea', 'n3'])
  expect(await list.asRetriever().retrieve('')).toHaveLength(1)
})

test('what LlamaIndex wrote, whose struct names no node, is found and deleted by its sources', async () => {
  const storage = await StorageContext.fromDefaults()
  await storage.indexStore.addIndexStruct({ indexId: 'I', type: 'simple_lpg', summary: null })
  await storage.docstore.addDocuments([node('c1', 'Alice knows Bob.', 'd'), node('c2', 'Bob sleeps.', 'e')])
  const from = (id: string) => ({ triplet_source_id: id })
  await storage.propertyGraphStore.upsertNodes([
    { label: 'text_chunk', text: 'Alice knows Bob.', id_: 'c1', properties: {} },
    { label: 'text_chunk', text: 'Bob sleeps.', id_: 'c2', properties: {} },
    { label: 'PERSON', name: 'Alice', properties: from('c1') },
    { label: 'PERSON', name: 'Bob', properties: from('c2') },
  ])
  await storage.propertyGraphStore.upsertRelations([
    { label: 'KNOWS', source_id: 'Alice', target_id: 'Bob', properties: from('c1') },
    { label: 'IS', source_id: 'Bob', target_id: 'Bob', properties: from('c2') },
  ])
  const imported = (await loadIndexFromStorage(storage)) as PropertyGraphIndex
  expect(imported).toBeInstanceOf(PropertyGraphIndex)
  expect(await found('Alice', {}, imported)).toEqual(['c1', 'I/triplets'])
  await imported.deleteRefDoc('d')
  expect(await storage.propertyGraphStore.getTriplets()).toEqual([['Bob', 'IS', 'Bob']])
  expect((await storage.propertyGraphStore.get()).map(({ id_, name }) => id_ ?? name).sort()).toEqual([
    'Bob',
    'c2',
  ])
  expect(await storage.docstore.documentExists('c1')).toBe(false)
})

test('prepared triplets need no function; nodes without any do', async () => {
  const loaded = (await loadIndexFromStorage(storageContext)) as PropertyGraphIndex
  await loaded.insertTriplets(node('q', 'A "b" c.'), [['A "x"', 'r', 'c']])
  expect(await found('a x', {}, loaded)).toEqual(['q', 'P/triplets'])
  expect(await graphIds()).toContain('A  x ')
  await loaded.deleteNodes(['q'])
  expect(await graphIds()).not.toContain('A  x ')
  await expect(loaded.insert(people)).rejects.toMatchObject({ code: 'VARVE_BAD_OPTION' })
  await expect(loaded.insertTriplets(node('q', 'x'), [['a', 'b', '']])).rejects.toMatchObject({
    code: 'VARVE_BAD_OPTION',
  })
  expect(await storageContext.docstore.documentExists('q')).toBe(false)
})

test('a storage without a property graph store says so', async () => {
  await expect(PropertyGraphIndex.init({ storageContext: new MemoryStorage() })).rejects.toThrow(
    /no property graph store/,
  )
})

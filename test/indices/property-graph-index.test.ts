import { beforeEach, expect, test, vi } from 'vitest'
import { StorageContext } from '../../src/context/storage-context.ts'
import { MemoryDisk } from '../../src/disk/memory-disk.ts'
import { loadIndexFromStorage } from '../../src/indices/load-index.ts'
import { PropertyGraphIndex } from '../../src/indices/property-graph-index.ts'
import type { RetrieverOptions } from '../../src/indices/retriever.ts'
import { SummaryIndex } from '../../src/indices/summary-index.ts'
import { VectorStoreIndex } from '../../src/indices/vector-store-index.ts'
import type { Triplet } from '../../src/stores/contract.ts'
import { TextNode } from '../../src/stores/node.ts'
import { expectCode } from '../stores/store-cases.ts'
import { bagOfWords } from './support/bag-of-words.ts'
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

const embedding = { retrieverMode: 'embedding' } as const
const wordsOf = (hits: Awaited<ReturnType<typeof ask>>) =>
  hits.map(({ node: { id_ }, score }) => [id_, Math.round(score * 100) / 100])
const ask = async (question: string, given: RetrieverOptions = {}, asked = index) =>
  await asked.asRetriever({ ...embedding, ...given }).retrieve(question)
const vectorIds = async () =>
  (await storageContext.vectorStore.query({ queryEmbedding: new Float32Array(64), similarityTopK: 99 })).ids
const embedded = async () => {
  storageContext = await StorageContext.fromDefaults()
  const embedModel = bagOfWords()
  const made = await PropertyGraphIndex.fromDocuments([people, document('tea', 'Tea comes from China.')], {
    ...options(),
    embedModel,
  })
  return { made, embedModel }
}

test('entities get vectors of what LlamaIndex embeds, in the vector store, under their names', async () => {
  const { embedModel } = await embedded()
  expect(embedModel.calls.map(({ texts }) => texts)).toEqual([
    [
      "Alice ({'triplet_source_id': 'n1'})",
      "Bob ({'triplet_source_id': 'n1'})",
      "Tea ({'triplet_source_id': 'n2'})",
      "China ({'triplet_source_id': 'n3'})",
    ],
  ])
  const { vector_store: namespaces } = await storageContext.toDict()
  expect(namespaces['default']!['metadata_dict']).toMatchObject({
    Alice: { vector_source_id: 'Alice', triplet_source_id: 'n1', _node_type: 'TextNode', ref_doc_id: 'None' },
  })
})

test('a question leads to what is around the entities whose vectors are most similar to it', async () => {
  const { made } = await embedded()
  expect(wordsOf(await ask('China', { similarityTopK: 1 }, made))).toEqual([
    ['n3', 0.58],
    ['P/triplets', 1],
  ])
  const around = { similarityTopK: 1, graphStoreQueryDepth: 2 }
  expect(wordsOf(await ask('Alice', around, made))).toEqual([
    ['n1', 0.58],
    ['n2', 0],
    ['P/triplets', 1],
  ])
  expect(
    (await ask('Alice', { similarityTopK: 1, includeText: false }, made)).map(({ node }) => node.metadata),
  ).toEqual([
    { kg_rel_texts: ["('Alice', 'knows', 'Bob')"], kg_rel_map: { Alice: [['Alice', 'knows', 'Bob']] } },
  ])
  expect(wordsOf(await ask('Tea', { docIds: ['tea'] }, made))).toEqual([['n3', 0.58]])
  expect(wordsOf(await ask('Tea', { nodeIds: ['n2'] }, made))).toEqual([['n2', 0.58]])
  expect(await found('Alice, China', { retrieverMode: 'hybrid', similarityTopK: 1 }, made)).toEqual([
    'n1',
    'n3',
    'P/triplets',
  ])
  expect(await found('Which?', { retrieverMode: 'hybrid', similarityTopK: 1 }, made)).toEqual([
    'n1',
    'P/triplets',
  ])
})

test('vectors of entities come back in a new context, and go with their entities', async () => {
  const disk = new MemoryDisk()
  storageContext = await StorageContext.fromDefaults({ persistDir: '/p', disk })
  const embedModel = bagOfWords()
  const texts = [people, document('tea', 'Tea comes from China.')]
  await PropertyGraphIndex.fromDocuments(texts, { ...options(), embedModel })
  await storageContext.persist()
  await storageContext.close()
  storageContext = await StorageContext.fromDefaults({ persistDir: '/p', disk })
  await expectCode(
    loadIndexFromStorage(storageContext, { embedModel: bagOfWords({ id: 'other' }) }),
    'VARVE_OTHER_EMBED_MODEL',
  )
  const loaded = (await loadIndexFromStorage(storageContext, {
    embedModel,
    extractTriplets,
  })) as PropertyGraphIndex
  expect(wordsOf(await ask('China', { similarityTopK: 1 }, loaded))).toEqual([
    ['n3', 0.58],
    ['P/triplets', 1],
  ])

  await storageContext.vectorStore.add([
    new TextNode({ id_: 'Alice', text: '', embedding: new Float32Array(64).fill(1) }),
  ])
  await loaded.updateRefDoc(document('people', 'Alice knows Carol.'))
  expect((await vectorIds()).toSorted()).toEqual(['Alice', 'Carol', 'China', 'Tea'])
  await loaded.deleteRefDoc('tea')
  expect((await vectorIds()).toSorted()).toEqual(['Alice', 'Carol'])
  await storageContext.rollback()
  expect((await vectorIds()).toSorted()).toEqual(['Alice', 'Bob', 'China', 'Tea'])
})

test('a vector that is there is not written again, and one that another index has stays', async () => {
  const { made, embedModel } = await embedded()
  const add = vi.spyOn(storageContext.vectorStore, 'add')
  await made.insertTriplets(node('x', 'Tea is hot.', 'tea'), [['Tea', 'is', 'hot']])
  expect(add.mock.calls.map(([nodes]) => nodes.map(({ id_ }) => id_))).toEqual([['hot']])
  await VectorStoreIndex.init({ storageContext, embedModel, indexId: 'V', nodes: [node('China', 'China')] })
  await made.deleteRefDoc('tea')
  expect((await vectorIds()).toSorted()).toEqual(['Alice', 'Bob', 'China', 'Tea'])
  expect(await found('China', embedding, made)).not.toContain('China')
})

test('a graph without vectors says so when it is asked by embedding', async () => {
  const embedModel = bagOfWords()
  expect(await vectorIds()).toEqual([])
  const loaded = (await loadIndexFromStorage(storageContext, { embedModel })) as PropertyGraphIndex
  await expectCode(ask('Alice', {}, loaded), 'VARVE_UNSUPPORTED_QUERY')
  await expectCode(ask('Alice'), 'VARVE_NO_EMBED_MODEL')
  const bare = await PropertyGraphIndex.init({ embedModel })
  expect(await ask('Alice', {}, bare)).toEqual([])
  const plain = await PropertyGraphIndex.fromDocuments([people], {
    ...options('Q', 'q'),
    embedModel,
    embedKgNodes: false,
  })
  expect(await vectorIds()).toEqual([])
  expect(await found('Alice', {}, plain)).toContain('q1')
  await expectCode(
    PropertyGraphIndex.fromDocuments([people], { ...options('R', 'r'), embedKgNodes: true }),
    'VARVE_NO_EMBED_MODEL',
  )
})

test('a storage without a property graph store says so', async () => {
  await expect(PropertyGraphIndex.init({ storageContext: new MemoryStorage() })).rejects.toThrow(
    /no property graph store/,
  )
})

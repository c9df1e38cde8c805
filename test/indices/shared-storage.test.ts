// Several indices in one docstore and one namespace.
import { beforeEach, expect, test } from 'vitest'
import { SimpleKeywordTableIndex } from '../../src/indices/simple-keyword-table-index.ts'
import { SummaryIndex } from '../../src/indices/summary-index.ts'
import { VectorStoreIndex } from '../../src/indices/vector-store-index.ts'
import { bagOfWords } from './support/bag-of-words.ts'
import { document, node, oneSentenceANode } from './support/documents.ts'
import { MemoryStorage } from './support/memory-storage.ts'
import { MemoryVectorStore } from './support/memory-vector-store.ts'

const cats = document('cats', 'Cats sleep all day. Cats chase mice.')
const birds = document('birds', 'Birds sing songs.')

let storage: MemoryStorage
let a: VectorStoreIndex
let b: VectorStoreIndex
const optionsOf = (prefix: string) => ({
  storageContext: storage,
  embedModel: bagOfWords(),
  nodeParser: oneSentenceANode(prefix),
  indexId: prefix,
})
beforeEach(async () => {
  storage = new MemoryStorage()
  a = await VectorStoreIndex.fromDocuments([cats, birds], optionsOf('a'))
  b = await VectorStoreIndex.fromDocuments([cats], optionsOf('b'))
})

const held = () => [[...storage.docstore.nodes.keys()], [...storage.vectorStore.vectors.keys()]]
const texts = async (index: VectorStoreIndex) => {
  const hits = await index.asRetriever({ similarityTopK: 9 }).retrieve('cats')
  return hits.map((hit) => hit.node.id_).sort()
}

test('a query sees the nodes of its index only', async () => {
  expect(held()).toEqual([
    ['a1', 'a2', 'a3', 'b1', 'b2'],
    ['a1', 'a2', 'a3', 'b1', 'b2'],
  ])
  expect(await texts(a)).toEqual(['a1', 'a2', 'a3'])
  expect(await texts(b)).toEqual(['b1', 'b2'])
  expect(await b.refDocInfo()).toEqual(new Map([['cats', { nodeIds: ['b1', 'b2'], metadata: {} }]]))
})

test('deleting a source document from one index leaves the other right', async () => {
  await a.deleteRefDoc('cats')
  expect(held()).toEqual([
    ['a3', 'b1', 'b2'],
    ['a3', 'b1', 'b2'],
  ])
  expect(storage.docstore.refDocs.get('cats')!.nodeIds).toEqual(['b1', 'b2'])
  expect(storage.docstore.hashes.has('cats')).toBe(true)
  expect(await texts(b)).toEqual(['b1', 'b2'])
  await b.deleteRefDoc('cats')
  expect(storage.docstore.hashes.has('cats')).toBe(false)
  expect(held()).toEqual([['a3'], ['a3']])
})

test('a node and its vector stay as long as an index refers to them', async () => {
  const shared = [node('s', 'shared text', 'doc')]
  await a.insertNodes(shared)
  await b.insertNodes(shared)
  const list = await SummaryIndex.init({ storageContext: storage, nodes: shared })
  const table = await SimpleKeywordTableIndex.init({ storageContext: storage, nodes: shared })
  await a.deleteRefDoc('doc')
  expect([await texts(a), await texts(b)]).toEqual([
    ['a1', 'a2', 'a3'],
    ['b1', 'b2', 's'],
  ])
  await b.deleteNodes(['s'])
  expect([storage.vectorStore.vectors.has('s'), storage.docstore.nodes.has('s')]).toEqual([false, true])
  await list.deleteRefDoc('doc')
  expect(storage.docstore.nodes.has('s')).toBe(true)
  await table.deleteNodes(['s'])
  expect([storage.docstore.nodes.has('s'), storage.docstore.refDocs.has('doc')]).toEqual([false, false])
})

test('indices of other types, and of types not known here, keep what they refer to', async () => {
  await storage.indexStore.addIndexStruct({
    indexId: 'tree',
    type: 'tree',
    allNodes: new Map([['0', 'a1']]),
    rootNodes: new Map(),
    nodeIdToChildrenIds: new Map(),
  })
  await storage.indexStore.addIndexStruct({
    indexId: 'kg',
    type: 'kg',
    table: new Map([['k', new Set(['a2'])]]),
  })
  await storage.indexStore.addIndexStruct({
    indexId: 'future',
    type: 'future',
    pages: { one: [{ node: 'a3' }] },
  })
  await storage.indexStore.addIndexStruct({
    indexId: 'summary',
    type: 'document_summary',
    summaryIdToNodeIds: new Map([['b1', ['b2']]]),
    nodeIdToSummaryId: new Map([['b2', 'b1']]),
    docIdToSummaryId: new Map(),
  })
  for (const [index, ids] of [
    [a, ['a1', 'a2', 'a3']],
    [b, ['b1', 'b2']],
  ] as const) {
    await index.deleteNodes(ids)
  }
  // The vector of a document summary is its own.
  expect(held()).toEqual([['a1', 'a2', 'a3', 'b1', 'b2'], ['b1']])
})

test('a document that another index holds already is inserted here by refresh', async () => {
  expect(await b.refreshRefDocs([cats, birds])).toEqual([false, true])
  expect(await texts(b)).toEqual(['b1', 'b2', 'b3'])
  expect(await b.refreshRefDocs([cats, birds])).toEqual([false, false])
})

test('an older version is refreshed though another index has the new one', async () => {
  const newer = document('cats', 'Cats like fish.')
  await a.updateRefDoc(newer)
  expect(await texts(a)).toEqual(['a3', 'a4'])
  expect(await texts(b)).toEqual(['b1', 'b2'])
  expect(await b.refreshRefDocs([newer])).toEqual([true])
  expect(await texts(b)).toEqual(['b3'])
  expect(await b.refreshRefDocs([newer])).toEqual([false])
  expect(await a.refreshRefDocs([newer])).toEqual([false])
})

test('an index in a namespace of its own keeps its vectors there, and remembers it', async () => {
  const own = new MemoryVectorStore()
  storage.vectorStores.set('own', own)
  const shared = [node('s', 'shared text')]
  const c = await VectorStoreIndex.init({ ...optionsOf('c'), namespace: 'own', nodes: shared })
  await a.insertNodes(shared)
  expect([own.vectors.size, storage.vectorStore.vectors.has('s')]).toEqual([1, true])
  await a.deleteNodes(['s'])
  expect([own.vectors.size, storage.vectorStore.vectors.has('s'), storage.docstore.nodes.has('s')]).toEqual([
    1,
    false,
    true,
  ])
  expect(await texts(c)).toEqual(['s'])
  expect((await storage.indexStore.getIndexStruct('c'))!.vectorNamespace).toBe('own')
  const missing = VectorStoreIndex.init({ ...optionsOf('d'), namespace: 'missing' })
  await expect(missing).rejects.toMatchObject({ code: 'VARVE_NAMESPACE_NOT_FOUND' })
})

test('a source document that was kept whole goes with its nodes, and with its old version', async () => {
  await storage.docstore.addDocuments([birds])
  await a.updateRefDoc(document('birds', 'Birds fly.'))
  expect(storage.docstore.nodes.has('birds')).toBe(false)
  expect(storage.docstore.hashes.has('birds')).toBe(true)
  await storage.docstore.addDocuments([birds])
  await a.deleteRefDoc('birds')
  expect([storage.docstore.nodes.has('birds'), storage.docstore.hashes.has('birds')]).toEqual([false, false])
})

test('changes of two indices at once do not lose each other', async () => {
  await Promise.all([
    a.insert(document('x', 'Text x.')),
    b.insert(document('x', 'Text x.')),
    a.insert(document('y', 'Text y.')),
    b.updateRefDoc(document('cats', 'Cats like fish.')),
  ])
  expect([(await texts(a)).length, (await texts(b)).length]).toEqual([5, 2])
  expect(storage.docstore.refDocs.get('x')!.nodeIds).toHaveLength(2)
})

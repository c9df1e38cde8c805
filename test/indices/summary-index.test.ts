import { beforeEach, expect, test } from 'vitest'
import { loadIndexFromStorage } from '../../src/indices/load-index.ts'
import { SummaryIndex } from '../../src/indices/summary-index.ts'
import { bagOfWords } from './support/bag-of-words.ts'
import { document, node, oneSentenceANode } from './support/documents.ts'
import { MemoryStorage } from './support/memory-storage.ts'

const cats = document('cats', 'Cats sleep all day. Cats chase mice.')
const birds = document('birds', 'Birds sing songs.', { kind: 'x' })

let storage: MemoryStorage
let index: SummaryIndex
beforeEach(async () => {
  storage = new MemoryStorage()
  const options = { storageContext: storage, nodeParser: oneSentenceANode(), indexId: 'S' }
  index = await SummaryIndex.fromDocuments([cats, birds], options)
})

const listed = async () => (await storage.indexStore.getIndexStruct('S'))!.nodes
const retrieved = async (...[options]: Parameters<typeof index.asRetriever>) =>
  (await index.asRetriever(options).retrieve('anything')).map(({ node: { id_ }, score }) => [id_, score])

test('a retrieval answers all nodes in order, with score 1', async () => {
  expect(await retrieved()).toEqual([
    ['n1', 1],
    ['n2', 1],
    ['n3', 1],
  ])
  expect(storage.vectorStore.calls).toEqual([])
})

test('a retriever takes filters, source documents and nodes', async () => {
  expect(await retrieved({ filters: { filters: [{ key: 'kind', value: 'x' }] } })).toEqual([['n3', 1]])
  expect(await retrieved({ filters: { filters: [{ key: 'ref_doc_id', value: 'birds' }] } })).toEqual([
    ['n3', 1],
  ])
  expect(await retrieved({ docIds: ['cats'], nodeIds: ['n2', 'n3'] })).toEqual([['n2', 1]])
})

test('by embedding, the most similar nodes are answered, one by default, of those chosen', async () => {
  const embedModel = bagOfWords()
  const loaded = (await loadIndexFromStorage(storage, { embedModel })) as SummaryIndex
  const found = async (options: Parameters<typeof index.asRetriever>[0]) => {
    const retriever = loaded.asRetriever({ retrieverMode: 'embedding', ...options })
    return (await retriever.retrieve('do birds sing songs')).map(({ node: { id_ } }) => id_)
  }
  expect(await found({})).toEqual(['n3'])
  // Equally far from it are n1 and n2: the order of the index decides.
  expect(await found({ similarityTopK: 9 })).toEqual(['n3', 'n1', 'n2'])
  expect(await found({ docIds: ['cats'] })).toEqual(['n1'])
  expect(await found({ nodeIds: [] })).toEqual([])
  const [best] = await loaded.asRetriever({ retrieverMode: 'embedding' }).retrieve('birds sing songs')
  expect(best!.score).toBeCloseTo(Math.sqrt(3 / 5)) // With its metadata it has five words.
  expect(storage.docstore.nodes.get('n3')!.embedding).toBeUndefined()
  expect(storage.vectorStore.calls).toEqual([])
})

test('nodes that were kept with their vectors need no model to be found', async () => {
  await storage.docstore.addDocuments([
    Object.assign(node('n1', 'left'), { embedding: [-1, 0] }),
    Object.assign(node('n2', 'right'), { embedding: [1, 0] }),
    Object.assign(node('n3', 'up'), { embedding: [0, 1] }),
  ])
  const hits = await index.asRetriever({ retrieverMode: 'embedding' }).retrieve({ embedding: [2, 0.1] })
  expect(hits.map(({ node: { id_ } }) => id_)).toEqual(['n2'])
})

test('by embedding a question needs a model, and other modes are refused by name', async () => {
  await expect(retrieved({ retrieverMode: 'embedding' })).rejects.toMatchObject({
    code: 'VARVE_NO_EMBED_MODEL',
  })
  expect(() => index.asRetriever({ retrieverMode: 'root' })).toThrow(
    /no retrieverMode 'root'.*'default', 'embedding'/,
  )
})

test('nodes are appended, and one that is listed keeps its place', async () => {
  await index.insertNodes([node('n2', 'new text'), node('x', 'x')])
  expect(await listed()).toEqual(['n1', 'n2', 'n3', 'x'])
  expect(storage.docstore.nodes.get('n2')!.text).toBe('new text')
})

test('a node that another index holds is listed too', async () => {
  const other = await SummaryIndex.init({ storageContext: storage, indexId: 'T' })
  await other.insertNodes([storage.docstore.nodes.get('n1')!])
  expect((await storage.indexStore.getIndexStruct('T'))!.nodes).toEqual(['n1'])
})

test('documents are deleted, updated and refreshed', async () => {
  await index.updateRefDoc(document('cats', 'Cats like fish.'))
  expect(await listed()).toEqual(['n3', 'n4'])
  expect(await index.refreshRefDocs([birds, document('cats', 'Cats swim. Cats dive.')])).toEqual([
    false,
    true,
  ])
  expect(await listed()).toEqual(['n3', 'n5', 'n6'])
  await index.deleteRefDoc('birds')
  expect([await listed(), [...storage.docstore.nodes.keys()]]).toEqual([
    ['n5', 'n6'],
    ['n5', 'n6'],
  ])
  await index.deleteNodes(['n5'])
  expect(await listed()).toEqual(['n6'])
})

test('a list that names nodes twice, as Python writes it, gives each once, and loses all of one', async () => {
  await storage.indexStore.addIndexStruct({ indexId: 'S', type: 'list', nodes: ['n1', 'n2', 'n1'] })
  expect(await retrieved()).toEqual([
    ['n1', 1],
    ['n2', 1],
  ])
  await index.deleteNodes(['n1'])
  expect(await listed()).toEqual(['n2'])
})

test('a listed node that is missing from the docstore can be taken out', async () => {
  storage.docstore.nodes.delete('n2')
  await expect(retrieved()).rejects.toMatchObject({ code: 'VARVE_NODE_NOT_FOUND' })
  await index.deleteNodes(['n2'])
  expect(await retrieved()).toEqual([
    ['n1', 1],
    ['n3', 1],
  ])
})

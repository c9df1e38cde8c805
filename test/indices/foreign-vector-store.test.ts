// Vector stores with habits that ours have not.
import { expect, test } from 'vitest'
import { VectorStoreIndex } from '../../src/indices/vector-store-index.ts'
import { bagOfWords } from './support/bag-of-words.ts'
import { document, node, oneSentenceANode } from './support/documents.ts'
import { MemoryStorage } from './support/memory-storage.ts'
import { MemoryVectorStore, withoutDeleteNodes } from './support/memory-vector-store.ts'

const cats = document('cats', 'Cats sleep all day. Cats chase mice.')
const birds = document('birds', 'Birds sing songs.')

let storage: MemoryStorage
function setUp(vectorStore: MemoryVectorStore) {
  storage = new MemoryStorage({ vectorStore })
  return {
    storageContext: storage,
    embedModel: bagOfWords(),
    nodeParser: oneSentenceANode(),
    indexId: 'I',
  }
}
const nodesDict = async () => (await storage.indexStore.getIndexStruct('I'))!.nodesDict as Map<string, string>
const vectorIds = () => [...storage.vectorStore.vectors.keys()]

test('a store that keeps the text needs no docstore, but hashes', async () => {
  const index = await VectorStoreIndex.fromDocuments(
    [cats, birds],
    setUp(new MemoryVectorStore({ storesText: true })),
  )
  expect([storage.docstore.nodes.size, await nodesDict()]).toEqual([0, new Map()])
  expect([...storage.docstore.hashes.keys()]).toEqual(['cats', 'birds'])
  const hits = await index.asRetriever({ nodeIds: ['n1', 'n3'] }).retrieve('cats sleep')
  expect(hits.map((hit) => hit.node.text)).toEqual(['Cats sleep all day.', 'Birds sing songs.'])
  await expect(index.refDocInfo()).rejects.toMatchObject({ code: 'VARVE_UNSUPPORTED_QUERY' })
})

test('such an index is refreshed, updated and emptied by source document', async () => {
  const index = await VectorStoreIndex.fromDocuments(
    [cats, birds],
    setUp(new MemoryVectorStore({ storesText: true })),
  )
  const newer = document('cats', 'Cats like fish.')
  expect(await index.refreshRefDocs([newer, birds])).toEqual([true, false])
  expect(vectorIds()).toEqual(['n3', 'n4'])
  await index.deleteRefDoc('cats')
  expect([vectorIds(), [...storage.docstore.hashes.keys()]]).toEqual([['n3'], ['birds']])
  await index.deleteNodes(['n3'])
  expect(vectorIds()).toEqual([])
})

test('with storeNodesOverride its nodes are kept in the docstore as well', async () => {
  const options = { ...setUp(new MemoryVectorStore({ storesText: true })), storeNodesOverride: true }
  const index = await VectorStoreIndex.fromDocuments([birds], options)
  expect([[...storage.docstore.nodes.keys()], [...(await nodesDict()).keys()]]).toEqual([['n1'], ['n1']])
  expect((await index.asRetriever().retrieve('birds'))[0]!.node).toBe(storage.docstore.nodes.get('n1'))
})

test('an index over a store that is filled already answers from it', async () => {
  const vectorStore = new MemoryVectorStore({ storesText: true })
  await VectorStoreIndex.fromDocuments([cats], setUp(vectorStore))
  const options = { storageContext: new MemoryStorage(), embedModel: bagOfWords() }
  const index = await VectorStoreIndex.fromVectorStore(vectorStore, options)
  expect((await index.asRetriever().retrieve('cats chase mice'))[0]!.node.text).toBe('Cats chase mice.')
  const refused = VectorStoreIndex.fromVectorStore(new MemoryVectorStore(), options)
  await expect(refused).rejects.toMatchObject({ code: 'VARVE_BAD_OPTION' })
})

test('a store that says it keeps the text but answers without is named', async () => {
  const vectorStore = new MemoryVectorStore({ storesText: true })
  const index = await VectorStoreIndex.fromDocuments([birds], setUp(vectorStore))
  vectorStore.query = async () => ({ ids: ['n1'], similarities: [1] })
  await expect(index.asRetriever().retrieve('birds')).rejects.toMatchObject({
    code: 'VARVE_UNSUPPORTED_QUERY',
  })
})

test('a mode and what it asks for reach the store; one that asks for words needs no vector', async () => {
  const vectorStore = new MemoryVectorStore()
  const options = setUp(vectorStore)
  const index = await VectorStoreIndex.fromDocuments([birds], options)
  const lastQuery = async (given: Parameters<typeof index.asRetriever>[0]) => {
    await index.asRetriever(given).retrieve({ queryStr: 'birds' })
    const { nodeIds: _, ...query } = vectorStore.queries.at(-1)!
    return query
  }
  const asked = { queryStr: 'birds', similarityTopK: 2 }
  const hybrid = { alpha: 0.3, sparseTopK: 4, hybridTopK: 5 }
  expect(await lastQuery({ vectorStoreQueryMode: 'hybrid', ...hybrid })).toEqual({
    ...asked,
    ...hybrid,
    mode: 'hybrid',
    queryEmbedding: expect.any(Float32Array),
  })
  const calls = options.embedModel.calls.length
  vectorStore.query = async (query) => {
    vectorStore.queries.push(query)
    return { ids: [], similarities: [] }
  }
  expect(await lastQuery({ vectorStoreQueryMode: 'text_search' })).toEqual({ ...asked, mode: 'text_search' })
  expect(options.embedModel.calls).toHaveLength(calls)
})

test('a store may name vectors as it likes', async () => {
  const options = setUp(new MemoryVectorStore({ idOf: ({ id_ }) => `row-${id_}` }))
  const index = await VectorStoreIndex.fromDocuments([cats, birds], options)
  expect(await nodesDict()).toEqual(new Map(['n1', 'n2', 'n3'].map((id) => [`row-${id}`, id])))
  const retriever = index.asRetriever({ nodeIds: ['n2', 'n3'] })
  expect((await retriever.retrieve('cats')).map((hit) => hit.node.id_)).toEqual(['n2', 'n3'])
  await index.deleteRefDoc('cats')
  expect([vectorIds(), [...(await nodesDict())]]).toEqual([['row-n3'], [['row-n3', 'n3']]])
  await index.deleteNodes(['n3'])
  expect([vectorIds(), storage.docstore.nodes.size]).toEqual([[], 0])
})

test('a store that deletes by source document only is asked that way', async () => {
  const index = await VectorStoreIndex.fromDocuments(
    [cats, birds],
    setUp(withoutDeleteNodes(new MemoryVectorStore())),
  )
  await index.updateRefDoc(document('cats', 'Cats like fish.'))
  expect(vectorIds()).toEqual(['n3', 'n4'])
  await expect(index.deleteNodes(['n3'])).rejects.toMatchObject({ code: 'VARVE_UNSUPPORTED_QUERY' })
  expect([vectorIds(), [...(await nodesDict()).keys()]]).toEqual([
    ['n3', 'n4'],
    ['n3', 'n4'],
  ])
})

test('a store that persists by itself gets one call at a time', async () => {
  const index = await VectorStoreIndex.fromDocuments([cats], setUp(new MemoryVectorStore()))
  const { docstore } = storage
  Object.assign(docstore, { persistsByItself: true })
  let running = 0
  for (const method of ['deleteDocument', 'addDocuments', 'setDocumentHashes'] as const) {
    const call = docstore[method].bind(docstore) as (...given: unknown[]) => Promise<void>
    const slow = async (...given: unknown[]) => {
      expect(++running).toBe(1)
      await new Promise((resolve) => setTimeout(resolve, 2))
      await call(...given)
      running--
    }
    Object.assign(docstore, { [method]: slow })
  }
  await index.updateRefDoc(document('cats', 'Cats like fish.'))
  expect([...docstore.hashes.keys()]).toEqual(['n3', 'cats'])
})

test('the candidates of a query are a set that can be asked and listed', async () => {
  const index = await VectorStoreIndex.init({
    ...setUp(new MemoryVectorStore()),
    nodes: [node('x', 'x'), node('y', 'y')],
  })
  const asked = async (nodeIds?: string[]) => {
    await index.asRetriever(nodeIds && { nodeIds }).retrieve('x')
    return storage.vectorStore.queries.at(-1)!.nodeIds as ReadonlySet<string>
  }
  const all = await asked()
  expect([all.size, [...all], all.has('x'), all.has('z')]).toEqual([2, ['x', 'y'], true, false])
  const some = await asked(['y', 'z'])
  expect([some.size, [...some.entries()], some.has('x'), some.has('z')]).toEqual([
    1,
    [['y', 'y']],
    false,
    false,
  ])
  const listed: string[] = []
  some.forEach((id) => listed.push(id))
  expect([listed, [...some.keys()]]).toEqual([['y'], ['y']])
})

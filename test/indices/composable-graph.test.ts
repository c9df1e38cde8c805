import { beforeEach, expect, test } from 'vitest'
import { StorageContext } from '../../src/context/storage-context.ts'
import type { BaseIndex } from '../../src/indices/base-index.ts'
import { ComposableGraph } from '../../src/indices/composable-graph.ts'
import { loadGraphFromStorage } from '../../src/indices/load-graph.ts'
import { SimpleKeywordTableIndex } from '../../src/indices/simple-keyword-table-index.ts'
import { SummaryIndex } from '../../src/indices/summary-index.ts'
import { VectorStoreIndex } from '../../src/indices/vector-store-index.ts'
import { IndexNode } from '../../src/stores/node.ts'
import { bagOfWords } from './support/bag-of-words.ts'
import { document, oneSentenceANode } from './support/documents.ts'

const embedModel = bagOfWords()
let storageContext: StorageContext
let cats: BaseIndex
let birds: BaseIndex
let root: ComposableGraph
beforeEach(async () => {
  storageContext = await StorageContext.fromDefaults()
  const options = (indexId: string) => ({ storageContext, indexId, nodeParser: oneSentenceANode(indexId) })
  const about = document('about-cats', 'Cats sleep all day. Cats chase mice.')
  cats = await VectorStoreIndex.fromDocuments([about], { ...options('cats'), embedModel })
  birds = await SummaryIndex.fromDocuments([document('about-birds', 'Birds sing songs.')], options('birds'))
  root = await ComposableGraph.fromIndices(SimpleKeywordTableIndex, [cats, birds], {
    indexId: 'R',
    indexSummaries: ['everything about cats', 'everything about birds'],
  })
})
const found = async (graph: ComposableGraph, question: string, options = {}) =>
  (await graph.asRetriever(options).retrieve(question)).map((hit) => hit.node.id_)

test('a question goes down to the indices whose summaries it meets', async () => {
  expect(await found(root, 'Tell me of birds')).toEqual(['birds1'])
  expect(await found(root, 'Which cats sleep?', { similarityTopK: 1 })).toEqual(['cats1'])
  expect(await found(root, 'dogs')).toEqual([])
  expect((await found(root, 'everything')).sort()).toEqual(['birds1', 'cats1', 'cats2'])
})

test('the root holds index nodes as LlamaIndex writes them, and the summaries stay with the children', async () => {
  const info = await storageContext.docstore.getRefDocInfo('cats')
  const index = (await storageContext.docstore.getNode(info!.nodeIds[0]!)) as IndexNode
  expect(index).toBeInstanceOf(IndexNode)
  expect(index).toMatchObject({ text: 'everything about cats', indexId: 'cats' })
  expect(index.sourceNode).toMatchObject({ nodeId: 'cats', nodeType: 'INDEX' })
  expect((await storageContext.indexStore.getIndexStruct('birds'))!.summary).toBe('everything about birds')
})

test('a graph is loaded by its root, and its other indices when they are needed', async () => {
  const graph = await loadGraphFromStorage(storageContext, { rootId: 'R', embedModel })
  expect(await found(graph, 'Which cats sleep?')).toEqual(['cats1', 'cats2'])
  expect([graph.rootId, (await graph.getIndex()).indexId, (await graph.getIndex('birds')).indexId]).toEqual([
    'R',
    'R',
    'birds',
  ])
  await expect(graph.getIndex('dogs')).rejects.toMatchObject({ code: 'VARVE_INDEX_NOT_FOUND' })
  await expect(loadGraphFromStorage(storageContext, { rootId: 'X' })).rejects.toMatchObject({
    code: 'VARVE_INDEX_NOT_FOUND',
  })
})

test('indices that the graph does not need may be of any type', async () => {
  await storageContext.indexStore.addIndexStruct({ indexId: 'sql', type: 'sql', contextDict: new Map() })
  const graph = await loadGraphFromStorage(storageContext, { rootId: 'R', embedModel })
  expect(await found(graph, 'birds')).toEqual(['birds1'])
})

test('a child that is gone is missed by name', async () => {
  await storageContext.indexStore.deleteIndexStruct('birds')
  const graph = await loadGraphFromStorage(storageContext, { rootId: 'R' })
  await expect(found(graph, 'birds')).rejects.toMatchObject({
    code: 'VARVE_INDEX_NOT_FOUND',
    message: expect.stringContaining("'birds'"),
  })
})

test('graphs of graphs are descended, and cycles end', async () => {
  const top = await ComposableGraph.fromIndices(SummaryIndex, [root.rootIndex], {
    indexId: 'top',
    indexSummaries: ['all'],
  })
  const graph = await loadGraphFromStorage(storageContext, { rootId: 'top', embedModel })
  expect(await found(graph, 'birds')).toEqual(['birds1'])
  const back = new IndexNode({
    id_: 'back',
    indexId: 'top',
    text: 'birds',
    relationships: { SOURCE: { nodeId: 'top', metadata: {} } },
  })
  await root.rootIndex.insertNodes([back])
  expect(await found(graph, 'birds')).toEqual(['birds1'])
  await expect(found(top, 'birds')).rejects.toMatchObject({ code: 'VARVE_INDEX_NOT_FOUND' })
})

test('index nodes that stand for something else are hits like any other', async () => {
  await root.rootIndex.insertNodes([new IndexNode({ id_: 'other', indexId: 'a-node', text: 'birds' })])
  expect((await found(root, 'birds')).sort()).toEqual(['birds1', 'other'])
})

test('options can be given to one index, and a query engine answers from what is found', async () => {
  const optionsOf = new Map([['cats', { similarityTopK: 1 }]])
  expect(await found(root, 'cats', { optionsOf })).toHaveLength(1)
  const engine = root.asQueryEngine({ llm: async (prompt) => String(prompt.includes('Birds sing songs.')) })
  expect((await engine.query('birds')).response).toBe('true')
})

test('summaries that are missing or too few, no indices, and indices of elsewhere are refused', async () => {
  const bare = await SummaryIndex.init({ storageContext, indexId: 'bare' })
  const elsewhere = await SummaryIndex.init({ indexId: 'elsewhere' })
  const make = (children: BaseIndex[], options = {}) =>
    ComposableGraph.fromIndices(SummaryIndex, children, options)
  await expect(make([cats, bare])).rejects.toThrow(/'bare' has no summary.*indexSummaries/)
  await expect(make([cats, bare], { indexSummaries: ['one'] })).rejects.toThrow(
    /1 indexSummaries for 2 indices/,
  )
  await expect(make([])).rejects.toThrow(/at least one index/)
  await expect(make([cats, elsewhere], { indexSummaries: ['a', 'b'] })).rejects.toThrow(
    /'elsewhere' is in another storage/,
  )
})

test('a search that is stopped goes no deeper', async () => {
  const stop = new AbortController()
  stop.abort(new Error('enough'))
  await expect(root.asRetriever().retrieve('birds', { signal: stop.signal })).rejects.toThrow('enough')
})

import { beforeEach, expect, test } from 'vitest'
import type { Progress } from '../../src/indices/long-work.ts'
import { SimpleKeywordTableIndex } from '../../src/indices/simple-keyword-table-index.ts'
import { document, node, oneSentenceANode } from './support/documents.ts'
import { MemoryStorage } from './support/memory-storage.ts'

const cats = document('cats', 'Cats sleep all day. Cats chase mice.')
const birds = document('birds', 'Birds chase mice.', { kind: 'x' })

let storage: MemoryStorage
let index: SimpleKeywordTableIndex
beforeEach(async () => {
  storage = new MemoryStorage()
  const options = { storageContext: storage, nodeParser: oneSentenceANode(), indexId: 'K' }
  index = await SimpleKeywordTableIndex.fromDocuments([cats, birds], options)
})

const table = async () =>
  Object.fromEntries((await storage.indexStore.getIndexStruct('K'))!.table as Map<string, Set<string>>)
const retrieved = async (query: string, ...[options]: Parameters<typeof index.asRetriever>) =>
  (await index.asRetriever(options).retrieve(query)).map(({ node: { id_ }, score }) => [id_, score])

test('keywords lead to their nodes', async () => {
  expect(await table()).toEqual({
    cats: new Set(['n1', 'n2']),
    sleep: new Set(['n1']),
    day: new Set(['n1']),
    chase: new Set(['n2', 'n3']),
    mice: new Set(['n2', 'n3']),
    kind: new Set(['n3']),
    x: new Set(['n3']),
    birds: new Set(['n3']),
  })
})

test('nodes that share most keywords with the question come first, with their share', async () => {
  expect(await retrieved('Do cats chase mice?')).toEqual([
    ['n2', 1],
    ['n3', 2 / 3],
    ['n1', 1 / 3],
  ])
  expect(await retrieved('the')).toEqual([])
  expect(await retrieved('unknown')).toEqual([])
})

test('a retriever takes filters, nodes, a number of keywords and of hits', async () => {
  expect(await retrieved('cats chase', { maxKeywordsPerQuery: 1 })).toEqual([
    ['n1', 1],
    ['n2', 1],
  ])
  expect(await retrieved('cats chase', { numChunksPerQuery: 1 })).toEqual([['n2', 1]])
  expect(await retrieved('cats chase', { numChunksPerQuery: 1, docIds: ['birds'] })).toEqual([['n3', 1 / 2]])
  expect(
    await retrieved('chase', { filters: { filters: [{ key: 'kind', value: 'x', operator: '!=' }] } }),
  ).toEqual([['n2', 1]])
  expect(await retrieved('chase', { nodeIds: ['n3'] })).toEqual([['n3', 1]])
})

test('a node that is replaced leaves the keywords it no longer has', async () => {
  await index.insertNodes([node('n1', 'Cats climb.', 'cats')])
  expect(await table()).not.toHaveProperty('sleep')
  expect(await table()).toMatchObject({ cats: new Set(['n1', 'n2']), climb: new Set(['n1']) })
})

test('keywords that lose their last node go', async () => {
  await index.deleteRefDoc('cats')
  expect(await table()).toEqual({
    chase: new Set(['n3']),
    mice: new Set(['n3']),
    kind: new Set(['n3']),
    x: new Set(['n3']),
    birds: new Set(['n3']),
  })
  expect([...storage.docstore.nodes.keys()]).toEqual(['n3'])
})

test('documents are refreshed', async () => {
  expect(await index.refreshRefDocs([cats, document('birds', 'Birds fly.')])).toEqual([false, true])
  expect(await retrieved('birds fly chase')).toEqual([
    ['n4', 2 / 3],
    ['n2', 1 / 3],
  ])
})

test('keywords can be found otherwise, by a model for instance, and no more than asked for', async () => {
  const progress: Progress[] = []
  const options = {
    storageContext: storage,
    indexId: 'L',
    maxKeywordsPerChunk: 2,
    keywordExtractor: async (text: string) => text.split('-'),
    onProgress: (at: Progress) => progress.push(at),
  }
  const other = await SimpleKeywordTableIndex.init({ ...options, nodes: [node('m', 'a-b-c')] })
  expect((await storage.indexStore.getIndexStruct('L'))!.table).toEqual(
    new Map([
      ['a', new Set(['m'])],
      ['b', new Set(['m'])],
    ]),
  )
  expect((await other.asRetriever().retrieve('a-x'))[0]!.score).toBe(1 / 2)
  expect(progress[0]).toEqual({ phase: 'extract', done: 1, total: 1 })
})

test('a keyword like __proto__ is a keyword like any other', async () => {
  await index.insertNodes([node('p', '__proto__ constructor')])
  expect(await retrieved('__proto__')).toEqual([['p', 1]])
  expect(await retrieved('toString')).toEqual([])
})

test('work that is stopped touches nothing', async () => {
  const before = await table()
  const stop = new AbortController()
  const nodes = [node('x', 'x one'), node('y', 'y one')]
  const onProgress = () => stop.abort(new Error('enough'))
  await expect(index.insertNodes(nodes, { signal: stop.signal, onProgress })).rejects.toThrow('enough')
  expect([await table(), storage.docstore.nodes.has('x')]).toEqual([before, false])
})

import { beforeEach, expect, test } from 'vitest'
import { KeywordTableIndex } from '../../src/indices/keyword-table-index.ts'
import { loadIndexFromStorage } from '../../src/indices/load-index.ts'
import { RAKEKeywordTableIndex } from '../../src/indices/rake-keyword-table-index.ts'
import { SimpleKeywordTableIndex } from '../../src/indices/simple-keyword-table-index.ts'
import { document, node } from './support/documents.ts'
import { MemoryStorage } from './support/memory-storage.ts'

let storageContext: MemoryStorage
beforeEach(() => {
  storageContext = new MemoryStorage()
})
const table = async (indexId = 'K') =>
  Object.fromEntries(
    (await storageContext.indexStore.getIndexStruct(indexId))!.table as Map<string, Set<string>>,
  )

test('keywords come from the function of the caller, which is told when to stop', async () => {
  const stop = new AbortController()
  const signals: unknown[] = []
  const keywordExtractor = async (text: string, { signal }: { signal?: AbortSignal }) => {
    signals.push(signal)
    return text.split('-')
  }
  const index = await KeywordTableIndex.init({ storageContext, indexId: 'K', keywordExtractor })
  await index.insertNodes([node('a', 'one--two'), node('b', 'two')], { signal: stop.signal })
  expect(await table()).toEqual({ one: new Set(['a']), two: new Set(['a', 'b']) })
  expect(signals).toEqual([stop.signal, stop.signal])
  expect((await index.asRetriever().retrieve('one-two')).map((hit) => [hit.node.id_, hit.score])).toEqual([
    ['a', 1],
    ['b', 1 / 2],
  ])
  await index.deleteNodes(['a'])
  expect(await table()).toEqual({ two: new Set(['b']) })
})

test('a table can be asked without the function it was made with', async () => {
  const keywordExtractor = () => ['steam engine', 'engine']
  await KeywordTableIndex.fromDocuments([document('d', 'x')], {
    storageContext,
    indexId: 'K',
    keywordExtractor,
  })
  const simple = await loadIndexFromStorage(storageContext)
  expect(simple).toBeInstanceOf(SimpleKeywordTableIndex)
  expect(await simple.asRetriever().retrieve('an engine')).toHaveLength(1)
  const loaded = await loadIndexFromStorage(storageContext, { keywordExtractor })
  expect(loaded).not.toBeInstanceOf(SimpleKeywordTableIndex)
  expect(await loaded.asRetriever({ retrieverMode: 'simple' }).retrieve('boat')).toEqual([])
  expect(await loaded.asRetriever({ retrieverMode: 'rake' }).retrieve('a steam engine')).toHaveLength(1)
  expect(await loaded.asRetriever().retrieve('boat')).toHaveLength(1)
  expect(() => loaded.asRetriever({ retrieverMode: 'root' })).toThrow(/no retrieverMode 'root'.*'simple'/)
})

test('without a function there is nothing to find keywords with, and nothing changes', async () => {
  const index = await KeywordTableIndex.init({ storageContext, indexId: 'K' })
  await expect(index.insertNodes([node('a', 'text')])).rejects.toMatchObject({
    code: 'VARVE_BAD_OPTION',
    message: expect.stringContaining('keywordExtractor'),
  })
  expect(await table()).toEqual({})
})

test.each([[undefined], ['word'], [[1]], [[1n]], [{}]])(
  'a function that gives %s instead of keywords is named',
  async (given) => {
    const keywordExtractor = () => given as unknown as string[]
    await expect(
      KeywordTableIndex.init({ storageContext, keywordExtractor, nodes: [node('a', 'text')] }),
    ).rejects.toMatchObject({
      code: 'VARVE_BAD_OPTION',
      message: expect.stringContaining('no list of texts'),
    })
    expect(storageContext.docstore.nodes.size).toBe(0)
  },
)

test('RAKE finds phrases, and nodes by phrases and by their words', async () => {
  const text = 'Linear systems of equations are solved. Systems of strict inequations are not.'
  const index = await RAKEKeywordTableIndex.fromDocuments([document('d', text)], {
    storageContext,
    indexId: 'K',
  })
  expect(Object.keys(await table()).sort()).toEqual([
    'equations',
    'inequations',
    'linear',
    'linear systems',
    'solved',
    'strict',
    'strict inequations',
    'systems',
  ])
  expect(await index.asRetriever().retrieve('strict rules')).toHaveLength(1)
  const loaded = await loadIndexFromStorage(storageContext, { rake: true })
  expect(loaded).toBeInstanceOf(RAKEKeywordTableIndex)
  await loaded.deleteRefDoc('d')
  expect(await table()).toEqual({})
})

test('RAKE keeps to the number of phrases asked for', async () => {
  const options = { storageContext, indexId: 'K', maxKeywordsPerChunk: 1 }
  await RAKEKeywordTableIndex.init({ ...options, nodes: [node('a', 'Deep blue sea, and fish.')] })
  expect(Object.keys(await table())).toEqual(['deep blue sea', 'deep', 'blue', 'sea'])
})

import { beforeEach, describe, expect, test } from 'vitest'
import { VarveError } from '../../src/errors.ts'
import { loadIndexFromStorage, loadIndicesFromStorage } from '../../src/indices/load-index.ts'
import { SimpleKeywordTableIndex } from '../../src/indices/simple-keyword-table-index.ts'
import { SummaryIndex } from '../../src/indices/summary-index.ts'
import { VectorStoreIndex } from '../../src/indices/vector-store-index.ts'
import { TextNode } from '../../src/stores/node.ts'
import { bagOfWords } from './support/bag-of-words.ts'
import { document, node } from './support/documents.ts'
import { ViewingIndexStore, WholeIndexStore } from './support/memory-index-store.ts'
import { MemoryStorage } from './support/memory-storage.ts'
import { MemoryVectorStore } from './support/memory-vector-store.ts'

describe.each([
  ['a store that shows and changes entries', () => new ViewingIndexStore() as WholeIndexStore],
  ['a store that only knows whole structs', () => new WholeIndexStore()],
])('in %s', (_, newIndexStore) => {
  let storage: MemoryStorage
  const embedModel = bagOfWords()
  beforeEach(() => {
    storage = new MemoryStorage({ indexStore: newIndexStore() })
  })
  const makeVectors = async (indexId: string) =>
    await VectorStoreIndex.fromDocuments([document('d', 'Some text.')], {
      storageContext: storage,
      embedModel,
      indexId,
    })
  const makeAll = async () => {
    await makeVectors('V')
    await SummaryIndex.fromDocuments([document('d', 'Some text.')], { storageContext: storage, indexId: 'S' })
    await SimpleKeywordTableIndex.init({
      storageContext: storage,
      indexId: 'K',
      nodes: [node('k', 'some text')],
    })
  }

  test('the only index is loaded without its id, and answers', async () => {
    await makeVectors('V')
    const index = await loadIndexFromStorage(storage, { embedModel })
    expect(index).toBeInstanceOf(VectorStoreIndex)
    expect(index.indexId).toBe('V')
    expect((await index.asRetriever({ similarityTopK: 1 }).retrieve('text'))[0]!.node.text).toBe('Some text.')
    await index.insert(document('e', 'More.'))
    expect((await (await loadIndexFromStorage(storage)).refDocInfo()).size).toBe(2)
  })

  test('loading writes nothing', async () => {
    await makeAll()
    storage.indexStore.calls = []
    await loadIndicesFromStorage(storage, { embedModel })
    expect(storage.indexStore.calls).toEqual([])
  })

  test('one of several is loaded by its id, as what it is', async () => {
    await makeAll()
    expect(await loadIndexFromStorage(storage, { indexId: 'S' })).toBeInstanceOf(SummaryIndex)
    expect(await loadIndexFromStorage(storage, { indexId: 'K' })).toBeInstanceOf(SimpleKeywordTableIndex)
  })

  test('all are loaded in the order they were made, some in the order asked for', async () => {
    await makeAll()
    const ids = async (indexIds?: string[]) =>
      (await loadIndicesFromStorage(storage, indexIds && { indexIds })).map((index) => index.indexId)
    expect(await ids()).toEqual(['V', 'S', 'K'])
    expect(await ids(['K', 'V'])).toEqual(['K', 'V'])
    expect(await ids([])).toEqual([])
  })

  test('no index at all: is this the right directory?', async () => {
    const message = expect.stringContaining('right directory')
    await expect(loadIndexFromStorage(storage)).rejects.toMatchObject({ code: 'VARVE_NO_INDEX', message })
    await expect(loadIndexFromStorage(storage, { indexId: 'V' })).rejects.toMatchObject({
      code: 'VARVE_NO_INDEX',
    })
    expect(await loadIndicesFromStorage(storage)).toEqual([])
  })

  test('several without an id: all are listed, with type and summary', async () => {
    await makeAll()
    const summary = await loadIndexFromStorage(storage, { indexId: 'S' })
    await summary.setSummary(`About ${'x'.repeat(100)}`)
    await expect(loadIndexFromStorage(storage)).rejects.toMatchObject({
      code: 'VARVE_SEVERAL_INDICES',
      message: expect.stringMatching(
        /3 indices .*'V' \(vector_store\), 'S' \(list: "About x{73}…"\), 'K' \(keyword_table\)/,
      ),
      fields: { indexIds: ['V', 'S', 'K'] },
    })
  })

  test('so many that a message would not hold them: the first twenty, and how many more', async () => {
    for (let at = 0; at < 25; at++) await SummaryIndex.init({ storageContext: storage, indexId: `S${at}` })
    await expect(loadIndexFromStorage(storage)).rejects.toThrow(/'S19' \(list\) and 5 more/)
  })

  test('an unknown id: the known ones are listed', async () => {
    await makeAll()
    const expected = {
      code: 'VARVE_INDEX_NOT_FOUND',
      message: expect.stringMatching(/no index 'X'\. Known are 'V' \(vector_store\), 'S' \(list\)/),
      fields: { indexId: 'X', indexIds: ['V', 'S', 'K'] },
    }
    await expect(loadIndexFromStorage(storage, { indexId: 'X' })).rejects.toMatchObject(expected)
    await expect(loadIndicesFromStorage(storage, { indexIds: ['V', 'X'] })).rejects.toMatchObject(expected)
    await expect(loadIndexFromStorage(storage, { indexId: '__proto__' })).rejects.toMatchObject({
      code: 'VARVE_INDEX_NOT_FOUND',
    })
  })

  test('a type that is not loaded is named, and stays as it is', async () => {
    const table = { indexId: 'T', type: 'sql', summary: null, contextDict: new Map([['cities', 'text']]) }
    await storage.indexStore.addIndexStruct(table)
    await expect(loadIndexFromStorage(storage)).rejects.toMatchObject({
      code: 'VARVE_UNKNOWN_INDEX_TYPE',
      message: expect.stringContaining("'T' is of the type 'sql'"),
    })
    expect(await storage.indexStore.getIndexStruct('T')).toMatchObject(table)
  })

  test.each(['simple_dict', 'dict', 'weaviate', 'pinecone', 'qdrant', 'milvus', 'chroma', 'multimodal'])(
    'a struct of the past type %s is a vector index',
    async (type) => {
      const nodes = [new TextNode({ id_: 'n', text: 'text', embedding: [1, 0] })]
      await storage.docstore.addDocuments(nodes)
      await storage.vectorStore.add(nodes)
      // LlamaIndexTS has the whole node where Python has its id.
      const nodesDict = new Map([['n', type === 'simple_dict' ? { id_: 'n' } : 'n']])
      await storage.indexStore.addIndexStruct({ indexId: 'P', type, nodesDict })
      const index = await loadIndexFromStorage(storage)
      const [hit] = await index.asRetriever().retrieve({ embedding: [1, 0] })
      expect(hit).toEqual({ node: nodes[0], score: 1 })
      await index.deleteNodes(['n'])
      expect([storage.docstore.nodes.size, storage.vectorStore.vectors.size]).toEqual([0, 0])
    },
  )

  test('a multimodal index loses the vectors of its images too', async () => {
    const images = new MemoryVectorStore()
    storage.vectorStores.set('image', images)
    const nodes = [new TextNode({ id_: 'n', text: 'text', embedding: [1, 0] })]
    await Promise.all([
      storage.docstore.addDocuments(nodes),
      storage.vectorStore.add(nodes),
      images.add(nodes),
    ])
    await storage.indexStore.addIndexStruct({
      indexId: 'M',
      type: 'multimodal',
      nodesDict: new Map([['n', 'n']]),
    })
    await (await loadIndexFromStorage(storage)).deleteNodes(['n'])
    expect([storage.vectorStore.vectors.size, images.vectors.size]).toEqual([0, 0])
  })

  test('another embedding model is refused, by id or by dimensions, unless accepted, which is remembered', async () => {
    await makeVectors('V')
    const other = bagOfWords({ id: 'other', dimensions: 8 })
    await expect(loadIndexFromStorage(storage, { embedModel: other })).rejects.toMatchObject({
      code: 'VARVE_OTHER_EMBED_MODEL',
      message: expect.stringMatching(
        /made by 'bag-of-words' \(64 dimensions\), not by 'other' \(8 dimensions\).*acceptEmbedModel/,
      ),
    })
    const resized = bagOfWords({ dimensions: 8 })
    await expect(loadIndexFromStorage(storage, { embedModel: resized })).rejects.toMatchObject({
      code: 'VARVE_OTHER_EMBED_MODEL',
    })
    await loadIndexFromStorage(storage, { embedModel: other, acceptEmbedModel: true })
    expect(await storage.indexStore.getIndexStruct('V')).toMatchObject({
      embedModelId: 'other',
      embedDimensions: 8,
    })
    await loadIndexFromStorage(storage, { embedModel: other })
    await expect(loadIndexFromStorage(storage, { embedModel })).rejects.toThrow("made by 'other'")
  })

  test('a model that does not name its dimensions is told by its id', async () => {
    await makeVectors('V')
    const silent = { ...embedModel, dimensions: undefined }
    expect(await loadIndexFromStorage(storage, { embedModel: silent })).toBeInstanceOf(VectorStoreIndex)
  })

  test('who may only read may accept another model, which is not remembered', async () => {
    await makeVectors('V')
    storage.together = () => Promise.reject(new VarveError('VARVE_READ_ONLY', 'read only'))
    const other = bagOfWords({ id: 'other' })
    await loadIndexFromStorage(storage, { embedModel: other, acceptEmbedModel: true })
    expect(await storage.indexStore.getIndexStruct('V')).toMatchObject({ embedModelId: 'bag-of-words' })
    storage.together = () => Promise.reject(new VarveError('VARVE_LOCKED', 'locked'))
    const locked = loadIndexFromStorage(storage, { embedModel: other, acceptEmbedModel: true })
    await expect(locked).rejects.toMatchObject({ code: 'VARVE_LOCKED' })
  })

  test('an imported index knows no model, accepts any, and remembers the first that adds to it', async () => {
    await storage.indexStore.addIndexStruct({ indexId: 'P', type: 'vector_store', nodesDict: new Map() })
    const index = await loadIndexFromStorage(storage, { embedModel })
    expect((await storage.indexStore.getIndexStruct('P'))!.embedModelId).toBeUndefined()
    await index.insertNodes([node('n', 'text')])
    expect(await storage.indexStore.getIndexStruct('P')).toMatchObject({
      embedModelId: 'bag-of-words',
      embedDimensions: 64,
    })
  })
})

test('an index object shows what others change beneath it', async () => {
  const storage = new MemoryStorage()
  const options = { storageContext: storage, indexId: 'V', embedModel: bagOfWords() }
  const writer = await VectorStoreIndex.init({ ...options, nodes: [node('a', 'one')] })
  const reader = await loadIndexFromStorage(storage, { embedModel: options.embedModel })
  await writer.insertNodes([node('b', 'two')])
  await writer.setSummary('numbers')
  expect((await reader.asRetriever().retrieve('two'))[0]!.node.id_).toBe('b')
  expect(reader.summary).toBe('numbers')
})

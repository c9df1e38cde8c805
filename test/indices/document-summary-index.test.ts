import { beforeEach, describe, expect, test } from 'vitest'
import { StorageContext } from '../../src/context/storage-context.ts'
import { DocumentSummaryIndex } from '../../src/indices/document-summary-index.ts'
import type { IndexStorage } from '../../src/indices/index-storage.ts'
import { loadIndexFromStorage } from '../../src/indices/load-index.ts'
import type { RetrieverOptions } from '../../src/indices/retriever.ts'
import { SummaryIndex } from '../../src/indices/summary-index.ts'
import type { BaseNode } from '../../src/stores/node.ts'
import { bagOfWords } from './support/bag-of-words.ts'
import { document, node, oneSentenceANode } from './support/documents.ts'
import { WholeIndexStore } from './support/memory-index-store.ts'
import { MemoryStorage } from './support/memory-storage.ts'

const cats = document('cats', 'Cats sleep all day. Cats chase mice.')
const birds = document('birds', 'Birds sing songs.')
/** The first words of a text. */
const summarize = (text: string, nodes: readonly BaseNode[]) => `${nodes.length}: ${text.split(' ')[0]}`

describe.each([
  ['our own storage', () => StorageContext.fromDefaults()],
  ['stores that only know whole structs', () => new MemoryStorage({ indexStore: new WholeIndexStore() })],
])('in %s', (_, newStorage) => {
  let storage: IndexStorage
  let index: DocumentSummaryIndex
  beforeEach(async () => {
    storage = await newStorage()
    index = await DocumentSummaryIndex.fromDocuments([cats, birds], options())
  })
  const options = (indexId = 'D', prefix = 'n') => {
    let count = 0
    const nodeParser = oneSentenceANode(prefix)
    const newId = () => `${prefix}-s${++count}`
    return { storageContext: storage, nodeParser, indexId, newId, summarize, embedModel: bagOfWords() }
  }
  const struct = async (indexId = 'D') => (await storage.indexStore.getIndexStruct(indexId))!
  const found = async (question: string, given: RetrieverOptions = {}) =>
    (await index.asRetriever(given).retrieve(question)).map((hit) => hit.node.id_)

  test('each document has a summary, in the docstore and as a vector, and knows its nodes', async () => {
    expect(await struct()).toMatchObject({
      type: 'document_summary',
      summaryIdToNodeIds: new Map([
        ['n-s1', ['n1', 'n2']],
        ['n-s2', ['n3']],
      ]),
      nodeIdToSummaryId: new Map([
        ['n1', 'n-s1'],
        ['n2', 'n-s1'],
        ['n3', 'n-s2'],
      ]),
      docIdToSummaryId: new Map([
        ['cats', 'n-s1'],
        ['birds', 'n-s2'],
      ]),
    })
    expect(await index.getDocumentSummary('cats')).toBe('2: Cats')
    expect((await storage.docstore.getNode('n-s1')).refDocId).toBe('cats')
    await expect(index.getDocumentSummary('dogs')).rejects.toMatchObject({ code: 'VARVE_REF_DOC_NOT_FOUND' })
  })

  test('a question finds the nodes of the document whose summary is most similar', async () => {
    expect(await found('birds')).toEqual(['n3'])
    expect(await found('cats')).toEqual(['n1', 'n2'])
    expect(await found('cats', { similarityTopK: 2 })).toEqual(['n1', 'n2', 'n3'])
    expect(await found('cats', { docIds: ['birds'] })).toEqual(['n3'])
    expect(await found('cats', { nodeIds: ['n2'] })).toEqual(['n2'])
    expect(await found('cats', { docIds: ['unknown'] })).toEqual([])
    expect(await found('cats', { retrieverMode: 'embedding' })).toEqual(['n1', 'n2'])
    expect(() => index.asRetriever({ retrieverMode: 'root' })).toThrow(/no retrieverMode 'root'.*'embedding'/)
  })

  test('a document that is deleted takes its summary along', async () => {
    await index.deleteRefDoc('cats')
    expect(await storage.docstore.documentExists('n-s1')).toBe(false)
    expect(await struct()).toMatchObject({
      summaryIdToNodeIds: new Map([['n-s2', ['n3']]]),
      nodeIdToSummaryId: new Map([['n3', 'n-s2']]),
      docIdToSummaryId: new Map([['birds', 'n-s2']]),
    })
    expect(await found('cats', { similarityTopK: 9 })).toEqual(['n3'])
    expect([...(await index.refDocInfo()).keys()]).toEqual(['birds'])
  })

  test('a summary stays while any of its nodes does, and does not go alone', async () => {
    await index.deleteNodes(['n1', 'n-s1', 'unknown'])
    expect(await found('cats')).toEqual(['n2'])
    await index.deleteNodes(['n2'])
    expect(await storage.docstore.documentExists('n-s1')).toBe(false)
    expect((await struct()).docIdToSummaryId).toEqual(new Map([['birds', 'n-s2']]))
  })

  test('an updated document has a new summary under the old id, made of its new nodes only', async () => {
    const newer = document('cats', 'Tigers roar.')
    expect(await index.refreshRefDocs([newer, birds])).toEqual([true, false])
    expect(await index.getDocumentSummary('cats')).toBe('1: Tigers')
    expect(await found('tigers')).toEqual(['n4'])
    expect(await storage.docstore.documentExists('n1')).toBe(false)
    expect((await index.refDocInfo()).get('cats')!.nodeIds.sort()).toEqual(['n-s1', 'n4'])
  })

  test('nodes that come later are summarized together with those that are there', async () => {
    await index.insertNodes([node('n2', 'Cats climb.', 'cats'), node('x', 'Cats purr.', 'cats')])
    expect(await index.getDocumentSummary('cats')).toBe('3: Cats')
    expect((await struct()).summaryIdToNodeIds).toEqual(
      new Map([
        ['n-s1', ['n1', 'n2', 'x']],
        ['n-s2', ['n3']],
      ]),
    )
  })

  test('a node that moves to another document leaves no summary of nothing behind', async () => {
    await index.insertNodes([node('n3', 'Birds and cats.', 'cats')])
    expect((await struct()).docIdToSummaryId).toEqual(new Map([['cats', 'n-s1']]))
    expect(await storage.docstore.documentExists('n-s2')).toBe(false)
    expect(await found('cats birds', { similarityTopK: 9 })).toEqual(['n1', 'n2', 'n3'])
  })

  test('prepared summaries are taken in, found and deleted without function or model', async () => {
    const bare = await DocumentSummaryIndex.init({ storageContext: storage, indexId: 'P' })
    const summary = node('s', 'About whales.')
    summary.embedding = new Float32Array(64).fill(1)
    await bare.insertSummary(summary, [node('w', 'Whales swim.', 'whales')])
    expect(await bare.getDocumentSummary('whales')).toBe('About whales.')
    const embedding = new Float32Array(64).fill(2)
    expect(
      (await bare.asRetriever().retrieve({ embedding })).map((hit) => [hit.node.id_, hit.score]),
    ).toEqual([['w', 1]])
    await expect(bare.asRetriever().retrieve('whales')).rejects.toMatchObject({
      code: 'VARVE_NO_EMBED_MODEL',
    })
    await bare.deleteRefDoc('whales')
    expect(await bare.asRetriever().retrieve({ embedding })).toEqual([])
  })

  test.each([
    ['of two documents', [node('a', 'a', 'x'), node('b', 'b', 'y')]],
    ['of no document', []],
    ['of another document', [node('a', 'a', 'z')]],
  ])('a prepared summary %s is refused', async (_name, nodes) => {
    await expect(index.insertSummary(node('s', 's', 'x'), nodes)).rejects.toMatchObject({
      code: 'VARVE_BAD_OPTION',
      message: expect.stringContaining('one document'),
    })
  })

  test('nodes without a document, and documents without a function, are refused', async () => {
    await expect(index.insertNodes([node('a', 'a')])).rejects.toThrow(/'a' does not tell its source document/)
    const loaded = await loadIndexFromStorage(storage)
    expect(loaded).toBeInstanceOf(DocumentSummaryIndex)
    await expect(loaded.insert(birds)).rejects.toMatchObject({
      code: 'VARVE_BAD_OPTION',
      message: expect.stringContaining('insertSummary'),
    })
    const bad = { ...options('B'), summarize: () => 7 as unknown as string }
    await expect(DocumentSummaryIndex.fromDocuments([birds], bad)).rejects.toThrow(
      /gave number, which is no text/,
    )
  })

  test('summaries without vectors can be read, and a question says why it finds nothing', async () => {
    const given = { ...options('W', 'w'), embedModel: undefined }
    const silent = await DocumentSummaryIndex.fromDocuments([birds], given)
    expect(await silent.getDocumentSummary('birds')).toBe('1: Birds')
    await expect(silent.asRetriever().retrieve({ embedding: new Float32Array(64) })).rejects.toMatchObject({
      code: 'VARVE_UNSUPPORTED_QUERY',
    })
    const other = { indexId: 'D', embedModel: bagOfWords({ id: 'other' }) }
    await expect(loadIndexFromStorage(storage, other)).rejects.toMatchObject({
      code: 'VARVE_OTHER_EMBED_MODEL',
    })
  })

  test('what another index needs stays', async () => {
    const other = await SummaryIndex.init({ storageContext: storage, indexId: 'L' })
    await other.insertNodes([await storage.docstore.getNode('n1')])
    await index.deleteRefDoc('cats')
    expect((await other.asRetriever().retrieve('')).map((hit) => hit.node.id_)).toEqual(['n1'])
    expect(await storage.docstore.documentExists('n2')).toBe(false)
  })

  test('work that is stopped while it summarizes changes nothing', async () => {
    const before = await struct()
    const stop = new AbortController()
    const stopping = await loadIndexFromStorage(storage, {
      summarize: (text, nodes, { signal }) => {
        expect(signal).toBe(stop.signal)
        stop.abort(new Error('enough'))
        return summarize(text, nodes)
      },
    })
    await expect(stopping.updateRefDoc(document('cats', 'New.'), { signal: stop.signal })).rejects.toThrow(
      'enough',
    )
    expect(await struct()).toEqual(before)
  })
})

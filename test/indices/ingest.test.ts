import { beforeEach, describe, expect, test, vi } from 'vitest'
import { StorageContext } from '../../src/context/storage-context.ts'
import { MemoryDisk } from '../../src/disk/memory-disk.ts'
import { DocumentSummaryIndex } from '../../src/indices/document-summary-index.ts'
import type { DocstoreStrategy } from '../../src/indices/docstore-strategy.ts'
import { loadIndexFromStorage } from '../../src/indices/load-index.ts'
import type { Progress } from '../../src/indices/long-work.ts'
import { SummaryIndex } from '../../src/indices/summary-index.ts'
import { VectorStoreIndex } from '../../src/indices/vector-store-index.ts'
import { TextNode, type BaseNode } from '../../src/stores/node.ts'
import { bagOfWords, type BagOfWords } from './support/bag-of-words.ts'
import { document, oneSentenceANode } from './support/documents.ts'
import { MemoryStorage } from './support/memory-storage.ts'
import { MemoryVectorStore } from './support/memory-vector-store.ts'

const cats = document('cats', 'Cats sleep all day. Cats chase mice.')
const birds = document('birds', 'Birds sing songs.')
const fish = document('fish', 'Fish swim.')
const newCats = document('cats', 'Cats like fish.')

let storageContext: StorageContext
let disk: MemoryDisk
let embedModel: BagOfWords
let index: VectorStoreIndex
beforeEach(async () => {
  disk = new MemoryDisk()
  storageContext = await StorageContext.fromDefaults({ disk, persistDir: '/storage' })
  embedModel = bagOfWords()
  const options = { storageContext, embedModel, nodeParser: oneSentenceANode(), indexId: 'I' }
  index = await VectorStoreIndex.fromDocuments([cats, birds], options)
  embedModel.calls.length = 0
})

const held = async () =>
  new Map([...(await index.refDocInfo())].map(([id, { nodeIds }]) => [id, nodeIds] as const))
const hashOf = (id: string) => storageContext.docstore.getDocumentHash(id)
const embedded = () => embedModel.calls.flatMap(({ texts }) => texts)

test('upserts takes in what is new or has changed, and leaves the rest', async () => {
  expect(await index.ingest([newCats, birds, fish])).toEqual({
    changed: ['cats', 'fish'],
    deleted: [],
    skipped: ['birds'],
  })
  expect(await held()).toEqual(
    new Map([
      ['birds', ['n3']],
      ['cats', ['n4']],
      ['fish', ['n5']],
    ]),
  )
  expect(await hashOf('cats')).toBe(newCats.hash)
  expect(embedded()).toEqual(['Cats like fish.', 'Fish swim.'])
  expect(await index.ingest([fish, newCats])).toEqual({
    changed: [],
    deleted: [],
    skipped: ['fish', 'cats'],
  })
})

test('nodes that name no source come from the document they were cut from', async () => {
  const nodeParser = (documents: readonly BaseNode[]) =>
    documents.flatMap(({ id_, text }) =>
      text.split(' ').map((word, at) => new TextNode({ id_: `${id_}${at}`, text: word })),
    )
  const words = await SummaryIndex.fromDocuments([document('a', 'old words')], {
    storageContext,
    nodeParser,
    indexId: 'W',
  })
  const texts = async () => (await words.asRetriever().retrieve('')).map(({ node }) => node.text)
  expect(await words.refreshRefDocs([document('a', 'new')])).toEqual([true])
  expect(await texts()).toEqual(['new'])
  await storageContext.persist()
  await storageContext.history.erase({ refDocIds: ['a'], reason: 'asked to' })
  expect(await texts()).toEqual([])
})

test('upserts_and_delete also deletes the documents of the index that are not given', async () => {
  const strategy = { docstoreStrategy: 'upserts_and_delete' } as const
  expect(await index.ingest([newCats], strategy)).toEqual({
    changed: ['cats'],
    deleted: ['birds'],
    skipped: [],
  })
  expect(await held()).toEqual(new Map([['cats', ['n4']]]))
  expect(await hashOf('birds')).toBeUndefined()
  expect(await storageContext.docstore.documentExists('n3')).toBe(false)
  expect(await index.ingest([newCats, fish], strategy)).toMatchObject({ changed: ['fish'], deleted: [] })
  expect(await index.ingest([newCats], strategy)).toMatchObject({ changed: [], deleted: ['fish'] })
  expect(await index.ingest([], strategy)).toEqual({ changed: [], deleted: ['cats'], skipped: [] })
  expect(await held()).toEqual(new Map())
  expect(await (await loadIndexFromStorage(storageContext, { embedModel })).refDocInfo()).toEqual(new Map())
})

test('upserts_and_delete leaves the documents of other indices alone', async () => {
  const other = await SummaryIndex.fromDocuments([fish], { storageContext, indexId: 'S' })
  await index.ingest([cats], { docstoreStrategy: 'upserts_and_delete' })
  expect([...(await other.refDocInfo()).keys()]).toEqual(['fish'])
  expect(await hashOf('fish')).toBe(fish.hash)
})

test('duplicates_only skips content that the index has under any id, and content that comes twice', async () => {
  const again = document('copy', birds.text)
  const twins = [document('one', 'A new text.'), document('two', 'A new text.')]
  const strategy = { docstoreStrategy: 'duplicates_only' } as const
  expect(await index.ingest([again, ...twins, cats], strategy)).toEqual({
    changed: ['one'],
    deleted: [],
    skipped: ['copy', 'two', 'cats'],
  })
  expect(await hashOf('copy')).toBeUndefined()
  expect(await index.ingest([twins[1]!], strategy)).toMatchObject({ skipped: ['two'] })
  // One version of a document: what the index has under its id goes.
  expect(await index.ingest([newCats], strategy)).toMatchObject({ changed: ['cats'] })
  expect((await held()).get('cats')).toEqual(['n5'])
})

test('a text that is part of another document is no duplicate of it', async () => {
  const part = document('part', 'Cats chase mice.')
  const report = await index.ingest([part], { docstoreStrategy: 'duplicates_only' })
  expect(report).toMatchObject({ changed: ['part'] })
})

describe.each<DocstoreStrategy>(['upserts', 'upserts_and_delete', 'duplicates_only'])(
  'with %s',
  (docstoreStrategy) => {
    test('work that fails leaves every document, hash and vector as it was, and can be repeated', async () => {
      await storageContext.persist()
      const before = [await held(), await hashOf('cats'), await hashOf('fish')]
      vi.spyOn(embedModel, 'embed').mockRejectedValueOnce(new Error('no model today'))
      await expect(index.ingest([newCats, fish], { docstoreStrategy })).rejects.toThrow('no model today')
      expect([await held(), await hashOf('cats'), await hashOf('fish')]).toEqual(before)
      expect(storageContext.hasPendingChanges).toBe(false)
      const { changed } = await index.ingest([newCats, fish], { docstoreStrategy })
      expect(changed).toEqual(['cats', 'fish'])
    })

    test('a store that fails in the midst leaves everything as it was', async () => {
      await storageContext.persist()
      const before = [await held(), await hashOf('cats')]
      const broken = vi
        .spyOn(storageContext.docstore, 'setDocumentHashes')
        .mockRejectedValueOnce(new Error('broken'))
      await expect(index.ingest([newCats, fish], { docstoreStrategy })).rejects.toThrow('broken')
      expect(broken).toHaveBeenCalledOnce()
      expect([await held(), await hashOf('cats')]).toEqual(before)
      const [hit] = await index.asRetriever({ similarityTopK: 1 }).retrieve('cats chase mice')
      expect(hit!.node.text).toBe('Cats chase mice.')
    })

    test('it tells how far it is, and stops when told to', async () => {
      const seen: Progress[] = []
      const onProgress = (progress: Progress) => seen.push(progress)
      const stop = new AbortController()
      embedModel.embed = (texts) => {
        stop.abort(new Error('enough'))
        return Promise.resolve(texts.map(() => new Float32Array(64)))
      }
      const work = { docstoreStrategy, onProgress, signal: stop.signal }
      await expect(index.ingest([newCats, fish], work)).rejects.toThrow('enough')
      expect(seen.map(({ phase }) => phase)).toEqual(['split', 'split', 'embed'])
      expect(await hashOf('fish')).toBeUndefined()
      expect((await held()).get('cats')).toEqual(['n1', 'n2'])
    })
  },
)

test('one persist after it is one commit, which has documents and hashes together', async () => {
  await storageContext.persist()
  await index.ingest([newCats, fish], { docstoreStrategy: 'upserts_and_delete' })
  const { number } = (await storageContext.persist())!
  expect(number).toBe(2)
  await storageContext.close()
  storageContext = await StorageContext.fromDefaults({ disk, persistDir: '/storage' })
  index = (await loadIndexFromStorage(storageContext, { embedModel })) as VectorStoreIndex
  expect([...(await held()).keys()]).toEqual(['cats', 'fish'])
  expect(await index.ingest([newCats, fish])).toMatchObject({ changed: [] })
})

test('an index whose vector store keeps the nodes goes by the hashes', async () => {
  const vectorStore = new MemoryVectorStore({ storesText: true })
  const storage = new MemoryStorage({ vectorStore })
  const options = { storageContext: storage, embedModel, nodeParser: oneSentenceANode('v'), indexId: 'V' }
  const texts = await VectorStoreIndex.fromDocuments([cats, birds], options)
  await SummaryIndex.fromDocuments([fish], { storageContext: storage, indexId: 'S' })
  const strategy = { docstoreStrategy: 'upserts_and_delete' } as const
  expect(await texts.ingest([newCats], strategy)).toEqual({
    changed: ['cats'],
    deleted: ['birds'],
    skipped: [],
  })
  expect([...vectorStore.vectors.values()].map(({ text }) => text)).toEqual(['Cats like fish.'])
  expect(await storage.docstore.getDocumentHash('birds')).toBeUndefined()
  expect(await storage.docstore.getDocumentHash('fish')).toBe(fish.hash)
  const copy = document('copy', newCats.text)
  expect(await texts.ingest([copy], { docstoreStrategy: 'duplicates_only' })).toMatchObject({
    skipped: ['copy'],
  })
})

test('documents that go take their summaries along', async () => {
  const summaries = await DocumentSummaryIndex.fromDocuments([cats, birds], {
    storageContext: await StorageContext.fromDefaults(),
    summarize: (texts) => `About ${texts.length}`,
    newId: (() => {
      let count = 0
      return () => `s${++count}`
    })(),
  })
  await summaries.ingest([birds], { docstoreStrategy: 'upserts_and_delete' })
  expect([...(await summaries.refDocInfo()).keys()]).toEqual(['birds'])
  await expect(summaries.getDocumentSummary('cats')).rejects.toMatchObject({
    code: 'VARVE_REF_DOC_NOT_FOUND',
  })
})

test('an unknown strategy is refused, and nothing is done', async () => {
  const strategy = { docstoreStrategy: 'guess' as 'upserts' }
  await expect(index.ingest([fish], strategy)).rejects.toMatchObject({
    code: 'VARVE_BAD_OPTION',
    message: expect.stringContaining('duplicates_only') as string,
  })
  expect(await hashOf('fish')).toBeUndefined()
})

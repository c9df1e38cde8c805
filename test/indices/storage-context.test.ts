// The indices over the stores they are made for. What they do is tested elsewhere, with fakes; this is that the two fit.
import { expect, test } from 'vitest'
import { StorageContext } from '../../src/context/storage-context.ts'
import { loadIndexFromStorage, loadIndicesFromStorage } from '../../src/indices/load-index.ts'
import { SimpleKeywordTableIndex } from '../../src/indices/simple-keyword-table-index.ts'
import { SummaryIndex } from '../../src/indices/summary-index.ts'
import { VectorStoreIndex } from '../../src/indices/vector-store-index.ts'
import { bagOfWords } from './support/bag-of-words.ts'
import { document, node, oneSentenceANode } from './support/documents.ts'

const cats = document('cats', 'Cats sleep all day. Cats chase mice.')
const birds = document('birds', 'Birds sing songs.')
const newer = document('cats', 'Cats like fish.')

async function ids(index: VectorStoreIndex | SummaryIndex | SimpleKeywordTableIndex): Promise<string[]> {
  const hits = await index.asRetriever({ similarityTopK: 9 }).retrieve('cats birds')
  return hits.map((hit) => hit.node.id_).sort()
}

test('indices of all types share a storage, change, and stay right', async () => {
  const storageContext = await StorageContext.fromDefaults()
  const embedModel = bagOfWords()
  const options = (prefix: string) => ({
    storageContext,
    nodeParser: oneSentenceANode(prefix),
    indexId: prefix,
  })
  const v = await VectorStoreIndex.fromDocuments([cats, birds], { ...options('v'), embedModel })
  const w = await VectorStoreIndex.fromDocuments([cats], { ...options('w'), embedModel })
  const s = await SummaryIndex.fromDocuments([cats, birds], options('s'))
  const k = await SimpleKeywordTableIndex.fromDocuments([cats, birds], options('k'))
  expect(await Promise.all([v, w, s, k].map(ids))).toEqual([
    ['v1', 'v2', 'v3'],
    ['w1', 'w2'],
    ['s1', 's2', 's3'],
    ['k1', 'k2', 'k3'],
  ])

  expect(await v.refreshRefDocs([newer, birds])).toEqual([true, false])
  await w.deleteRefDoc('cats')
  await s.updateRefDoc(newer)
  await k.deleteNodes(['k1'])
  await k.insertNodes([node('k3', 'Dogs bark.', 'birds')])
  expect(await Promise.all([v, w, s, k].map(ids))).toEqual([['v3', 'v4'], [], ['s3', 's4'], ['k2']])
  const { nodeIds } = (await storageContext.docstore.getRefDocInfo('cats'))!
  expect([...nodeIds].sort()).toEqual(['k2', 's4', 'v4'])

  await v.setIndexId('vectors')
  await v.setSummary('about animals')
  const loaded = await loadIndicesFromStorage(storageContext, { embedModel })
  expect(loaded.map((index) => index.indexId).sort()).toEqual(['k', 's', 'vectors', 'w'])
  const again = await loadIndexFromStorage(storageContext, { indexId: 'vectors', embedModel })
  expect(again.summary).toBe('about animals')
  expect(await ids(again as VectorStoreIndex)).toEqual(['v3', 'v4'])
  await storageContext.close()
})

test('an update that fails half-way leaves all stores as they were', async () => {
  const storageContext = await StorageContext.fromDefaults()
  const embedModel = bagOfWords()
  const options = { storageContext, embedModel, nodeParser: oneSentenceANode() }
  const index = await VectorStoreIndex.fromDocuments([cats, birds], options)
  // The vectors of another size are refused by the vector store alone.
  embedModel.embed = async (texts) => texts.map(() => new Float32Array(3))
  const other = { ...embedModel, dimensions: 3 }
  const changed = await loadIndexFromStorage(storageContext, {
    ...options,
    embedModel: other,
    acceptEmbedModel: true,
  })
  await expect(changed.updateRefDoc(newer)).rejects.toMatchObject({ code: 'VARVE_WRONG_DIMENSIONS' })
  expect(await storageContext.docstore.getDocumentHash('cats')).toBe(cats.hash)
  expect((await index.refDocInfo()).get('cats')!.nodeIds).toEqual(['n1', 'n2'])
  await storageContext.close()
})

test('without a storage, an index has one in memory', async () => {
  const index = await SummaryIndex.fromDocuments([birds])
  const [hit] = await index.asRetriever().retrieve('')
  expect(hit!.node.text).toBe('Birds sing songs.')
})

import { beforeEach, describe, expect, test } from 'vitest'
import type { Progress } from '../../src/indices/long-work.ts'
import { VectorStoreIndex, type NewVectorIndexOptions } from '../../src/indices/vector-store-index.ts'
import { TextNode, type BaseNode } from '../../src/stores/node.ts'
import { bagOfWords, type BagOfWords } from './support/bag-of-words.ts'
import { document, node, oneSentenceANode } from './support/documents.ts'
import { ViewingIndexStore, WholeIndexStore } from './support/memory-index-store.ts'
import { MemoryStorage } from './support/memory-storage.ts'

const cats = document('cats', 'Cats sleep all day. Cats chase mice.')
const birds = document('birds', 'Birds sing songs.')

describe.each([
  ['a store that shows and changes entries', () => new ViewingIndexStore() as WholeIndexStore],
  ['a store that only knows whole structs', () => new WholeIndexStore()],
])('in %s', (_, newIndexStore) => {
  let storage: MemoryStorage
  let embedModel: BagOfWords
  let options: NewVectorIndexOptions
  beforeEach(() => {
    storage = new MemoryStorage({ indexStore: newIndexStore() })
    embedModel = bagOfWords()
    options = { storageContext: storage, embedModel, nodeParser: oneSentenceANode(), indexId: 'I' }
  })

  const struct = async (id = 'I') => await storage.indexStore.getIndexStruct(id)
  const nodeIds = async (id = 'I') => [...((await struct(id))!.nodesDict as Map<string, string>).keys()]
  const held = () => ({
    nodes: [...storage.docstore.nodes.keys()],
    vectors: [...storage.vectorStore.vectors.keys()],
    hashes: [...storage.docstore.hashes.keys()],
  })

  test('a question is a text, or says what is asked in our words', async () => {
    const index = await VectorStoreIndex.fromDocuments([cats], options)
    for (const question of [{ query: 'cats' }, undefined, null, 7])
      await expect(index.asRetriever().retrieve(question as unknown as string)).rejects.toThrow(
        'retrieve() takes a text, or { queryStr } or { embedding }.',
      )
  })

  test('documents become nodes, vectors, hashes and a struct', async () => {
    const index = await VectorStoreIndex.fromDocuments([cats, birds], options)
    expect(index.indexId).toBe('I')
    expect(held()).toEqual({
      nodes: ['n1', 'n2', 'n3'],
      vectors: ['n1', 'n2', 'n3'],
      hashes: ['n1', 'n2', 'n3', 'cats', 'birds'],
    })
    expect(await struct()).toEqual({
      indexId: 'I',
      type: 'vector_store',
      summary: null,
      nodesDict: new Map(['n1', 'n2', 'n3'].map((id) => [id, id])),
      docIdDict: new Map(),
      embeddingsDict: new Map(),
      embedModelId: 'bag-of-words',
      embedDimensions: 64,
    })
    expect(storage.docstore.nodes.get('n1')!.embedding).toBeUndefined()
    expect(storage.vectorStore.vectors.get('n1')!.embedding).toBeInstanceOf(Float32Array)
    expect(await index.refDocInfo()).toEqual(
      new Map([
        ['cats', { nodeIds: ['n1', 'n2'], metadata: {} }],
        ['birds', { nodeIds: ['n3'], metadata: {} }],
      ]),
    )
  })

  test('a question finds the most similar nodes, two by default', async () => {
    const index = await VectorStoreIndex.fromDocuments([cats, birds], options)
    const hits = await index.asRetriever().retrieve('Cats chase mice.')
    expect(hits.map(({ node: { text }, score }) => [text, score])).toEqual([
      ['Cats chase mice.', expect.closeTo(1)],
      ['Cats sleep all day.', expect.closeTo(1 / Math.sqrt(12))],
    ])
    expect(embedModel.calls.at(-1)).toEqual({ texts: ['Cats chase mice.'], options: { kind: 'query' } })
    expect(storage.docstore.calls.filter((call) => call.startsWith('get'))).toEqual(['getNodes'])
  })

  test('a retriever takes filters, source documents, nodes, a number of hits and a vector', async () => {
    const marked = document('marked', 'Cats again.', { kind: 'x' })
    const index = await VectorStoreIndex.fromDocuments([cats, birds, marked], options)
    const found = async (given: Parameters<typeof index.asRetriever>[0]) =>
      (await index.asRetriever({ similarityTopK: 9, ...given }).retrieve('cats')).map((hit) => hit.node.id_)
    expect(await found({})).toHaveLength(4)
    expect(await found({ similarityTopK: 1 })).toEqual(['n2'])
    expect(await found({ filters: { filters: [{ key: 'kind', value: 'x' }] } })).toEqual(['n4'])
    expect(await found({ docIds: ['birds'] })).toEqual(['n3'])
    expect(await found({ nodeIds: ['n1', 'n3', 'never'] })).toEqual(['n1', 'n3'])
    expect(await found({ nodeIds: [] })).toEqual([])
    const calls = embedModel.calls.length
    const embedding = storage.vectorStore.vectors.get('n3')!.embedding!
    expect((await index.asRetriever().retrieve({ embedding }))[0]!.node.id_).toBe('n3')
    expect(embedModel.calls).toHaveLength(calls)
  })

  test('a new document is found after insert', async () => {
    const index = await VectorStoreIndex.fromDocuments([cats], options)
    await index.insert(birds)
    expect((await index.asRetriever().retrieve('birds sing songs'))[0]!.node.refDocId).toBe('birds')
    expect(storage.docstore.hashes.get('birds')).toBe(birds.hash)
    if (storage.indexStore instanceof ViewingIndexStore) {
      expect(storage.indexStore.calls).toEqual(['addIndexStruct', 'changeIndexStruct'])
    }
  })

  test('nodes with a vector keep it, nodes with a known id replace, later ones of the same id win', async () => {
    const embedding = new Float32Array(64).fill(1)
    const given = new TextNode({ id_: 'n', text: 'with a vector', embedding })
    const index = await VectorStoreIndex.init({
      ...options,
      nodes: [node('m', 'old'), node('m', 'new'), given],
    })
    expect(embedModel.calls.map(({ texts }) => texts)).toEqual([['new']])
    expect(storage.vectorStore.vectors.get('n')!.embedding).toBe(embedding)
    expect(given.embedding).toBe(embedding)
    await index.insertNodes([node('m', 'newest')])
    expect(await nodeIds()).toEqual(['m', 'n'])
    expect(storage.docstore.nodes.get('m')!.text).toBe('newest')
  })

  test('nodes without content are left out, and progress says so', async () => {
    const progress: Progress[] = []
    const nodes = [node('a', 'text'), node('b', ''), node('c', 'more')]
    await VectorStoreIndex.init({
      ...options,
      nodes,
      embedBatchSize: 1,
      onProgress: (at) => progress.push(at),
    })
    expect(await nodeIds()).toEqual(['a', 'c'])
    expect(progress).toEqual([
      { phase: 'embed', done: 2, total: 3, skipped: 1 },
      { phase: 'embed', done: 3, total: 3, skipped: 1 },
      { phase: 'store', done: 2, total: 2 },
    ])
  })

  test('an index can be made of nothing, and filled later', async () => {
    const index = await VectorStoreIndex.fromDocuments([], options)
    expect(await index.asRetriever().retrieve('anything')).toEqual([])
    expect(await nodeIds()).toEqual([])
    await index.insert(birds)
    expect(await nodeIds()).toEqual(['n1'])
  })

  test('an index id that is taken is refused, and the index there stays as it is', async () => {
    await VectorStoreIndex.fromDocuments([cats], options)
    const again = VectorStoreIndex.fromDocuments([birds], options)
    await expect(again).rejects.toMatchObject({
      code: 'VARVE_DUPLICATE_ID',
      message: expect.stringMatching(/'I' already.*another id/),
    })
    expect(await nodeIds()).toEqual(['n1', 'n2'])
    expect(held().nodes).toEqual(['n1', 'n2'])
  })

  test('deleted nodes go from all stores', async () => {
    const index = await VectorStoreIndex.fromDocuments([cats, birds], options)
    await index.deleteNodes(['n1', 'never', 'n3'])
    expect(held()).toEqual({ nodes: ['n2'], vectors: ['n2'], hashes: ['n2', 'cats'] })
    expect(await nodeIds()).toEqual(['n2'])
    await index.deleteNodes(['n2'], { deleteFromDocstore: false })
    expect(held()).toEqual({ nodes: ['n2'], vectors: [], hashes: ['n2', 'cats'] })
    expect(await nodeIds()).toEqual([])
  })

  test('a deleted source document goes with its nodes, vectors and hash', async () => {
    const index = await VectorStoreIndex.fromDocuments([cats, birds], options)
    await index.deleteRefDoc('cats')
    expect(held()).toEqual({ nodes: ['n3'], vectors: ['n3'], hashes: ['n3', 'birds'] })
    expect(storage.docstore.refDocs.has('cats')).toBe(false)
    await index.deleteRefDoc('cats')
    await index.deleteRefDoc('never')
    expect(await nodeIds()).toEqual(['n3'])
  })

  test('a document deleted from the index only is inserted again by refresh, and deleted for good later', async () => {
    const index = await VectorStoreIndex.fromDocuments([cats], options)
    await index.deleteRefDoc('cats', { deleteFromDocstore: false })
    expect(held()).toEqual({ nodes: ['n1', 'n2'], vectors: [], hashes: ['n1', 'n2', 'cats'] })
    expect(await index.refreshRefDocs([cats])).toEqual([true])
    expect(await nodeIds()).toEqual(['n3', 'n4'])
    await index.deleteRefDoc('cats')
    expect(held()).toEqual({ nodes: [], vectors: [], hashes: [] })
  })

  test('an empty document leaves a hash, which goes with it', async () => {
    const index = await VectorStoreIndex.fromDocuments([document('empty', '')], options)
    expect(held().hashes).toEqual(['empty'])
    expect(await index.refreshRefDocs([document('empty', '')])).toEqual([false])
    await index.deleteRefDoc('empty')
    expect(held().hashes).toEqual([])
  })

  test('an updated document has its new nodes only', async () => {
    const index = await VectorStoreIndex.fromDocuments([cats, birds], options)
    await index.updateRefDoc(document('cats', 'Cats like fish.'))
    expect(held()).toEqual({
      nodes: ['n3', 'n4'],
      vectors: ['n3', 'n4'],
      hashes: ['n3', 'birds', 'n4', 'cats'],
    })
    expect((await index.refDocInfo()).get('cats')!.nodeIds).toEqual(['n4'])
  })

  test('an update may give nodes the ids they had', async () => {
    const nodeParser = (documents: readonly BaseNode[]) =>
      documents.map(({ id_, text }) => node(`${id_}-0`, text, id_))
    const same = { ...options, nodeParser }
    const index = await VectorStoreIndex.fromDocuments([cats], same)
    await index.updateRefDoc(document('cats', 'Cats like fish.'))
    expect(held()).toEqual({ nodes: ['cats-0'], vectors: ['cats-0'], hashes: ['cats-0', 'cats'] })
    expect(storage.docstore.nodes.get('cats-0')!.text).toBe('Cats like fish.')
  })

  test('refresh answers what was new or had changed, and leaves the rest alone', async () => {
    const index = await VectorStoreIndex.fromDocuments([cats, birds], options)
    const calls = embedModel.calls.length
    const newer = document('birds', 'Birds fly.')
    const fish = document('fish', 'Fish swim.')
    expect(await index.refreshRefDocs([cats, newer, fish, cats])).toEqual([false, true, true, false])
    expect(embedModel.calls.slice(calls).flatMap(({ texts }) => texts)).toEqual(['Birds fly.', 'Fish swim.'])
    expect(await index.refreshRefDocs([cats, newer, fish])).toEqual([false, false, false])
    expect(await nodeIds()).toEqual(['n1', 'n2', 'n4', 'n5'])
  })

  test('of two versions in one refresh the later one counts', async () => {
    const index = await VectorStoreIndex.fromDocuments([], options)
    const versions = [document('d', 'Old one.'), document('d', 'New one.')]
    expect(await index.refreshRefDocs(versions)).toEqual([true, true])
    expect([...storage.docstore.nodes.values()].map(({ text }) => text)).toEqual(['New one.'])
  })

  test('no reader sees half an update', async () => {
    const index = await VectorStoreIndex.fromDocuments([cats, birds], options)
    const newer = [document('cats', 'Cats like fish.'), document('birds', 'Birds fly. Birds nest.')]
    const seen = new Set<string>()
    let isDone = false
    const updating = index.refreshRefDocs(newer).finally(() => (isDone = true))
    while (!isDone) {
      const { nodes, vectors } = held()
      seen.add(
        JSON.stringify([
          nodes,
          vectors,
          [...(storage.indexStore.structs.get('I')!.nodesDict as Map<string, string>)].map(([id]) => id),
        ]),
      )
      await Promise.resolve()
    }
    await updating
    const before = ['n1', 'n2', 'n3']
    const after = ['n4', 'n5', 'n6']
    expect([...seen].map((state) => JSON.parse(state) as unknown)).toEqual([
      [before, before, before],
      [after, after, after],
    ])
  })

  test('an update that fails leaves everything as it was', async () => {
    const index = await VectorStoreIndex.fromDocuments([cats, birds], options)
    const [before, structBefore] = [held(), await struct()]
    storage.vectorStore.failing = { method: 'add', error: new Error('disk full') }
    await expect(index.updateRefDoc(document('cats', 'Cats like fish.'))).rejects.toThrow('disk full')
    expect([held(), await struct()]).toEqual([before, structBefore])
  })

  test('a model that fails, or is missing, leaves everything as it was', async () => {
    const index = await VectorStoreIndex.fromDocuments([cats], options)
    const before = held()
    embedModel.embed = () => Promise.reject(new Error('no network'))
    await expect(index.updateRefDoc(document('cats', 'Cats like fish.'))).rejects.toThrow('no network')
    expect(held()).toEqual(before)
    const without = VectorStoreIndex.fromDocuments([birds], {
      ...options,
      embedModel: undefined,
      indexId: 'J',
    })
    await expect(without).rejects.toMatchObject({ code: 'VARVE_NO_EMBED_MODEL' })
    expect(held()).toEqual(before)
  })

  test('work that is stopped rejects with the reason and touches nothing', async () => {
    const index = await VectorStoreIndex.fromDocuments([cats], { ...options, embedBatchSize: 1 })
    const before = held()
    const stop = new AbortController()
    const phases: string[] = []
    const onProgress = ({ phase, done, total }: Progress) => {
      phases.push(`${phase} ${done}/${total}`)
      if (phase === 'embed') stop.abort(new Error('enough'))
    }
    const work = { onProgress, signal: stop.signal }
    await expect(index.insert(document('d', 'One. Two is longer. Three.'), work)).rejects.toThrow('enough')
    expect(phases).toEqual(['split 1/1', 'embed 1/3'])
    expect(held()).toEqual(before)
    await expect(index.insert(birds, { signal: AbortSignal.abort() })).rejects.toThrow('aborted')
  })

  test('large additions reach the stores in batches, the struct at the end; stopped between, all are taken back', async () => {
    const index = await VectorStoreIndex.init({ ...options, insertBatchSize: 2 })
    const nodes = ['a', 'b', 'c', 'd', 'e'].map((id) => node(id, id))
    const stop = new AbortController()
    const onProgress = ({ phase }: Progress) => phase === 'store' && stop.abort(new Error('enough'))
    await expect(index.insertNodes(nodes, { onProgress, signal: stop.signal })).rejects.toThrow('enough')
    expect(held()).toEqual({ nodes: [], vectors: [], hashes: [] })
    storage.vectorStore.calls = []
    const progress: Progress[] = []
    await index.insertNodes(nodes, { onProgress: (at) => progress.push(at) })
    expect(storage.vectorStore.calls).toEqual(['add', 'add', 'add'])
    expect(progress.filter(({ phase }) => phase === 'store').map(({ done }) => done)).toEqual([2, 4, 5])
    expect(await nodeIds()).toEqual(['a', 'b', 'c', 'd', 'e'])
  })

  test('the summary and the id can be changed', async () => {
    const index = await VectorStoreIndex.fromDocuments([cats], options)
    expect(index.summary).toBeNull()
    await index.setSummary('about cats')
    expect([index.summary, (await struct())!.summary]).toEqual(['about cats', 'about cats'])
    await index.setIndexId('cats-index')
    expect([index.indexId, await struct(), (await struct('cats-index'))!.summary]).toEqual([
      'cats-index',
      undefined,
      'about cats',
    ])
    await index.insert(birds)
    expect(await nodeIds('cats-index')).toEqual(['n1', 'n2', 'n3'])
    await VectorStoreIndex.init({ ...options, indexId: 'other' })
    await expect(index.setIndexId('other')).rejects.toMatchObject({ code: 'VARVE_DUPLICATE_ID' })
    expect(index.indexId).toBe('cats-index')
  })

  test('an index whose struct was deleted beneath it says so', async () => {
    const index = await VectorStoreIndex.fromDocuments([cats], options)
    await storage.indexStore.deleteIndexStruct('I')
    await expect(index.insert(birds)).rejects.toMatchObject({ code: 'VARVE_INDEX_NOT_FOUND' })
    expect(held().nodes).toEqual(['n1', 'n2'])
  })

  test('a node that the docstore does not hold is named, with its index', async () => {
    const index = await VectorStoreIndex.fromDocuments([cats], options)
    storage.docstore.nodes.delete('n2')
    await expect(index.asRetriever().retrieve('Cats chase mice')).rejects.toMatchObject({
      code: 'VARVE_NODE_NOT_FOUND',
      message: expect.stringContaining("Index 'I' refers to node 'n2'"),
      fields: { indexId: 'I', nodeIds: ['n2'] },
    })
  })

  test('a question in words needs a model', async () => {
    const nodes = [new TextNode({ id_: 'a', text: 'a', embedding: [1, 0] })]
    const index = await VectorStoreIndex.init({ ...options, embedModel: undefined, nodes })
    await expect(index.asRetriever().retrieve('a')).rejects.toMatchObject({ code: 'VARVE_NO_EMBED_MODEL' })
    expect((await struct())!.embedModelId).toBeUndefined()
  })

  test.each([0, -1, 1.5, Number.NaN])('a similarityTopK of %d is refused', async (similarityTopK) => {
    const index = await VectorStoreIndex.init(options)
    expect(() => index.asRetriever({ similarityTopK })).toThrow(
      expect.objectContaining({ code: 'VARVE_BAD_OPTION' }),
    )
  })

  test('batch sizes of nothing are refused', async () => {
    for (const name of ['insertBatchSize', 'embedBatchSize']) {
      const making = VectorStoreIndex.init({ ...options, [name]: 0 })
      await expect(making).rejects.toMatchObject({
        code: 'VARVE_BAD_OPTION',
        message: expect.stringContaining(name),
      })
    }
  })

  test('a hit that is deleted while it is fetched makes the search start anew', async () => {
    const index = await VectorStoreIndex.fromDocuments([cats, birds], options)
    const getNodes = storage.docstore.getNodes.bind(storage.docstore)
    storage.docstore.getNodes = async (ids, given) => {
      storage.docstore.getNodes = getNodes
      await index.deleteNodes(['n2'])
      return await getNodes(ids, given)
    }
    const hits = await index.asRetriever({ similarityTopK: 1 }).retrieve('cats chase mice')
    expect(hits.map((hit) => hit.node.id_)).toEqual(['n1'])
  })
})

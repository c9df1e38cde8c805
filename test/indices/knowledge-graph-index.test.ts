import { beforeEach, describe, expect, test } from 'vitest'
import { StorageContext } from '../../src/context/storage-context.ts'
import { KnowledgeGraphIndex } from '../../src/indices/knowledge-graph-index.ts'
import { loadIndexFromStorage } from '../../src/indices/load-index.ts'
import type { IndexStorage } from '../../src/indices/index-storage.ts'
import type { RetrieverOptions } from '../../src/indices/retriever.ts'
import type { Triplet } from '../../src/stores/contract.ts'
import { TextNode } from '../../src/stores/node.ts'
import { bagOfWords } from './support/bag-of-words.ts'
import { document, node, oneSentenceANode } from './support/documents.ts'
import { WholeIndexStore } from './support/memory-index-store.ts'
import { MemoryStorage } from './support/memory-storage.ts'

/** `Alice knows Bob. ` is one triplet: the first word, the last, and what stands between. */
const extractTriplets = (text: string): Triplet[] =>
  text.split('.').flatMap((sentence) => {
    const words = sentence.trim().split(' ')
    return words.length < 3 ? [] : [[words[0]!, words.slice(1, -1).join(' '), words.at(-1)!]]
  })

const people = document('people', 'Alice knows Bob. Bob likes Tea.')
const drinks = document('drinks', 'Tea comes from China.')
const triplets = async (storage: IndexStorage) =>
  [...(await storage.graphStore.getRelMap(undefined, { depth: 1, limit: 1000 })).values()].flat()

describe.each([
  ['our own storage', () => StorageContext.fromDefaults()],
  [
    'stores that only know whole structs and single triplets',
    () => new MemoryStorage({ indexStore: new WholeIndexStore() }),
  ],
])('in %s', (_, newStorage) => {
  let storage: IndexStorage
  let index: KnowledgeGraphIndex
  beforeEach(async () => {
    storage = await newStorage()
    index = await KnowledgeGraphIndex.fromDocuments([people, drinks], options())
  })
  const options = (indexId = 'G', prefix = 'n') => ({
    storageContext: storage,
    nodeParser: oneSentenceANode(prefix),
    indexId,
    extractTriplets,
  })
  const struct = async (indexId = 'G') => (await storage.indexStore.getIndexStruct(indexId))!
  const found = async (question: string, given: RetrieverOptions = {}, asked = index) =>
    (await asked.asRetriever(given).retrieve(question)).map((hit) => [hit.node.id_, hit.score])

  test('triplets go to the graph, nodes under their subjects and objects', async () => {
    expect(await triplets(storage)).toEqual([
      ['Alice', 'knows', 'Bob'],
      ['Bob', 'likes', 'Tea'],
      ['Tea', 'comes from', 'China'],
    ])
    expect((await struct()).table).toEqual(
      new Map([
        ['Alice', new Set(['n1'])],
        ['Bob', new Set(['n1', 'n2'])],
        ['Tea', new Set(['n2', 'n3'])],
        ['China', new Set(['n3'])],
      ]),
    )
  })

  test('a question leads to the nodes behind its entities, those met most often first, and to the triplets', async () => {
    const hits = await index.asRetriever().retrieve('Whom does ALICE know?')
    expect(hits.map(({ node: { id_ }, score }) => [id_, score])).toEqual([
      ['n1', 1000],
      ['n2', 1000],
      ['n3', 1000],
      ['G/triplets', 1000],
    ])
    const { metadata, text } = hits.at(-1)!.node
    expect(metadata).toEqual({
      kg_rel_texts: ["('Alice', 'knows', 'Bob')", "('Bob', 'likes', 'Tea')"],
      kg_rel_map: { Alice: [['Alice', 'knows', 'Bob']], Bob: [['Bob', 'likes', 'Tea']] },
    })
    expect(text).toContain("('Alice', 'knows', 'Bob')\n('Bob', 'likes', 'Tea')")
  })

  test('an entity that is but an object is found by what leads to it', async () => {
    expect(await found('china')).toEqual([
      ['n3', 1000],
      ['n2', 1000],
      ['G/triplets', 1000],
    ])
  })

  test('depth, and the number of triplets, nodes and entities, can be chosen', async () => {
    const ids = async (given: RetrieverOptions) => (await found('Alice', given)).map(([id]) => id)
    expect(await ids({ graphStoreQueryDepth: 1 })).toEqual(['n1', 'n2', 'G/triplets'])
    expect(await ids({ maxKnowledgeSequence: 1 })).toEqual(['n1', 'n2', 'G/triplets'])
    expect(await ids({ numChunksPerQuery: 1 })).toEqual(['n1', 'G/triplets'])
    expect(await ids({ includeText: false })).toEqual(['G/triplets'])
    expect(await found('Alice China', { maxKeywordsPerQuery: 1, graphStoreQueryDepth: 1 })).toEqual(
      await found('Alice', { graphStoreQueryDepth: 1 }),
    )
  })

  test('a question about nothing known finds nothing', async () => {
    expect(await found('Who is Carol?')).toEqual([])
    expect(await found('')).toEqual([])
  })

  test('where nodes are chosen by what they are, the triplets are left out, for they may come from others', async () => {
    expect(await found('Alice', { docIds: ['drinks'] })).toEqual([['n3', 1000]])
    expect(await found('Alice', { nodeIds: ['n2'] })).toEqual([['n2', 1000]])
  })

  test('deleting a document deletes its nodes, its entities, and the triplets that nothing else says', async () => {
    await index.insertNodes([node('more', 'Bob likes Tea.', 'other')])
    await index.deleteRefDoc('people')
    expect((await triplets(storage)).sort()).toEqual([
      ['Bob', 'likes', 'Tea'],
      ['Tea', 'comes from', 'China'],
    ])
    expect([...((await struct()).table as Map<string, unknown>).keys()].sort()).toEqual([
      'Bob',
      'China',
      'Tea',
    ])
    expect(await storage.docstore.documentExists('n1')).toBe(false)
    await index.deleteNodes(['more', 'unknown'])
    expect(await triplets(storage)).toEqual([['Tea', 'comes from', 'China']])
  })

  test('a document is updated with its triplets', async () => {
    expect(await index.refreshRefDocs([document('people', 'Alice knows Carol.'), drinks])).toEqual([
      true,
      false,
    ])
    expect((await triplets(storage)).sort()).toEqual([
      ['Alice', 'knows', 'Carol'],
      ['Tea', 'comes from', 'China'],
    ])
  })

  test('a node that is inserted anew loses what it said before', async () => {
    await index.insertNodes([node('n1', 'Alice meets Carol.', 'people')])
    expect((await triplets(storage)).sort()).toEqual([
      ['Alice', 'meets', 'Carol'],
      ['Bob', 'likes', 'Tea'],
      ['Tea', 'comes from', 'China'],
    ])
    expect(((await struct()).table as Map<string, unknown>).get('Bob')).toEqual(new Set(['n2']))
  })

  test('triplets can be given by hand, with and without a node', async () => {
    const byHand = await KnowledgeGraphIndex.init({ storageContext: storage, indexId: 'H' })
    await byHand.upsertTriplet(['Eve', 'hears', 'Alice'])
    await byHand.upsertTripletAndNode(['Eve', 'eats', 'Apple'], node('eve', 'Eve eats an apple.'))
    await byHand.upsertTripletAndNode(['Eve', 'likes', 'Apple'], node('eve', 'Eve eats an apple.'))
    await byHand.addNode(['Garden'], node('eve', 'Eve eats an apple in the garden.'))
    expect(await found('garden', {}, byHand)).toEqual([['eve', 1000]])
    expect((await found('Eve', {}, byHand)).map(([id]) => id)).toEqual(['eve', 'H/triplets'])
    await byHand.deleteNodes(['eve'])
    expect((await triplets(storage)).filter(([subject]) => subject === 'Eve')).toEqual([
      ['Eve', 'hears', 'Alice'],
    ])
  })

  test('two indices of one graph leave each other their triplets', async () => {
    const other = await KnowledgeGraphIndex.fromDocuments([people], options('O', 'o'))
    await index.deleteRefDoc('people')
    expect(await triplets(storage)).toContainEqual(['Alice', 'knows', 'Bob'])
    expect((await found('Alice', { graphStoreQueryDepth: 1 }, other)).map(([id]) => id)).toEqual([
      'o1',
      'o2',
      'O/triplets',
    ])
    await other.deleteRefDoc('people')
    expect(await triplets(storage)).toEqual([['Tea', 'comes from', 'China']])
  })

  test('what another program indexed does not tell whence a triplet came; what can come from no node that stays goes', async () => {
    await storage.indexStore.addIndexStruct({
      indexId: 'P',
      type: 'kg',
      summary: null,
      table: new Map([
        ['X', new Set(['p1', 'p2'])],
        ['Y', new Set(['p1', 'p2'])],
        ['Z', new Set(['p1'])],
      ]),
      relMap: new Map(),
      embeddingDict: new Map([["('X', 'r', 'Z')", [1, 0]]]),
    })
    await storage.docstore.addDocuments([node('p1', 'one'), node('p2', 'two')])
    for (const object of ['Y', 'Z']) await storage.graphStore.upsertTriplet('X', 'r', object)
    const imported = (await loadIndexFromStorage(storage, { indexId: 'P' })) as KnowledgeGraphIndex
    await imported.upsertTripletAndNode(['X', 'new', 'W'], node('p2', 'two'))
    await imported.deleteNodes(['p1'])
    expect((await triplets(storage)).filter(([subject]) => subject === 'X')).toEqual([
      ['X', 'r', 'Y'],
      ['X', 'new', 'W'],
    ])
    expect((await struct('P')).embeddingDict).toEqual(new Map())
    await imported.deleteNodes(['p2'])
    expect((await triplets(storage)).filter(([subject]) => subject === 'X')).toEqual([])
  })

  test('triplets with vectors are found by similarity, under the keys that Python writes', async () => {
    const embedModel = bagOfWords()
    const given = { ...options('E', 'e'), embedModel, includeEmbeddings: true }
    const embedded = await KnowledgeGraphIndex.fromDocuments([people], given)
    const keys = [...((await struct('E')).embeddingDict as Map<string, number[]>).keys()]
    expect(keys).toEqual(["('Alice', 'knows', 'Bob')", "('Bob', 'likes', 'Tea')"])
    const byVector: RetrieverOptions = { retrieverMode: 'embedding', similarityTopK: 1 }
    expect((await found('likes tea', byVector, embedded)).map(([id]) => id)).toEqual([
      'e2',
      'e1',
      'E/triplets',
    ])
    expect((await found('alice likes tea', { ...byVector, retrieverMode: 'hybrid' }, embedded)).length).toBe(
      3,
    )
    await embedded.deleteNodes(['e1'])
    expect([...((await struct('E')).embeddingDict as Map<string, number[]>).keys()]).toEqual([
      "('Bob', 'likes', 'Tea')",
    ])
    await expect(
      loadIndexFromStorage(storage, { indexId: 'E', embedModel: bagOfWords({ id: 'other' }) }),
    ).rejects.toMatchObject({
      code: 'VARVE_OTHER_EMBED_MODEL',
    })
  })

  test('without vectors of triplets, a search by vectors says what to do', async () => {
    await expect(found('x', { retrieverMode: 'embedding' })).rejects.toMatchObject({
      code: 'VARVE_UNSUPPORTED_QUERY',
      message: expect.stringContaining("retrieverMode: 'keyword'"),
    })
    expect(() => index.asRetriever({ retrieverMode: 'telepathy' as 'keyword' })).toThrow(
      /no retrieverMode 'telepathy'.*hybrid/,
    )
    expect(() => index.asRetriever({ graphStoreQueryDepth: 0 })).toThrow(/graphStoreQueryDepth is 0/)
  })

  test('a loaded index needs no function to answer, to delete and to take prepared triplets', async () => {
    const loaded = (await loadIndexFromStorage(storage)) as KnowledgeGraphIndex
    expect(loaded).toBeInstanceOf(KnowledgeGraphIndex)
    expect((await found('Alice', {}, loaded)).length).toBe(4)
    await loaded.upsertTripletAndNode(['China', 'is', 'big'], node('new', 'China is big.'))
    await expect(loaded.insert(document('x', 'A b c.'))).rejects.toMatchObject({
      code: 'VARVE_BAD_OPTION',
      message: expect.stringContaining('extractTriplets'),
    })
    expect([...(await loaded.refDocInfo()).keys()].sort()).toEqual(['drinks', 'people'])
  })

  test.each<[given: unknown, message: RegExp]>([
    [[['a', 'b']], /\[ 'a', 'b' \], which is no triplet/],
    [[['a', 'b', 3n]], /\[ 'a', 'b', 3n \], which is no triplet/],
    [[['a', 'b', '']], /no triplet/],
    [[['a', 'b', 3]], /no triplet/],
    [{}, /no list of triplets/],
    [undefined, /undefined, which is no list/],
  ])('a function that gives %s instead of triplets changes nothing', async (given, message) => {
    const bad = { ...options('B', 'b'), extractTriplets: () => given as Triplet[] }
    await expect(KnowledgeGraphIndex.fromDocuments([people], bad)).rejects.toMatchObject({
      code: 'VARVE_BAD_OPTION',
      message: expect.stringMatching(message),
    })
    expect(await storage.indexStore.getIndexStruct('B')).toBeUndefined()
    expect(await storage.docstore.documentExists('b1')).toBe(false)
  })

  test('work that is stopped leaves everything as it was', async () => {
    const before = [await struct(), await triplets(storage)]
    const stop = new AbortController()
    const signals: unknown[] = []
    const stopping = await KnowledgeGraphIndex.init({
      ...options('S'),
      extractTriplets: (text, { signal }) => {
        signals.push(signal)
        stop.abort(new Error('enough'))
        return extractTriplets(text)
      },
    })
    await expect(stopping.insert(document('more', 'A b c. D e f.'), { signal: stop.signal })).rejects.toThrow(
      'enough',
    )
    expect(signals).toEqual([stop.signal])
    expect([await struct(), await triplets(storage)]).toEqual(before)
  })

  test('names like __proto__ are names like any other', async () => {
    await index.upsertTripletAndNode(
      ['__proto__', 'is', 'constructor'],
      new TextNode({ id_: 'toString', text: 'x' }),
    )
    expect((await found('__proto__')).map(([id]) => id)).toEqual(['toString', 'G/triplets'])
    expect((await found('hasOwnProperty')).length).toBe(0)
  })
})

test('a graph that came without an index can be asked all the same', async () => {
  const storageContext = await StorageContext.fromDefaults()
  await storageContext.graphStore.upsertTriplet('Alice', 'knows', 'Bob')
  await expect(loadIndexFromStorage(storageContext)).rejects.toMatchObject({
    code: 'VARVE_NO_INDEX',
    message: expect.stringMatching(/holds triplets.*KnowledgeGraphIndex\.init/),
  })
  const index = await KnowledgeGraphIndex.init({ storageContext, indexId: 'G' })
  const hits = await index.asRetriever().retrieve('Bob')
  expect(hits.map((hit) => hit.node.metadata['kg_rel_texts'])).toEqual([["('Alice', 'knows', 'Bob')"]])
})

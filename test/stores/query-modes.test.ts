// The modes of a query, beside what LlamaIndex for Python answers (fixtures/make.py).
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { VectorStoreIndex } from '../../src/indices/vector-store-index.ts'
import type { VectorStoreQuery } from '../../src/stores/contract.ts'
import { TextNode } from '../../src/stores/node.ts'
import { expectCode, inEveryWay, openStorage } from './store-cases.ts'

interface MmrCase {
  query: number[]
  vectors: number[][]
  k: number
  threshold: number | null
  ids: string[]
  scores: number[]
}

const cases = JSON.parse(
  readFileSync(new URL('fixtures/mmr.json', import.meta.url), 'utf8'),
) as readonly MmrCase[]

const nodesOf = (vectors: readonly number[][]) =>
  vectors.map((embedding, at) => new TextNode({ id_: `v${at}`, embedding }))

async function storeOf(vectors: readonly number[][]) {
  const { vectorStore } = await openStorage({})
  await vectorStore.add(nodesOf(vectors))
  return vectorStore
}

test.each(cases.map((each, at) => [at, each] as const))(
  'mmr answers what Python answers, case %d',
  async (_, { query, vectors, k, threshold, ids, scores }) => {
    const store = await storeOf(vectors)
    const found = await store.query({
      queryEmbedding: query,
      similarityTopK: k,
      mode: 'mmr',
      ...(threshold !== null && { mmrThreshold: threshold }),
    })
    expect(found.ids).toEqual(ids)
    expect(found.similarities).toEqual(scores.map((score) => expect.closeTo(score, 9)))
  },
)

// Two near duplicates beside the question, one that is less similar and different.
const duplicates = [
  [1, 0],
  [1, 0.01],
  [0.6, -0.8],
]

inEveryWay('mmr leaves a near duplicate behind what differs, default does not', async (stage) => {
  await stage.storage.vectorStore.add(nodesOf(duplicates))
  await stage.step()
  const ids = async (query: VectorStoreQuery) =>
    (await stage.storage.vectorStore.query({ queryEmbedding: [1, -0.3], similarityTopK: 2, ...query })).ids
  expect(await ids({ mode: 'default' })).toEqual(['v0', 'v1'])
  expect(await ids({ mode: 'mmr' })).toEqual(['v0', 'v2'])
  expect(await ids({ mode: 'mmr', mmrThreshold: 1 })).toEqual(['v0', 'v1'])
  expect(await ids({ mode: 'mmr', nodeIds: ['v1', 'v0'] })).toEqual(['v0', 'v1'])
  expect(await ids({ mode: 'mmr', nodeIds: [] })).toEqual([])
})

test('a retriever asks its vector store for mmr, of the nodes of its index only', async () => {
  const storageContext = await openStorage({})
  await storageContext.vectorStore.add([new TextNode({ id_: 'of no index', embedding: [1, -0.3] })])
  const nodes = nodesOf(duplicates).map((node) => Object.assign(node, { text: node.id_ }))
  const index = await VectorStoreIndex.init({ nodes, storageContext })
  const found = async (options: Parameters<typeof index.asRetriever>[0]) => {
    const hits = await index.asRetriever(options).retrieve({ embedding: [1, -0.3] })
    return hits.map(({ node: { id_ } }) => id_)
  }
  expect(await found({})).toEqual(['v0', 'v1'])
  expect(await found({ vectorStoreQueryMode: 'mmr' })).toEqual(['v0', 'v2'])
  expect(await found({ vectorStoreQueryMode: 'mmr', mmrThreshold: 1 })).toEqual(['v0', 'v1'])
  expect(await found({ vectorStoreQueryMode: 'mmr', mmrPrefetchK: 2 })).toEqual(['v0', 'v1'])
  expect(await found({ vectorStoreQueryMode: 'mmr', mmrPrefetchFactor: 1.5 })).toEqual(['v0', 'v2'])
  await expectCode(found({ vectorStoreQueryMode: 'svm' }), 'VARVE_UNSUPPORTED_QUERY')
})

test('mmr looks at the most similar only if told how many, and at no fewer than it shall find', async () => {
  const store = await storeOf(duplicates)
  const ids = async (query: VectorStoreQuery) =>
    (await store.query({ queryEmbedding: [1, -0.3], similarityTopK: 2, mode: 'mmr', ...query })).ids
  expect(await ids({ mmrPrefetchK: 2 })).toEqual(['v0', 'v1'])
  expect(await ids({ mmrPrefetchK: 3 })).toEqual(['v0', 'v2'])
  expect(await ids({ mmrPrefetchK: 1 })).toEqual(['v0', 'v1'])
  expect(await ids({ mmrPrefetchFactor: 1 })).toEqual(['v0', 'v1'])
  expect(await ids({ mmrPrefetchFactor: 1.5 })).toEqual(['v0', 'v2'])
})

test('vectors of zeros have similarity 0 to everything, where Python has NaN and fails', async () => {
  const store = await storeOf([
    [0, 0],
    [1, 0],
    [0, 0],
  ])
  const query = { queryEmbedding: [1, 0], similarityTopK: 3, mode: 'mmr' }
  expect(await store.query(query)).toEqual({ ids: ['v1', 'v0', 'v2'], similarities: [0.5, 0, 0] })
})

test.each([
  ['a threshold below 0', { mmrThreshold: -0.1 }, /mmrThreshold is -0.1/],
  ['a threshold above 1', { mmrThreshold: 2 }, /mmrThreshold is 2/],
  ['a threshold that is no number', { mmrThreshold: Number.NaN }, /mmrThreshold is NaN/],
  ['no prefetch at all', { mmrPrefetchK: 0 }, /mmrPrefetchK is 0/],
  ['a negative factor', { mmrPrefetchFactor: -1 }, /mmrPrefetchFactor is -1/],
  ['two ways to say it', { mmrPrefetchK: 5, mmrPrefetchFactor: 2 }, /both given/],
])('%s is refused', async (_, options, message) => {
  const store = await storeOf([[1, 0]])
  const query = store.query({ queryEmbedding: [1, 0], mode: 'mmr', ...options })
  await expect(query).rejects.toThrow(message)
  await expectCode(query, 'VARVE_BAD_OPTION')
  // In another mode they say nothing.
  await expect(store.query({ queryEmbedding: [1, 0], ...options })).resolves.toMatchObject({ ids: ['v0'] })
})

test.each([
  ['sparse', 'a keyword table index'],
  ['hybrid', 'a keyword table index'],
  ['text_search', 'a keyword table index'],
  ['semantic_hybrid', 'a keyword table index'],
  ['svm', "'default', which ranks by similarity"],
  ['logistic_regression', "'default', which ranks by similarity"],
  ['linear_regression', "'default', which ranks by similarity"],
  ['guess', "Use 'default' or 'mmr'"],
])('the mode %s is refused, and what to use is named', async (mode, alternative) => {
  const store = await storeOf([[1, 0]])
  const query = store.query({ queryEmbedding: [1, 0], mode })
  await expectCode(query, 'VARVE_UNSUPPORTED_QUERY')
  await expect(query).rejects.toThrow(alternative)
  await expect(query).rejects.toThrow(`no mode '${mode}'`)
})

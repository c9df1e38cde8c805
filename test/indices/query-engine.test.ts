import { beforeEach, expect, test } from 'vitest'
import type { LanguageModel } from '../../src/indices/query-engine.ts'
import { VectorStoreIndex } from '../../src/indices/vector-store-index.ts'
import { bagOfWords } from './support/bag-of-words.ts'
import { document, oneSentenceANode } from './support/documents.ts'
import { MemoryStorage } from './support/memory-storage.ts'

let index: VectorStoreIndex
let prompts: string[]
const llm: LanguageModel = async (prompt) => {
  prompts.push(prompt)
  return 'mice'
}
beforeEach(async () => {
  prompts = []
  const cats = document('cats', 'Cats sleep all day. Cats chase mice.', { file: 'cats.md', secret: 's3' })
  cats.excludedLlmMetadataKeys = ['secret']
  const options = { embedModel: bagOfWords(), nodeParser: oneSentenceANode() }
  index = await VectorStoreIndex.fromDocuments([cats], { ...options, storageContext: new MemoryStorage() })
})

test('a question is answered from what was retrieved', async () => {
  const { response, sourceNodes } = await index
    .asQueryEngine({ llm, similarityTopK: 1 })
    .query('What do cats chase?')
  expect(response).toBe('mice')
  expect(sourceNodes.map((hit) => hit.node.text)).toEqual(['Cats chase mice.'])
  expect(prompts).toHaveLength(1)
  expect(prompts[0]).toContain('file: cats.md\n\nCats chase mice.')
  expect(prompts[0]).toContain('Question: What do cats chase?')
  expect(prompts[0]).not.toContain('s3')
})

test('the prompt can be worded otherwise', async () => {
  const prompt = (question: string, context: string) => `${question}|${context.length > 0}`
  await index.asQueryEngine({ llm, prompt }).query('Who?')
  expect(prompts).toEqual(['Who?|true'])
})

test('without a hit the model is not asked', async () => {
  const engine = index.asQueryEngine({ llm, nodeIds: [] })
  expect(await engine.query('Who?')).toEqual({ response: 'Empty Response', sourceNodes: [] })
  expect(prompts).toEqual([])
})

test('the signal reaches both models, and stops in between', async () => {
  const stop = new AbortController()
  const signals: unknown[] = []
  const engine = index.asQueryEngine({
    llm: async (_, { signal }) => {
      signals.push(signal)
      stop.abort(new Error('enough'))
      return ''
    },
  })
  await engine.query('Who?', { signal: stop.signal })
  expect(signals).toEqual([stop.signal])
  await expect(engine.query('Who?', { signal: stop.signal })).rejects.toThrow('enough')
  expect(signals).toHaveLength(1)
})

test("a model's error comes through", async () => {
  const engine = index.asQueryEngine({ llm: () => Promise.reject(new Error('no network')) })
  await expect(engine.query('Who?')).rejects.toThrow('no network')
})

test('an engine without a model is refused', () => {
  const make = () => index.asQueryEngine({} as { llm: LanguageModel })
  expect(make).toThrow(expect.objectContaining({ code: 'VARVE_BAD_OPTION' }))
})

import { expect, test } from 'vitest'
import { embedTexts, type EmbedModel } from '../../src/indices/embed-model.ts'

function answering(answer: unknown, dimensions?: number): EmbedModel {
  return { id: 'm', ...(dimensions && { dimensions }), embed: async () => answer as Float32Array[] }
}

test('vectors come back as float32, in order', async () => {
  const model = answering([[1, 2], Float32Array.of(3, 4)])
  expect(await embedTexts(model, ['a', 'b'], { kind: 'text' })).toEqual([
    Float32Array.of(1, 2),
    Float32Array.of(3, 4),
  ])
})

test.each<[string, unknown, string, RegExp]>([
  ['too few vectors', [[1]], 'VARVE_BAD_VECTOR', /'m' gave 1 vectors for 2 texts.*one vector per text/],
  ['no list', undefined, 'VARVE_BAD_VECTOR', /gave no list of vectors for 2 texts/],
  ['something else', [[1], 'x'], 'VARVE_BAD_VECTOR', /gave something that is no vector/],
  ['an empty vector', [[1], []], 'VARVE_BAD_VECTOR', /gave an empty vector/],
  ['NaN', [[1], [Number.NaN]], 'VARVE_BAD_VECTOR', /holds NaN/],
  ['infinity', [[1], Float32Array.of(Infinity)], 'VARVE_BAD_VECTOR', /holds NaN or an infinity/],
  ['a number beyond float32', [[1], [1e300]], 'VARVE_BAD_VECTOR', /an infinity/],
  ['different dimensions', [[1], [1, 2]], 'VARVE_WRONG_DIMENSIONS', /a vector of 2 dimensions, not 1/],
])('a model that answers %s is named', async (_, answer, code, message) => {
  const embedding = embedTexts(answering(answer), ['a', 'b'], { kind: 'text' })
  await expect(embedding).rejects.toMatchObject({ code, message: expect.stringMatching(message) })
})

test('a model must keep to the dimensions it names', async () => {
  const embedding = embedTexts(answering([[1, 2]], 3), ['a'], { kind: 'query' })
  await expect(embedding).rejects.toMatchObject({ code: 'VARVE_WRONG_DIMENSIONS' })
})

test("a model's own error comes through; once stopped, the signal's reason does", async () => {
  const failing: EmbedModel = { id: 'm', embed: () => Promise.reject(new Error('no network')) }
  await expect(embedTexts(failing, ['a'], { kind: 'text' })).rejects.toThrow('no network')
  const signal = AbortSignal.abort(new Error('enough'))
  await expect(embedTexts(failing, ['a'], { kind: 'text', signal })).rejects.toThrow('enough')
})

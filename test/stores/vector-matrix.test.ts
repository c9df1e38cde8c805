import { beforeEach, describe, expect, test, vi } from 'vitest'
import { VectorMatrix } from '../../src/stores/vector-matrix.ts'
import { seededRandom } from '../support/seeded.ts'

describe.each([
  ['plain', undefined],
  ['in SIMD', 0],
])('%s', (_, simdFromBytes) => {
  let matrix: VectorMatrix
  beforeEach(() => {
    // Two rows of two dimensions a block.
    matrix = new VectorMatrix({ blockBytes: 16, simdFromBytes })
  })

  function fill(vectors: Record<string, number[]>): void {
    for (const [id, vector] of Object.entries(vectors)) matrix.set(id, vector)
  }

  test('the most similar come first, with their cosines', () => {
    fill({ right: [2, 0], up: [0, 3], left: [-1, 0], diagonal: [1, 1] })
    expect(matrix.topK([10, 0], 3)).toEqual({
      ids: ['right', 'diagonal', 'up'],
      similarities: [1, expect.closeTo(Math.SQRT1_2), 0],
    })
    expect(matrix.topK([10, 0], 9).ids).toEqual(['right', 'diagonal', 'up', 'left'])
  })

  test('ties are broken by the order in which ids were first added', () => {
    fill({ a: [1, 0], b: [1, 0], c: [1, 0], d: [1, 0], e: [1, 0] })
    matrix.set('a', [2, 0])
    expect(matrix.topK([1, 0], 3).ids).toEqual(['a', 'b', 'c'])
  })

  test('an id that was deleted and added again comes last of its equals', () => {
    fill({ a: [1, 0], b: [1, 0], c: [1, 0] })
    matrix.delete('a')
    matrix.set('a', [1, 0])
    expect(matrix.topK([1, 0], 3).ids).toEqual(['b', 'c', 'a'])
  })

  test('equal vectors have equal similarities wherever they lie', () => {
    const vector = Array.from({ length: 7 }, (_, at) => Math.sin(at + 1))
    const wide = new VectorMatrix({ blockBytes: 7 * 4 * 6, simdFromBytes })
    for (let at = 0; at < 11; at++) wide.set(`v${at}`, vector)
    const { ids, similarities } = wide.topK([3, 1, 4, 1, 5, 9, 2], 11)
    expect(new Set(similarities).size).toBe(1)
    expect(ids).toEqual(Array.from({ length: 11 }, (_, at) => `v${at}`))
  })

  test('only accepted ids are found', () => {
    fill({ a: [1, 0], b: [1, 0.1], c: [1, 0.2] })
    expect(matrix.topK([1, 0], 2, (id) => id !== 'a').ids).toEqual(['b', 'c'])
    expect(matrix.topK([1, 0], 2, () => false)).toEqual({ ids: [], similarities: [] })
  })

  test('a deleted vector is not found, nor offered for acceptance', () => {
    fill({ a: [1, 0], b: [0, 1] })
    expect([matrix.delete('a'), matrix.delete('a'), matrix.delete('never')]).toEqual([true, false, false])
    const offered: string[] = []
    matrix.topK([1, 0], 2, (id) => offered.push(id) > 0)
    expect([offered, matrix.size, matrix.has('a'), [...matrix.ids()]]).toEqual([['b'], 1, false, ['b']])
  })

  test('many deletions close the gaps and keep the order', () => {
    for (let at = 0; at < 200; at++) matrix.set(`v${at}`, [1, at])
    for (let at = 0; at < 200; at++) if (at % 4 !== 0) matrix.delete(`v${at}`)
    matrix.set('new', [1, 0])
    const { ids } = matrix.topK([1, 0], 100)
    expect(ids).toEqual(['v0', 'new', ...Array.from({ length: 49 }, (_, at) => `v${(at + 1) * 4}`)])
    expect(matrix.get('v196')).toEqual(Float32Array.of(1, 196))
  })

  test('zero vectors, asked for or stored, have similarity 0', () => {
    fill({ up: [0, 1], nothing: [0, 0], left: [-1, 0] })
    expect(matrix.topK([1, 0], 3)).toEqual({ ids: ['up', 'nothing', 'left'], similarities: [0, 0, -1] })
    expect(matrix.topK([0, 0], 3)).toEqual({ ids: ['up', 'nothing', 'left'], similarities: [0, 0, 0] })
  })

  test('the largest and smallest float32 neither overflow nor vanish', () => {
    fill({ huge: [3e38, 3e38], tiny: [1e-45, 0] })
    const { ids, similarities } = matrix.topK([1e-45, 1e-45], 2)
    expect(ids).toEqual(['huge', 'tiny'])
    expect(similarities).toEqual([expect.closeTo(1), expect.closeTo(Math.SQRT1_2)])
  })

  test('a cosine never exceeds 1', () => {
    const vector = Array.from({ length: 100 }, (_, at) => Math.fround(0.1 * at))
    const wide = new VectorMatrix({ simdFromBytes })
    wide.set('a', vector)
    expect(wide.topK(vector, 1).similarities[0]).toBeLessThanOrEqual(1)
  })

  test.each([0, -1, Number.NaN, 0.5])('k of %d finds nothing', (k) => {
    fill({ a: [1, 0] })
    expect(matrix.topK([1, 0], k)).toEqual({ ids: [], similarities: [] })
  })

  test('a query of few dimensions takes no more room than there are rows', () => {
    const narrow = new VectorMatrix({ simdFromBytes })
    for (let at = 0; at < 10; at++) narrow.set(`v${at}`, [at])
    const before = process.memoryUsage().arrayBuffers
    narrow.topK([1], 3)
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(100_000)
  })

  test('rows beyond those scored at once are found, wherever deleted ones lie', () => {
    const many = new VectorMatrix({ simdFromBytes })
    for (let at = 0; at < 10_000; at++) many.set(`v${at}`, [Math.cos(at / 10_000), Math.sin(at / 10_000)])
    for (let at = 4000; at < 6000; at++) many.delete(`v${at}`)
    const { ids } = many.topK([Math.cos(0.9), Math.sin(0.9)], 3)
    expect(ids[0]).toBe('v9000')
    expect(ids.slice(1).toSorted()).toEqual(['v8999', 'v9001'])
    expect(many.topK([1, 0], 20_000).ids).toHaveLength(8000)
  })

  test('k may be more than there are, and infinite', () => {
    fill({ a: [1, 0], b: [0, 1] })
    expect(matrix.topK([1, 0], Infinity).ids).toEqual(['a', 'b'])
  })

  test('a replaced vector counts, the old one does not', () => {
    fill({ a: [1, 0], b: [0, 1] })
    matrix.set('a', [0, 2])
    expect(matrix.topK([0, 1], 2)).toEqual({ ids: ['a', 'b'], similarities: [1, 1] })
    expect(matrix.size).toBe(2)
  })

  test('a matrix is loaded row by row', () => {
    fill({ b: [0, 1] })
    matrix.load(['a', 'b', 'c'], Float32Array.of(1, 0, 1, 1, -1, 0))
    expect(['a', 'b', 'c'].map((id) => [...matrix.get(id)!])).toEqual([
      [1, 0],
      [1, 1],
      [-1, 0],
    ])
    expect([...matrix.ids()]).toEqual(['b', 'a', 'c'])
  })

  test('loading nothing does nothing', () => {
    matrix.load([], new Float32Array())
    expect(matrix.size).toBe(0)
  })

  test('what get answers is a copy', () => {
    fill({ a: [1, 0] })
    matrix.get('a')!.fill(9)
    expect(matrix.get('a')).toEqual(Float32Array.of(1, 0))
    expect(matrix.get('b')).toBeUndefined()
  })

  test('an empty matrix answers any query with nothing, and takes any dimension', () => {
    expect(matrix.topK([1, 2, 3], 5)).toEqual({ ids: [], similarities: [] })
    fill({ a: [1, 0] })
    matrix.delete('a')
    matrix.set('b', [1, 2, 3])
    expect(matrix.dimensions).toBe(3)
    matrix.clear()
    expect([matrix.size, matrix.dimensions, matrix.has('b')]).toEqual([0, 0, false])
  })

  test('another dimension is refused and changes nothing', () => {
    fill({ a: [1, 0] })
    const wrong = expect.objectContaining({
      code: 'VARVE_WRONG_DIMENSIONS',
      fields: { given: 3, dimensions: 2 },
      message: expect.stringContaining('namespace of their own'),
    })
    expect(() => matrix.set('b', [1, 2, 3])).toThrow(wrong)
    expect(() => matrix.load(['b'], Float32Array.of(1, 2, 3))).toThrow(wrong)
    expect(() => matrix.topK([1, 2, 3], 1)).toThrow(wrong)
    expect([...matrix.ids()]).toEqual(['a'])
  })

  test.each([
    ['NaN', [Number.NaN, 1]],
    ['an infinity', [1, Infinity]],
    ['a number beyond float32', [1e39, 1]],
    ['nothing', []],
    // oxlint-disable-next-line no-sparse-arrays
    ['a hole', [1, , 2] as number[]],
  ])('a vector of %s is refused and changes nothing', (_, vector) => {
    fill({ a: [1, 0] })
    const bad = expect.objectContaining({ code: 'VARVE_BAD_VECTOR' })
    expect(() => matrix.set('a', vector)).toThrow(bad)
    expect(() => matrix.topK(vector, 1)).toThrow(bad)
    expect(matrix.get('a')).toEqual(Float32Array.of(1, 0))
  })

  test('a matrix with one bad row is refused whole', () => {
    const load = () => matrix.load(['a', 'b'], Float32Array.of(1, 0, 1, Number.NaN))
    expect(load).toThrow(expect.objectContaining({ code: 'VARVE_BAD_VECTOR', fields: { id: 'b' } }))
    expect(matrix.size).toBe(0)
    expect(() => matrix.load(['a', 'b'], new Float32Array(3))).toThrow(TypeError)
  })
})

describe('many rows', () => {
  const dimensions = 101
  const count = 5000
  const seed = Math.floor(Math.random() * 2 ** 31)
  console.log(`vector-matrix.test.ts: seed ${seed}`)
  const random = seededRandom(seed)
  const vector = (): number[] => Array.from({ length: dimensions }, () => random() - 0.5)
  const vectors = Array.from({ length: count }, vector)
  // Near ones, so that what SIMD rounds away decides their order.
  for (let at = 1; at < count; at += 3)
    vectors[at] = vectors[at - 1]!.map((x, i) => (i === 0 ? x * (1 + 1e-6 * random()) : x))

  function filled(options: { simdFromBytes: number }): VectorMatrix {
    const matrix = new VectorMatrix(options)
    vectors.forEach((each, at) => matrix.set(`v${at}`, each))
    return matrix
  }

  test('are found with the same similarities, to the last bit, with and without SIMD', () => {
    const plain = filled({ simdFromBytes: Infinity })
    const simd = filled({ simdFromBytes: 300_000 })
    for (let round = 0; round < 20; round++) {
      const query = round % 2 ? vector() : vectors[Math.floor(random() * count)]!
      for (const k of [1, 10, 500]) expect(simd.topK(query, k)).toEqual(plain.topK(query, k))
    }
    expect(simd.get('v4999')).toEqual(plain.get('v4999'))
  })

  test('are found where WebAssembly cannot be had', () => {
    const simd = filled({ simdFromBytes: 0 })
    const stub = vi.stubGlobal('WebAssembly', {})
    try {
      expect(filled({ simdFromBytes: 0 }).topK(vectors[7]!, 9)).toEqual(simd.topK(vectors[7]!, 9))
    } finally {
      stub.unstubAllGlobals()
    }
  })
})

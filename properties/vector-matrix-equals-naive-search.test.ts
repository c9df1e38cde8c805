// Whatever was added, replaced, loaded and deleted: VectorMatrix answers like a list that is sorted by cosine.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { VectorMatrix } from '../src/stores/vector-matrix.ts'

const ids = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', '__proto__']
const id = fc.constantFrom(...ids)

type Change =
  | { op: 'set'; id: string; vector: number[] }
  | { op: 'load'; rows: [string, number[]][] }
  | { op: 'delete'; id: string }
  | { op: 'clear' }

// Few different numbers, so that ties and zero vectors are common.
const vectorOf = (dimensions: number) =>
  fc.array(fc.integer({ min: -2, max: 2 }), { minLength: dimensions, maxLength: dimensions })

const changeOf = (dimensions: number): fc.Arbitrary<Change> =>
  fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({ op: fc.constant('set' as const), id, vector: vectorOf(dimensions) }),
    },
    {
      weight: 2,
      arbitrary: fc.record({
        op: fc.constant('load' as const),
        rows: fc.array(fc.tuple(id, vectorOf(dimensions)), { maxLength: 6 }),
      }),
    },
    { weight: 4, arbitrary: fc.record({ op: fc.constant('delete' as const), id }) },
    { weight: 1, arbitrary: fc.record({ op: fc.constant('clear' as const) }) },
  )

const cases = fc.integer({ min: 1, max: 9 }).chain((dimensions) =>
  fc.record({
    blockBytes: fc.integer({ min: 4, max: 200 }),
    simdFromBytes: fc.constantFrom(0, Infinity),
    changes: fc.array(changeOf(dimensions), { maxLength: 60 }),
    query: vectorOf(dimensions),
    k: fc.integer({ min: 0, max: 12 }),
    accepted: fc.option(fc.subarray(ids), { nil: undefined }),
  }),
)

function applyBoth(matrix: VectorMatrix, model: Map<string, number[]>, change: Change): void {
  switch (change.op) {
    case 'set':
      matrix.set(change.id, change.vector)
      model.set(change.id, change.vector)
      break
    case 'load':
      matrix.load(
        change.rows.map(([row]) => row),
        Float32Array.from(change.rows.flatMap(([, vector]) => vector)),
      )
      for (const [row, vector] of change.rows) model.set(row, vector)
      break
    case 'delete':
      expect(matrix.delete(change.id)).toBe(model.delete(change.id))
      break
    case 'clear':
      matrix.clear()
      model.clear()
      break
  }
}

function cosine(a: readonly number[], b: readonly number[]): number {
  const dot = a.reduce((sum, x, at) => sum + x * b[at]!, 0)
  const scale = Math.hypot(...a) * Math.hypot(...b)
  return scale === 0 ? 0 : dot / scale
}

test('exact search equals sorting all vectors by cosine', () => {
  fc.assert(
    fc.property(cases, ({ blockBytes, simdFromBytes, changes, query, k, accepted }) => {
      const matrix = new VectorMatrix({ blockBytes, simdFromBytes })
      const model = new Map<string, number[]>()
      for (const change of changes) applyBoth(matrix, model, change)
      const accept = accepted && ((each: string) => accepted.includes(each))

      const { ids: found, similarities } = matrix.topK(query, k, accept)
      const candidates = [...model].filter(([each]) => accept?.(each) ?? true)
      const cosines = candidates.map(([, vector]) => cosine(query, vector)).sort((a, b) => b - a)
      expect(similarities).toEqual(cosines.slice(0, k).map((each) => expect.closeTo(each, 9)))

      // Each hit has the similarity it is said to have, and ties stand in the order of first adding.
      const order = [...model.keys()]
      found.forEach((each, at) => {
        expect(similarities[at]).toBeCloseTo(cosine(query, model.get(each)!), 9)
        if (at > 0 && similarities[at] === similarities[at - 1]) {
          expect(order.indexOf(each)).toBeGreaterThan(order.indexOf(found[at - 1]!))
        }
      })
      expect(new Set(found).size).toBe(found.length)
      const again = Array.from(matrix.cosines(query, found), (each) => Math.max(-1, Math.min(1, each)))
      expect(again).toEqual(similarities)
      expect([...matrix.ids()]).toEqual(order)
    }),
    { numRuns: 500 },
  )
})

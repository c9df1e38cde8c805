import { describe, expect, test } from 'vitest'
import { numerals, numeralsOf, shortestDouble, VectorNumbers } from '../../src/interop/vector-numbers.ts'
import { seededRandom } from '../support/seeded.ts'

/** By trying every number of digits. */
function plainly(float: number): number {
  if (float === 0) return float
  for (let digits = 1; digits <= 9; digits++) {
    const candidate = Number(float.toPrecision(digits))
    if (Math.fround(candidate) === float) return candidate
  }
  return float
}

describe('shortest numbers', () => {
  test.each([
    0, -0, 1, 0.5, 0.1, -0.0085863145, 1e-7, 1e-30, 1e30, 16777216, 123456792, 1.401298464324817e-45,
  ])('%d', (number) => {
    const float = Math.fround(number)
    expect(shortestDouble(float)).toBe(plainly(float))
    expect(Math.fround(shortestDouble(float))).toBe(float)
  })

  test('what is no number stays what it is', () => {
    expect([NaN, Infinity, -Infinity].map(shortestDouble)).toEqual([NaN, Infinity, -Infinity])
  })

  test('they are those that trying every length finds', () => {
    const seed = 20261122
    const random = seededRandom(seed)
    for (let at = 0; at < 20_000; at++) {
      const float = Math.fround((random() - 0.5) * 10 ** -Math.floor(random() * 14))
      expect(shortestDouble(float), `seed ${seed}, number ${at}: ${float}`).toBe(plainly(float))
    }
  })
})

describe('how numbers were written', () => {
  test.each([
    [[0.10000000149011612, 0.5], false, 0],
    [[0.1, 0.5], false, numerals.shortest],
    [[0.1, 2], true, numerals.shortest | numerals.integers],
    [[1, 2], true, numerals.integers],
    [[1, 2], false, 0],
    [[NaN, 0.1], false, numerals.shortest],
    [[0.1234567890123, 0.1], false, 0],
    [[], false, 0],
  ])('%j, whole ones as integers: %s', (numbers, hasIntegers, expected) => {
    expect(numeralsOf(numbers, hasIntegers)).toBe(expected)
  })

  test('they come back as they were', () => {
    const vector = new Float32Array([0.1, 2])
    expect(new VectorNumbers(vector).numbers).toEqual([0.10000000149011612, 2])
    expect(new VectorNumbers(vector, numerals.shortest).numbers).toEqual([0.1, 2])
  })
})

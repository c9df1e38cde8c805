import { describe, expect, test } from 'vitest'
import { VarveError } from '../../src/errors.ts'
import { checkMetadata, checkTree, maxDepth } from '../../src/stores/metadata.ts'

describe('metadata is taken as JSON.stringify would write it', () => {
  class Point {
    x = 1
    #secret = 2
    get y() {
      return this.#secret
    }
  }
  test.each<[string, unknown]>([
    ['plain values', { a: 1, b: 'x', c: true, d: null, e: [1, [2]], f: {} }],
    ['a date', { at: new Date(0) }],
    ['an invalid date', { at: new Date(NaN) }],
    ['undefined members and items', { a: undefined, b: [undefined, 1] }],
    ['typed arrays', { bytes: new Uint8Array([1, 2]) }],
    ['boxed values', { s: new String('x'), n: new Number(1), b: new Boolean(false) }],
    ['a class', new Point()],
    ['toJSON, which is told the key', { a: { toJSON: (key: string) => `at ${key}` } }],
    ['toJSON in a list', [{ toJSON: (key: string) => key }].map((item) => ({ item }))[0]],
    ['toJSON that says undefined', { a: { toJSON: () => undefined }, b: [{ toJSON: () => undefined }] }],
    ['holes', { list: Array.from({ length: 2 }) }],
    [
      'symbol keys and inherited ones',
      Object.create({ inherited: 1 }, { own: { value: 1, enumerable: true } }),
    ],
    ['the same value twice', ((twice) => ({ a: twice, b: [twice] }))({ x: 1 })],
    ['keys that look like indices', { 10: 'a', 2: 'b' }],
  ])('%s', (_, metadata) => {
    expect(checkMetadata(metadata)).toEqual(JSON.parse(JSON.stringify(metadata)))
  })

  test('but for NaN, infinities, minus zero and BigInt, which stay', () => {
    const metadata = {
      nan: NaN,
      up: Infinity,
      down: -Infinity,
      zero: -0,
      big: 2n ** 70n,
      boxed: Object(5n) as unknown,
    }
    expect(checkMetadata(metadata)).toEqual({ ...metadata, boxed: 5n })
  })
})

test('an own key __proto__ survives, and no prototype changes', () => {
  const given = JSON.parse('{"__proto__": {"polluted": true}, "a": {"__proto__": 1}}') as object
  const taken = checkMetadata(given)
  expect(Object.keys(taken)).toEqual(['__proto__', 'a'])
  expect(JSON.stringify(taken)).toBe(JSON.stringify(given))
  expect(Object.getPrototypeOf(taken)).toBe(Object.prototype)
  expect(({} as { polluted?: boolean }).polluted).toBeUndefined()
})

test('the answer is a copy', () => {
  const given = { list: [{ a: 1 }] }
  const taken = checkMetadata(given) as typeof given
  given.list[0] = { a: 2 }
  expect(taken).toEqual({ list: [{ a: 1 }] })
  expect(taken.list[0]).not.toBe(given.list[0])
})

describe('what cannot be metadata is refused with its place', () => {
  const cycle: Record<string, unknown> = { deep: [{}] }
  ;(cycle.deep as unknown[])[0] = { back: cycle }
  test.each<[string, unknown, string]>([
    ['a function', { a: { b: [() => 1] } }, 'metadata.a.b[0] is a function.'],
    ['a symbol', { a: Symbol('x') }, 'metadata.a is a symbol.'],
    ['a Map', { a: new Map([['k', 1]]) }, 'metadata.a is of the type Map, of which JSON keeps nothing.'],
    ['a Set', { a: [new Set([1])] }, 'metadata.a[0] is of the type Set, of which JSON keeps nothing.'],
    ['an error', { a: new RangeError('x') }, 'metadata.a is of the type Error, of which JSON keeps nothing.'],
    ['a cycle', cycle, 'metadata.deep[0].back contains itself.'],
    ['no object', 'text', 'metadata must be an object.'],
    ['null', null, 'metadata must be an object.'],
    ['undefined', undefined, 'metadata must be an object.'],
    ['a list', [], 'metadata must be an object.'],
    [
      'a getter that throws',
      {
        get a(): number {
          throw new Error('no')
        },
      },
      'metadata.a cannot be read.',
    ],
    [
      'a toJSON that throws',
      {
        a: {
          toJSON() {
            throw new Error('no')
          },
        },
      },
      'metadata.a cannot be read.',
    ],
  ])('%s', (_, metadata, fact) => {
    expect(() => checkMetadata(metadata)).toThrow(
      expect.objectContaining({
        code: 'VARVE_BAD_METADATA',
        message: expect.stringContaining(fact) as string,
      }),
    )
  })

  test.each([
    ['lists', (inner: unknown) => [inner]],
    ['objects', (inner: unknown) => ({ inner })],
    ['toJSON', (inner: unknown) => ({ toJSON: () => ({ inner }) })],
  ])('%s nested 100,000 deep, without exhausting the stack', (_, wrap) => {
    let deep: unknown = 1
    for (let level = 0; level < 100_000; level++) deep = wrap(deep)
    expect(() => checkMetadata({ deep })).toThrow(VarveError)
  })

  test('a toJSON that answers itself anew for ever', () => {
    const endless = (): unknown => ({ toJSON: () => ({ again: endless() }) })
    expect(() => checkMetadata({ a: endless() })).toThrow(/1000 levels/)
  })
})

test(`${maxDepth} levels are accepted`, () => {
  let deep: unknown = 1
  for (let level = 0; level < maxDepth; level++) deep = [deep]
  expect(() => checkTree(deep, 'metadata')).not.toThrow()
  expect(() => checkTree([deep], 'metadata')).toThrow(VarveError)
})

import { describe, expect, test } from 'vitest'
import { decode, encode } from '../../src/journal/codec.ts'

describe('the codec', () => {
  test.each([
    ['numbers', [0, 1, -1, 1.5, 2 ** 31, 2 ** 53, -(2 ** 53), NaN, Infinity, -Infinity, 5e-324]],
    ['integers beyond 2^53', [2n ** 53n + 1n, -(2n ** 63n), 2n ** 64n - 1n]],
    ['text', ['', 'ü', '😀', '\u0000', 'x'.repeat(70_000)]],
    ['nothing', [null, [], {}]],
    ['bytes', [new Uint8Array([1, 2, 3])]],
    ['nested values', [{ a: [1, { b: null }], c: { d: 'e' } }]],
    ['keys in their order', [{ z: 1, a: 2, m: 3 }]],
  ])('gives back %s', (_, values) => {
    for (const value of values) expect(plain(decode(encode(value)))).toEqual(value)
  })

  test('leaves undefined members out', () => {
    expect(decode(encode({ a: undefined, b: 1 }))).toEqual({ b: 1 })
  })

  test('keeps a key called __proto__ as any other', () => {
    const value: unknown = JSON.parse('{"__proto__":{"polluted":1},"a":{"__proto__":[2]}}')
    const back = decode(encode(value))
    expect(JSON.stringify(back)).toBe(JSON.stringify(value))
    expect(Object.getPrototypeOf(back)).toBe(Object.prototype)
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined()
  })

  test('throws for bytes that are not one value', () => {
    for (const bytes of [[], [0x92, 1], [1, 1], [0xdb, 255, 255, 255, 255]])
      expect(() => decode(Uint8Array.from(bytes))).toThrow(/MessagePack|buffer/)
  })

  test.each([
    ['a date', 'd6ff00000000'],
    ['a set', 'd473009101'],
    ['an error', 'd4650092a145a16d'],
    ['a regular expression', 'd4780092a161a0'],
    ['a typed array', 'c7057407000000'],
    ['a record', 'd4724091a16101'],
    ['bundled strings', 'd66200000004a0a0'],
    ['a value that contains itself', 'd6690000000191d67000000001'],
    ['nothing of notepack', 'd40000'],
    ['an integer of no bytes', 'c70042'],
    ['a token that is never used', 'c1'],
    ['a number for a key', '810101'],
    ['a list for a key', '819001'],
    ['a list that goes on', '930102'],
    ['a list of 4 billion', 'ddffffffff'],
    ['lists in each other beyond any metadata', '91'.repeat(2001) + '90'],
  ])('refuses %s', (_, hex) => {
    expect(() => decode(Buffer.from(hex, 'hex'))).toThrow(/plain MessagePack/)
    expect(() => decode(Buffer.from(`92${hex}01`, 'hex'))).toThrow(/plain MessagePack/)
  })

  test.each([
    ['a date', new Date(0)],
    ['a map with a number for a key', new Map([[1, 2]])],
    ['a hole', [undefined]],
  ])('does not write %s, which it would refuse to read', (_, value) => {
    expect(() => encode({ value })).toThrow(TypeError)
  })

  test('reads integers of any size', () => {
    for (const value of [2n ** 64n, -(2n ** 64n), 2n ** 4000n])
      expect(decode(encode([value]))).toEqual([value])
  })

  test('reads lists in each other as deep as nodes with metadata go', () => {
    const deep = Buffer.from('91'.repeat(1900) + '90', 'hex')
    expect(JSON.stringify(decode(deep))).toBe('['.repeat(1901) + ']'.repeat(1901))
  })

  test('writes plain msgpack', () => {
    expect(Buffer.from(encode({ a: 1, b: [true, null, 'x'] })).toString('hex')).toBe('82a16101a16293c3c0a178')
  })
})

function plain(value: unknown): unknown {
  return Buffer.isBuffer(value) ? new Uint8Array(value) : value
}

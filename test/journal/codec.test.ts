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

  test('writes plain msgpack', () => {
    expect(Buffer.from(encode({ a: 1, b: [true, null, 'x'] })).toString('hex')).toBe('82a16101a16293c3c0a178')
  })
})

function plain(value: unknown): unknown {
  return Buffer.isBuffer(value) ? new Uint8Array(value) : value
}

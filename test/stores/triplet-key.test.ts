import { expect, test } from 'vitest'
import { parseTripletKey, tripletKey } from '../../src/stores/triplet-key.ts'
import type { Triplet } from '../../src/stores/contract.ts'

test.each<[triplet: Triplet, key: string]>([
  [['Alice', 'knows', 'Bob'], "('Alice', 'knows', 'Bob')"],
  [["it's", 'a "b"', `'"`], `("it's", 'a "b"', '\\'"')`],
  [['a\\b', 'new\nline\ttab\rreturn', '\u200b'], String.raw`('a\\b', 'new\nline\ttab\rreturn', '\u200b')`],
  [['é漢字', '\x7f', '\u{e0001}'], String.raw`('é漢字', '\x7f', '\U000e0001')`],
  [['a, b', "', '", ')'], `('a, b', "', '", ')')`],
])('the key of %j is what Python writes, and can be read back', (triplet, key) => {
  expect(tripletKey(triplet)).toBe(key)
  expect(parseTripletKey(key)).toEqual(triplet)
})

test.each([
  '',
  '()',
  "('a', 'b')",
  "('a', 'b', 'c', 'd')",
  "('a', 'b', 3)",
  "('a', 'b', 'c",
  "('a','b','c')",
])('no triplet is read from %j', (key) => expect(parseTripletKey(key)).toBeUndefined())

import { expect, test } from 'vitest'
import { rakeKeywords } from '../../src/indices/rake-keywords.ts'

test.each<[text: string, keywords: string[]]>([
  ['', []],
  ['the of and', []],
  ['...!?', []],
  ['Cats', ['cats']],
  // cats: degree 3 by frequency 2; big: 2 by 1.
  ['Cats. Big cats.', ['big cats', 'big', 'cats']],
  ['a b, c e, c', ['c e', 'c', 'e', 'b']],
  ['Ölpreise steigen', ['ölpreise steigen', 'ölpreise', 'steigen']],
])('of %j', (text, keywords) => {
  expect(rakeKeywords(text, { stopWords: new Set(['the', 'of', 'and', 'a', 'd']) })).toEqual(keywords)
})

test('a long run without a stop word is no phrase', () => {
  expect(rakeKeywords('two three four five six seven. eight', { maxWords: 5 })).toEqual(['eight'])
})

test('the number of phrases can be limited, and other stop words given', () => {
  expect(rakeKeywords('red fox und blue whale', { maxPhrases: 1, stopWords: new Set(['und']) })).toEqual([
    'red fox',
    'red',
    'fox',
  ])
})

import { expect, test } from 'vitest'
import { extractKeywords } from '../../src/indices/keyword-extractor.ts'

test('frequent words come first, ties in the order of the text', () => {
  expect(extractKeywords('Log, frame, log: a frame in the log of frames.')).toEqual([
    'log',
    'frame',
    'frames',
  ])
})

test('stop words are left out, whatever their case, or others that are given', () => {
  expect(extractKeywords("The cat isn't on THE mat")).toEqual(['cat', 'mat'])
  expect(extractKeywords('die Katze', { stopWords: new Set(['die']) })).toEqual(['katze'])
})

test('no more than asked for', () => {
  expect(extractKeywords('one two three two', { maxKeywords: 2 })).toEqual(['two', 'three'])
})

test('words are letters, digits, marks and underscores of any script', () => {
  expect(extractKeywords('snake_case Übung 42 日本語 नमस्ते __proto__')).toEqual([
    'snake_case',
    'übung',
    '42',
    '日本語',
    'नमस्ते',
    '__proto__',
  ])
})

test('runs too long for a word are none', () => {
  expect(extractKeywords(`data ${'QUJD'.repeat(1000)}`)).toEqual(['data'])
})

test('a text without words has no keywords', () => {
  expect(extractKeywords(' … !? ')).toEqual([])
})

import { expect, test } from 'vitest'
import {
  SentenceSplitter,
  tokenLength,
  type SentenceSplitterOptions,
} from '../../src/indices/sentence-splitter.ts'
import { Document, TextNode } from '../../src/stores/node.ts'

const characters = (text: string) => text.length

function split(text: string, options: SentenceSplitterOptions): string[] {
  const splitter = new SentenceSplitter({ length: characters, chunkOverlap: 0, ...options })
  return splitter.split(new Document({ text })).map((chunk) => chunk.text)
}

test('chunks end with sentences and are as long as fits', () => {
  const text = 'One is here. Two is here. Three is here. Four.'
  expect(split(text, { chunkSize: 30 })).toEqual(['One is here. Two is here.', 'Three is here. Four.'])
})

test('whole sentences that fit into the overlap begin the next chunk', () => {
  const text = 'Aaaa aaaa. Bb bb. Cccc cccc. Dd dd.'
  expect(split(text, { chunkSize: 20, chunkOverlap: 8 })).toEqual([
    'Aaaa aaaa. Bb bb.',
    'Bb bb. Cccc cccc.',
    'Dd dd.',
  ])
})

test('an overlap gives way to a sentence that would not fit after it', () => {
  const text = 'Aa aa. Bb bb. A sentence of 24 letters. End.'
  expect(split(text, { chunkSize: 26, chunkOverlap: 10 })).toEqual([
    'Aa aa. Bb bb.',
    'A sentence of 24 letters.',
    'End.',
  ])
})

test('a sentence longer than a chunk is cut between words', () => {
  expect(split('alpha beta gamma delta', { chunkSize: 11 })).toEqual(['alpha beta', 'gamma delta'])
})

test('a word longer than a chunk is cut between graphemes', () => {
  expect(split('abcdefgh', { chunkSize: 3 })).toEqual(['abc', 'def', 'gh'])
  const family = '👩‍👩‍👧‍👦'
  expect(split(family.repeat(3), { chunkSize: family.length * 2 })).toEqual([family.repeat(2), family])
})

test('a grapheme longer than a chunk is kept whole', () => {
  expect(split('a👩‍👩‍👧‍👦b', { chunkSize: 2 })).toEqual(['a', '👩‍👩‍👧‍👦', 'b'])
})

test('a line break ends a sentence', () => {
  expect(split('# Title\nsome text', { chunkSize: 10 })).toEqual(['# Title', 'some text'])
})

test('languages without spaces are cut at their sentences', () => {
  expect(split('これは文です。もう一つの文。', { chunkSize: 8, locale: 'ja' })).toEqual([
    'これは文です。',
    'もう一つの文。',
  ])
})

test.each(['', ' ', '\n\t\u00a0'])('a document of the text %j has no chunks', (text) => {
  expect(split(text, { chunkSize: 10 })).toEqual([])
})

test('long texts without any boundary are cut in time', () => {
  const chunks = split('x'.repeat(100_000), { chunkSize: 1000 })
  expect([chunks.length, chunks.join('').length]).toEqual([100, 100_000])
})

test('long texts are cut at the same sentences as short ones', () => {
  const sentence = 'This is one of many sentences, e.g. like this one. '
  const chunks = split(sentence.repeat(500), { chunkSize: 60 })
  expect(new Set(chunks)).toEqual(new Set([sentence.trim()]))
  expect(chunks).toHaveLength(500)
})

test('chunks know where they stand, their source and their neighbours', () => {
  const document = new Document({
    id_: 'doc',
    text: ' First one.  Second one. Third one.',
    metadata: { file: 'a.md', deep: { list: [1] } },
    excludedEmbedMetadataKeys: ['file'],
    excludedLlmMetadataKeys: ['deep'],
    metadataSeparator: ' | ',
    textTemplate: '{content} {metadata_str}',
  })
  let count = 0
  const options = { chunkSize: 13, chunkOverlap: 0, length: characters, newId: () => `c${++count}` }
  const chunks = new SentenceSplitter(options).split(document)

  expect(
    chunks.map(({ id_, text, startCharIdx, endCharIdx }) => [id_, text, startCharIdx, endCharIdx]),
  ).toEqual([
    ['c1', 'First one.', 1, 11],
    ['c2', 'Second one.', 13, 24],
    ['c3', 'Third one.', 25, 35],
  ])
  const [first, second, third] = chunks as [TextNode, TextNode, TextNode]
  expect(second.sourceNode).toEqual({
    nodeId: 'doc',
    nodeType: 'DOCUMENT',
    metadata: document.metadata,
    hash: document.hash,
  })
  expect(second.refDocId).toBe('doc')
  expect([first.prevNode, first.nextNode?.nodeId, third.prevNode?.nodeId, third.nextNode]).toEqual([
    undefined,
    'c2',
    'c2',
    undefined,
  ])
  expect(second.prevNode).toEqual(first.asRelatedNodeInfo())
  expect(second.metadata).toEqual(document.metadata)
  expect(second).toMatchObject({
    excludedEmbedMetadataKeys: ['file'],
    excludedLlmMetadataKeys: ['deep'],
    metadataSeparator: ' | ',
    textTemplate: '{content} {metadata_str}',
  })

  ;(document.metadata.deep as { list: number[] }).list.push(2)
  document.excludedEmbedMetadataKeys.push('deep')
  expect(second.metadata.deep).toEqual({ list: [1] })
  expect(second.excludedEmbedMetadataKeys).toEqual(['file'])
})

test('a node that is split again keeps its source document', () => {
  const relationships = { SOURCE: { nodeId: 'doc', metadata: {}, hash: 'h' } }
  const [chunk] = new SentenceSplitter().split(new TextNode({ id_: 'n', text: 'Some text.', relationships }))
  expect(chunk!.sourceNode).toEqual({ nodeId: 'doc', metadata: {}, hash: 'h' })
})

test('by default sizes are about tokens, a quarter of the bytes', () => {
  expect([tokenLength('four'), tokenLength('日本語'), tokenLength('')]).toEqual([1, 9 / 4, 0])
  const splitter = new SentenceSplitter()
  expect([splitter.chunkSize, splitter.chunkOverlap]).toEqual([1024, 200])
  expect(new SentenceSplitter({ chunkSize: 100 }).chunkOverlap).toBe(20)
  const chunks = splitter.split(new Document({ text: 'Twenty characters. '.repeat(1000) }))
  expect(Math.max(...chunks.map(({ text }) => tokenLength(text)))).toBeLessThanOrEqual(1024)
  expect(chunks).toHaveLength(6)
})

test('without newId, ids are new each time', () => {
  const splitter = new SentenceSplitter()
  const [a, b] = [1, 2].map(() => splitter.split(new Document({ text: 'Text.' }))[0]!.id_)
  expect(a).not.toBe(b)
})

test.each<[string, SentenceSplitterOptions]>([
  ['chunkSize is 0', { chunkSize: 0 }],
  ['chunkSize is NaN', { chunkSize: Number.NaN }],
  ['chunkOverlap is 10, with a chunkSize of 10', { chunkSize: 10, chunkOverlap: 10 }],
  ['chunkOverlap is -1', { chunkOverlap: -1 }],
  ["'no locale' is no locale", { locale: 'no locale' }],
])('%s: refused', (message, options) => {
  const make = () => new SentenceSplitter(options)
  expect(make).toThrow(
    expect.objectContaining({ code: 'VARVE_BAD_OPTION', message: expect.stringContaining(message) }),
  )
})

test('metadata that cannot be stored is refused before anything is built on it', () => {
  const metadata = { parse: () => 1 }
  const splitting = () => new SentenceSplitter().split(new Document({ text: 'Text.', metadata }))
  expect(splitting).toThrow(expect.objectContaining({ code: 'VARVE_BAD_METADATA' }))
})

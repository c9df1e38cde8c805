// Whatever the text and the sizes: chunks are slices in order, no larger than promised, and only white space is left out.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { SentenceSplitter } from '../src/indices/sentence-splitter.ts'
import { Document } from '../src/stores/node.ts'

const piece = fc.oneof(
  fc.constantFrom('One two. ', 'Why? ', '\n\n', ' ', '\t', 'Dr. No. ', '… ', 'a,b;c ', 'Übergrößenträger'),
  fc.constantFrom('日本語の文章。', 'สวัสดีครับ', 'مرحبا بالعالم. ', '👩‍👩‍👧‍👦', '🇩🇪🇫🇷', 'é', '\u00a0', '\ud800'),
  fc.string({ unit: 'grapheme', maxLength: 30 }),
)
const cases = fc.record({
  text: fc.array(piece, { maxLength: 40 }).map((pieces) => pieces.join('')),
  sizes: fc
    .tuple(fc.integer({ min: 1, max: 60 }), fc.integer({ min: 0, max: 59 }))
    .map(([chunkSize, overlap]) => ({ chunkSize, chunkOverlap: overlap % chunkSize })),
})

const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' })

test('every character but white space lies in a chunk of the promised size', () => {
  fc.assert(
    fc.property(cases, ({ text, sizes }) => {
      const splitter = new SentenceSplitter({ ...sizes, length: (each) => each.length })
      const chunks = splitter.split(new Document({ id_: 'd', text }))
      const covered = new Set<number>()
      let before = { start: -1, end: 0 }
      for (const chunk of chunks) {
        const [start, end] = [chunk.startCharIdx!, chunk.endCharIdx!]
        expect(chunk.text).toBe(text.slice(start, end))
        expect(chunk.text).not.toBe('')
        expect(start).toBeGreaterThan(before.start)
        expect(end).toBeGreaterThan(before.end)
        expect(before.end - start).toBeLessThanOrEqual(sizes.chunkOverlap)
        if (chunk.text.length > sizes.chunkSize) expect([...graphemes.segment(chunk.text)].length).toBe(1)
        for (let at = start; at < end; at++) covered.add(at)
        before = { start, end }
      }
      for (let at = 0; at < text.length; at++) if (!covered.has(at)) expect(text[at]!.trim()).toBe('')
    }),
    {
      numRuns: 500,
      examples: [
        [{ text: '\n\nOne two. One two. ', sizes: { chunkSize: 18, chunkOverlap: 9 } }],
        [{ text: 'One two. Why? \n\n', sizes: { chunkSize: 14, chunkOverlap: 5 } }],
      ],
    },
  )
})

test('no chunk begins or ends inside a grapheme, but for the white space that is trimmed', () => {
  fc.assert(
    fc.property(cases, ({ text, sizes }) => {
      const splitter = new SentenceSplitter({ ...sizes, length: (each) => each.length })
      const boundaries = new Set([text.length])
      for (const { index } of graphemes.segment(text)) boundaries.add(index)
      const isInside = (at: number, neighbour: string) => !boundaries.has(at) && neighbour.trim() !== ''
      for (const { startCharIdx: start, endCharIdx: end } of splitter.split(
        new Document({ id_: 'd', text }),
      )) {
        expect(isInside(start!, text.slice(start! - 1, start))).toBe(false)
        expect(isInside(end!, text.slice(end, end! + 1))).toBe(false)
      }
    }),
    { numRuns: 500 },
  )
})

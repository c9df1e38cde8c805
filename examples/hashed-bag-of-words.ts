/**
 * An embedding model that needs no model: words are hashed into dimensions and counted. It knows words, not meanings, but it is
 * offline, instant and the same everywhere. Put your own model in its place.
 */
import { createHash } from 'node:crypto'
import type { EmbedModel } from 'varve'

const dimensions = 512

export const hashedBagOfWords: EmbedModel = {
  id: 'hashed-bag-of-words',
  dimensions,
  embed: async (texts) => texts.map(embedText),
}

function embedText(text: string): Float32Array {
  const counts = new Map<string, number>()
  for (const word of wordsOf(text)) counts.set(word, (counts.get(word) ?? 0) + 1)
  const vector = new Float32Array(dimensions)
  for (const [word, count] of counts) {
    const { dimension, sign } = placeOf(word)
    // A word said ten times does not matter ten times as much.
    vector[dimension]! += sign * (1 + Math.log(count))
  }
  return vector
}

const segmenter = new Intl.Segmenter('en', { granularity: 'word' })

/** Short words say little about what a Western text is about; in other scripts they do. */
function* wordsOf(text: string): Generator<string> {
  for (const { segment, isWordLike } of segmenter.segment(text.toLowerCase())) {
    if (isWordLike && !/^[a-z]{1,3}$/.test(segment)) yield segment
  }
}

const places = new Map<string, { dimension: number; sign: 1 | -1 }>()

/** The sign lets two words that meet in one dimension cancel out instead of pretending to be alike. */
function placeOf(word: string): { dimension: number; sign: 1 | -1 } {
  let place = places.get(word)
  if (place === undefined) {
    const hash = createHash('sha256').update(word).digest()
    place = { dimension: hash.readUInt32LE(0) % dimensions, sign: hash[4]! % 2 === 0 ? 1 : -1 }
    places.set(word, place)
  }
  return place
}

// An embedding model without a model: words hashed into a few dimensions.
import type { EmbedModel, EmbedOptions } from '../../../src/indices/embed-model.ts'

export interface BagOfWords extends EmbedModel {
  calls: { texts: string[]; options: EmbedOptions }[]
}

export function bagOfWords({ id = 'bag-of-words', dimensions = 64 } = {}): BagOfWords {
  const calls: BagOfWords['calls'] = []
  return {
    id,
    dimensions,
    calls,
    embed: async (texts, options) => {
      calls.push({ texts, options })
      return texts.map((text) => vectorOf(text, dimensions))
    },
  }
}

function vectorOf(text: string, dimensions: number): Float32Array {
  const vector = new Float32Array(dimensions)
  for (const word of text.toLowerCase().match(/\w+/g) ?? []) {
    let hash = 7
    for (const letter of word) hash = (hash * 31 + letter.codePointAt(0)!) >>> 0
    vector[hash % dimensions]! += 1
  }
  return vector
}

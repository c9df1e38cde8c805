/** Finds the entities of a graph that a question is about, without a model. */
import { extractKeywords } from './keyword-extractor.ts'
import { stopWords } from './stop-words.ts'

/** A letter of a script that sets no spaces between words counts as a word, so that its words are found inside longer runs. */
const word = /[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Thai}]|[\p{L}\p{N}\p{M}_]+/gu

/**
 * The entities whose whole name stands in the question, in any case, the longest names first; if there are none, those that share most keywords with it, and
 * after them those whose names are but stop words. Equals stay in the order given.
 */
export function namedEntities(question: string, entities: Iterable<string>): string[] {
  const asked = spaced(wordsOf(question))
  const keywords = new Set(extractKeywords(question).flatMap(wordsOf))
  const named = new Map<string, number>()
  const weak = new Map<string, number>()
  const shared = new Map<string, number>()
  for (const entity of entities) {
    const words = wordsOf(entity)
    if (words.length > 0 && asked.includes(spaced(words))) {
      const isWeak = words.every((each) => stopWords.has(each))
      if (isWeak) weak.set(entity, 0)
      else named.set(entity, words.length)
    } else {
      const count = new Set(words.filter((each) => keywords.has(each))).size
      if (count > 0) shared.set(entity, count)
    }
  }
  const found = named.size > 0 ? named : new Map([...shared, ...weak])
  return [...found].sort(([, a], [, b]) => b - a).map(([entity]) => entity)
}

function wordsOf(text: string): string[] {
  return text.toLowerCase().match(word) ?? []
}

function spaced(words: readonly string[]): string {
  return ` ${words.join(' ')} `
}

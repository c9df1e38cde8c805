/**
 * Keywords by RAKE, rapid automatic keyword extraction (Rose, Engel, Cramer and Cowley, 2010). Punctuation and stop words cut a text into phrases. A word's
 * score is its degree (the words of all phrases it stands in, itself included, counted each time) divided by its frequency; a phrase's score is the sum of
 * its words' scores. So words that mostly stand in long phrases win over words that are merely frequent.
 */
import { stopWords } from './stop-words.ts'

export interface RakeOptions {
  maxPhrases?: number
  /** Longer runs without a stop word are not phrases of anybody's question. Default 5 words. */
  maxWords?: number
  stopWords?: ReadonlySet<string>
}

/** The best phrases in lower case, each followed by its words where it has several; equals stay in the order of the text. */
export function rakeKeywords(text: string, options: RakeOptions = {}): string[] {
  const { maxPhrases = Infinity, maxWords = 5, stopWords: ignored = stopWords } = options
  const phrases = phrasesOf(text, ignored).filter((words) => words.length <= maxWords)
  const scores = wordScores(phrases)
  const ranked = new Map<string, { words: string[]; score: number }>()
  for (const words of phrases) {
    const score = words.reduce((sum, word) => sum + scores.get(word)!, 0)
    ranked.set(words.join(' '), { words, score })
  }
  const best = [...ranked].sort(([, a], [, b]) => b.score - a.score).slice(0, maxPhrases)
  return [...new Set(best.flatMap(([phrase, { words }]) => [phrase, ...words]))]
}

function phrasesOf(text: string, ignored: ReadonlySet<string>): string[][] {
  const phrases: string[][] = [[]]
  for (const [token] of text.toLowerCase().matchAll(/[\p{L}\p{N}\p{M}_]+|[^\s\p{L}\p{N}\p{M}_]/gu)) {
    const isWord = /[\p{L}\p{N}\p{M}_]/u.test(token)
    if (isWord && !ignored.has(token)) phrases.at(-1)!.push(token)
    else if (phrases.at(-1)!.length > 0) phrases.push([])
  }
  return phrases.filter((words) => words.length > 0)
}

function wordScores(phrases: readonly (readonly string[])[]): Map<string, number> {
  const counts = new Map<string, { frequency: number; degree: number }>()
  for (const words of phrases) {
    for (const word of words) {
      const { frequency, degree } = counts.get(word) ?? { frequency: 0, degree: 0 }
      counts.set(word, { frequency: frequency + 1, degree: degree + words.length })
    }
  }
  return new Map([...counts].map(([word, { frequency, degree }]) => [word, degree / frequency]))
}

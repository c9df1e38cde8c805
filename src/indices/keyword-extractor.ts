/** Keywords by counting words: no model, no language but the stop words. */
import { stopWords } from './stop-words.ts'

/** Gives the keywords of a text, the most important first. */
export type KeywordExtractor = (
  text: string,
  options: { signal?: AbortSignal },
) => Iterable<string> | Promise<Iterable<string>>

export interface KeywordOptions {
  maxKeywords?: number
  /** Lower-case words that are never keywords. Default: English function words. */
  stopWords?: ReadonlySet<string>
}

/** Longer runs are encoded data, not words. */
const maxWordLength = 100

/**
 * The most frequent words in lower case; of equally frequent ones those that come first. A word is a run of letters, digits, marks and `_`,
 * like Python's `\w+`, so that the keywords of a question meet those of imported tables.
 */
export function extractKeywords(text: string, options: KeywordOptions = {}): string[] {
  const { maxKeywords = Infinity, stopWords: ignored = stopWords } = options
  const counts = new Map<string, number>()
  for (const [word] of text.toLowerCase().matchAll(/[\p{L}\p{N}\p{M}_]+/gu)) {
    if (word.length <= maxWordLength && !ignored.has(word)) counts.set(word, (counts.get(word) ?? 0) + 1)
  }
  // The sort is stable, so ties stay in the order of the text.
  const byFrequency = [...counts].sort(([, a], [, b]) => b - a)
  return byFrequency.slice(0, maxKeywords).map(([word]) => word)
}

/** At most so many keywords of a text. */
export type KeywordFinder = (
  text: string,
  options: { most: number; signal?: AbortSignal | undefined },
) => Promise<string[]>

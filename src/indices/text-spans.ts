/** Cuts a text into spans that follow each other without a gap: sentences, and where those are too long, words, and then graphemes. */
import { VarveError } from '../errors.ts'
import { segmentsOf, type Segment } from './text-segments.ts'

export interface Span extends Segment {
  /** As measured by `length`. */
  size: number
}

export interface SpanOptions {
  locale: string
  /** No span is larger, unless one grapheme is. */
  maxSize: number
  length: (text: string) => number
}

type Granularity = 'sentence' | 'word' | 'grapheme'
const finer = { sentence: 'word', word: 'grapheme', grapheme: undefined } as const

export class TextSpans {
  readonly #options: SpanOptions
  readonly #segmenters: Record<Granularity, Intl.Segmenter>

  constructor(options: SpanOptions) {
    this.#options = options
    const segmenter = (granularity: Granularity) => segmenterOf(options.locale, granularity)
    this.#segmenters = {
      sentence: segmenter('sentence'),
      word: segmenter('word'),
      grapheme: segmenter('grapheme'),
    }
  }

  *of(text: string): Generator<Span> {
    yield* this.#cut(text, { start: 0, end: text.length }, 'sentence')
  }

  *#cut(text: string, within: Segment, granularity: Granularity): Generator<Span> {
    const { length, maxSize } = this.#options
    const packed = new Packing(maxSize)
    for (const { start, end } of segmentsOf(this.#segmenters[granularity], text, within)) {
      const span = { start, end, size: length(text.slice(start, end)) }
      const next = finer[granularity]
      if (span.size > maxSize && next !== undefined) {
        yield* packed.flush()
        yield* this.#cut(text, span, next)
      } else if (granularity === 'sentence') {
        yield span
      } else {
        yield* packed.add(span)
      }
    }
    yield* packed.flush()
  }
}

/** Joins words, or graphemes, as long as they fit together. */
class Packing {
  readonly #maxSize: number
  #open: Span | undefined

  constructor(maxSize: number) {
    this.#maxSize = maxSize
  }

  *add(span: Span): Generator<Span> {
    if (this.#open !== undefined && this.#open.size + span.size > this.#maxSize) yield* this.flush()
    if (this.#open === undefined) {
      this.#open = span
    } else {
      this.#open = { start: this.#open.start, end: span.end, size: this.#open.size + span.size }
    }
  }

  *flush(): Generator<Span> {
    if (this.#open !== undefined) yield this.#open
    this.#open = undefined
  }
}

function segmenterOf(locale: string, granularity: Granularity): Intl.Segmenter {
  try {
    return new Intl.Segmenter(locale, { granularity })
  } catch (cause) {
    const remedy = "Give a BCP 47 tag such as 'en' or 'de'."
    throw new VarveError('VARVE_BAD_OPTION', `'${locale}' is no locale.`, { cause, remedy, locale })
  }
}

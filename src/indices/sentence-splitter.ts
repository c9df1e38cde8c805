/**
 * Cuts documents into chunks at the ends of sentences. Every character that is not white space lies in a chunk, and a chunk is exactly the
 * text from its `startCharIdx` to its `endCharIdx` (UTF-16 code units, as JavaScript's `slice` takes them).
 */
import { randomUUID } from 'node:crypto'
import { VarveError } from '../errors.ts'
import { checkMetadata } from '../stores/metadata.ts'
import { TextNode, type BaseNode } from '../stores/node.ts'
import type { Segment } from './text-segments.ts'
import { TextSpans, type Span } from './text-spans.ts'

export interface SentenceSplitterOptions {
  /** In units of `length`. Metadata does not count. Default 1,024. */
  chunkSize?: number
  /** At most this much of a chunk's end, in whole sentences, begins the next one too. Default 200, or a fifth of a smaller chunk size. */
  chunkOverlap?: number
  /** Whose rules tell sentences and words. Default `en`, and not the machine's, so that all machines cut alike. */
  locale?: string
  /**
   * Measures a piece of text; default `tokenLength`. Pieces are measured alone and added up, so a tokenizer's count of a whole chunk may
   * differ a little from what is promised.
   */
  length?: (text: string) => number
  /** Default `crypto.randomUUID`. */
  newId?: () => string
}

/** About the number of tokens: a quarter of the bytes in UTF-8, a rule of thumb that fits common tokenizers. */
export function tokenLength(text: string): number {
  return Buffer.byteLength(text) / 4
}

export class SentenceSplitter {
  readonly chunkSize: number
  readonly chunkOverlap: number
  readonly #spans: TextSpans
  readonly #newId: () => string

  constructor(options: SentenceSplitterOptions = {}) {
    const { chunkSize = 1024, locale = 'en', length = tokenLength, newId = randomUUID } = options
    const { chunkOverlap = Math.min(200, Math.floor(chunkSize / 5)) } = options
    checkSizes(chunkSize, chunkOverlap)
    this.chunkSize = chunkSize
    this.chunkOverlap = chunkOverlap
    this.#spans = new TextSpans({ locale, maxSize: chunkSize, length })
    this.#newId = newId
  }

  /** A document without text has no chunks. */
  split(document: BaseNode): TextNode[] {
    const text = document.getText()
    const chunks: TextNode[] = []
    let reached = 0
    for (const span of this.#chunks(text)) {
      const chunk = trimmed(text, span)
      if (chunk === undefined || chunk.end <= reached) continue // Nothing but white space is new.
      chunks.push(this.#nodeOf(document, text, chunk))
      reached = chunk.end
    }
    return linked(chunks, document)
  }

  *#chunks(text: string): Generator<Segment> {
    let open: Span[] = []
    let size = 0
    for (const span of this.#spans.of(text)) {
      if (open.length > 0 && size + span.size > this.chunkSize) {
        yield { start: open[0]!.start, end: open.at(-1)!.end }
        open = this.#overlap(open, firstWithText(text, open), this.chunkSize - span.size)
        size = sizeOf(open)
      }
      open.push(span)
      size += span.size
    }
    if (open.length > 0) yield { start: open[0]!.start, end: open.at(-1)!.end }
  }

  /** The last spans of a chunk that fit into the overlap, and leave room for what comes next; never all that has text. */
  #overlap(spans: readonly Span[], first: number, room: number): Span[] {
    let size = 0
    let from = spans.length
    while (from > first + 1 && size + spans[from - 1]!.size <= Math.min(this.chunkOverlap, room))
      size += spans[--from]!.size
    return spans.slice(from)
  }

  #nodeOf(document: BaseNode, text: string, { start, end }: Segment): TextNode {
    return new TextNode({
      id_: this.#newId(),
      text: text.slice(start, end),
      metadata: checkMetadata(document.metadata),
      excludedEmbedMetadataKeys: [...document.excludedEmbedMetadataKeys],
      excludedLlmMetadataKeys: [...document.excludedLlmMetadataKeys],
      metadataTemplate: document.metadataTemplate,
      metadataSeparator: document.metadataSeparator,
      textTemplate: document.textTemplate,
      startCharIdx: start,
      endCharIdx: end,
    })
  }
}

/** A node that was itself cut from a document hands that document on as the source, so that the ref doc stays the same. */
function linked(chunks: TextNode[], document: BaseNode): TextNode[] {
  const source = document.sourceNode ?? document.asRelatedNodeInfo()
  for (const chunk of chunks) chunk.relationships.SOURCE = { ...source, metadata: { ...source.metadata } }
  const infos = chunks.map((chunk) => chunk.asRelatedNodeInfo())
  chunks.forEach((chunk, at) => {
    if (at > 0) chunk.relationships.PREVIOUS = infos[at - 1]!
    if (at + 1 < chunks.length) chunk.relationships.NEXT = infos[at + 1]!
  })
  return chunks
}

/** Without the white space around it; `undefined` if nothing is left. */
function trimmed(text: string, { start, end }: Segment): Segment | undefined {
  const chunk = text.slice(start, end)
  const from = start + chunk.length - chunk.trimStart().length
  return chunk.trim() === '' ? undefined : { start: from, end: from + chunk.trim().length }
}

function firstWithText(text: string, spans: readonly Span[]): number {
  return Math.max(
    0,
    spans.findIndex((span) => trimmed(text, span) !== undefined),
  )
}

function sizeOf(spans: readonly Span[]): number {
  return spans.reduce((sum, { size }) => sum + size, 0)
}

function checkSizes(chunkSize: number, chunkOverlap: number): void {
  if (!(chunkSize > 0)) {
    throw new VarveError('VARVE_BAD_OPTION', `chunkSize is ${chunkSize}.`, {
      remedy: 'Give a number above 0.',
    })
  }
  if (!(chunkOverlap >= 0 && chunkOverlap < chunkSize)) {
    const fact = `chunkOverlap is ${chunkOverlap}, with a chunkSize of ${chunkSize}.`
    throw new VarveError('VARVE_BAD_OPTION', fact, { remedy: 'Give a number from 0 up to below chunkSize.' })
  }
}

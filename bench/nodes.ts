/** The nodes that are measured: about 1 KB of text, some metadata and 1,536 dimensions, ten to a source document; the same each time, and nobody's class. */

export const dimensions = 1536
export const vectorBytes = dimensions * Float32Array.BYTES_PER_ELEMENT
const textLength = 1000
const nodesPerDocument = 10

const words = Array.from({ length: 2000 }, (_, at) => wordOf(at))

export interface Node {
  id: string
  text: string
  metadata: Record<string, string | number>
  sourceId: string
  startCharIdx: number
  endCharIdx: number
  embedding: Float32Array
}

/** Of another version: the same node with another text and vector. */
export function nodeAt(at: number, version = 0): Node {
  const document = Math.floor(at / nodesPerDocument)
  const page = at % nodesPerDocument
  return {
    id: nodeId(at),
    text: textAt(at + version * 0x1000000),
    metadata: { path: `folder/${document % 100}/document-${document}.md`, page, lang: 'en' },
    sourceId: uuid(0x5eed, document),
    startCharIdx: page * textLength,
    endCharIdx: (page + 1) * textLength,
    embedding: vectorAt(at + version * 0x1000000),
  }
}

export function nodeId(at: number): string {
  return uuid(0xface, at)
}

export function vectorAt(at: number): Float32Array {
  const next = random(at + 1)
  const vector = new Float32Array(dimensions)
  for (let n = 0; n < dimensions; n++) vector[n] = next() - 0.5
  return vector
}

export function* range(from: number, to: number): Generator<number> {
  for (let at = from; at < to; at++) yield at
}

/** mulberry32: small, fast, and the same everywhere. */
export function random(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let bits = Math.imul(state ^ (state >>> 15), 1 | state)
    bits = (bits + Math.imul(bits ^ (bits >>> 7), 61 | bits)) ^ bits
    return ((bits ^ (bits >>> 14)) >>> 0) / 2 ** 32
  }
}

function textAt(at: number): string {
  const next = random(~at)
  let text = ''
  while (text.length < textLength) text += `${words[Math.floor(next() * words.length)]} `
  return text.slice(0, textLength)
}

function wordOf(at: number): string {
  const next = random(at * 7919)
  const letters = Array.from({ length: 2 + Math.floor(next() * 9) }, () => 97 + Math.floor(next() * 26))
  return String.fromCodePoint(...letters)
}

function uuid(kind: number, at: number): string {
  const hex = (number: number, length: number) => number.toString(16).padStart(length, '0')
  return `${hex(Math.imul(at, 0x9e3779b1) >>> 0, 8)}-${hex(kind, 4)}-4000-8000-${hex(at, 12)}`
}

/** Reads `graph_store.json` and `property_graph_store.json`. */
import { isUtf8 } from 'node:buffer'
import { takeSpelling, type Spelling } from '../stores/spelling.ts'
import { windows1252ToUtf8 } from './json-encoding.ts'
import { membersOf, objectAt } from './llamaindex-shape.ts'
import { readJson, type ValueReader } from './llamaindex-json.ts'
import type { Triplet } from '../stores/contract.ts'
import type { ReadContext } from './llamaindex-docstore.ts'

export function readGraph(reader: ValueReader, { file, warn }: Omit<ReadContext, 'dialect'>): Triplet[] {
  const triplets: Triplet[] = []
  for (const part of membersOf(reader, file, 'it')) {
    if (part !== 'graph_dict') {
      warn(`The part "${part}" is unknown, and was left out.`)
      continue
    }
    for (const subject of membersOf(reader, file, 'the graph')) {
      for (const triplet of tripletsOf(subject, reader.value(), warn)) triplets.push(triplet)
    }
  }
  reader.end()
  return triplets
}

/** Of a subject's `[[relation, object], …]`. */
export function tripletsOf(subject: string, pairs: unknown, warn: ReadContext['warn']): Triplet[] {
  const list = Array.isArray(pairs) ? (pairs as unknown[]) : []
  const triplets = list.filter(isPair).map(([relation, object]): Triplet => [subject, relation, object])
  const others = list.length - triplets.length
  if (others > 0 || !Array.isArray(pairs))
    warn(`"${subject}" has ${others || 'relations'} that are no pairs of texts; left out.`)
  return triplets
}

function isPair(value: unknown): value is [string, string] {
  return Array.isArray(value) && value.length === 2 && value.every((part) => typeof part === 'string')
}

/** On Windows, before 2026, written in its Latin alphabet. */
export function readPropertyGraph(
  bytes: Uint8Array,
  { file, warn }: Omit<ReadContext, 'dialect'>,
): { tree: Record<string, unknown>; spelling: Spelling } {
  const isLatin = isSingleByte(bytes)
  if (isLatin) warn('It is not in UTF-8; it was read as Windows-1252, which some letters may show.')
  return propertyGraphOf(readJson(isLatin ? windows1252ToUtf8(bytes) : bytes, file), file)
}

/** Of a tree that a reader made, which is used up. */
export function propertyGraphOf(
  read: unknown,
  file: string,
): { tree: Record<string, unknown>; spelling: Spelling } {
  const { value, spelling } = takeSpelling(read)
  return { tree: objectAt(value, file, 'it'), spelling }
}

/** Neither UTF-8 nor, by its zero bytes or byte order mark, UTF-16 or UTF-32. */
function isSingleByte(bytes: Uint8Array): boolean {
  const hasMark = (bytes[0] ?? 0) >= 0xfe
  return !hasMark && !bytes.subarray(0, 4).includes(0) && !isUtf8(bytes)
}

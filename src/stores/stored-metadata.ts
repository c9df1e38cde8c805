/**
 * Metadata in a row: the tree itself, or, where JSON spelled what a tree cannot say, `[tree, floats, key orders]`, with pointers into the tree. A float whose
 * pointer follows a `-` is minus zero.
 */
import { fromStorable, toStorable, type Storable } from './storable.ts'
import { isPlainSpelling, plainSpelling, type Spelling } from './spelling.ts'
import type { Metadata } from './relationships.ts'

export interface SpelledMetadata {
  metadata: Metadata
  spelling: Spelling
}

export function metadataToStored(metadata: Metadata, spelling: Spelling = plainSpelling): unknown {
  const { tree, negativeZeros } = toStorable(metadata)
  if (negativeZeros.length === 0 && isPlainSpelling(spelling)) return tree
  const floats = [...spelling.floats].filter((pointer) => !negativeZeros.includes(pointer))
  return [tree, [...floats, ...negativeZeros.map((pointer) => `-${pointer}`)], [...spelling.keyOrders]]
}

export function metadataFromStored(stored: unknown): SpelledMetadata {
  if (!Array.isArray(stored)) return { metadata: fromStorable(stored as Storable) as Metadata, spelling: plainSpelling }
  const [tree, floats, keyOrders] = stored as [Storable, string[], [string, string[]][]]
  const metadata = fromStorable(tree) as Metadata
  const spelling = { floats: new Set(floats.map((pointer) => pointer.replace(/^-/, ''))), keyOrders: new Map(keyOrders) }
  return { metadata, spelling }
}

/**
 * A tree in a row (metadata, fields that mean nothing here, a value in a struct): the tree itself, or, where JSON spelled what a tree cannot say,
 * an object whose only key is the mark U+F8FF, which no escaped key can be, with `[tree, floats, key orders]` (`spelling-codec.ts`).
 */
import { anything, isObject, tuple, type Shape } from '../journal/shape.ts'
import { plainSpelling, isPlainSpelling, type Spelling } from './spelling.ts'
import {
  restoreNegativeZeros,
  spellingFromStored,
  spellingToStored,
  storedSpelling,
} from './spelling-codec.ts'
import { fromStorable, mark, toStorable, type Storable } from './storable.ts'
import type { Metadata } from './relationships.ts'

const spelled = tuple(anything, ...storedSpelling)

export const storedTree: Shape = (value) => !isMarked(value) || spelled(value[mark])
export const storedMetadata: Shape = (value) =>
  isObject(value) && (!isMarked(value) || (spelled(value[mark]) && isObject(value[mark][0])))

export interface SpelledTree {
  value: unknown
  spelling: Spelling
}

export interface SpelledMetadata {
  metadata: Metadata
  spelling: Spelling
}

/** `value` is plain already (`checkTree`). */
export function treeToStored(value: unknown, spelling: Spelling = plainSpelling): Storable {
  const { tree, negativeZeros } = toStorable(value ?? null)
  if (negativeZeros.length === 0 && isPlainSpelling(spelling)) return tree
  const { floats, keyOrders } = spellingToStored(spelling, negativeZeros)
  return { [mark]: [tree, floats, keyOrders] }
}

export function treeFromStored(stored: unknown): SpelledTree {
  if (!isMarked(stored)) return { value: fromStorable((stored ?? null) as Storable), spelling: plainSpelling }
  const [tree, floats, keyOrders] = stored[mark]
  // In an object of its own, so that a minus zero can be the whole tree.
  const holder = { value: fromStorable(tree) }
  restoreNegativeZeros(
    holder,
    floats.map((pointer) => pointer.replace(/^-/, '-/value')),
  )
  return { value: holder.value, spelling: spellingFromStored({ floats, keyOrders }) }
}

export function metadataToStored(metadata: Metadata, spelling?: Spelling): Storable {
  return treeToStored(metadata, spelling)
}

export function metadataFromStored(stored: unknown): SpelledMetadata {
  const { value, spelling } = treeFromStored(stored)
  return { metadata: value as Metadata, spelling }
}

type Marked = { [mark]: [tree: Storable, floats: string[], keyOrders: string[][]] }

function isMarked(stored: unknown): stored is Marked {
  return isObject(stored) && Object.hasOwn(stored, mark)
}

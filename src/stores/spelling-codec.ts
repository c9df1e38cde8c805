/**
 * How a tree was spelled, as it is stored beside the tree. Part of the public format.
 *
 * `floats`: JSON pointers of integral numbers that are floats; `-` before the pointer: minus zero. `keyOrders`: lists of a JSON pointer and the
 * keys there, in their order. All text is escaped as `storable.ts` says.
 */
import { listOf, text } from '../journal/shape.ts'
import { setOwn } from './own-property.ts'
import { isPlainSpelling, plainSpelling, type Spelling } from './spelling.ts'
import { escapeText, unescapeText } from './storable.ts'

export interface StoredSpelling {
  floats: string[]
  keyOrders: string[][]
}

/** Of `floats`, and of `keyOrders`. */
export const storedSpelling = [listOf(text), listOf(listOf(text))] as const

export function spellingToStored(
  { floats, keyOrders }: Spelling,
  negativeZeros: readonly string[],
): StoredSpelling {
  const zeros = new Set(negativeZeros)
  return {
    floats: [
      ...[...floats].filter((pointer) => !zeros.has(pointer)).map(escapeText),
      ...negativeZeros.map((pointer) => `-${escapeText(pointer)}`),
    ],
    keyOrders: [...keyOrders].map(([pointer, keys]) => [pointer, ...keys].map(escapeText)),
  }
}

export function spellingFromStored({ floats, keyOrders }: StoredSpelling): Spelling {
  const orders = keyOrders.map((order) => order.map(unescapeText))
  const spelling = {
    floats: new Set(floats.map((pointer) => unescapeText(pointer.replace(/^-/, '')))),
    keyOrders: new Map(orders.map(([pointer = '', ...keys]) => [pointer, keys])),
  }
  return isPlainSpelling(spelling) ? plainSpelling : spelling
}

/** Gives a tree back the minus zeros that msgpack took; the tree's own pointer is `''`. */
export function restoreNegativeZeros(tree: object, floats: readonly string[]): void {
  for (const pointer of floats) {
    if (pointer.startsWith('-')) setNegativeZero(tree, unescapeText(pointer.slice(1)))
  }
}

function setNegativeZero(root: object, pointer: string): void {
  const steps = pointer
    .split('/')
    .slice(1)
    .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'))
  const last = steps.pop() ?? ''
  const parent = steps.reduce<unknown>(ownMember, root)
  // Whatever the bytes say, only a zero becomes minus zero.
  if (ownMember(parent, last) === 0) setOwn(parent as object, last, -0)
}

function ownMember(value: unknown, key: string): unknown {
  const isInside = typeof value === 'object' && value !== null && Object.hasOwn(value, key)
  return isInside ? (value as Record<string, unknown>)[key] : undefined
}

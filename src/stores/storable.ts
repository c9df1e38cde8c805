/**
 * Carries any plain tree through msgpack without loss. Three things msgpack, or a library for it, would lose: strings with half of a
 * surrogate pair (UTF-8 has no bytes for them), the key `__proto__`, and minus zero.
 *
 * A string (key or value) that holds such a half, or the mark U+F8FF itself, is written with the mark before four hex digits of every
 * such unit: `"\\ud800"` becomes `"\\uf8ffd800"`, `"\\uf8ff"` becomes `"\\uf8fff8ff"`. The key `__proto__` is written as mark and `__proto__`.
 * Places of minus zero are answered apart, as JSON pointers.
 */
import { setOwn } from './own-property.ts'
import { pointerTo } from './spelling.ts'
import { isWellFormed } from './wtf8.ts'

export type Storable =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | Storable[]
  | { [key: string]: Storable }

export const mark = '\uf8ff'

export interface StoredTree {
  tree: Storable
  negativeZeros: string[]
}

/** `tree` is plain already (`checkTree`); `at` is its pointer. Answers the very tree if there is nothing to escape. */
export function toStorable(tree: unknown, at = ''): StoredTree {
  const negativeZeros: string[] = []
  return { tree: escapeTree(tree as Storable, at, negativeZeros), negativeZeros }
}

export function fromStorable(tree: Storable): unknown {
  if (typeof tree === 'string') return unescapeText(tree)
  if (typeof tree !== 'object' || tree === null || tree instanceof Uint8Array) return tree
  if (Array.isArray(tree)) return tree.map(fromStorable)
  const object: Record<string, unknown> = {}
  for (const key of Object.keys(tree)) setOwn(object, unescapeText(key), fromStorable(tree[key] ?? null))
  return object
}

function escapeTree(tree: Storable, at: string, negativeZeros: string[]): Storable {
  if (typeof tree === 'string') return escapeText(tree)
  if (typeof tree === 'number') {
    if (Object.is(tree, -0)) negativeZeros.push(at)
    return tree
  }
  if (typeof tree !== 'object' || tree === null || tree instanceof Uint8Array) return tree
  if (Array.isArray(tree))
    return tree.map((item, index) => escapeTree(item, pointerTo(at, index), negativeZeros))
  const object: { [key: string]: Storable } = {}
  for (const key of Object.keys(tree)) {
    object[escapeKey(key)] = escapeTree(tree[key] ?? null, pointerTo(at, key), negativeZeros)
  }
  return object
}

function escapeKey(key: string): string {
  return key === '__proto__' ? mark + key : escapeText(key)
}

export function escapeText(text: string): string {
  if (isWellFormed(text) && !text.includes(mark)) return text
  // With the `u` flag a whole pair is one character, so only halves match.
  return text.replace(/[\ud800-\udfff\uf8ff]/gu, (unit) => mark + unit.charCodeAt(0).toString(16))
}

export function unescapeText(text: string): string {
  if (!text.includes(mark)) return text
  if (text === `${mark}__proto__`) return '__proto__'
  return text.replace(/\uf8ff([0-9a-f]{4})/g, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)))
}

/**
 * How a JSON text spelled what a plain tree cannot say. Python's hashes depend on it, users do not want to see it; so trees hold plain
 * values, and a `Spelling` beside them names the places (JSON pointers) that were spelled otherwise.
 */
import { Float, keyOrder } from './float.ts'
import { setOwn } from './own-property.ts'

export interface Spelling {
  /** Where integral numbers stand that were floats: `1.0`, `1e16`, `-0.0`. */
  readonly floats: ReadonlySet<string>
  /** Objects whose keys came in an order that JavaScript objects cannot keep. */
  readonly keyOrders: ReadonlyMap<string, readonly string[]>
}

export const plainSpelling: Spelling = { floats: new Set(), keyOrders: new Map() }

export function isPlainSpelling({ floats, keyOrders }: Spelling): boolean {
  return floats.size === 0 && keyOrders.size === 0
}

/** One step deeper into a tree. */
export function pointerTo(parent: string, key: string | number): string {
  const isPlain = typeof key === 'number' || !/[~/]/.test(key)
  return `${parent}/${isPlain ? key : key.replaceAll('~', '~0').replaceAll('/', '~1')}`
}

/**
 * Turns what a JSON reader made into plain values, in place, and notes the spelling. `at` is the pointer of the tree's root, for trees
 * that are part of something larger.
 */
export function takeSpelling(tree: unknown, at = ''): { value: unknown; spelling: Spelling } {
  const floats = new Set<string>()
  const keyOrders = new Map<string, readonly string[]>()
  const path: (string | number)[] = []
  const here = () => path.reduce<string>(pointerTo, at)

  const take = (value: unknown): unknown => {
    if (typeof value !== 'object' || value === null) return value
    if (value instanceof Float) {
      floats.add(here())
      return value.value
    }
    if (Array.isArray(value)) takeItems(value)
    else takeMembers(value as Record<string, unknown>)
    return value
  }
  const takeItems = (items: unknown[]) => {
    for (let index = 0; index < items.length; index++) {
      const item = items[index]
      if (typeof item !== 'object' || item === null) continue
      path.push(index)
      items[index] = take(item)
      path.pop()
    }
  }
  const takeMembers = (object: Record<string, unknown> & { [keyOrder]?: readonly string[] }) => {
    const order = object[keyOrder]
    if (order !== undefined) {
      keyOrders.set(here(), order)
      delete object[keyOrder]
    }
    for (const key of Object.keys(object)) {
      const member = object[key]
      if (typeof member !== 'object' || member === null) continue
      path.push(key)
      setOwn(object, key, take(member))
      path.pop()
    }
  }

  const value = take(tree)
  return { value, spelling: floats.size + keyOrders.size === 0 ? plainSpelling : { floats, keyOrders } }
}

/** The keys of an object in the order they were spelled; keys that came later follow. */
export function keysAsSpelled(object: object, pointer: string, { keyOrders }: Spelling): readonly string[] {
  const keys = Object.keys(object)
  const order = keyOrders.get(pointer)
  if (order === undefined) return keys
  const known = new Set(order)
  return [...order.filter((key) => Object.hasOwn(object, key)), ...keys.filter((key) => !known.has(key))]
}

/** Several spellings as one. */
export function joinSpellings(spellings: readonly Spelling[]): Spelling {
  const spelled = spellings.filter((spelling) => !isPlainSpelling(spelling))
  if (spelled.length === 0) return plainSpelling
  return {
    floats: new Set(spelled.flatMap(({ floats }) => [...floats])),
    keyOrders: new Map(spelled.flatMap(({ keyOrders }) => [...keyOrders])),
  }
}

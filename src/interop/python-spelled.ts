/**
 * Plain trees that carry, out of sight, what plain values cannot say: the order of keys which JavaScript would sort, and which numbers are floats though integral. So
 * `JSON.stringify` and users see plain values, and our own readers and writers lose nothing.
 */
import { Float, floatMembers, keyOrder, keysAsRead } from '../stores/float.ts'
import { setOwn } from '../stores/own-property.ts'
import { keysAsSpelled, pointerTo, type Spelling } from '../stores/spelling.ts'

/** An object of these entries, in their order. */
export function objectOf(entries: Iterable<readonly [key: string, value: unknown]>): Record<string, unknown> {
  const object: Record<string, unknown> = {}
  const order: string[] = []
  for (const [key, value] of entries) {
    if (!Object.hasOwn(object, key)) order.push(key)
    setOwn(object, key, value)
  }
  return withOrder(object, order)
}

/** A copy of a plain tree that carries its spelling; `pointer` is where the tree stands in what was spelled. */
export function spelled(tree: unknown, spelling: Spelling, pointer = ''): unknown {
  if (typeof tree !== 'object' || tree === null) return tree
  if (Array.isArray(tree)) {
    const items = tree.map((item, index) => spelled(item, spelling, pointerTo(pointer, index)))
    return withFloats(
      items,
      [...items.keys()].filter((index) => isFloat(items[index], spelling, pointerTo(pointer, index))),
    )
  }
  const keys = keysAsSpelled(tree, pointer, spelling)
  const object = objectOf(
    keys.map((key) => [
      key,
      spelled((tree as Record<string, unknown>)[key], spelling, pointerTo(pointer, key)),
    ]),
  )
  return withFloats(
    object,
    keys.filter((key) => isFloat(object[key], spelling, pointerTo(pointer, key))),
  )
}

/** Gives an object the members of another, which are spelled as they were there. */
export function extend(
  object: Record<string, unknown>,
  others: Record<string, unknown>,
): Record<string, unknown> {
  for (const key of keysAsRead(others)) setOwn(object, key, others[key])
  return withFloats(object, [...floatsOf(object), ...floatsOf(others)])
}

/** A copy as the JSON reader would have given it: floats as `Float`. */
export function asRead(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || value instanceof Float) return value
  const floats = floatsOf(value)
  const member = (item: unknown, key: string | number) =>
    typeof item === 'number' && floats.has(key) ? new Float(item) : asRead(item)
  if (Array.isArray(value)) return value.map(member)
  if (ArrayBuffer.isView(value)) return Array.from(value as Float32Array, (item) => asRead(item))
  return objectOf(keysAsRead(value).map((key) => [key, member((value as Record<string, unknown>)[key], key)]))
}

/** The keys under which a container holds integral numbers that are floats. */
export function floatsOf(container: object): ReadonlySet<string | number> {
  return (container as { [floatMembers]?: ReadonlySet<string | number> })[floatMembers] ?? none
}

const none: ReadonlySet<string | number> = new Set()

function isFloat(value: unknown, { floats }: Spelling, pointer: string): boolean {
  return typeof value === 'number' && floats.has(pointer)
}

function withFloats<T extends object>(container: T, keys: readonly (string | number)[]): T {
  if (keys.length > 0) hide(container, floatMembers, new Set(keys))
  return container
}

function withOrder(object: Record<string, unknown>, order: readonly string[]): Record<string, unknown> {
  if (Object.keys(object).some((key, index) => key !== order[index])) hide(object, keyOrder, order)
  return object
}

function hide(object: object, symbol: symbol, value: unknown): void {
  Object.defineProperty(object, symbol, { value, enumerable: false, configurable: true })
}

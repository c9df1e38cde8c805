/**
 * What may be metadata: what `JSON.stringify` accepts, with its result, but for what it would empty, and beyond it BigInt, NaN and the infinities. The answer is
 * a fresh plain tree, so that nobody can change it from outside. Depth is limited: a value is refused before it could exhaust the stack.
 */
import { VarveError } from '../errors.ts'
import { setOwn } from './own-property.ts'
import type { Metadata } from './relationships.ts'

/** Python's own JSON reader and writer stop there too. */
export const maxDepth = 1_000

export function checkMetadata(metadata: unknown, what = 'metadata'): Metadata {
  const tree = checkTree(metadata, what)
  if (typeof tree !== 'object' || tree === null || Array.isArray(tree)) {
    throw badMetadata(what, 'must be an object')
  }
  return tree as Metadata
}

/** The same for any value. `undefined` at the top becomes `null`. */
export function checkTree(value: unknown, what: string): unknown {
  const walk: Walk = { path: [what], ancestors: new Set() }
  try {
    return plain(walk, value, '') ?? null
  } catch (error) {
    if (error instanceof VarveError) throw error
    // What threw is the caller's code: a `toJSON`, a getter, a proxy.
    throw badMetadata(shown(walk), 'cannot be read', error)
  }
}

interface Walk {
  readonly path: (string | number)[]
  readonly ancestors: Set<object>
}

/** `undefined` for what JSON leaves out. Two frames a level: a thousand levels must fit on the stack. */
function plain(walk: Walk, given: unknown, key: string): unknown {
  const value = asJsonSees(given, key)
  switch (typeof value) {
    case 'function':
    case 'symbol':
      throw badMetadata(shown(walk), `is a ${typeof value}`)
    case 'object':
      return value === null ? null : inside(walk, value)
    default:
      return value
  }
}

/** Of these JSON tells nothing but `{}`: what they hold would be lost. */
const opaque = new Set(
  ['Map', 'Set', 'WeakMap', 'WeakSet', 'Error', 'RegExp', 'Promise', 'ArrayBuffer'].map(
    (type) => `[object ${type}]`,
  ),
)

function inside(walk: Walk, object: object): unknown {
  const { path, ancestors } = walk
  const tag = Object.prototype.toString.call(object)
  if (opaque.has(tag))
    throw badMetadata(shown(walk), `is of the type ${tag.slice(8, -1)}, of which JSON keeps nothing`)
  if (ancestors.has(object)) throw badMetadata(shown(walk), 'contains itself')
  if (ancestors.size >= maxDepth) throw badMetadata(shown(walk), `lies more than ${maxDepth} levels deep`)
  ancestors.add(object)
  const isList = Array.isArray(object)
  const copy: unknown[] | Record<string, unknown> = isList ? [] : {}
  for (const key of isList ? object.keys() : Object.keys(object)) {
    path.push(key)
    const member = plain(walk, (object as Record<string | number, unknown>)[key], String(key))
    path.pop()
    if (isList) (copy as unknown[]).push(member ?? null)
    else if (member !== undefined) setOwn(copy, String(key), member)
  }
  ancestors.delete(object)
  return copy
}

function asJsonSees(given: unknown, key: string): unknown {
  if (typeof given !== 'object' || given === null) return given
  const toJson = (given as { toJSON?: unknown }).toJSON
  const value = typeof toJson === 'function' ? (toJson.call(given, key) as unknown) : given
  const isBoxed =
    value instanceof Number || value instanceof String || value instanceof Boolean || value instanceof BigInt
  return isBoxed ? value.valueOf() : value
}

/** Of a deep path the beginning is enough. */
function shown({ path: [what = '', ...steps] }: Walk): string {
  const text = steps.slice(0, 16).map((step) => (typeof step === 'number' ? `[${step}]` : `.${step}`))
  return what + text.join('') + (steps.length > 16 ? ' …' : '')
}

function badMetadata(path: string, fact: string, cause?: unknown): VarveError {
  return new VarveError('VARVE_BAD_METADATA', `${path} ${fact}.`, { path, cause })
}

/**
 * JSON as Python's `json.dumps` writes it: one line, `", "` and `": "`, all but ASCII escaped, bare `NaN` and `Infinity`, floats in Python's shortest form. Maps are
 * objects in their order, sets are lists.
 */
import { Float, keysAsRead } from '../stores/float.ts'
import { pythonRepr } from '../stores/python-repr.ts'
import { plainSpelling } from '../stores/spelling.ts'
import { floatsOf } from './python-spelled.ts'

export function pythonJson(value: unknown): string {
  if (value === null || value === undefined) return 'null'
  if (typeof value === 'string') return quoted(value)
  if (typeof value === 'number') return numberText(value, false)
  if (typeof value === 'boolean' || typeof value === 'bigint') return String(value)
  if (value instanceof Float) return numberText(value.value, true)
  if (value instanceof Set) return list([...(value as Set<unknown>)])
  if (Array.isArray(value)) return list(value)
  if (value instanceof Map) return object([...(value as Map<string, unknown>)], value)
  return object(
    keysAsRead(value).map((key) => [key, (value as Record<string, unknown>)[key]]),
    value,
  )
}

function list(items: readonly unknown[]): string {
  const floats = floatsOf(items)
  return `[${items.map((item, index) => member(item, floats.has(index))).join(', ')}]`
}

function object(entries: readonly (readonly [string, unknown])[], container: object): string {
  const floats = floatsOf(container)
  return `{${entries.map(([key, value]) => `${quoted(key)}: ${member(value, floats.has(key))}`).join(', ')}}`
}

function member(value: unknown, isFloat: boolean): string {
  return typeof value === 'number' ? numberText(value, isFloat) : pythonJson(value)
}

const asFloat = { ...plainSpelling, floats: new Set(['']) }

function numberText(number: number, isFloat: boolean): string {
  if (Number.isNaN(number)) return 'NaN'
  if (!Number.isFinite(number)) return number > 0 ? 'Infinity' : '-Infinity'
  return pythonRepr(number, isFloat ? { spelling: asFloat } : {})
}

function quoted(text: string): string {
  const escaped = JSON.stringify(text).replace(/[^ -~]/g, (unit) => {
    return `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`
  })
  return escaped
}

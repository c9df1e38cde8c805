/** Numbers and literals of Python's JSON. */
import { Float } from '../stores/float.ts'
import type { JsonCursor } from './json-cursor.ts'

const token = /^-?(?:0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/
const numbersOnly = /^[-+.\deE,\s]*$/
/** As Python: converting longer integers takes time that grows with the square of their length. */
const maxDigits = 4_300
/** Longer lists of numbers are read one by one: the fast way needs them in one string. */
const maxListBytes = 2 ** 28

const literals = new Map<string, unknown>([
  ['true', true],
  ['false', false],
  ['null', null],
  ['NaN', NaN],
  ['Infinity', Infinity],
  ['-Infinity', -Infinity],
])

/** The number or literal that starts here. */
export function readScalar(cursor: JsonCursor): unknown {
  const start = cursor.at
  let end = start
  while (isTokenByte(cursor.bytes[end]) || (end === cursor.bytes.length && cursor.grow())) {
    if (end < cursor.bytes.length && isTokenByte(cursor.bytes[end])) end++
  }
  const text = cursor.bytes.toString('latin1', start, Math.min(end, start + maxDigits + 64))
  if (literals.has(text)) {
    cursor.at = end
    return literals.get(text)
  }
  const [whole, fraction, exponent] = token.exec(text) ?? []
  if (whole === undefined) throw cursor.unexpected('a value')
  if (end - start > maxDigits)
    throw cursor.bad(`holds a number of more than ${maxDigits} digits at byte ${cursor.offset}`)
  cursor.at = end
  return fraction === undefined && exponent === undefined ? integer(text) : float(Number(text))
}

/** A list of nothing but numbers, through the engine's own parser; `undefined`, and not moved, where it is not that simple. */
export function readPlainNumbers(cursor: JsonCursor): number[] | undefined {
  const end = plainNumbersEnd(cursor)
  if (end === undefined) return undefined
  try {
    const numbers = JSON.parse(cursor.bytes.toString('latin1', cursor.at, end)) as number[]
    cursor.at = end
    return numbers
  } catch {
    return undefined
  }
}

/** Where a list ends in the window that looks like nothing but numbers; `undefined` for any other. */
export function plainNumbersEnd(cursor: JsonCursor): number | undefined {
  const start = cursor.at + 1
  const at = cursor.afterSpace(start) // It may make another window.
  const first = cursor.bytes[at] ?? 0
  const isNumber = first === 0x2d || (first >= 0x30 && first <= 0x39)
  const end = isNumber ? cursor.indexOf(0x5d, start) : -1
  if (end < 0 || end - start > maxListBytes) return undefined
  return numbersOnly.test(cursor.bytes.toString('latin1', start, end)) ? end + 1 : undefined
}

/** What counts as a number in a vector. `null` is NaN: so TypeScript writes it. */
export function asNumber(item: unknown): number | undefined {
  if (typeof item === 'number') return item
  if (item instanceof Float) return item.value
  if (typeof item === 'bigint') return Number(item)
  return item === null ? NaN : undefined
}

function integer(text: string): number | bigint {
  const number = Number(text)
  if (!Number.isSafeInteger(number)) return BigInt(text)
  return number === 0 ? 0 : number
}

function float(number: number): number | Float {
  return Number.isInteger(number) ? new Float(number) : number
}

/** Letters, digits, `+`, `-` and `.` */
function isTokenByte(byte = 0): boolean {
  const letter = byte | 0x20
  return (
    (byte >= 0x30 && byte <= 0x39) ||
    (letter >= 0x61 && letter <= 0x7a) ||
    byte === 0x2b ||
    byte === 0x2d ||
    byte === 0x2e
  )
}

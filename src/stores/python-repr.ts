/**
 * Python's `repr` and `str` of what JSON can say, character for character, because LlamaIndex hashes them. Which code points count as
 * printable is Unicode's business: ones assigned after the Unicode of this Node.js come out escaped.
 */
import { keysAsSpelled, plainSpelling, pointerTo, type Spelling } from './spelling.ts'

export interface ReprOptions {
  /** The spelling of the tree that `value` stands in. */
  spelling?: Spelling
  /** Where in that tree `value` stands. */
  pointer?: string
}

/** `str(value)`: a string is itself, all else is its `repr`. */
export function pythonStr(value: unknown, options: ReprOptions = {}): string {
  return typeof value === 'string' ? value : pythonRepr(value, options)
}

export function pythonRepr(
  value: unknown,
  { spelling = plainSpelling, pointer = '' }: ReprOptions = {},
): string {
  const repr = (item: unknown, at: string): string => {
    if (item === null || item === undefined) return 'None'
    if (typeof item === 'string') return reprString(item)
    if (typeof item === 'number') return reprNumber(item, spelling.floats.has(at))
    if (typeof item === 'boolean') return item ? 'True' : 'False'
    if (typeof item === 'bigint') return item.toString()
    if (Array.isArray(item))
      return `[${item.map((each, index) => repr(each, pointerTo(at, index))).join(', ')}]`
    return `{${reprMembers(item, at)}}`
  }
  const reprMembers = (object: object, at: string) =>
    keysAsSpelled(object, at, spelling)
      .map(
        (key) => `${reprString(key)}: ${repr((object as Record<string, unknown>)[key], pointerTo(at, key))}`,
      )
      .join(', ')
  return repr(value, pointer)
}

function reprNumber(number: number, isFloat: boolean): string {
  // Without a note, JSON decides: what JSON.stringify writes with an exponent, Python reads as a float. No integer is minus zero.
  const isInteger = Number.isInteger(number) && !isFloat && Math.abs(number) < 1e21 && !Object.is(number, -0)
  return isInteger ? BigInt(number).toString() : reprFloat(number)
}

/** Shortest digits, as in JavaScript; but the exponent appears below 1e-4 and from 1e16 on, and has at least two digits. */
function reprFloat(number: number): string {
  if (Number.isNaN(number)) return 'nan'
  if (!Number.isFinite(number)) return number > 0 ? 'inf' : '-inf'
  if (number === 0) return Object.is(number, -0) ? '-0.0' : '0.0'
  const [mantissa = '', exponentText = ''] = number.toExponential().split('e')
  const exponent = Number(exponentText)
  if (exponent < -4 || exponent >= 16) {
    const digits = String(Math.abs(exponent)).padStart(2, '0')
    return `${mantissa}e${exponent < 0 ? '-' : '+'}${digits}`
  }
  const plain = Number.isInteger(number) ? BigInt(number).toString() : placePoint(mantissa, exponent)
  return plain.includes('.') ? plain : `${plain}.0`
}

function placePoint(mantissa: string, exponent: number): string {
  const sign = mantissa.startsWith('-') ? '-' : ''
  const digits = mantissa.replace(/[-.]/g, '')
  if (exponent < 0) return `${sign}0.${'0'.repeat(-exponent - 1)}${digits}`
  return `${sign}${digits.slice(0, exponent + 1)}.${digits.slice(exponent + 1)}`
}

const named = new Map([
  ['\\', '\\\\'],
  ['\n', '\\n'],
  ['\r', '\\r'],
  ['\t', '\\t'],
])
/** Categories C (control, format, surrogate, private, unassigned) and Z (separators) but for the space. */
const unprintable = /(?! )[\p{C}\p{Z}\\]/gu

function reprString(text: string): string {
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'"
  const escaped = text.replace(unprintable, (char) => named.get(char) ?? escapeCodePoint(char))
  return quote + (quote === "'" ? escaped.replaceAll("'", "\\'") : escaped) + quote
}

function escapeCodePoint(char: string): string {
  const code = char.codePointAt(0) ?? 0
  const hex = code.toString(16)
  if (code < 0x100) return `\\x${hex.padStart(2, '0')}`
  return code < 0x10000 ? `\\u${hex.padStart(4, '0')}` : `\\U${hex.padStart(8, '0')}`
}

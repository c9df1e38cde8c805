/**
 * JSON as LlamaIndex writes it. Python's files come from `json.dumps`: one line, `", "` and `": "`, all but ASCII escaped, bare `NaN` and `Infinity`, floats in Python's
 * shortest form; but a property graph from pydantic: no spaces, UTF-8, `null` for what is no number. TypeScript's come from `JSON.stringify`. Maps are objects in their
 * order, sets are lists, what is `undefined` is left out.
 */
import { Float, keysAsRead } from '../stores/float.ts'
import { pythonRepr } from '../stores/python-repr.ts'
import { plainSpelling } from '../stores/spelling.ts'
import type { JsonStyle } from './members.ts'
import { floatsOf } from './python-spelled.ts'
import { VectorNumbers } from './vector-numbers.ts'

interface Style {
  comma: string
  colon: string
  quoted: (text: string) => string
  numberText: (number: number, isFloat: boolean) => string
}

const dumps: Style = {
  comma: ', ',
  colon: ': ',
  quoted: (text) =>
    JSON.stringify(text).replace(
      /[^ -~]/g,
      (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
    ),
  numberText(number, isFloat) {
    if (Number.isNaN(number)) return 'NaN'
    if (!Number.isFinite(number)) return number > 0 ? 'Infinity' : '-Infinity'
    return pythonRepr(number, isFloat ? { spelling: asFloat } : {})
  },
}

const pydantic: Style = {
  comma: ',',
  colon: ':',
  quoted: (text) => JSON.stringify(text),
  numberText(number, isFloat) {
    if (!Number.isFinite(number)) return 'null'
    const text = pythonRepr(number, isFloat ? { spelling: asFloat } : {})
    // It keeps to plain digits one place longer than Python, and pads no exponent.
    const plain = /^(-?)(\d)\.?(\d*)e-05$/.exec(text)
    return plain ? `${plain[1]}0.0000${plain[2]}${plain[3]}` : text.replace(/e([+-])0/, 'e$1')
  },
}

const stringify: Style = {
  comma: ',',
  colon: ':',
  quoted: (text) => JSON.stringify(text),
  numberText: (number) => JSON.stringify(number),
}

const asFloat = { ...plainSpelling, floats: new Set(['']) }

export const pythonStyle = styleOf(dumps)
export const pydanticStyle = styleOf(pydantic)
export const typeScriptStyle = styleOf(stringify)

export function pythonJson(value: unknown): string {
  return json(value, dumps)
}

function styleOf(style: Style): JsonStyle {
  const { comma, colon, quoted } = style
  return { comma, colon, quoted, json: (tree) => json(tree, style) }
}

function json(value: unknown, style: Style): string {
  if (value === null || value === undefined) return 'null'
  if (typeof value === 'string') return style.quoted(value)
  if (typeof value === 'number') return style.numberText(value, false)
  if (typeof value === 'boolean' || typeof value === 'bigint') return String(value)
  if (value instanceof Float) return style.numberText(value.value, true)
  if (value instanceof VectorNumbers) return vector(value, style)
  if (value instanceof Set) return list([...(value as Set<unknown>)], style)
  if (Array.isArray(value)) return list(value, style)
  const entries: [string, unknown][] =
    value instanceof Map
      ? [...(value as Map<string, unknown>)]
      : keysAsRead(value).map((key) => [key, (value as Record<string, unknown>)[key]])
  const floats = floatsOf(value)
  const defined = entries.filter(([, each]) => each !== undefined)
  const members = defined.map(
    ([key, each]) => `${style.quoted(key)}${style.colon}${member(each, floats.has(key), style)}`,
  )
  return `{${members.join(style.comma)}}`
}

function list(items: readonly unknown[], style: Style): string {
  const floats = floatsOf(items)
  return `[${items.map((item, index) => member(item, floats.has(index), style)).join(style.comma)}]`
}

function member(value: unknown, isFloat: boolean, style: Style): string {
  return typeof value === 'number' ? style.numberText(value, isFloat) : json(value, style)
}

/** There are many of these; where JavaScript writes a number as Python does, it may. */
function vector({ numbers, hasIntegers }: VectorNumbers, style: Style): string {
  if (style === stringify) return JSON.stringify(numbers)
  const { comma, numberText } = style
  const texts = numbers.map((number) => {
    const size = Math.abs(number)
    const isAlike = size >= 1e-4 && size < 1e16 && !Number.isInteger(number)
    return isAlike ? String(number) : numberText(number, !hasIntegers)
  })
  return `[${texts.join(comma)}]`
}

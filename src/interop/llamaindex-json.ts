/**
 * Reads JSON as Python writes it, from bytes, value by value: files beyond the longest string V8 can hold, bare NaN and Infinity, integers
 * of any size (as BigInt), `1.0` apart from `1` (as `Float`), lone halves of surrogate pairs, `__proto__` as a key, keys in their order.
 * What it cannot read is `VARVE_BAD_FILE`, with the place and what should have stood there.
 */
import { keyOrder } from '../stores/float.ts'
import { maxDepth } from '../stores/metadata.ts'
import { setOwn } from '../stores/own-property.ts'
import {
  JsonCursor,
  type ReadOn,
  closeBrace,
  closeBracket,
  colon,
  comma,
  openBrace,
  openBracket,
  quote,
} from './json-cursor.ts'
import { jsonToUtf8 } from './json-encoding.ts'
import { endOfObject } from './json-skip.ts'
import { plainNumbersEnd, readPlainNumbers, readScalar } from './json-number.ts'
import { readVector, toVector, type ReadVector } from './read-vector.ts'

export type JsonKind = 'object' | 'list' | 'string' | 'scalar'

/** What reads a tree value by value, wherever it stands. */
export interface ValueReader {
  /** What comes next. A number and a literal are scalars. */
  kind(): JsonKind
  /**
   * The keys of an object that comes next. Read the value after each key before asking for the next one; a value left unread is skipped.
   * A key may come twice: the last one counts.
   */
  members(): Generator<string, void>
  /** The value that comes next, whole. */
  value(): unknown
  /** The list of numbers that comes next, fast; `undefined` if what comes is anything else. */
  numbers(): ReadVector | undefined
  /** The same, to be read when it is asked for, and skipped now; `undefined` where that cannot be. */
  numbersLater?(): (() => ReadVector | undefined) | undefined
  /** The object that comes next, to be read when it is asked for, and skipped now; `undefined` where that cannot be, or its text does not begin so. */
  objectLater?(beginning: RegExp): (() => unknown) | undefined
  /** Nothing but white space may be left. */
  end(): void
}

/** A file that is read piece by piece, from its beginning, and in places again. */
export interface JsonSource {
  /** The piece that follows; none at the end. */
  readOn: ReadOn
  readAgain(offset: number, length: number): Uint8Array
  /** That so many bytes were passed, and will be read again. */
  skipped(length: number): void
  /** For tests: how many bytes that were passed are let go at once. */
  keptBytes?: number
}

/** The whole of a small file as one tree. */
export function readJson(bytes: Uint8Array, file: string): unknown {
  const reader = new JsonReader(bytes, file)
  const value = reader.value()
  reader.end()
  return value
}

const kinds = new Map<number, JsonKind>([
  [openBrace, 'object'],
  [openBracket, 'list'],
  [quote, 'string'],
])
/** Enough to see how an object begins. */
const beginningBytes = 64
const arrayIndex = /^(?:0|[1-9]\d{0,9})$/

export class JsonReader implements ValueReader {
  readonly #cursor: JsonCursor
  #depth = 0

  readonly #source: JsonSource | undefined

  /** `file` is how messages call it. With a source, the bytes are UTF-8, and the first of it. Else `base` is where they stand in the file. */
  constructor(bytes: Uint8Array, file: string, source?: JsonSource, base = 0) {
    const utf8 = jsonToUtf8(bytes, file)
    this.#source = source
    this.#cursor = source
      ? new JsonCursor(utf8, file, { ...source, base: bytes.length - utf8.length })
      : new JsonCursor(utf8, file, { base })
  }

  kind(): JsonKind {
    return kinds.get(this.#cursor.next()) ?? 'scalar'
  }

  *members(): Generator<string, void> {
    if (this.#isEmpty(openBrace, closeBrace, 'an object')) return
    do {
      const key = this.#key()
      const start = this.#cursor.offset
      yield key
      if (this.#cursor.offset === start) this.value()
    } while (this.#more(closeBrace))
  }

  value(): unknown {
    switch (this.kind()) {
      case 'object':
        return this.#object()
      case 'list':
        return this.#list()
      case 'string':
        return this.#cursor.string()
      case 'scalar':
        return readScalar(this.#cursor)
    }
  }

  numbers(): ReadVector | undefined {
    const fast = this.kind() === 'list' ? this.#fractions() : undefined
    if (fast !== undefined) return toVector(fast, false)
    return readVector(this.value())
  }

  numbersLater(): (() => ReadVector | undefined) | undefined {
    const end = this.#source && this.kind() === 'list' ? plainNumbersEnd(this.#cursor) : undefined
    const readAgain = this.#skipTo(end)
    return readAgain && (() => readAgain().numbers())
  }

  objectLater(beginning: RegExp): (() => unknown) | undefined {
    if (!this.#source || this.kind() !== 'object') return undefined
    if (!beginning.test(this.#cursor.peek(beginningBytes))) return undefined
    const readAgain = this.#skipTo(endOfObject(this.#cursor))
    return readAgain && (() => readAgain().value())
  }

  /** Gives a reader of what was skipped. */
  #skipTo(end: number | undefined): (() => JsonReader) | undefined {
    const source = this.#source
    if (source === undefined || end === undefined) return undefined
    const { offset, file } = this.#cursor
    const length = end - this.#cursor.at
    this.#cursor.at = end
    source.skipped(length)
    return () => new JsonReader(source.readAgain(offset, length), file, undefined, offset)
  }

  end(): void {
    this.#cursor.skipSpace()
    if (this.#cursor.at < this.#cursor.bytes.length) throw this.#cursor.unexpected('the end of the file')
  }

  #object(): Record<string, unknown> {
    const object: Record<string, unknown> = {}
    if (this.#isEmpty(openBrace, closeBrace, 'an object')) return object
    let order: string[] | undefined
    do {
      const key = this.#key()
      // JavaScript lists keys that look like indices first. From the first such key on, the true order is kept aside.
      if (order === undefined && arrayIndex.test(key)) order = Object.keys(object)
      if (order !== undefined && !Object.hasOwn(object, key)) order.push(key)
      setOwn(object, key, this.value())
    } while (this.#more(closeBrace))
    if (order !== undefined) noteOrder(object, order)
    return object
  }

  #list(): unknown[] {
    const fast = this.#fractions()
    if (fast !== undefined) return fast
    const items: unknown[] = []
    if (this.#isEmpty(openBracket, closeBracket, 'a list')) return items
    do items.push(this.value())
    while (this.#more(closeBracket))
    return items
  }

  /** A list of nothing but numbers with fractions. Whole ones may be floats or not, which only the slow way can tell. */
  #fractions(): number[] | undefined {
    const start = this.#cursor.at
    const fast = readPlainNumbers(this.#cursor)
    if (fast !== undefined && !fast.some(Number.isInteger)) return fast
    this.#cursor.at = start
    return undefined
  }

  #key(): string {
    if (this.#cursor.next() !== quote) throw this.#cursor.unexpected('a key in double quotes')
    const key = this.#cursor.string()
    if (this.#cursor.next() !== colon) throw this.#cursor.unexpected('":"')
    this.#cursor.at++
    this.#cursor.skipSpace()
    return key
  }

  /** Passes the opening bracket, and the closing one if it follows at once. */
  #isEmpty(open: number, close: number, what: string): boolean {
    if (this.#cursor.next() !== open) throw this.#cursor.unexpected(what)
    this.#cursor.at++
    if (this.#cursor.next() === close) {
      this.#cursor.at++
      return true
    }
    if (++this.#depth > maxDepth) {
      throw this.#cursor.bad(`nests more than ${maxDepth} levels at byte ${this.#cursor.offset}`)
    }
    return false
  }

  /** After a member or an item: true after a comma, false after the closing bracket. */
  #more(close: number): boolean {
    const byte = this.#cursor.next()
    if (byte !== comma && byte !== close)
      throw this.#cursor.unexpected(`"," or "${String.fromCharCode(close)}"`)
    this.#cursor.at++
    if (byte === close) this.#depth--
    return byte === comma
  }
}

function noteOrder(object: object, order: readonly string[]): void {
  const isKept = Object.keys(object).every((key, index) => key === order[index])
  if (!isKept)
    Object.defineProperty(object, keyOrder, { value: order, enumerable: false, configurable: true })
}

/**
 * A place in the bytes of a JSON file: what stands there, strings, and errors that name the place and what should have stood there. Of a file that is read piece by piece
 * it holds a window: what was passed is let go between two values, never within one.
 */
import { VarveError } from '../errors.ts'
import { decodeWtf8 } from '../stores/wtf8.ts'

export const quote = 0x22
export const backslash = 0x5c
export const comma = 0x2c
export const colon = 0x3a
export const openBrace = 0x7b
export const closeBrace = 0x7d
export const openBracket = 0x5b
export const closeBracket = 0x5d

/** What follows in a file: about so many bytes, none at its end. */
export type ReadOn = (length: number) => Uint8Array

export const pieceBytes = 4 * 2 ** 20

interface CursorOptions {
  /** Where the bytes stand in the file. */
  base?: number | undefined
  /** Gives those that follow. */
  readOn?: ReadOn | undefined
  /** So many that were passed are let go. */
  keptBytes?: number | undefined
}

export class JsonCursor {
  /** The window. */
  bytes: Buffer
  readonly file: string
  /** Where the next byte stands in the window. */
  at = 0
  /** Where the window stands in the file. */
  #base: number
  #readOn: ReadOn | undefined
  readonly #keptBytes: number

  constructor(
    utf8: Uint8Array,
    file: string,
    { base = 0, readOn, keptBytes = pieceBytes }: CursorOptions = {},
  ) {
    this.bytes = Buffer.from(utf8.buffer, utf8.byteOffset, utf8.byteLength)
    this.file = file
    this.#base = base
    this.#readOn = readOn
    this.#keptBytes = keptBytes
  }

  /** Where the next byte stands in the file. */
  get offset(): number {
    return this.#base + this.at
  }

  /** Makes the window longer; nothing in it moves. False at the end of the file. */
  grow(): boolean {
    const more = this.#readOn?.(Math.max(pieceBytes, this.bytes.length))
    if (!more || more.length === 0) {
      this.#readOn = undefined
      return false
    }
    this.bytes = Buffer.concat([this.bytes, more])
    return true
  }

  /** Where a byte stands next in the window, from `from` on; -1 if nowhere in the file. */
  indexOf(byte: number, from: number): number {
    for (let start = from; ;) {
      const found = this.bytes.indexOf(byte, start)
      if (found >= 0) return found
      start = this.bytes.length
      if (!this.grow()) return -1
    }
  }

  /** The next byte that is not white space; not yet passed. */
  next(): number {
    if (this.at >= this.#keptBytes) this.#letGo()
    this.skipSpace()
    const byte = this.bytes[this.at]
    if (byte === undefined) throw this.unexpected('more')
    return byte
  }

  /** The next bytes, each as a character; fewer at the end of the file. */
  peek(length: number): string {
    const end = this.at + length
    while (this.bytes.length < end && this.grow());
    return this.bytes.toString('latin1', this.at, end)
  }

  skipSpace(): void {
    this.at = this.afterSpace(this.at)
  }

  afterSpace(offset: number): number {
    for (let at = offset; ; at++) {
      const byte = this.bytes[at]
      if (byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09) continue
      if (byte !== undefined || !this.grow()) return at
      at--
    }
  }

  /** The string that starts here. */
  string(): string {
    if (this.bytes[this.at] !== quote) throw this.unexpected('a string in double quotes')
    const start = this.at + 1
    let isEscaped = false
    let at = start
    for (let byte = this.#byte(at); byte !== quote; byte = this.#byte(++at)) {
      if (byte === undefined || byte < 0x20) {
        this.at = at
        throw this.unexpected(
          byte === undefined ? 'the closing quote of a string' : 'an escape for a control character',
        )
      }
      if (byte !== backslash) continue
      isEscaped = true
      at++
    }
    this.at = at
    const text = this.#text(start, this.at)
    this.at++
    return isEscaped ? this.#unescape(text, start) : text
  }

  unexpected(expected: string): VarveError {
    const length = this.#base + this.bytes.length
    if (length === 0) return this.bad('is empty', { expected })
    if (this.at >= this.bytes.length) {
      return this.bad(`ends after ${length} bytes, where ${expected} was expected: it is cut off`, {
        expected,
      })
    }
    const found = JSON.stringify(this.bytes.toString('utf8', this.at, this.at + 12))
    return this.bad(`is not JSON: at byte ${this.offset} ${expected} was expected, not ${found}`, {
      expected,
    })
  }

  bad(
    fact: string,
    { offset = this.offset, expected }: { offset?: number; expected?: string } = {},
  ): VarveError {
    return new VarveError('VARVE_BAD_FILE', `${this.file} ${fact}.`, { file: this.file, offset, expected })
  }

  #byte(at: number): number | undefined {
    const byte = this.bytes[at]
    return byte === undefined && this.grow() ? this.bytes[at] : byte
  }

  #letGo(): void {
    this.bytes = this.bytes.subarray(this.at)
    this.#base += this.at
    this.at = 0
  }

  #text(start: number, end: number): string {
    const text = this.bytes.toString('utf8', start, end)
    // The replacement character may have been there, or may stand for what is no UTF-8.
    if (!text.includes('\ufffd')) return text
    const exact = decodeWtf8(this.bytes.subarray(start, end))
    if (exact !== undefined) return exact
    throw this.bad(`holds bytes that are not UTF-8 in the string at byte ${this.#base + start}`, {
      offset: this.#base + start,
      expected: 'UTF-8',
    })
  }

  #unescape(text: string, start: number): string {
    try {
      return JSON.parse(`"${text}"`) as string
    } catch {
      throw this.bad(`holds an escape that JSON does not know in the string at byte ${this.#base + start}`, {
        offset: this.#base + start,
      })
    }
  }
}

/** A place in the bytes of a JSON file: what stands there, strings, and errors that name the place and what should have stood there. */
import { VarveError } from '../errors.ts'
import { decodeWtf8 } from '../stores/wtf8.ts'

const quote = 0x22
const backslash = 0x5c

export class JsonCursor {
  readonly bytes: Buffer
  readonly file: string
  /** The offset of the next byte. */
  at = 0

  constructor(utf8: Uint8Array, file: string) {
    this.bytes = Buffer.from(utf8.buffer, utf8.byteOffset, utf8.byteLength)
    this.file = file
  }

  /** The next byte that is not white space; not yet passed. */
  next(): number {
    this.skipSpace()
    const byte = this.bytes[this.at]
    if (byte === undefined) throw this.unexpected('more')
    return byte
  }

  skipSpace(): void {
    this.at = this.afterSpace(this.at)
  }

  afterSpace(offset: number): number {
    for (let at = offset; ; at++) {
      const byte = this.bytes[at]
      if (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) return at
    }
  }

  /** The string that starts here. */
  string(): string {
    if (this.bytes[this.at] !== quote) throw this.unexpected('a string in double quotes')
    const { bytes } = this
    const start = this.at + 1
    let isEscaped = false
    let at = start
    for (let byte = bytes[at]; byte !== quote; byte = bytes[++at]) {
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
    const { length } = this.bytes
    if (length === 0) return this.bad('is empty', { expected })
    if (this.at >= length) {
      return this.bad(`ends after ${length} bytes, where ${expected} was expected: it is cut off`, {
        expected,
      })
    }
    const found = JSON.stringify(this.bytes.toString('utf8', this.at, this.at + 12))
    return this.bad(`is not JSON: at byte ${this.at} ${expected} was expected, not ${found}`, { expected })
  }

  bad(fact: string, { offset = this.at, expected }: { offset?: number; expected?: string } = {}): VarveError {
    return new VarveError('VARVE_BAD_FILE', `${this.file} ${fact}.`, { file: this.file, offset, expected })
  }

  #text(start: number, end: number): string {
    const text = this.bytes.toString('utf8', start, end)
    // The replacement character may have been there, or may stand for what is no UTF-8.
    if (!text.includes('\ufffd')) return text
    const exact = decodeWtf8(this.bytes.subarray(start, end))
    if (exact !== undefined) return exact
    throw this.bad(`holds bytes that are not UTF-8 in the string at byte ${start}`, {
      offset: start,
      expected: 'UTF-8',
    })
  }

  #unescape(text: string, start: number): string {
    try {
      return JSON.parse(`"${text}"`) as string
    } catch {
      throw this.bad(`holds an escape that JSON does not know in the string at byte ${start}`, {
        offset: start,
      })
    }
  }
}

/**
 * Bytes of a JSON file as UTF-8, whatever they were: a byte order mark is dropped, UTF-16 and UTF-32 are recognised as Python's `json` does,
 * by where the zero bytes stand. Lone halves of surrogate pairs pass, as three bytes (see `wtf8.ts`).
 */
import { VarveError } from '../errors.ts'

type Encoding = 'utf-8' | 'utf-16le' | 'utf-16be' | 'utf-32le' | 'utf-32be'

export function jsonToUtf8(bytes: Uint8Array, file: string): Uint8Array {
  const { encoding, markBytes } = detectEncoding(bytes)
  const text = bytes.subarray(markBytes)
  if (encoding === 'utf-8') return text
  const width = encoding.startsWith('utf-16') ? 2 : 4
  if (text.length % width !== 0) {
    throw new VarveError('VARVE_BAD_FILE', `${file} ends in the middle of a character of ${encoding}.`, {
      file,
    })
  }
  return transcode(text, encoding, file)
}

/** Whether a JSON file that starts with these bytes is UTF-8, as almost all are. */
export function isUtf8Json(start: Uint8Array): boolean {
  return detectEncoding(start).encoding === 'utf-8'
}

/** What Windows-1252 has from 0x80 to 0x9f; elsewhere it is Latin-1. Node.js 20 decodes it as Latin-1 throughout. */
const windows1252 = '€\x81‚ƒ„…†‡ˆ‰Š‹Œ\x8dŽ\x8f\x90‘’“”•–—˜™š›œ\x9džŸ'

/** Windows' Latin alphabet, in which property graphs were written there until 2026. */
export function windows1252ToUtf8(bytes: Uint8Array): Uint8Array {
  const out = new Utf8Writer(bytes.length * 2)
  for (const byte of bytes) {
    out.add(byte >= 0x80 && byte < 0xa0 ? windows1252.charCodeAt(byte - 0x80) : byte)
  }
  return out.bytes()
}

function detectEncoding(bytes: Uint8Array): { encoding: Encoding; markBytes: number } {
  const [a, b, c, d] = bytes
  if (a === 0 && b === 0 && c === 0xfe && d === 0xff) return { encoding: 'utf-32be', markBytes: 4 }
  if (a === 0xff && b === 0xfe && c === 0 && d === 0) return { encoding: 'utf-32le', markBytes: 4 }
  if (a === 0xfe && b === 0xff) return { encoding: 'utf-16be', markBytes: 2 }
  if (a === 0xff && b === 0xfe) return { encoding: 'utf-16le', markBytes: 2 }
  if (a === 0xef && b === 0xbb && c === 0xbf) return { encoding: 'utf-8', markBytes: 3 }
  return { encoding: encodingByZeros(bytes), markBytes: 0 }
}

/** JSON starts with an ASCII character, so where its zero bytes stand tells width and order. */
function encodingByZeros(bytes: Uint8Array): Encoding {
  const [a, b, c, d] = bytes
  if (bytes.length >= 4) {
    if (a === 0) return b === 0 ? 'utf-32be' : 'utf-16be'
    if (b === 0) return c === 0 && d === 0 ? 'utf-32le' : 'utf-16le'
  } else if (bytes.length === 2) {
    if (a === 0) return 'utf-16be'
    if (b === 0) return 'utf-16le'
  }
  return 'utf-8'
}

function transcode(bytes: Uint8Array, encoding: Encoding, file: string): Uint8Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const isLittle = encoding.endsWith('le')
  const width = encoding.startsWith('utf-16') ? 2 : 4
  const out = new Utf8Writer(bytes.length)
  for (let at = 0; at < bytes.length; at += width) {
    let code = width === 2 ? view.getUint16(at, isLittle) : view.getUint32(at, isLittle)
    if (width === 2 && isHighHalf(code) && at + 2 < bytes.length) {
      const next = view.getUint16(at + 2, isLittle)
      if (isLowHalf(next)) {
        code = 0x10000 + ((code - 0xd800) << 10) + (next - 0xdc00)
        at += 2
      }
    }
    if (code > 0x10ffff) {
      throw new VarveError('VARVE_BAD_FILE', `${file} holds no character of ${encoding} at byte ${at}.`, {
        file,
        offset: at,
      })
    }
    out.add(code)
  }
  return out.bytes()
}

const isHighHalf = (code: number) => code >= 0xd800 && code < 0xdc00
const isLowHalf = (code: number) => code >= 0xdc00 && code < 0xe000

class Utf8Writer {
  readonly #bytes: Uint8Array
  #length = 0

  /** A unit of two bytes becomes three at most, one of four becomes four. */
  constructor(sourceBytes: number) {
    this.#bytes = new Uint8Array(Math.ceil(sourceBytes * 1.5))
  }

  add(code: number): void {
    if (code < 0x80) this.#put(code)
    else if (code < 0x800) this.#put(0xc0 | (code >> 6), 0x80 | (code & 0x3f))
    else if (code < 0x10000) this.#put(0xe0 | (code >> 12), 0x80 | ((code >> 6) & 0x3f), 0x80 | (code & 0x3f))
    else {
      const last = [0x80 | ((code >> 12) & 0x3f), 0x80 | ((code >> 6) & 0x3f), 0x80 | (code & 0x3f)]
      this.#put(0xf0 | (code >> 18), ...last)
    }
  }

  bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#length)
  }

  #put(...units: number[]): void {
    for (const unit of units) this.#bytes[this.#length++] = unit
  }
}

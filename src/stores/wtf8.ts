/**
 * UTF-8 that can also carry a lone half of a surrogate pair, as three bytes: what Python calls `surrogatepass`. JSON files may hold such
 * halves as escapes, and hashes cover them.
 */
const encoder = new TextEncoder()

/** False if the text holds a lone half. Node.js 20 has the method, TypeScript's library for ES2023 does not know. */
export function isWellFormed(text: string): boolean {
  return (text as string & { isWellFormed(): boolean }).isWellFormed()
}

export function encodeWtf8(text: string): Uint8Array {
  if (isWellFormed(text)) return encoder.encode(text)
  const parts = text.split(/([\ud800-\udfff])/u).map((part) => {
    const code = part.codePointAt(0) ?? 0
    const isHalf = part.length === 1 && code >= 0xd800 && code <= 0xdfff
    return isHalf
      ? Uint8Array.of(0xe0 | (code >> 12), 0x80 | ((code >> 6) & 0x3f), 0x80 | (code & 0x3f))
      : encoder.encode(part)
  })
  return concatenate(parts)
}

/** `undefined` if the bytes are neither UTF-8 nor that. */
export function decodeWtf8(bytes: Uint8Array): string | undefined {
  const pieces: string[] = []
  let start = 0
  for (let at = 0; at + 2 < bytes.length; at++) {
    if (bytes[at] !== 0xed || (bytes[at + 1] ?? 0) < 0xa0) continue
    const piece = decodeUtf8(bytes.subarray(start, at))
    if (piece === undefined) return undefined
    const code = 0xd000 | (((bytes[at + 1] ?? 0) & 0x3f) << 6) | ((bytes[at + 2] ?? 0) & 0x3f)
    pieces.push(piece, String.fromCharCode(code))
    start = at + 3
    at += 2
  }
  const rest = decodeUtf8(bytes.subarray(start))
  return rest === undefined ? undefined : pieces.join('') + rest
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return decoder.decode(bytes)
  } catch {
    return undefined
  }
}

function concatenate(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}

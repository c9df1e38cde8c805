/**
 * Walks bytes as msgpack without making a value of them, and says whether they are one value of the plain kind that FORMAT.md allows. A library for
 * msgpack does more at the word of a file than that: it makes errors, regular expressions, values that contain themselves, code for records.
 */

/** Twice what metadata may have, since nodes nest in nodes; far less than what exhausts the stack. */
const maxDepth = 2_000
/** What is still to come at the levels around the one that is walked. Shared by all walks: to make one for each would cost more than the walk. */
const outer = new Float64Array(maxDepth)

/** The one extension: an integer beyond 64 bits. */
const bigIntExtension = 0x42

/** Of the tokens 0xc0 to 0xdf: how many bytes tell a length, and how many bytes follow in any case. */
const lengthBytesOf = Uint8Array.from([
  0, 0, 0, 0, 1, 2, 4, 1, 2, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 4, 2, 4, 2, 4,
])
const fixedBytesOf = Uint8Array.from([
  0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 8, 1, 2, 4, 8, 1, 2, 4, 8, 1, 2, 4, 8, 16, 0, 0, 0, 0, 0, 0, 0,
])

const forms = [{ hasProto: false }, { hasProto: true }] as const

/** `undefined`: not plain, not whole, or more than one value. `hasProto`: an object in it has the key `__proto__`. */
export function plainForm(bytes: Uint8Array): { hasProto: boolean } | undefined {
  let depth = 0
  let hasProto = false
  /** Values still to come at this level; of an object its keys and values, counted up to 0. */
  let left = 1
  let at = 0
  while (at < bytes.length) {
    const isKey = left < 0 && left % 2 === 0
    left += left < 0 ? 1 : -1
    const token = bytes[at++]!
    let length = 0
    let members = 0
    if (isKey && !isText(token)) return undefined
    if (token >= 0x80 && token < 0x90) members = -2 * (token - 0x80)
    else if (token >= 0x90 && token < 0xa0) members = token - 0x90
    else if (token >= 0xa0 && token < 0xc0) length = token - 0xa0
    else if (token >= 0xc0 && token < 0xe0) {
      if (token === 0xc1) return undefined
      const given = bigEndian(bytes, at, lengthBytesOf[token - 0xc0]!)
      at += lengthBytesOf[token - 0xc0]!
      if (token >= 0xde) members = -2 * given
      else if (token >= 0xdc) members = given
      else length = given + fixedBytesOf[token - 0xc0]!
      if (isExtension(token) && (bytes[at++] !== bigIntExtension || length === 0)) return undefined
    }
    if (isKey && length === 9) hasProto ||= isProto(bytes, at)
    at += length
    if (members !== 0) {
      if (depth === maxDepth) return undefined
      outer[depth++] = left
      left = members
    }
    while (left === 0) {
      if (depth === 0) return at === bytes.length ? forms[hasProto ? 1 : 0] : undefined
      left = outer[--depth]!
    }
  }
  return undefined
}

function isText(token: number): boolean {
  return (token >= 0xa0 && token < 0xc0) || (token >= 0xd9 && token <= 0xdb)
}

function isExtension(token: number): boolean {
  return (token >= 0xc7 && token <= 0xc9) || (token >= 0xd4 && token <= 0xd8)
}

function isProto(bytes: Uint8Array, at: number): boolean {
  for (let i = 0; i < protoKey.length; i++) if (bytes[at + i] !== protoKey[i]) return false
  return true
}

const protoKey = Buffer.from('__proto__')

function bigEndian(bytes: Uint8Array, at: number, length: number): number {
  let number = 0
  for (let i = at; i < at + length; i++) number = number * 256 + (bytes[i] ?? 0)
  return number
}

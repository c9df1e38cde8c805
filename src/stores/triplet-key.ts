/** Triplets as keys of a struct, spelled as Python's `str((subject, relation, object))`, because LlamaIndex keeps a triplet's vector under that. */
import type { Triplet } from './contract.ts'
import { pythonRepr } from './python-repr.ts'

export function tripletKey(triplet: Triplet): string {
  return `(${triplet.map((part) => pythonRepr(part)).join(', ')})`
}

const string = String.raw`'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"`
const threeStrings = new RegExp(String.raw`^\((${string}), (${string}), (${string})\)$`, 's')

/** `undefined` for what is no tuple of three strings. */
export function parseTripletKey(key: string): Triplet | undefined {
  const [, ...parts] = threeStrings.exec(key) ?? []
  if (parts.length !== 3) return undefined
  return parts.map((part) => unescaped(part.slice(1, -1))) as unknown as Triplet
}

const named: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t' }

function unescaped(text: string): string {
  const escape = /\\(?:x([\da-f]{2})|u([\da-f]{4})|U([\da-f]{8})|(.))/gs
  return text.replace(escape, (whole, ...groups: (string | undefined)[]) => {
    const [x, u, U, single] = groups
    const hex = x ?? u ?? U
    if (hex === undefined) return named[single!] ?? single!
    const code = Number.parseInt(hex, 16)
    return code <= 0x10ffff ? String.fromCodePoint(code) : whole
  })
}

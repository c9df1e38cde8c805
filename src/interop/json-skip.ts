/** Passes over JSON by its brackets and quotes alone: whether what stands between them is JSON shows when it is read. */
import {
  backslash,
  closeBrace,
  closeBracket,
  openBrace,
  openBracket,
  quote,
  type JsonCursor,
} from './json-cursor.ts'

/** Where in the window the object ends that starts at the cursor; `undefined` if the file ends before it. */
export function endOfObject(cursor: JsonCursor): number | undefined {
  let depth = 0
  for (let at = cursor.at; at < cursor.bytes.length || cursor.grow(); at++) {
    const byte = cursor.bytes[at]
    if (byte === quote) {
      const end = endOfString(cursor, at + 1)
      if (end === undefined) return undefined
      at = end
    } else if (byte === openBrace || byte === openBracket) depth++
    else if ((byte === closeBrace || byte === closeBracket) && --depth === 0) return at + 1
  }
  return undefined
}

/** Where its closing quote stands. */
function endOfString(cursor: JsonCursor, start: number): number | undefined {
  for (let from = start; ;) {
    const found = cursor.indexOf(quote, from)
    if (found < 0) return undefined
    let before = found
    while (before > start && cursor.bytes[before - 1] === backslash) before--
    if ((found - before) % 2 === 0) return found
    from = found + 1
  }
}

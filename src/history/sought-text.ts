/** A text that is looked for in the bytes of rows and payloads before they are decoded: msgpack has texts as they are. */
import { escapeText } from '../stores/storable.ts'

export class SoughtText {
  /** As it may be written there. */
  readonly spellings: readonly string[]
  readonly #bytes: readonly Buffer[]

  constructor(text: string) {
    this.spellings = [...new Set([text, escapeText(text)])]
    this.#bytes = this.spellings.map((spelling) => Buffer.from(spelling))
  }

  /** `false`: no text in these bytes holds it. */
  mayBeIn(bytes: Buffer): boolean {
    return this.#bytes.some((spelled) => bytes.includes(spelled))
  }
}

/** For more of them decoding costs less. */
export const mostSought = 16

/** Whether any of some texts may be in bytes; of many, always. */
export function anyOf(texts: ReadonlySet<string>): (bytes: Uint8Array) => boolean {
  if (texts.size > mostSought) return () => true
  const sought = Array.from(texts, (text) => new SoughtText(text))
  return (bytes) => {
    const buffer = toBuffer(bytes)
    return sought.some((text) => text.mayBeIn(buffer))
  }
}

export function toBuffer({ buffer, byteOffset, byteLength }: Uint8Array): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength)
}

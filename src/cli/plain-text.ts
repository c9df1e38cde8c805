/** Text from a journal as a terminal may show it: what a user wrote must not steer the screen. */

/** Without control characters, and on one line. */
export function plainText(text: string): string {
  // oxlint-disable-next-line no-control-regex -- they are what it is about
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g, (character) => {
    const code = character.codePointAt(0)!.toString(16).padStart(4, '0')
    return character === '\n' ? '\\n' : character === '\t' ? '\\t' : `\\u${code}`
  })
}

/** `1 commit`, `12,345 commits`. */
export function count(number: number, noun: string, plural = `${noun}s`): string {
  return `${number.toLocaleString('en-US')} ${number === 1 ? noun : plural}`
}

/** `931 bytes`, `1.4 MB`. */
export function size(bytes: number): string {
  if (bytes < 1000) return count(bytes, 'byte')
  const units = ['kB', 'MB', 'GB', 'TB']
  let value = bytes / 1000
  let unit = 0
  for (; value >= 999.5 && unit < units.length - 1; unit++) value /= 1000
  return `${value.toFixed(value < 9.95 ? 1 : 0)} ${units[unit]}`
}

/** JSON of anything a journal can hold: BigInt as text, bytes as hex. */
export function toJson(value: unknown, indent?: number): string {
  function plain(this: Record<string, unknown>, key: string, member: unknown): unknown {
    const raw = this[key] // Before a Buffer says of itself that it is a list.
    if (typeof raw === 'bigint') return String(raw)
    return raw instanceof Uint8Array ? Buffer.from(raw).toString('hex') : member
  }
  return JSON.stringify(value, plain, indent)
}

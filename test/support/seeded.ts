/** Chance that can be had again: numbers from 0 to 1, and bytes, from a seed. */

/** Mulberry32. */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

export function seededBytes(seed: number): (target: Uint8Array) => void {
  const random = seededRandom(seed)
  return (target) => {
    for (let index = 0; index < target.length; index++) target[index] = random() * 256
  }
}

/** One seed of several numbers and words. */
export function seedOf(...parts: (string | number)[]): number {
  let hash = 0x811c9dc5
  for (const char of parts.join('/')) hash = Math.imul(hash ^ char.charCodeAt(0), 0x01000193) >>> 0
  return hash
}

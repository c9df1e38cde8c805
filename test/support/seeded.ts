/** Chance that can be had again: numbers from 0 to 1, and bytes, from a seed. */

import { seededRandom } from '../../src/disk/seeded-random.ts'

export { seededRandom }

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

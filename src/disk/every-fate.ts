/**
 * Goes through all combinations of fates of one moment, one after another, as an odometer goes through its
 * numbers: each decision is a digit, and the last one turns first. Knows no files.
 */
import type { Decisions } from './crash-image.ts'

/** `'coarse'`: a change arrives whole or not at all. `'fine'`: it may also be torn, zeros, garbage, or halves. */
export type Grain = 'coarse' | 'fine'

export class EveryFate implements Decisions {
  readonly #grain: Grain
  readonly #random: () => number
  #digits: { value: number; count: number }[] = []
  #at = 0

  /** Chance decides what matters little. */
  constructor(grain: Grain, random: () => number) {
    this.#grain = grain
    this.#random = random
  }

  arrives(): boolean {
    return this.#digit(2) === 0
  }

  oneOf(fates: number): number {
    return this.#grain === 'coarse' ? 0 : this.#digit(fates)
  }

  anywhere(count: number): number {
    return Math.min(count - 1, Math.floor(this.#random() * count))
  }

  /** To be called after each image: false if it was the last combination. */
  next(): boolean {
    this.#digits.length = this.#at
    this.#at = 0
    for (let last; (last = this.#digits.at(-1)); this.#digits.pop())
      if (++last.value < last.count) return true
    return false
  }

  #digit(count: number): number {
    const digit = (this.#digits[this.#at] ??= { value: 0, count })
    this.#at++
    return digit.value
  }
}

/** A vector as a reader hands it over: as float32, with how its numbers were written. */
import { Float } from '../stores/float.ts'
import { asNumber } from './json-number.ts'
import { numeralsOf } from './vector-numbers.ts'

export interface ReadVector {
  vector: Float32Array
  numerals: number
}

/** `undefined` if the tree, as a JSON reader made it, is not a list of nothing but numbers. */
export function readVector(tree: unknown): ReadVector | undefined {
  if (!Array.isArray(tree)) return undefined
  const items: readonly unknown[] = tree
  const numbers = items.map(asNumber)
  if (numbers.includes(undefined)) return undefined
  return toVector(
    numbers as number[],
    items.some((item) => Number.isInteger(item)) && !items.some((item) => item instanceof Float),
  )
}

export function toVector(numbers: readonly number[], hasIntegers: boolean): ReadVector {
  return { vector: new Float32Array(numbers), numerals: numeralsOf(numbers, hasIntegers) }
}

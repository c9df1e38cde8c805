/** The numbers of a vector as texts have them: float32 is what is kept, and a text may say the same float32 with more or fewer digits. */

/** How a text wrote the numbers of a vector. Both absent: all digits of each float32, and `1.0` for whole numbers. */
export const numerals = {
  /** No more digits than it takes to tell a float32 from the next: `0.1`, not `0.10000000149011612`. */
  shortest: 1,
  /** `1`, not `1.0`. */
  integers: 2,
} as const

/** So many numbers tell how all were written. */
const sampleSize = 32

/** What wrote these numbers, which are as a text has them. `hasIntegers`: whole ones stood there without a point. */
export function numeralsOf(numbers: readonly number[], hasIntegers: boolean): number {
  const sample: number[] = []
  for (const number of numbers) {
    if (Math.fround(number) === number || !Number.isFinite(number)) continue
    if (sample.push(number) === sampleSize) break
  }
  const isShortest =
    sample.length > 0 && sample.every((number) => shortestDouble(Math.fround(number)) === number)
  return (isShortest ? numerals.shortest : 0) | (hasIntegers ? numerals.integers : 0)
}

/** A vector in a tree. */
export class VectorNumbers {
  readonly #vector: Float32Array
  readonly #numerals: number

  constructor(vector: Float32Array, how = 0) {
    this.#vector = vector
    this.#numerals = how
  }

  /** As numbers that a text would have. */
  get numbers(): number[] {
    const isShortest = (this.#numerals & numerals.shortest) !== 0
    return isShortest ? Array.from(this.#vector, shortestDouble) : Array.from(this.#vector)
  }

  get hasIntegers(): boolean {
    return (this.#numerals & numerals.integers) !== 0
  }
}

/** 1, 10, … exactly. */
const powersOfTen = Array.from({ length: 23 }, (_, exponent) => 10 ** exponent)
const mostDigits = 9

/**
 * The number with the fewest decimal digits that is the same float32. Decimals of up to 15 digits survive as doubles, so its text has these digits and no others.
 */
export function shortestDouble(float: number): number {
  const size = Math.abs(float)
  if (size < 1e-12 || size > 1e6) return shortestByText(float)
  // Nine digits always tell a float32; each digit less is tried as long as it does.
  let places = mostDigits - 1 - Math.floor(Math.log10(size))
  let best = float
  for (; places >= 0; places--) {
    const power = powersOfTen[places]!
    const candidate = Math.round(float * power) / power
    if (Math.fround(candidate) !== float) break
    best = candidate
  }
  return best
}

function shortestByText(float: number): number {
  if (float === 0 || !Number.isFinite(float)) return float
  for (let digits = 1; digits < mostDigits; digits++) {
    const candidate = Number(float.toPrecision(digits))
    if (Math.fround(candidate) === float) return candidate
  }
  return Number(float.toPrecision(mostDigits))
}

/**
 * Rows of float32 one after another, and the dot products of a query with them: in SIMD where there are many, in plain JavaScript where there are few or
 * WebAssembly is not to be had. It knows no ids.
 */
import { dotProducts } from './dot-products.ts'
import { kernelIn, type SimdKernel, type SimdMemory } from './simd-kernel.ts'

/** Rows scored at a time. */
export const rowsAtOnce = 4096

/** Below this a memory of its own, which takes gigabytes of addresses, is not worth it. */
const simdFromBytes = 1024 * 1024
const pageBytes = 65536

interface Simd {
  memory: SimdMemory
  kernel: SimdKernel
}

export class RowBlock {
  readonly #dimensions: number
  /** From row to row, in numbers: SIMD takes four at a time, and the rest is zeros. */
  readonly #stride: number
  readonly #mostRows: number
  readonly #simdFromBytes: number
  #floats = new Float32Array(0)
  #simd: Simd | undefined

  constructor(dimensions: number, mostRows: number, options: { simdFromBytes?: number | undefined } = {}) {
    this.#dimensions = dimensions
    this.#stride = Math.ceil(dimensions / 4) * 4
    this.#mostRows = mostRows
    this.#simdFromBytes = options.simdFromBytes ?? simdFromBytes
  }

  /** Where a row lies, until the block grows. */
  row(at: number): Float32Array {
    return this.#floats.subarray(at * this.#stride, at * this.#stride + this.#dimensions)
  }

  /** There is room for so many rows. */
  makeRoom(rows: number): void {
    const room = this.#floats.length / this.#stride
    if (room >= rows) return
    const wanted = Math.min(this.#mostRows, Math.max(16, rows, 2 * room)) * this.#stride
    if (this.#simd) return this.#grow(this.#simd, wanted)
    this.#simd = wanted * 4 >= this.#simdFromBytes ? this.#memoryFor(wanted) : undefined
    const larger = this.#simd ? this.#view(this.#simd, wanted) : new Float32Array(wanted)
    larger.set(this.#floats)
    this.#floats = larger
  }

  /** Writes the dot product of the query with each listed row, summed in doubles in the same order whichever rows are computed beside it. */
  products(query: Float32Array, rows: Int32Array, products: Float64Array): void {
    dotProducts(
      query,
      { block: this.#floats, dimensions: this.#dimensions, stride: this.#stride, rows },
      products,
    )
  }

  /** The same to the precision that `isNear` tells of, and fast. At most `rowsAtOnce` rows. */
  nearProducts(query: Float32Array, rows: Int32Array, products: Float64Array): void {
    if (!this.#simd) return this.products(query, rows, products)
    const { memory, kernel } = this.#simd
    const { queryAt, rowsAt, productsAt, blockAt } = this.#layout()
    new Float32Array(memory.buffer, queryAt, this.#dimensions).set(query)
    new Int32Array(memory.buffer, rowsAt, rowsAtOnce).set(rows)
    kernel.dotProducts(queryAt, blockAt, this.#stride * 4, rowsAt, rows.length, productsAt)
    products.set(new Float32Array(memory.buffer, productsAt, rows.length))
  }

  /** What stands before the rows. Every place is a multiple of 16. */
  #layout(): { queryAt: number; rowsAt: number; productsAt: number; blockAt: number } {
    const rowsAt = this.#stride * 4
    const productsAt = rowsAt + rowsAtOnce * 4
    return { queryAt: 0, rowsAt, productsAt, blockAt: productsAt + rowsAtOnce * 4 }
  }

  #memoryFor(numbers: number): Simd | undefined {
    return kernelIn(this.#pages(numbers), this.#pages(this.#mostRows * this.#stride))
  }

  #grow(simd: Simd, numbers: number): void {
    simd.memory.grow(this.#pages(numbers) - simd.memory.buffer.byteLength / pageBytes)
    this.#floats = this.#view(simd, numbers)
  }

  #pages(numbers: number): number {
    return Math.ceil((this.#layout().blockAt + numbers * 4) / pageBytes)
  }

  #view({ memory }: Simd, numbers: number): Float32Array<ArrayBuffer> {
    return new Float32Array(memory.buffer, this.#layout().blockAt, numbers)
  }
}

/**
 * How far a cosine made of `nearProducts` may be from the true one: a sum of n products in floating point errs by at most n u / (1 - n u) times the sum of their
 * absolute values (Higham, Accuracy and Stability of Numerical Algorithms, 3.1), which Cauchy and Schwarz bound by the norms; here n is the additions that one
 * product goes through, and u is 2^-24. Doubled, to be above all that is left out. Only where no product leaves the range of float32: see `isNear`.
 */
export function nearness(dimensions: number): number {
  const additions = Math.ceil(dimensions / 16) + 8
  return 2 * additions * 2 ** -24
}

/** Whether vectors of these norms, multiplied, have products that `nearness` speaks of: neither too large for float32 nor too small. */
export function isNear(scale: number): boolean {
  return scale > 1e-20 && scale < 1e30
}

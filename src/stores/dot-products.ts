/**
 * The inner loop of exact search. Each row is summed in the same order whichever rows are computed beside it, so that equal vectors have
 * equal scores to the last bit wherever they lie.
 */
export interface Rows {
  /** Rows of `dimensions` numbers one after another. */
  readonly block: Float32Array
  readonly dimensions: number
  /** From the beginning of a row to that of the next. */
  readonly stride: number
  /** Which rows. */
  readonly rows: Int32Array
}

/** Of two vectors of as many numbers. */
export function dotProduct(a: Float32Array, b: Float32Array): number {
  return oneRow(a, b, 0)
}

/** Writes the dot product of the query with each listed row. */
export function dotProducts(query: Float32Array, all: Rows, products: Float64Array): void {
  const { block, stride, rows } = all
  let at = 0
  for (; at + 3 < rows.length; at += 4) fourRows(query, all, products, at)
  for (; at < rows.length; at++) products[at] = oneRow(query, block, rows[at]! * stride)
}

// Four rows share each load of the query. On V8 this is about twice as fast as row by row.
function fourRows(
  query: Float32Array,
  { block, dimensions, stride, rows }: Rows,
  products: Float64Array,
  at: number,
): void {
  let a = rows[at]! * stride
  let b = rows[at + 1]! * stride
  let c = rows[at + 2]! * stride
  let d = rows[at + 3]! * stride
  let [sumA, sumB, sumC, sumD] = [0, 0, 0, 0]
  let i = 0
  for (; i + 3 < dimensions; i += 4, a += 4, b += 4, c += 4, d += 4) {
    const x = query[i]!
    const y = query[i + 1]!
    const z = query[i + 2]!
    const w = query[i + 3]!
    sumA += block[a]! * x + block[a + 1]! * y + block[a + 2]! * z + block[a + 3]! * w
    sumB += block[b]! * x + block[b + 1]! * y + block[b + 2]! * z + block[b + 3]! * w
    sumC += block[c]! * x + block[c + 1]! * y + block[c + 2]! * z + block[c + 3]! * w
    sumD += block[d]! * x + block[d + 1]! * y + block[d + 2]! * z + block[d + 3]! * w
  }
  for (; i < dimensions; i++) {
    const x = query[i]!
    sumA += block[a++]! * x
    sumB += block[b++]! * x
    sumC += block[c++]! * x
    sumD += block[d++]! * x
  }
  products[at] = sumA
  products[at + 1] = sumB
  products[at + 2] = sumC
  products[at + 3] = sumD
}

function oneRow(query: Float32Array, block: Float32Array, offset: number): number {
  let at = offset
  let sum = 0
  let i = 0
  for (; i + 3 < query.length; i += 4, at += 4) {
    sum +=
      block[at]! * query[i]! +
      block[at + 1]! * query[i + 1]! +
      block[at + 2]! * query[i + 2]! +
      block[at + 3]! * query[i + 3]!
  }
  for (; i < query.length; i++) sum += block[at++]! * query[i]!
  return sum
}

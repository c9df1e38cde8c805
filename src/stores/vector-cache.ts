/**
 * What queries want in memory and no snapshot holds: the matrix, and which vectors belong to a ref doc. Both are made when first asked for, and then
 * only told what changed.
 *
 * The matrix holds what can be searched: finite vectors of the dimensions that most of the namespace have. Others, which only an imported file can bring, are kept
 * in the store and never found. Its rows stand in the order of the table, as they would if it were made anew: that decides ties.
 */
import type { Position } from '../journal/event.ts'
import { VectorMatrix } from './vector-matrix.ts'
import { dimensionsOf, type VectorState } from './vector-state.ts'

/** Vectors read at a time. */
const batchRows = 1024

export type ReadVectors = (positions: readonly Position[]) => Uint8Array[]

interface Row {
  id: string
  order: number
  position: Position
}

export class VectorCache {
  readonly #state: VectorState
  #matrix: VectorMatrix | undefined
  #changedRows = new Set<string>()
  /** Of the rows in the matrix. */
  readonly #orders = new Map<string, number>()
  #lastOrder = -1
  #dimensions = 0
  #byRefDoc: Map<string, Set<string>> | undefined
  readonly #refDocOf = new Map<string, string>()
  #changedRefDocs = new Set<string>()

  constructor(state: VectorState) {
    this.#state = state
  }

  /** The matrix as of now. */
  matrix(read: ReadVectors): VectorMatrix {
    const matrix = this.#matrix
    this.#matrix = undefined // If reading fails, the next query starts over.
    const dimensions = dimensionsOf(this.#state)
    const isUsable = matrix !== undefined && this.#dimensions === dimensions
    this.#dimensions = dimensions
    this.#matrix = (isUsable && this.#brought(matrix, read)) || this.#made(read)
    return this.#matrix
  }

  /** The vectors of a source document. */
  idsOf(refDocId: string): string[] {
    const { vectors } = this.#state
    if (!this.#byRefDoc) {
      this.#byRefDoc = new Map()
      vectors.follow(this.#changedRefDocs)
      for (const [id, entry] of vectors.entries()) this.#file(id, entry.refDocId)
    }
    for (const id of this.#changedRefDocs) this.#file(id, vectors.get(id)?.refDocId)
    this.#changedRefDocs.clear()
    return [...(this.#byRefDoc.get(refDocId) ?? [])]
  }

  #made(read: ReadVectors): VectorMatrix {
    const { vectors } = this.#state
    vectors.follow(this.#changedRows)
    this.#changedRows.clear()
    this.#orders.clear()
    this.#lastOrder = -1
    const matrix = new VectorMatrix()
    let batch: Row[] = []
    for (const [id, { position }] of vectors.entries()) {
      batch.push({ id, order: vectors.orderOf(id)!, position })
      if (batch.length < batchRows) continue
      this.#fill(matrix, batch, read)
      batch = []
    }
    this.#fill(matrix, batch, read)
    return matrix
  }

  /** The matrix with what changed; `undefined` where a row would have to go between others, which it does only when a deletion was taken back. */
  #brought(matrix: VectorMatrix, read: ReadVectors): VectorMatrix | undefined {
    const { vectors } = this.#state
    const rows: Row[] = []
    for (const id of this.#changedRows) {
      const order = vectors.orderOf(id)
      const known = this.#orders.get(id)
      if (order !== known) this.#drop(matrix, id)
      if (order === undefined) continue
      if (order !== known && order < this.#lastOrder) return undefined
      rows.push({ id, order, position: vectors.get(id)!.position })
    }
    this.#changedRows.clear()
    rows.sort((a, b) => a.order - b.order)
    for (let at = 0; at < rows.length; at += batchRows)
      this.#fill(matrix, rows.slice(at, at + batchRows), read)
    return matrix
  }

  #fill(matrix: VectorMatrix, batch: readonly Row[], read: ReadVectors): void {
    const vectors = read(batch.map(({ position }) => position))
    for (const [index, { id, order }] of batch.entries()) {
      const vector = toFloats(vectors[index]!)
      if (vector.length !== this.#dimensions || !matrix.setIfFinite(id, vector)) {
        this.#drop(matrix, id)
        continue
      }
      this.#orders.set(id, order)
      this.#lastOrder = Math.max(this.#lastOrder, order)
    }
  }

  #drop(matrix: VectorMatrix, id: string): void {
    matrix.delete(id)
    this.#orders.delete(id)
  }

  #file(id: string, refDocId: string | undefined): void {
    const before = this.#refDocOf.get(id)
    if (before === refDocId) return
    if (before !== undefined) this.#byRefDoc!.get(before)?.delete(id)
    if (refDocId === undefined) return void this.#refDocOf.delete(id)
    this.#refDocOf.set(id, refDocId)
    const ids = this.#byRefDoc!.get(refDocId) ?? new Set()
    this.#byRefDoc!.set(refDocId, ids.add(id))
  }
}

/** A view where alignment allows, else a copy. */
export function toFloats(bytes: Uint8Array): Float32Array {
  const aligned = bytes.byteOffset % 4 === 0 ? bytes : new Uint8Array(bytes)
  return new Float32Array(aligned.buffer, aligned.byteOffset, aligned.length / 4)
}

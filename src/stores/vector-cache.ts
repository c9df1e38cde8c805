/**
 * What queries want in memory and no snapshot holds: the matrix, and which vectors belong to a ref doc. Both are made when first asked for, and then
 * only told what changed.
 */
import type { Position } from '../journal/event.ts'
import { VectorMatrix } from './vector-matrix.ts'
import type { VectorState } from './vector-state.ts'

/** Vectors read at a time. */
const batchRows = 1024

export type ReadVectors = (positions: readonly Position[]) => Uint8Array[]

export class VectorCache {
  readonly #state: VectorState
  #matrix: VectorMatrix | undefined
  #changedRows = new Set<string>()
  #byRefDoc: Map<string, Set<string>> | undefined
  #refDocOf = new Map<string, string>()
  #changedRefDocs = new Set<string>()

  constructor(state: VectorState) {
    this.#state = state
  }

  /** The matrix as of now. */
  matrix(read: ReadVectors): VectorMatrix {
    const { vectors } = this.#state
    const isNew = this.#matrix === undefined
    this.#matrix ??= new VectorMatrix()
    if (isNew) vectors.follow(this.#changedRows)
    const ids = isNew ? vectors.keys() : this.#takeRows()
    fill(this.#matrix, this.#state, { ids, read })
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

  #takeRows(): string[] {
    const ids = [...this.#changedRows]
    this.#changedRows.clear()
    return ids
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

function fill(matrix: VectorMatrix, state: VectorState, { ids, read }: { ids: Iterable<string>; read: ReadVectors }): void {
  const gone: string[] = []
  const come: { id: string; position: Position }[] = []
  for (const id of ids) {
    const position = state.vectors.get(id)?.position
    if (position) come.push({ id, position })
    else gone.push(id)
  }
  for (const id of gone) matrix.delete(id)
  for (let at = 0; at < come.length; at += batchRows) {
    const batch = come.slice(at, at + batchRows)
    const rows = read(batch.map(({ position }) => position))
    for (const [index, { id }] of batch.entries()) matrix.set(id, toFloats(rows[index]!))
  }
}

/** A view where alignment allows, else a copy. */
export function toFloats(bytes: Uint8Array): Float32Array {
  const aligned = bytes.byteOffset % 4 === 0 ? bytes : new Uint8Array(bytes)
  return new Float32Array(aligned.buffer, aligned.byteOffset, aligned.length / 4)
}

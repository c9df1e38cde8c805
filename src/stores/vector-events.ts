/**
 * What happens in one namespace of vectors. Rows are lists; `null` stands for what is not there.
 *
 * | event            | row                                   | payload                          |
 * |------------------|---------------------------------------|----------------------------------|
 * | `VectorsAdded`   | id, ref doc id, class name, metadata, numerals | float32, little endian: one row of a matrix |
 * | `VectorsDeleted` | id                                    |                                  |
 * | `VectorsCleared` | nothing                               |                                  |
 */
import type { EventInput } from '../journal/event.ts'
import { count, either, orNull, text, tuple, type Shape } from '../journal/shape.ts'
import type { Metadata } from './relationships.ts'
import type { SpelledMetadata } from './stored-metadata.ts'
import { metadataToStored, storedMetadata } from './stored-metadata.ts'

export type VectorRow = [
  id: string,
  refDocId: string | null,
  className: string | null,
  metadata: unknown,
  numerals?: number,
]

const info = [orNull(text), orNull(text), orNull(storedMetadata)]

/** What is kept of a vector beside its place; its numerals only where a file had some. */
export const vectorInfo: readonly (readonly Shape[])[] = [info, [...info, count]]

export const vectorRows = {
  VectorsAdded: either(...vectorInfo.map((shapes) => tuple(text, ...shapes))),
  VectorsDeleted: tuple(text),
  VectorsCleared: tuple(),
}

export interface VectorInfo {
  refDocId: string | undefined
  className: string | undefined
  /** `undefined` where the writer kept none. */
  metadata: SpelledMetadata | undefined
  /** How the file that it was imported from wrote its numbers (`interop/vector-numbers.ts`); absent: as is usual. */
  numerals?: number | undefined
}

export interface AddedVector extends VectorInfo {
  id: string
}

/** What LlamaIndex adds to the metadata of a vector that has any, in its order. It takes the place of what a user calls the same. */
export function derivedMetadata({
  refDocId,
  className,
}: Pick<VectorInfo, 'refDocId' | 'className'>): Metadata {
  const source = refDocId ?? 'None'
  return {
    ...(className !== undefined && { _node_type: className }),
    document_id: source,
    doc_id: source,
    ref_doc_id: source,
  }
}

/** `matrix` holds the vectors one after another. */
export function vectorsAdded(
  vectors: readonly AddedVector[],
  matrix: Float32Array,
  dimensions: number,
): EventInput {
  const bytes = new Uint8Array(matrix.buffer, matrix.byteOffset, matrix.byteLength)
  const rowBytes = dimensions * 4
  return {
    type: 'VectorsAdded',
    dimensions,
    items: vectors.map((vector, index) => ({
      row: toRow(vector),
      payload: bytes.subarray(index * rowBytes, (index + 1) * rowBytes),
    })),
  }
}

function toRow({ id, refDocId, className, metadata, numerals = 0 }: AddedVector): VectorRow {
  const stored = metadata ? metadataToStored(metadata.metadata, metadata.spelling) : null
  const row: VectorRow = [id, refDocId ?? null, className ?? null, stored]
  if (numerals !== 0) row.push(numerals)
  return row
}

export function vectorsDeleted(ids: readonly string[]): EventInput {
  return { type: 'VectorsDeleted', items: ids.map((id) => ({ row: [id] })) }
}

export const vectorsCleared: EventInput = { type: 'VectorsCleared', items: [{ row: [] }] }

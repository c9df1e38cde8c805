/**
 * What happens in one namespace of vectors. Rows are lists; `null` stands for what is not there.
 *
 * | event            | row                                   | payload                          |
 * |------------------|---------------------------------------|----------------------------------|
 * | `VectorsAdded`   | id, ref doc id, class name, metadata  | float32, little endian: one row of a matrix |
 * | `VectorsDeleted` | id                                    |                                  |
 * | `VectorsCleared` | nothing                               |                                  |
 */
import type { EventInput } from '../journal/event.ts'
import { orNull, text, tuple } from '../journal/shape.ts'
import type { Metadata } from './relationships.ts'
import type { SpelledMetadata } from './stored-metadata.ts'
import { metadataToStored, storedMetadata } from './stored-metadata.ts'

export type VectorRow = [id: string, refDocId: string | null, className: string | null, metadata: unknown]

export const vectorRows = {
  VectorsAdded: tuple(text, orNull(text), orNull(text), orNull(storedMetadata)),
  VectorsDeleted: tuple(text),
  VectorsCleared: tuple(),
}

export interface VectorInfo {
  refDocId: string | undefined
  className: string | undefined
  /** `undefined` where the writer kept none. */
  metadata: SpelledMetadata | undefined
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
    items: vectors.map(({ id, refDocId, className, metadata }, index) => ({
      row: [
        id,
        refDocId ?? null,
        className ?? null,
        metadata ? metadataToStored(metadata.metadata, metadata.spelling) : null,
      ] satisfies VectorRow,
      payload: bytes.subarray(index * rowBytes, (index + 1) * rowBytes),
    })),
  }
}

export function vectorsDeleted(ids: readonly string[]): EventInput {
  return { type: 'VectorsDeleted', items: ids.map((id) => ({ row: [id] })) }
}

export const vectorsCleared: EventInput = { type: 'VectorsCleared', items: [{ row: [] }] }

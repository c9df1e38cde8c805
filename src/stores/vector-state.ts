/** What one namespace of vectors folds to: where each vector stands, and what filters ask for. */
import type { Position, StoreKind, StoredEvent } from '../journal/event.ts'
import { Table, type UndoLog, type ValueCodec } from '../journal/table.ts'
import { inGroups } from './document-state.ts'
import { positionFromPlain, positionToPlain, type PlainPosition } from './position-codec.ts'
import { metadataFromStored, metadataToStored } from './stored-metadata.ts'
import { vectorsAdded, vectorsCleared, type VectorInfo, type VectorRow } from './vector-events.ts'

export interface VectorEntry extends VectorInfo {
  position: Position
}

export type VectorState = {
  vectors: Table<VectorEntry>
}

export const vectorKind: StoreKind<VectorState> = {
  initialState: (undo: UndoLog) => ({ vectors: new Table(entryCodec, undo) }),
  evolve,
  *present(state, payload) {
    yield* inGroups(state.vectors.entries(), (group) => {
      const dimensions = group[0]![1].position.length / 4
      const matrix = new Float32Array(group.length * dimensions)
      const bytes = new Uint8Array(matrix.buffer)
      for (const [index, [, { position }]] of group.entries()) bytes.set(payload(position), index * dimensions * 4)
      return vectorsAdded(
        group.map(([id, info]) => ({ id, ...info })),
        matrix,
        dimensions,
      )
    })
  },
  *clearing(state) {
    if (state.vectors.size > 0) yield vectorsCleared
  },
}

/** The dimensions of the vectors that are there; 0 if none is. */
export function dimensionsOf(state: VectorState): number {
  for (const [, { position }] of state.vectors.entries()) return position.length / 4
  return 0
}

function evolve(state: VectorState, { type, items }: StoredEvent): void {
  for (const { row, position } of items) {
    const [id, refDocId, className, metadata] = row as VectorRow
    if (type === 'VectorsAdded') {
      state.vectors.set(id, {
        position,
        refDocId: refDocId ?? undefined,
        className: className ?? undefined,
        metadata: metadata === null ? undefined : metadataFromStored(metadata),
      })
    } else if (type === 'VectorsDeleted') state.vectors.delete(id)
    else if (type === 'VectorsCleared') for (const key of [...state.vectors.keys()]) state.vectors.delete(key)
  }
}

const entryCodec: ValueCodec<VectorEntry> = {
  toPlain: ({ position, refDocId, className, metadata }) => [
    positionToPlain(position),
    refDocId ?? null,
    className ?? null,
    metadata ? metadataToStored(metadata.metadata, metadata.spelling) : null,
  ],
  fromPlain(plain) {
    const [position, refDocId, className, metadata] = plain as [PlainPosition, string | null, string | null, unknown]
    return {
      position: positionFromPlain(position),
      refDocId: refDocId ?? undefined,
      className: className ?? undefined,
      metadata: metadata === null ? undefined : metadataFromStored(metadata),
    }
  },
}

/**
 * What one namespace of vectors folds to: where each vector stands, and what filters ask for.
 *
 * Invariant: `counts` says under each number of dimensions how many vectors have that many. Our own `add` keeps all of one length; imported files need not.
 */
import type { Position, StoreKind, StoredEvent } from '../journal/event.ts'
import { count, either, tuple } from '../journal/shape.ts'
import { Table, type UndoLog, type ValueCodec } from '../journal/table.ts'
import { inGroups } from './in-groups.ts'
import { plainPosition, positionFromPlain, positionToPlain, type PlainPosition } from './position-codec.ts'
import { metadataFromStored, metadataToStored } from './stored-metadata.ts'
import {
  vectorInfo,
  vectorRows,
  vectorsAdded,
  vectorsCleared,
  type VectorInfo,
  type VectorRow,
} from './vector-events.ts'

export interface VectorEntry extends VectorInfo {
  position: Position
}

export type VectorState = {
  vectors: Table<VectorEntry>
  counts: Table<number>
}

export const vectorKind: StoreKind<VectorState> = {
  initialState: (undo: UndoLog) => ({
    vectors: new Table(entryCodec, undo),
    counts: new Table(countCodec, undo),
  }),
  rows: vectorRows,
  evolve,
  *present(state, payload) {
    for (const group of ofEqualLength(state.vectors.entries())) {
      const rowBytes = group[0]![1].position.length
      const matrix = new Float32Array((group.length * rowBytes) / 4)
      const bytes = new Uint8Array(matrix.buffer)
      for (const [index, [, { position }]] of group.entries()) bytes.set(payload(position), index * rowBytes)
      yield vectorsAdded(
        group.map(([id, info]) => ({ id, ...info })),
        matrix,
        rowBytes / 4,
      )
    }
  },
  *clearing(state) {
    if (state.vectors.size > 0) yield vectorsCleared
  },
}

/** The dimensions that most vectors have; 0 if there are none. */
export function dimensionsOf({ counts }: VectorState): number {
  let [dimensions, most] = ['0', 0]
  for (const [key, count] of counts.entries()) {
    if (count > most) [dimensions, most] = [key, count]
  }
  return Number(dimensions)
}

function evolve(state: VectorState, { type, items, dimensions }: StoredEvent): void {
  if (type === 'VectorsAdded' && dimensions === undefined) throw new TypeError('Vectors come as a matrix.')
  const tally = new Tally(state)
  for (const { row, position } of items) {
    const [id, refDocId, className, metadata, numerals] = row as VectorRow
    if (type === 'VectorsAdded') {
      const known = state.vectors.get(id)
      if (known) tally.count(known.position, -1)
      tally.count(position, 1)
      state.vectors.set(id, {
        position,
        refDocId: refDocId ?? undefined,
        className: className ?? undefined,
        metadata: metadata === null ? undefined : metadataFromStored(metadata),
        ...(numerals !== undefined && { numerals }),
      })
    } else if (type === 'VectorsDeleted') {
      const known = state.vectors.get(id)
      if (known) tally.count(known.position, -1)
      state.vectors.delete(id)
    } else if (type === 'VectorsCleared') {
      const all = Array.from(state.vectors.entries())
      for (const [key, { position }] of all) {
        tally.count(position, -1)
        state.vectors.delete(key)
      }
    }
  }
  tally.settle()
}

/** What an event adds to the counts, entered once. */
class Tally {
  readonly #counts: VectorState['counts']
  readonly #growth = new Map<number, number>()

  constructor({ counts }: VectorState) {
    this.#counts = counts
  }

  count({ length }: Position, by: number): void {
    this.#growth.set(length / 4, (this.#growth.get(length / 4) ?? 0) + by)
  }

  settle(): void {
    for (const [dimensions, growth] of this.#growth) {
      const key = String(dimensions)
      const count = (this.#counts.get(key) ?? 0) + growth
      if (count > 0) this.#counts.set(key, count)
      else this.#counts.delete(key)
    }
  }
}

/** A matrix has rows of one length. */
function* ofEqualLength(entries: Iterable<[string, VectorEntry]>): Generator<[string, VectorEntry][]> {
  for (const group of inGroups(entries, (some) => some)) {
    let run: [string, VectorEntry][] = []
    for (const entry of group) {
      if (run[0] && run[0][1].position.length !== entry[1].position.length) {
        yield run
        run = []
      }
      run.push(entry)
    }
    yield run
  }
}

const countCodec: ValueCodec<number> = {
  shape: count,
  toPlain: (number) => number,
  fromPlain: (plain) => plain as number,
}

const entryCodec: ValueCodec<VectorEntry> = {
  shape: either(...vectorInfo.map((shapes) => tuple(plainPosition, ...shapes))),
  toPlain: ({ position, refDocId, className, metadata, numerals }) => [
    positionToPlain(position),
    refDocId ?? null,
    className ?? null,
    metadata ? metadataToStored(metadata.metadata, metadata.spelling) : null,
    ...(numerals === undefined ? [] : [numerals]),
  ],
  fromPlain(plain) {
    const [position, refDocId, className, metadata, numerals] = plain as PlainEntry
    return {
      position: positionFromPlain(position),
      refDocId: refDocId ?? undefined,
      className: className ?? undefined,
      metadata: metadata === null ? undefined : metadataFromStored(metadata),
      ...(numerals !== undefined && { numerals }),
    }
  },
}

type PlainEntry = [
  position: PlainPosition,
  refDocId: string | null,
  className: string | null,
  metadata: unknown,
  numerals?: number,
]

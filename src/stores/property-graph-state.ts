/**
 * What a property graph store folds to: nodes by id, relations by key, and which triplets there are, in the order they came. Keys are escaped as
 * `storable.ts` says.
 */
import type { StoreKind } from '../journal/event.ts'
import { text, tuple } from '../journal/shape.ts'
import { Table, type UndoLog, type ValueCodec } from '../journal/table.ts'
import type { Triplet } from './contract.ts'
import { tripletsAdded, tripletsDeleted } from './graph-events.ts'
import { inGroups } from './in-groups.ts'
import {
  graphNodesDeleted,
  graphNodesSet,
  propertyGraphRows,
  relationsDeleted,
  relationsSet,
} from './property-graph-events.ts'
import { unescapeText } from './storable.ts'
import { storedMetadata, treeFromStored, treeToStored, type SpelledTree } from './stored-metadata.ts'

export type PropertyGraphState = {
  nodes: Table<SpelledTree>
  relations: Table<SpelledTree>
  triplets: Table<Triplet>
}

export const propertyGraphKind: StoreKind<PropertyGraphState> = {
  initialState: (undo: UndoLog) => ({
    nodes: new Table(fieldsCodec, undo),
    relations: new Table(fieldsCodec, undo),
    triplets: new Table(tripletCodec, undo),
  }),
  rows: propertyGraphRows,
  evolve(state, { type, items }) {
    for (const { row } of items) evolveItem(state, type, row as Row)
  },
  *present(state) {
    yield* inGroups(unescaped(state.nodes), graphNodesSet)
    yield* inGroups(unescaped(state.relations), relationsSet)
    yield* inGroups(allGraphTriplets(state), tripletsAdded)
  },
  *clearing(state) {
    yield* inGroups(Array.from(state.nodes.keys(), unescapeText), graphNodesDeleted)
    yield* inGroups(Array.from(state.relations.keys(), unescapeText), relationsDeleted)
    yield* inGroups([...allGraphTriplets(state)], tripletsDeleted)
  },
}

export function* allGraphTriplets({ triplets }: PropertyGraphState): Generator<Triplet> {
  for (const [, [source, label, target]] of triplets.entries()) {
    yield [unescapeText(source), unescapeText(label), unescapeText(target)]
  }
}

/** The entries of a table by their true keys. */
export function* unescaped(table: Table<SpelledTree>): Generator<[key: string, fields: SpelledTree]> {
  for (const [key, fields] of table.entries()) yield [unescapeText(key), fields]
}

type Row = [key: string, fieldsOrLabel: unknown, target: string]

function evolveItem(state: PropertyGraphState, type: string, row: Row): void {
  const [key, fields] = row
  if (type === 'GraphNodesSet') state.nodes.set(key, treeFromStored(fields))
  else if (type === 'GraphNodesDeleted') state.nodes.delete(key)
  else if (type === 'RelationsSet') state.relations.set(key, treeFromStored(fields))
  else if (type === 'RelationsDeleted') state.relations.delete(key)
  else if (type === 'TripletsAdded') state.triplets.set(JSON.stringify(row), [...(row as unknown as Triplet)])
  else if (type === 'TripletsDeleted') state.triplets.delete(JSON.stringify(row))
}

const fieldsCodec: ValueCodec<SpelledTree> = {
  shape: storedMetadata,
  toPlain: ({ value, spelling }) => treeToStored(value, spelling),
  fromPlain: treeFromStored,
}

const tripletCodec: ValueCodec<Triplet> = {
  shape: tuple(text, text, text),
  toPlain: (triplet) => [...triplet],
  fromPlain: (plain) => plain as Triplet,
}

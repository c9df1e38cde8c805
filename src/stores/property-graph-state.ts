/** What a property graph store folds to: nodes by id, relations by key, and which triplets there are, in the order they came. */
import type { StoreKind } from '../journal/event.ts'
import { Table, type UndoLog, type ValueCodec } from '../journal/table.ts'
import type { Triplet } from './contract.ts'
import { inGroups } from './document-state.ts'
import { graphNodesSet, keysDeleted, relationsSet, tripletRows, type Fields } from './property-graph-events.ts'
import { fromStorable, toStorable, type Storable } from './storable.ts'

export type PropertyGraphState = {
  nodes: Table<Fields>
  relations: Table<Fields>
  triplets: Table<Triplet>
}

export const propertyGraphKind: StoreKind<PropertyGraphState> = {
  initialState: (undo: UndoLog) => ({
    nodes: new Table(fieldsCodec, undo),
    relations: new Table(fieldsCodec, undo),
    triplets: new Table(tripletCodec, undo),
  }),
  evolve(state, { type, items }) {
    for (const { row } of items) evolveItem(state, type, row as [string, Storable, string])
  },
  *present(state) {
    yield* inGroups(state.nodes.entries(), graphNodesSet)
    yield* inGroups(state.relations.entries(), relationsSet)
    yield* inGroups(Array.from(state.triplets.entries(), ([, triplet]) => triplet), (group) => tripletRows('TripletsAdded', group))
  },
  *clearing(state) {
    yield* inGroups([...state.nodes.keys()], (keys) => keysDeleted('GraphNodesDeleted', keys))
    yield* inGroups([...state.relations.keys()], (keys) => keysDeleted('RelationsDeleted', keys))
    yield* inGroups(Array.from(state.triplets.entries(), ([, triplet]) => triplet), (group) => tripletRows('TripletsDeleted', group))
  },
}

export function tripletKey(triplet: Triplet): string {
  return JSON.stringify(triplet)
}

function evolveItem(state: PropertyGraphState, type: string, row: [string, Storable, string]): void {
  const [key, fields] = row
  if (type === 'GraphNodesSet') state.nodes.set(key, fromStorable(fields) as Fields)
  else if (type === 'GraphNodesDeleted') state.nodes.delete(key)
  else if (type === 'RelationsSet') state.relations.set(key, fromStorable(fields) as Fields)
  else if (type === 'RelationsDeleted') state.relations.delete(key)
  else if (type === 'TripletsAdded') state.triplets.set(tripletKey(row as unknown as Triplet), [...(row as unknown as Triplet)])
  else if (type === 'TripletsDeleted') state.triplets.delete(tripletKey(row as unknown as Triplet))
}

const fieldsCodec: ValueCodec<Fields> = {
  toPlain: (fields) => toStorable(fields).tree,
  fromPlain: (plain) => fromStorable(plain as Storable) as Fields,
}

const tripletCodec: ValueCodec<Triplet> = {
  toPlain: (triplet) => [...triplet],
  fromPlain: (plain) => plain as Triplet,
}

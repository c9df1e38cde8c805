/**
 * What happens in a graph store, and to the triplets of a property graph store.
 *
 * | event             | row                                                    |
 * |-------------------|--------------------------------------------------------|
 * | `TripletsAdded`   | subject, relation, object, ids of nodes it came from (may be left out) |
 * | `TripletsDeleted` | subject, relation, object                              |
 *
 * All of them are texts, escaped as `storable.ts` says.
 */
import type { EventInput, EventItem } from '../journal/event.ts'
import { either, listOf, text, tuple } from '../journal/shape.ts'
import type { Triplet } from './contract.ts'
import { escapeText } from './storable.ts'

const tripletRow = tuple(text, text, text)

export const graphRows = {
  TripletsAdded: either(tripletRow, tuple(text, text, text, listOf(text))),
  TripletsDeleted: tripletRow,
}

export function tripletsAdded(triplets: Iterable<Triplet>): EventInput {
  return { type: 'TripletsAdded', items: tripletItems(triplets) }
}

export function tripletsDeleted(triplets: Iterable<Triplet>): EventInput {
  return { type: 'TripletsDeleted', items: tripletItems(triplets) }
}

function tripletItems(triplets: Iterable<Triplet>): EventItem[] {
  return Array.from(triplets, (triplet) => ({ row: triplet.map(escapeText) }))
}

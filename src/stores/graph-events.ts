/**
 * What happens in a graph store.
 *
 * | event             | row                                                    |
 * |-------------------|--------------------------------------------------------|
 * | `TripletsAdded`   | subject, relation, object, ids of nodes it came from (may be left out) |
 * | `TripletsDeleted` | subject, relation, object                              |
 */
import type { EventInput } from '../journal/event.ts'
import type { Triplet } from './contract.ts'

export function tripletsAdded(triplets: Iterable<Triplet>): EventInput {
  return { type: 'TripletsAdded', items: Array.from(triplets, (triplet) => ({ row: [...triplet] })) }
}

export function tripletsDeleted(triplets: Iterable<Triplet>): EventInput {
  return { type: 'TripletsDeleted', items: Array.from(triplets, (triplet) => ({ row: [...triplet] })) }
}

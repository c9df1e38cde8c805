/** What a graph store folds to: of each subject its relations and objects, in the order they were added, each pair once. Texts are escaped as `storable.ts` says. */
import type { StoreKind } from '../journal/event.ts'
import { listOf, text, tuple } from '../journal/shape.ts'
import { Table, type UndoLog, type ValueCodec } from '../journal/table.ts'
import type { Triplet } from './contract.ts'
import { inGroups } from './in-groups.ts'
import { graphRows, tripletsAdded, tripletsDeleted } from './graph-events.ts'
import { escapeText, unescapeText } from './storable.ts'

/** Pairs by a key that tells any two of them apart. */
export type Pairs = Map<string, [relation: string, object: string]>

export type GraphState = {
  subjects: Table<Pairs>
}

export const graphKind: StoreKind<GraphState> = {
  initialState: (undo: UndoLog) => ({ subjects: new Table(pairsCodec, undo) }),
  rows: graphRows,
  evolve(state, { type, items }) {
    for (const { row } of items) {
      const [subject, relation, object] = row as [string, string, string]
      if (type === 'TripletsAdded') addTriplet(state, [subject, relation, object])
      else if (type === 'TripletsDeleted') deleteTriplet(state, [subject, relation, object])
    }
  },
  *present(state) {
    yield* inGroups(allTriplets(state), tripletsAdded)
  },
  *clearing(state) {
    yield* inGroups([...allTriplets(state)], tripletsDeleted)
  },
}

export function* allTriplets({ subjects }: GraphState): Generator<Triplet> {
  for (const [subject, pairs] of subjects.entries()) {
    for (const [relation, object] of pairs.values())
      yield [unescapeText(subject), unescapeText(relation), unescapeText(object)]
  }
}

export function pairsOf({ subjects }: GraphState, subject: string): [relation: string, object: string][] {
  const pairs = subjects.get(escapeText(subject))?.values() ?? []
  return Array.from(pairs, ([relation, object]) => [unescapeText(relation), unescapeText(object)])
}

export function hasTriplet({ subjects }: GraphState, [subject, relation, object]: Triplet): boolean {
  return subjects.get(escapeText(subject))?.has(pairKey(escapeText(relation), escapeText(object))) ?? false
}

function pairKey(relation: string, object: string): string {
  return `${relation.length}:${relation}${object}`
}

function addTriplet({ subjects }: GraphState, [subject, relation, object]: Triplet): void {
  const key = pairKey(relation, object)
  const pairs = subjects.get(subject)
  if (pairs?.has(key)) return
  if (!pairs) return subjects.set(subject, new Map([[key, [relation, object]]]))
  subjects.update(
    subject,
    (value) => value.set(key, [relation, object]),
    (value) => value.delete(key),
  )
}

function deleteTriplet({ subjects }: GraphState, [subject, relation, object]: Triplet): void {
  const key = pairKey(relation, object)
  const pairs = subjects.get(subject)
  if (!pairs?.has(key)) return
  if (pairs.size === 1) return void subjects.delete(subject)
  const place = [...pairs.keys()].indexOf(key)
  subjects.update(
    subject,
    (value) => value.delete(key),
    (value) => {
      const after = [...value].slice(place)
      for (const [each] of after) value.delete(each)
      value.set(key, [relation, object])
      for (const [each, pair] of after) value.set(each, pair)
    },
  )
}

const pairsCodec: ValueCodec<Pairs> = {
  shape: listOf(tuple(text, text)),
  toPlain: (pairs) => [...pairs.values()],
  fromPlain: (plain) =>
    new Map(
      (plain as [string, string][]).map(([relation, object]) => [
        pairKey(relation, object),
        [relation, object],
      ]),
    ),
  copy: (pairs) => new Map(pairs),
}

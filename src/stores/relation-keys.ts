/** Under which key a relation stands. LlamaIndex's `source_label_target` may mean two triplets; the second one gets a key of its own. */
import type { Relation, Triplet } from './contract.ts'
import type { PropertyGraphState } from './property-graph-state.ts'
import { escapeText, unescapeText } from './storable.ts'
import type { SpelledTree } from './stored-metadata.ts'

/** The key, as the table has it, of a triplet's relation. The first files of LlamaIndex have its label alone. */
export function findRelation({ relations }: PropertyGraphState, triplet: Triplet): string | undefined {
  const [, label] = triplet
  const isIts = (key: string): boolean => {
    const { source_id, label: found, target_id } = (relations.get(key)?.value ?? {}) as Partial<Relation>
    return source_id === triplet[0] && found === label && target_id === triplet[2]
  }
  return [triplet.join('_'), label, JSON.stringify(triplet)].map(escapeText).find(isIts)
}

/** Keys for relations that are set together: those they have, or new ones. */
export function withKeys(
  state: PropertyGraphState,
  entries: readonly { triplet: Triplet; fields: SpelledTree }[],
): [key: string, fields: SpelledTree][] {
  const owners = new Map<string, string>()
  return entries.map(({ triplet, fields }) => {
    const known = findRelation(state, triplet)
    if (known !== undefined) return [unescapeText(known), fields]
    const [key, own] = [triplet.join('_'), JSON.stringify(triplet)]
    const isTaken = state.relations.has(escapeText(key)) || (owners.get(key) ?? own) !== own
    if (!isTaken) owners.set(key, own)
    return [isTaken ? own : key, fields]
  })
}

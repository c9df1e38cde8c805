/**
 * What a knowledge graph index's struct tells: which entities lead to which nodes, and which triplets came from which node. The latter
 * (`nodeTriplets`, `givenTriplets`) is Varve's own and unknown for imported nodes: LlamaIndex files each node of a triplet under its subject and
 * its object, so only a node under both can be where the triplet came from.
 */
import type { GraphStore, Triplet } from '../stores/contract.ts'
import type { StructView } from '../stores/index-struct.ts'
import { tripletKey } from '../stores/triplet-key.ts'

const none: ReadonlySet<string> = new Set()

export function nodesOfEntity(view: StructView, entity: string): ReadonlySet<string> {
  return (view.get('table', entity) as ReadonlySet<string> | undefined) ?? none
}

/** `undefined`: the node came from another program, which does not tell. */
function tripletsOfNode(view: StructView, nodeId: string): readonly Triplet[] | undefined {
  return view.get('nodeTriplets', nodeId) as readonly Triplet[] | undefined
}

/** The entities that lead to each of the nodes. One pass over the table. */
export function entitiesOfNodes(view: StructView, nodeIds: ReadonlySet<string>): Map<string, Set<string>> {
  const entities = new Map([...nodeIds].map((id) => [id, new Set<string>()]))
  if (nodeIds.size === 0) return entities
  for (const entity of view.keys('table')) {
    const members = nodesOfEntity(view, entity)
    for (const [id, found] of entities) if (members.has(id)) found.add(entity)
  }
  return entities
}

/** What may have come from a node, as far as can be told: too many rather than too few. */
export async function tripletsFrom(
  view: StructView,
  graphStore: GraphStore,
  { nodeId, entities }: { nodeId: string; entities: ReadonlySet<string> },
): Promise<readonly Triplet[]> {
  const known = tripletsOfNode(view, nodeId)
  if (known !== undefined) return known
  const found: Triplet[] = []
  for (const subject of entities) {
    for (const [relation, object] of await graphStore.get(subject)) {
      if (entities.has(object)) found.push([subject, relation, object])
    }
  }
  return found
}

/** Whether the index would still need a triplet if it let some nodes go. */
export function needsTriplet(view: StructView, triplet: Triplet, gone: ReadonlySet<string> = none): boolean {
  const key = tripletKey(triplet)
  if (view.has('givenTriplets', key)) return true
  const [subject, , object] = triplet
  const others = nodesOfEntity(view, object)
  for (const id of nodesOfEntity(view, subject)) {
    if (gone.has(id) || !others.has(id)) continue
    const known = tripletsOfNode(view, id)
    if (known === undefined || known.some((each) => tripletKey(each) === key)) return true
  }
  return false
}

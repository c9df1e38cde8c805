/**
 * The property graph store that keeps its nodes and relations in the journal. This version keeps and changes them; the queries of LlamaIndex's
 * `SimplePropertyGraphStore` that need more than ids are not here yet.
 */
import type { JournalHandle } from '../journal/handle.ts'
import type { LabelledNode, PropertyGraphStore, Relation, Triplet } from './contract.ts'
import { tripletsAdded, tripletsDeleted } from './graph-events.ts'
import { checkId } from './ids.ts'
import { JournalStore } from './journal-store.ts'
import { checkMetadata } from './metadata.ts'
import { graphNodesDeleted, graphNodesSet, relationsDeleted, relationsSet } from './property-graph-events.ts'
import { allGraphTriplets, type PropertyGraphState } from './property-graph-state.ts'
import { plainSpelling } from './spelling.ts'
import { escapeText, unescapeText } from './storable.ts'
import type { SpelledTree } from './stored-metadata.ts'

export const propertyGraphFolder = 'property_graph_store'

export class JournalPropertyGraphStore
  extends JournalStore<PropertyGraphState>
  implements PropertyGraphStore
{
  constructor(handle: JournalHandle) {
    super(handle, propertyGraphFolder)
  }

  async upsertNodes(nodes: readonly LabelledNode[]): Promise<void> {
    const entries = nodes.map(
      (node) => [checkId(nodeId(node), 'graph node id'), plainTree(node, 'graph node')] as const,
    )
    await this.change((_, append) => append(graphNodesSet(entries)))
  }

  async upsertRelations(relations: readonly Relation[]): Promise<void> {
    const entries = relations.map((relation) => ({
      triplet: tripletOf(relation),
      fields: plainTree(relation, 'relation'),
    }))
    for (const { triplet } of entries) for (const part of triplet) checkId(part, 'graph node id or label')
    await this.change((state, append) => {
      const ends = new Set(entries.flatMap(({ triplet: [source, , target] }) => [source, target]))
      const missing = [...ends].filter((id) => !state.nodes.has(escapeText(id)))
      append(
        graphNodesSet(
          missing.map((name) => [
            name,
            plainTree({ label: 'entity', embedding: null, properties: {}, name }, 'graph node'),
          ]),
        ),
      )
      append(relationsSet(withKeys(state, entries)))
      append(tripletsAdded(entries.map(({ triplet }) => triplet)))
    })
  }

  async get({ ids }: { ids?: readonly string[] } = {}): Promise<LabelledNode[]> {
    return this.read((state) => {
      const found = ids
        ? ids.map((id) => state.nodes.get(escapeText(id)))
        : Array.from(state.nodes.entries(), ([, fields]) => fields)
      return found
        .filter((fields) => fields !== undefined)
        .map(({ value }) => structuredClone(value) as LabelledNode)
    })
  }

  async getRelation(triplet: Triplet): Promise<Relation | undefined> {
    return this.read((state) => {
      const key = findRelation(state, triplet)
      return key === undefined ? undefined : (structuredClone(state.relations.get(key)!.value) as Relation)
    })
  }

  async getTriplets({ ids }: { ids?: readonly string[] } = {}): Promise<Triplet[]> {
    const wanted = ids && new Set(ids)
    return this.read((state) =>
      [...allGraphTriplets(state)].filter(
        ([source, , target]) => !wanted || wanted.has(source) || wanted.has(target),
      ),
    )
  }

  async delete({ ids }: { ids: readonly string[] }): Promise<void> {
    const gone = new Set(ids)
    await this.change((state, append) => {
      const triplets = [...allGraphTriplets(state)].filter(
        ([source, , target]) => gone.has(source) || gone.has(target),
      )
      const relations = triplets
        .map((triplet) => findRelation(state, triplet))
        .filter((key) => key !== undefined)
      append(tripletsDeleted(triplets))
      append(relationsDeleted(new Set(relations.map(unescapeText))))
      append(graphNodesDeleted([...gone].filter((id) => state.nodes.has(escapeText(id)))))
    })
  }
}

function plainTree(value: object, what: string): SpelledTree {
  return { value: checkMetadata(value, what), spelling: plainSpelling }
}

function nodeId({ name, id_, text }: LabelledNode): string {
  return id_ ?? name?.replaceAll('"', ' ') ?? text ?? ''
}

function tripletOf({ source_id, label, target_id }: Relation): Triplet {
  return [source_id, label, target_id]
}

/** LlamaIndex's key may mean two triplets; the second one gets a key of its own. */
function withKeys(
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

/** The key, as the table has it, of a triplet's relation. The first files of LlamaIndex have its label alone. */
function findRelation({ relations }: PropertyGraphState, triplet: Triplet): string | undefined {
  const [, label] = triplet
  const isIts = (key: string): boolean => {
    const { source_id, label: found, target_id } = (relations.get(key)?.value ?? {}) as Partial<Relation>
    return source_id === triplet[0] && found === label && target_id === triplet[2]
  }
  return [triplet.join('_'), label, JSON.stringify(triplet)].map(escapeText).find(isIts)
}

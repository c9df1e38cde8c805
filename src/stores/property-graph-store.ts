/** The property graph store that keeps its nodes and relations in the journal: LlamaIndex's `SimplePropertyGraphStore`, but a deletion leaves no loose ends. */
import { VarveError } from '../errors.ts'
import type { JournalHandle } from '../journal/handle.ts'
import type {
  GraphFilter,
  LabelledNode,
  PropertyGraphStore,
  Relation,
  RelMapOptions,
  Triplet,
} from './contract.ts'
import { tripletsAdded, tripletsDeleted } from './graph-events.ts'
import { checkId } from './ids.ts'
import { JournalStore } from './journal-store.ts'
import { checkMetadata } from './metadata.ts'
import { graphNodesDeleted, graphNodesSet, relationsDeleted, relationsSet } from './property-graph-events.ts'
import { tripletsTouching } from './property-graph-links.ts'
import { matchingNodes, matchingTriplets, relationsAround } from './property-graph-queries.ts'
import type { PropertyGraphState } from './property-graph-state.ts'
import { findRelation, withKeys } from './relation-keys.ts'
import { plainSpelling } from './spelling.ts'
import { escapeText, unescapeText } from './storable.ts'
import type { SpelledTree } from './stored-metadata.ts'

export const propertyGraphFolder = 'property_graph_store'

export class JournalPropertyGraphStore
  extends JournalStore<PropertyGraphState>
  implements PropertyGraphStore
{
  readonly supportsStructuredQueries = false
  readonly supportsVectorQueries = false

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

  async get(filter: Pick<GraphFilter, 'ids' | 'properties'> = {}): Promise<LabelledNode[]> {
    return this.read((state) => matchingNodes(state, filter).map(([, node]) => structuredClone(node)))
  }

  async getRelation(triplet: Triplet): Promise<Relation | undefined> {
    return this.read((state) => {
      const key = findRelation(state, triplet)
      return key === undefined ? undefined : (structuredClone(state.relations.get(key)!.value) as Relation)
    })
  }

  async getTriplets(filter: GraphFilter = {}): Promise<Triplet[]> {
    return this.read((state) => matchingTriplets(state, filter))
  }

  async getRelMap(
    nodes: readonly (LabelledNode | string)[],
    { depth = 2, limit = 30, ignoreRels = [] }: RelMapOptions = {},
  ): Promise<Triplet[]> {
    const ids = nodes.map((node) => (typeof node === 'string' ? node : nodeId(node)))
    return this.read((state) => relationsAround(state, ids, { depth, limit, ignoreRels }))
  }

  async delete(what: GraphFilter | { triplets: readonly Triplet[] }): Promise<void> {
    if (Object.values(what).every((each) => each === undefined))
      throw new TypeError('delete() takes ids, entityNames, relationNames, properties or triplets.')
    await this.change((state, append) => {
      const nodes = 'triplets' in what ? [] : goingNodes(state, what)
      const triplets =
        'triplets' in what ? knownAmong(state, what.triplets) : goingTriplets(state, what, nodes)
      const relations = triplets
        .map((triplet) => findRelation(state, triplet))
        .filter((key) => key !== undefined)
      append(tripletsDeleted(triplets))
      append(relationsDeleted(new Set(relations.map(unescapeText))))
      append(graphNodesDeleted(nodes))
    })
  }

  /** Never: LlamaIndex's simple store has no schema, and this one neither. */
  async getSchema(): Promise<never> {
    throw unsupported('no schema', 'Read labels and properties with get() and getRelation().')
  }

  /** Never: there is no query language here. */
  async structuredQuery(): Promise<never> {
    throw unsupported('no query language', 'Ask with get(), getTriplets() and getRelMap().')
  }

  /** Never: vectors of nodes are kept, not searched. */
  async vectorQuery(): Promise<never> {
    throw unsupported(
      'no search by vector',
      'Keep the vectors in a vector store, under the ids of the nodes.',
    )
  }
}

function unsupported(lack: string, remedy: string): VarveError {
  return new VarveError('VARVE_UNSUPPORTED_QUERY', `This property graph store has ${lack}.`, { remedy })
}

/** With `relationNames` only relations are meant: a node has none. */
function goingNodes(state: PropertyGraphState, { relationNames, ...filter }: GraphFilter): string[] {
  if (relationNames !== undefined) return []
  const { ids, entityNames, properties } = filter
  const named = entityNames && new Set(entityNames)
  const wanted = named && ids ? ids.filter((id) => named.has(id)) : (ids ?? entityNames)
  const nodes = matchingNodes(state, {
    ...(wanted && { ids: [...new Set(wanted)] }),
    ...(properties && { properties }),
  })
  return nodes.map(([id]) => id)
}

function goingTriplets(state: PropertyGraphState, filter: GraphFilter, nodes: readonly string[]): Triplet[] {
  const all = [...matchingTriplets(state, filter), ...tripletsTouching(state, nodes)]
  return [...new Map(all.map((triplet) => [JSON.stringify(triplet), triplet])).values()]
}

function knownAmong(state: PropertyGraphState, triplets: readonly Triplet[]): Triplet[] {
  return triplets.filter((triplet) => state.triplets.has(JSON.stringify(triplet.map(escapeText))))
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

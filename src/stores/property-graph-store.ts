/**
 * The property graph store that keeps its nodes and relations in the journal. This version keeps and changes them; the queries of LlamaIndex's
 * `SimplePropertyGraphStore` that need more than ids are not here yet.
 */
import type { EventInput } from '../journal/event.ts'
import type { JournalHandle } from '../journal/handle.ts'
import type { Triplet } from './contract.ts'
import { inGroups } from './document-state.ts'
import { checkId } from './ids.ts'
import { JournalStore } from './journal-store.ts'
import { checkMetadata } from './metadata.ts'
import { graphNodesSet, keysDeleted, relationsSet, tripletRows, type Fields } from './property-graph-events.ts'
import { tripletKey, type PropertyGraphState } from './property-graph-state.ts'

export const propertyGraphFolder = 'property_graph_store'

/** An entity (with a `name`) or a chunk of text (with `text` and `id_`); all fields are kept. */
export interface LabelledNode {
  label: string
  name?: string
  text?: string
  id_?: string
  embedding?: number[] | null
  properties: Record<string, unknown>
  [field: string]: unknown
}

export interface Relation {
  label: string
  source_id: string
  target_id: string
  properties: Record<string, unknown>
  [field: string]: unknown
}

export class JournalPropertyGraphStore extends JournalStore<PropertyGraphState> {
  constructor(handle: JournalHandle) {
    super(handle, propertyGraphFolder)
  }

  /** Adds nodes, or replaces those of equal id. */
  async upsertNodes(nodes: readonly LabelledNode[]): Promise<void> {
    const entries = nodes.map((node) => [checkId(nodeId(node), 'graph node id'), checkMetadata(node, 'graph node')] as const)
    await this.change((_, append) => append(graphNodesSet(entries)))
  }

  /** Adds relations, or replaces those between the same nodes with the same label. Unknown ends become entities of their name. */
  async upsertRelations(relations: readonly Relation[]): Promise<void> {
    const entries = relations.map((relation) => [relationKey(relation), checkMetadata(relation, 'relation')] as const)
    const triplets = relations.map(({ source_id, label, target_id }) => [source_id, label, target_id] as const)
    for (const ids of triplets) for (const id of ids) checkId(id, 'graph node id')
    await this.change((state, append) => {
      const ends = new Set(relations.flatMap(({ source_id, target_id }) => [source_id, target_id]))
      const missing = [...ends].filter((id) => !state.nodes.has(id))
      append(graphNodesSet(missing.map((name) => [name, { label: 'entity', embedding: null, properties: {}, name }])))
      append(relationsSet(entries))
      append(tripletRows('TripletsAdded', triplets))
    })
  }

  /** The nodes with these ids, or all; unknown ids are left out. */
  async get({ ids }: { ids?: readonly string[] } = {}): Promise<LabelledNode[]> {
    return this.read((state) =>
      (ids ?? [...state.nodes.keys()])
        .map((id) => state.nodes.get(id))
        .filter((node) => node !== undefined)
        .map((node) => structuredClone(node) as LabelledNode),
    )
  }

  /** The relation of a triplet, with its properties. */
  async getRelation([source, label, target]: Triplet): Promise<Relation | undefined> {
    return this.read((state) => structuredClone(state.relations.get(`${source}_${label}_${target}`)) as Relation | undefined)
  }

  /** The triplets that touch one of these nodes, or all. */
  async getTriplets({ ids }: { ids?: readonly string[] } = {}): Promise<Triplet[]> {
    const wanted = ids && new Set(ids)
    return this.read((state) =>
      Array.from(state.triplets.entries(), ([, triplet]) => triplet).filter(
        ([source, , target]) => !wanted || wanted.has(source) || wanted.has(target),
      ),
    )
  }

  /** Deletes nodes, and the relations that would have no end without them. Unknown ids do nothing. */
  async delete({ ids }: { ids: readonly string[] }): Promise<void> {
    const gone = new Set(ids)
    await this.change((state, append) => {
      const triplets = Array.from(state.triplets.entries(), ([, triplet]) => triplet).filter(
        ([source, , target]) => gone.has(source) || gone.has(target),
      )
      append(tripletRows('TripletsDeleted', triplets))
      append(keysDeleted('RelationsDeleted', triplets.map(([source, label, target]) => `${source}_${label}_${target}`)))
      append(keysDeleted('GraphNodesDeleted', ids.filter((id) => state.nodes.has(id))))
    })
  }
}

/** The events that bring in a `property_graph_store.json`, whole. */
export function* propertyGraphEvents(tree: Record<string, unknown>): Generator<EventInput> {
  const { nodes = {}, relations = {}, triplets = [] } = tree as { nodes?: Record<string, Fields>; relations?: Record<string, Fields>; triplets?: Triplet[] }
  yield* inGroups(Object.entries(nodes), graphNodesSet)
  yield* inGroups(Object.entries(relations), relationsSet)
  const distinct = new Map(triplets.map((triplet) => [tripletKey(triplet), triplet]))
  yield* inGroups(distinct.values(), (group) => tripletRows('TripletsAdded', group))
}

function nodeId({ name, id_, text }: LabelledNode): string {
  return id_ ?? name?.replaceAll('"', ' ') ?? text ?? ''
}

function relationKey({ source_id, label, target_id }: Relation): string {
  return `${source_id}_${label}_${target_id}`
}

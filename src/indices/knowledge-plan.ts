/** What a knowledge graph index changes when nodes and triplets come and go: its struct, and the graph it shares with others. */
import type { DocumentStore, GraphStore, IndexStore, Triplet } from '../stores/contract.ts'
import type { StructChange, StructView } from '../stores/index-struct.ts'
import type { StepPlan } from './index-step.ts'
import { entitiesOfNodes, needsTriplet, tripletsFrom } from './knowledge-table.ts'
import type { StoreCall } from './store-calls.ts'
import { listStructs } from './struct-list.ts'
import { tripletKey } from '../stores/triplet-key.ts'

export interface NodeKnowledge {
  triplets: readonly Triplet[]
  /** Entities beyond those of the triplets. */
  entities?: readonly string[]
  /** `true`: what the node has already stays. */
  keeps?: boolean
}

export interface AddedKnowledge {
  /** By node id. */
  nodes: ReadonlyMap<string, NodeKnowledge>
  /** Triplets that come from no node. */
  given: readonly Triplet[]
  /** Vectors by the triplet's key. */
  embeddings: ReadonlyMap<string, readonly number[]>
}

export const noKnowledge: AddedKnowledge = { nodes: new Map(), given: [], embeddings: new Map() }

export interface KnowledgeStores {
  docstore: DocumentStore
  graphStore: GraphStore
  indexStore: IndexStore
}

export interface KnowledgeRequest {
  view: StructView
  removed: ReadonlySet<string>
  added: AddedKnowledge
}

export async function planKnowledge(stores: KnowledgeStores, request: KnowledgeRequest): Promise<StepPlan> {
  const { view, removed, added } = request
  const known = await knownNodes(stores, request)
  const replaced = [...known].filter((id) => added.nodes.get(id)!.keeps !== true)
  const entities = entitiesOfNodes(view, new Set([...removed, ...replaced]))
  const kept = await keptTriplets(stores, request, known)
  const lost = await lostTriplets(stores, request, entities)
  const arriving = [...added.given, ...[...added.nodes.values()].flatMap(({ triplets }) => triplets)]
  return {
    changes: [...removals(view, entities, lost), ...additions(added, kept)],
    calls: [
      ...(await deletions(stores, view, lost)),
      ...(arriving.length > 0 ? [upsertion(stores.graphStore, arriving)] : []),
    ],
  }
}

/** Of the nodes that are added, those that may be in the index. */
async function knownNodes(
  { docstore }: KnowledgeStores,
  { view, added }: KnowledgeRequest,
): Promise<Set<string>> {
  const ids = [...added.nodes.keys()]
  const exist = await Promise.all(ids.map((id) => docstore.documentExists(id)))
  return new Set(ids.filter((id, at) => exist[at] || view.has('nodeTriplets', id)))
}

/** Of nodes that keep what they have: where their triplets were not told so far, they are from now on. */
async function keptTriplets(
  { graphStore }: KnowledgeStores,
  { view, added }: KnowledgeRequest,
  known: ReadonlySet<string>,
): Promise<Map<string, readonly Triplet[]>> {
  const keeping = new Set([...known].filter((id) => added.nodes.get(id)!.keeps === true))
  const kept = new Map<string, readonly Triplet[]>()
  for (const [nodeId, entities] of entitiesOfNodes(view, keeping)) {
    kept.set(nodeId, await tripletsFrom(view, graphStore, { nodeId, entities }))
  }
  return kept
}

/** By key: the triplets that no node of the index, and no hand, accounts for any more. */
async function lostTriplets(
  { graphStore }: KnowledgeStores,
  { view, added }: KnowledgeRequest,
  entities: ReadonlyMap<string, ReadonlySet<string>>,
): Promise<Map<string, Triplet>> {
  const gone = new Set(entities.keys())
  const lost = new Map<string, Triplet>()
  for (const [nodeId, names] of entities) {
    for (const triplet of await tripletsFrom(view, graphStore, { nodeId, entities: names })) {
      const key = tripletKey(triplet)
      if (!lost.has(key) && !needsTriplet(view, triplet, gone)) lost.set(key, triplet)
    }
  }
  for (const { triplets } of added.nodes.values()) for (const each of triplets) lost.delete(tripletKey(each))
  for (const triplet of added.given) lost.delete(tripletKey(triplet))
  return lost
}

function removals(
  view: StructView,
  entities: ReadonlyMap<string, ReadonlySet<string>>,
  lost: ReadonlyMap<string, Triplet>,
): StructChange[] {
  const changes: StructChange[] = []
  for (const [member, names] of entities) {
    for (const key of names) changes.push({ op: 'remove', field: 'table', key, member })
    if (view.has('nodeTriplets', member)) changes.push({ op: 'delete', field: 'nodeTriplets', key: member })
  }
  for (const key of lost.keys()) {
    if (view.has('embeddingDict', key)) changes.push({ op: 'delete', field: 'embeddingDict', key })
  }
  return changes
}

function additions(
  { nodes, given, embeddings }: AddedKnowledge,
  kept: ReadonlyMap<string, readonly Triplet[]>,
): StructChange[] {
  const changes: StructChange[] = []
  for (const [member, { triplets, entities = [] }] of nodes) {
    const all = new Map([...(kept.get(member) ?? []), ...triplets].map((each) => [tripletKey(each), each]))
    changes.push({ op: 'set', field: 'nodeTriplets', key: member, value: [...all.values()] })
    const names = new Set([...entities, ...triplets.flatMap(([subject, , object]) => [subject, object])])
    for (const key of names) changes.push({ op: 'add', field: 'table', key, member })
  }
  for (const triplet of given) {
    changes.push({ op: 'set', field: 'givenTriplets', key: tripletKey(triplet), value: [...triplet] })
  }
  for (const [key, value] of embeddings) changes.push({ op: 'set', field: 'embeddingDict', key, value })
  return changes
}

/** The graph keeps what another index of the storage needs. */
async function deletions(
  { graphStore, indexStore }: KnowledgeStores,
  { indexId }: StructView,
  lost: ReadonlyMap<string, Triplet>,
): Promise<StoreCall[]> {
  if (lost.size === 0) return []
  const structs = await listStructs(indexStore)
  const others = structs.filter((view) => view.type === 'kg' && view.indexId !== indexId)
  const free = [...lost.values()].filter((triplet) => !others.some((view) => needsTriplet(view, triplet)))
  return free.map((triplet) => ({ store: graphStore, call: () => graphStore.delete(...triplet) }))
}

/** Ours takes many triplets at a time. */
interface BatchGraphStore extends GraphStore {
  upsertTriplets?(triplets: readonly Triplet[]): Promise<void>
}

function upsertion(graphStore: BatchGraphStore, triplets: readonly Triplet[]): StoreCall {
  const distinct = [...new Map(triplets.map((triplet) => [tripletKey(triplet), triplet])).values()]
  const oneByOne = async (): Promise<void> => {
    for (const triplet of distinct) await graphStore.upsertTriplet(...triplet)
  }
  return { store: graphStore, call: () => graphStore.upsertTriplets?.(distinct) ?? oneByOne() }
}

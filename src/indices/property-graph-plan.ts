/**
 * What changes in a property graph when chunks come and go. Entities and relations that came from nothing else go with their chunks; where another program did not note all
 * sources, `triplet_source_id` is what counts.
 */
import type { LabelledNode, PropertyGraphStore, Relation, Triplet } from '../stores/contract.ts'
import type { StructChange, StructView } from '../stores/index-struct.ts'
import type { BaseNode } from '../stores/node.ts'
import type { StepPlan } from './index-step.ts'
import { chunkOf, entityOf, idOf, isChunk, relationOf, sourceOf } from './property-graph-nodes.ts'
import { tripletKey } from '../stores/triplet-key.ts'
import type { StoreCall } from './store-calls.ts'

export interface AddedChunk {
  node: BaseNode
  triplets: readonly Triplet[]
}

export interface PropertyGraphRequest {
  view: StructView
  removed: ReadonlySet<string>
  added: readonly AddedChunk[]
  /** Other indices of the same graph. */
  others: readonly StructView[]
}

export interface PropertyGraphPlan extends StepPlan {
  calls: StoreCall[]
  /** Entities that go. */
  goneEntities: ReadonlySet<string>
}

export async function planPropertyGraph(
  store: PropertyGraphStore,
  request: PropertyGraphRequest,
): Promise<PropertyGraphPlan> {
  const { view, removed, added } = request
  const renewed = added.map(({ node }) => node.id_).filter((id) => view.has('nodeTriplets', id))
  const gone = new Set([...removed, ...renewed])
  const removal = await planGraphRemoval(store, request, gone)
  const calls = [...removal.calls, ...(await additionCalls(store, added))]
  const changes: StructChange[] = [
    ...[...removed]
      .filter((key) => view.has('nodeTriplets', key))
      .map((key): StructChange => ({ op: 'delete', field: 'nodeTriplets', key })),
    ...added.map(({ node, triplets }): StructChange => ({
      op: 'set',
      field: 'nodeTriplets',
      key: node.id_,
      value: triplets,
    })),
  ]
  return { changes, calls: calls.map((call) => ({ store, call })), goneEntities: removal.entities }
}

type Call = () => Promise<void>

/** Nodes take their relations along; what else is lost goes by itself. */
async function planGraphRemoval(
  store: PropertyGraphStore,
  request: PropertyGraphRequest,
  gone: ReadonlySet<string>,
): Promise<{ calls: Call[]; entities: ReadonlySet<string> }> {
  if (gone.size === 0) return { calls: [], entities: new Set() }
  const all = await store.getTriplets()
  const relations = new Map<string, Relation>()
  for (const triplet of all)
    relations.set(tripletKey(triplet), (await store.getRelation(triplet)) ?? relationOf(triplet, ''))
  const lost = lostKeys(request, {
    gone,
    relations,
    present: await presentSources(store, relations.values()),
  })
  // What no other index has.
  const leaving = [...gone].filter((id) => !request.others.some((view) => view.has('nodeTriplets', id)))
  const staying = all.filter(
    (triplet) => !lost.has(tripletKey(triplet)) && !gone.has(triplet[0]) && !gone.has(triplet[2]),
  )
  const entities = await goneEntities(store, { lost, gone, all, staying })
  const loose = all.filter((triplet) => lost.has(tripletKey(triplet)))
  const ids = [...leaving, ...entities]
  return { calls: [() => store.delete({ ids }), () => store.delete({ triplets: loose })], entities }
}

interface Sources {
  gone: ReadonlySet<string>
  relations: ReadonlyMap<string, Relation>
  /** Chunks that are noted as sources, and are there. */
  present: ReadonlySet<string>
}

async function presentSources(
  store: PropertyGraphStore,
  noted: Iterable<LabelledNode | Relation>,
): Promise<Set<string>> {
  const ids = new Set(Array.from(noted, (each) => sourceOf(each)).filter((id) => id !== undefined))
  return new Set((await store.get({ ids: [...ids] })).map(idOf))
}

/** Relations that came from chunks which go, and from no other. */
function lostKeys(
  { view, others }: PropertyGraphRequest,
  { gone, relations, present }: Sources,
): Set<string> {
  const candidates = new Set<string>()
  const held = new Set<string>()
  for (const [id, keys] of keysByChunk(view))
    for (const key of keys) (gone.has(id) ? candidates : held).add(key)
  for (const other of others) for (const [, keys] of keysByChunk(other)) for (const key of keys) held.add(key)
  for (const [key, relation] of relations) {
    const source = sourceOf(relation)
    const isTold = [view, ...others].some((each) => source !== undefined && each.has('nodeTriplets', source))
    if (source === undefined || isTold) continue
    if (gone.has(source)) candidates.add(key)
    else if (present.has(source)) held.add(key)
  }
  return new Set([...candidates].filter((key) => !held.has(key)))
}

function* keysByChunk(view: StructView): Generator<[nodeId: string, keys: string[]]> {
  for (const id of view.keys('nodeTriplets')) {
    yield [id, (view.get('nodeTriplets', id) as readonly Triplet[]).map(tripletKey)]
  }
}

interface Lost {
  lost: ReadonlySet<string>
  gone: ReadonlySet<string>
  all: readonly Triplet[]
  staying: readonly Triplet[]
}

/** Those at the ends of what is lost that nothing else leads to. */
async function goneEntities(
  store: PropertyGraphStore,
  { lost, gone, all, staying }: Lost,
): Promise<Set<string>> {
  const needed = new Set(staying.flatMap(([subject, , object]) => [subject, object]))
  const ends = all
    .filter((triplet) => lost.has(tripletKey(triplet)))
    .flatMap(([subject, , object]) => [subject, object])
  const loose = [...new Set(ends)].filter((id) => !needed.has(id))
  const entities = (await store.get({ ids: loose })).filter((node) => !isChunk(node))
  const present = await presentSources(store, entities)
  const isLeft = (source: string): boolean => present.has(source) && !gone.has(source)
  const going = entities.filter((entity) => wasExtracted(entity) && !isLeft(sourceOf(entity)!))
  return new Set(going.map(idOf))
}

/** Others were put into the graph by hand. */
function wasExtracted(entity: LabelledNode): boolean {
  return sourceOf(entity) !== undefined
}

/** What is known already keeps its properties. Asked before removals take effect, so everything is given again. */
async function additionCalls(store: PropertyGraphStore, added: readonly AddedChunk[]): Promise<Call[]> {
  if (added.length === 0) return []
  const entities = await entitiesOf(store, added)
  const relations = new Map<string, Relation>()
  for (const { node, triplets } of added) {
    for (const triplet of triplets) {
      const key = tripletKey(triplet)
      if (!relations.has(key))
        relations.set(key, (await store.getRelation(triplet)) ?? relationOf(triplet, node.id_))
    }
  }
  const nodes = [...added.map(({ node }) => chunkOf(node)), ...entities.values()]
  return [() => store.upsertNodes(nodes), () => store.upsertRelations([...relations.values()])]
}

/** The entities of these chunks by id: those that the graph knows as it knows them. */
export async function entitiesOf(
  store: PropertyGraphStore,
  added: readonly AddedChunk[],
): Promise<Map<string, LabelledNode>> {
  const entities = new Map<string, LabelledNode>()
  for (const { node, triplets } of added)
    for (const name of triplets.flatMap(([subject, , object]) => [subject, object]))
      if (!entities.has(name)) entities.set(name, entityOf(name, node.id_))
  for (const known of await store.get({ ids: [...entities.keys()] })) entities.set(idOf(known), known)
  return entities
}

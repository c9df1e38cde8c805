// The questions of a property graph, beside what LlamaIndex for Python answers (fixtures/make.py).
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { MemoryDisk } from '../../src/disk/memory-disk.ts'
import type { GraphFilter, LabelledNode, Relation, Triplet } from '../../src/stores/contract.ts'
import type { JournalPropertyGraphStore } from '../../src/stores/property-graph-store.ts'
import { expectCode, inEveryWay, openStorage, type Stage } from './store-cases.ts'

interface Graph {
  nodes: LabelledNode[]
  relations: Relation[]
}
type Answer =
  | { get: { properties: Record<string, unknown> }; ids: string[] }
  | { getTriplets: Record<string, string[]>; triplets: Triplet[] }
  | { getRelMap: string[]; depth: number; ignoreRels: string[] | null; triplets: Triplet[] }

const [python, ...answers] = JSON.parse(
  readFileSync(new URL('fixtures/graph.json', import.meta.url), 'utf8'),
) as [Graph, ...Answer[]]

const graph = (stage: Stage) => stage.storage.propertyGraphStore as JournalPropertyGraphStore
const names = (nodes: readonly LabelledNode[]) => nodes.map(({ name }) => name)
const relation = (source_id: string, label: string, target_id: string, properties = {}): Relation => ({
  label,
  source_id,
  target_id,
  properties,
})
const entity = (name: string, properties: Record<string, unknown> = {}): LabelledNode => ({
  label: 'entity',
  embedding: null,
  properties,
  name,
})

async function ask(store: JournalPropertyGraphStore, answer: Answer): Promise<unknown> {
  if ('get' in answer) return names(await store.get(answer.get)).sort()
  if ('getTriplets' in answer) {
    const { entity_names, relation_names, ...others } = answer.getTriplets
    const filter: GraphFilter = {
      ...others,
      ...(entity_names && { entityNames: entity_names }),
      ...(relation_names && { relationNames: relation_names }),
    }
    return (await store.getTriplets(filter)).sort()
  }
  const { getRelMap: ids, depth, ignoreRels } = answer
  return (await store.getRelMap(ids, { depth, limit: 1000, ...(ignoreRels && { ignoreRels }) })).sort()
}

inEveryWay('every question is answered as in Python', async (stage) => {
  await graph(stage).upsertNodes(python.nodes)
  await graph(stage).upsertRelations(python.relations)
  await stage.step()
  for (const answer of answers) {
    const expected = 'ids' in answer ? answer.ids : answer.triplets
    expect([answer, await ask(graph(stage), answer)]).toEqual([answer, expected])
  }
})

/** a → b → c → d, and a → c. */
async function chain(stage: Stage): Promise<JournalPropertyGraphStore> {
  await graph(stage).upsertRelations([
    relation('b', 'r', 'c'),
    relation('a', 'r', 'b', { since: 1 }),
    relation('a', 's', 'c'),
    relation('c', 'r', 'd'),
  ])
  await stage.step()
  return graph(stage)
}

inEveryWay('a relation map is nearest first, each triplet once, up to its limit', async (stage) => {
  const store = await chain(stage)
  const near = [
    ['a', 'r', 'b'],
    ['a', 's', 'c'],
  ]
  expect(await store.getRelMap(['a'], { depth: 1 })).toEqual(near)
  expect(await store.getRelMap(await store.get({ ids: ['a'] }))).toEqual([
    ...near,
    ['b', 'r', 'c'],
    ['c', 'r', 'd'],
  ])
  expect(await store.getRelMap(['a'], { limit: 1 })).toEqual(near.slice(0, 1))
  expect(await store.getRelMap(['a'], { limit: 2, ignoreRels: ['s'] })).toEqual([near[0], ['b', 'r', 'c']])
  expect(await store.getRelMap(['a'], { depth: 0 })).toEqual([])
  expect(await store.getRelMap([])).toEqual([])
})

inEveryWay('what touches a node stays right while triplets come, go and are taken back', async (stage) => {
  const store = await chain(stage)
  const touching = async (id: string) => (await graph(stage).getTriplets({ ids: [id] })).map(String).sort()
  expect(await touching('c')).toEqual(['a,s,c', 'b,r,c', 'c,r,d'])
  await store.upsertRelations([relation('e', 'r', 'c')])
  await store.delete({ triplets: [['b', 'r', 'c']] })
  expect(await touching('c')).toEqual(['a,s,c', 'c,r,d', 'e,r,c'])
  await stage.step()
  await expect(
    stage.storage.transaction({}, async () => {
      await graph(stage).delete({ ids: ['a'] })
      expect(await touching('c')).toEqual(['c,r,d', 'e,r,c'])
      throw new Error('taken back')
    }),
  ).rejects.toThrow('taken back')
  expect(await touching('c')).toEqual(['a,s,c', 'c,r,d', 'e,r,c'])
  expect(await touching('b')).toEqual(['a,r,b'])
})

const deletions: [what: string, filter: GraphFilter, nodes: string[], triplets: string[]][] = [
  ['by id', { ids: ['b'] }, ['a', 'c', 'd'], ['a,s,c', 'c,r,d']],
  ['by name', { entityNames: ['b', 'unknown'] }, ['a', 'c', 'd'], ['a,s,c', 'c,r,d']],
  ['by id and name', { ids: ['a', 'b'], entityNames: ['b', 'c'] }, ['a', 'c', 'd'], ['c,r,d']],
  ['by relation, whose ends stay', { relationNames: ['r'] }, ['a', 'b', 'c', 'd'], ['a,s,c']],
  ['by relation of a node', { relationNames: ['r'], ids: ['b'] }, ['a', 'b', 'c', 'd'], ['a,s,c', 'c,r,d']],
  [
    'by a property of a relation',
    { properties: { since: 1 } },
    ['a', 'b', 'c', 'd'],
    ['a,s,c', 'b,r,c', 'c,r,d'],
  ],
  ['of nothing', { ids: [] }, ['a', 'b', 'c', 'd'], ['a,r,b', 'a,s,c', 'b,r,c', 'c,r,d']],
]
for (const [what, filter, nodes, triplets] of deletions) {
  inEveryWay(`a deletion ${what}`, async (stage) => {
    const store = await chain(stage)
    await store.delete(filter)
    await stage.step()
    expect(names(await graph(stage).get()).sort()).toEqual(nodes)
    expect((await graph(stage).getTriplets()).map(String).sort()).toEqual(triplets)
    for (const triplet of await graph(stage).getTriplets())
      expect(await graph(stage).getRelation(triplet)).toBeDefined()
  })
}

inEveryWay('a deletion by a property of a node takes the node and its relations', async (stage) => {
  const store = await chain(stage)
  await store.upsertNodes([entity('c', { red: true })])
  await store.delete({ properties: { red: 1 } })
  await stage.step()
  expect(names(await graph(stage).get()).sort()).toEqual(['a', 'b', 'd'])
  expect(await graph(stage).getTriplets()).toEqual([['a', 'r', 'b']])
})

test('deleting costs what goes, not the graph', async () => {
  const disk = new MemoryDisk()
  const stage = { storage: await openStorage({ disk, persistDir: '/storage' }) } as Stage
  const persisted = async () => {
    await stage.storage.persist()
    return (await disk.stat('/storage/property_graph_store/0000000001.log'))!.sizeBytes
  }
  const hub = Array.from({ length: 2000 }, (_, at) => relation('hub', 'r', `e${at}`, { at }))
  await graph(stage).upsertRelations(hub)
  const before = await persisted()
  await graph(stage).delete({ triplets: [['hub', 'r', 'e7']] })
  await graph(stage).upsertNodes([entity('hub', { known: true })])
  expect(before).toBeGreaterThan(100_000)
  expect((await persisted()) - before).toBeLessThan(2000)
})

test('without any filter nothing is deleted', async () => {
  const stage = { storage: await openStorage({}) } as Stage
  await graph(stage).upsertNodes([entity('a')])
  await expect(graph(stage).delete({})).rejects.toThrow(TypeError)
  expect(names(await graph(stage).get())).toEqual(['a'])
})

test.each(['getSchema', 'structuredQuery', 'vectorQuery'] as const)(
  '%s is refused, and what to ask instead is named',
  async (method) => {
    const stage = { storage: await openStorage({}) } as Stage
    await expectCode(graph(stage)[method](), 'VARVE_UNSUPPORTED_QUERY')
    await expect(graph(stage)[method]()).rejects.toThrow(/get\(\)|vector store/)
  },
)

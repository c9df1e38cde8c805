import { expect, test } from 'vitest'
import type { LabelledNode, Relation } from '../../src/stores/contract.ts'
import type { JournalPropertyGraphStore } from '../../src/stores/property-graph-store.ts'
import { expectCode, inEveryWay, openStorage, type Stage } from './store-cases.ts'

const graph = (stage: Stage) => stage.storage.propertyGraphStore as JournalPropertyGraphStore
const entity = (name: string, properties: Record<string, unknown> = {}): LabelledNode => ({
  label: 'entity',
  embedding: null,
  properties,
  name,
})
const relation = (source_id: string, label: string, target_id: string, properties = {}): Relation => ({
  label,
  source_id,
  target_id,
  properties,
})

inEveryWay('nodes and relations come back with every field', async (stage) => {
  const nodes = [
    entity('Alice', { score: -0, deep: { a: [1, null] } }),
    { label: 'text_chunk', embedding: [0.5, 1], properties: {}, text: 'Hello', id_: 'n1', unknown: { x: 1 } },
  ]
  await graph(stage).upsertNodes(nodes)
  await graph(stage).upsertRelations([relation('Alice', 'in', 'n1', { since: 2020 })])
  await stage.step()
  expect(await graph(stage).get()).toEqual(nodes)
  expect(await graph(stage).get({ ids: ['n1', 'unknown'] })).toEqual([nodes[1]])
  expect(await graph(stage).getRelation(['Alice', 'in', 'n1'])).toEqual(
    relation('Alice', 'in', 'n1', { since: 2020 }),
  )
  expect(await graph(stage).getRelation(['Alice', 'on', 'n1'])).toBeUndefined()
  expect(await graph(stage).getTriplets()).toEqual([['Alice', 'in', 'n1']])
})

inEveryWay('a known node or relation is replaced and keeps its place', async (stage) => {
  await graph(stage).upsertNodes([entity('a'), entity('b')])
  await graph(stage).upsertRelations([relation('a', 'r', 'b', { v: 1 }), relation('b', 'r', 'a')])
  await stage.step()
  await graph(stage).upsertNodes([entity('a', { v: 2 })])
  await graph(stage).upsertRelations([relation('a', 'r', 'b', { v: 2 })])
  await stage.step()
  expect(await graph(stage).get()).toEqual([entity('a', { v: 2 }), entity('b')])
  expect((await graph(stage).getRelation(['a', 'r', 'b']))!.properties).toEqual({ v: 2 })
  expect(await graph(stage).getTriplets()).toEqual([
    ['a', 'r', 'b'],
    ['b', 'r', 'a'],
  ])
})

inEveryWay('unknown ends become entities', async (stage) => {
  await graph(stage).upsertRelations([relation('a', 'r', 'b')])
  await stage.step()
  expect(await graph(stage).get()).toEqual([entity('a'), entity('b')])
})

inEveryWay('relations whose keys are spelled alike are not mixed up', async (stage) => {
  await graph(stage).upsertRelations([
    relation('a', 'b_c', 'd', { v: 1 }),
    relation('a_b', 'c', 'd', { v: 2 }),
  ])
  await stage.step()
  await graph(stage).upsertRelations([
    relation('a', 'b', 'c_d', { v: 3 }),
    relation('a_b', 'c', 'd', { v: 4 }),
  ])
  await stage.step()
  const properties = async (...triplet: [string, string, string]) =>
    (await graph(stage).getRelation(triplet))?.properties
  expect(await properties('a', 'b_c', 'd')).toEqual({ v: 1 })
  expect(await properties('a_b', 'c', 'd')).toEqual({ v: 4 })
  expect(await properties('a', 'b', 'c_d')).toEqual({ v: 3 })
  await graph(stage).delete({ ids: ['a_b'] })
  await stage.step()
  expect(await properties('a_b', 'c', 'd')).toBeUndefined()
  expect(await properties('a', 'b_c', 'd')).toEqual({ v: 1 })
})

inEveryWay('deleting a node takes its relations along, and leaves the other ends', async (stage) => {
  await graph(stage).upsertRelations([
    relation('a', 'r', 'b'),
    relation('b', 'r', 'c'),
    relation('c', 'r', 'd'),
  ])
  await stage.step()
  await graph(stage).delete({ ids: ['b', 'unknown', 'b'] })
  await stage.step()
  expect((await graph(stage).get()).map(({ name }) => name)).toEqual(['a', 'c', 'd'])
  expect(await graph(stage).getTriplets()).toEqual([['c', 'r', 'd']])
  expect(await graph(stage).getTriplets({ ids: ['d'] })).toEqual([['c', 'r', 'd']])
  expect(await graph(stage).getTriplets({ ids: ['a'] })).toEqual([])
  expect(await graph(stage).getRelation(['a', 'r', 'b'])).toBeUndefined()
})

inEveryWay('the id of an entity is its name, with spaces for quotes', async (stage) => {
  await graph(stage).upsertNodes([entity('say "hi"'), entity('__proto__'), entity('../../x')])
  await stage.step()
  expect(await graph(stage).get({ ids: ['say  hi ', '__proto__', '../../x'] })).toHaveLength(3)
})

test('bad nodes are refused, and nothing of their call is added', async () => {
  const stage = { storage: await openStorage({}) } as Stage
  const cyclic: Record<string, unknown> = {}
  cyclic.self = cyclic
  await expectCode(graph(stage).upsertNodes([entity('a'), entity('')]), 'VARVE_BAD_ID')
  await expectCode(graph(stage).upsertNodes([entity('a'), entity('b', cyclic)]), 'VARVE_BAD_METADATA')
  await expectCode(
    graph(stage).upsertRelations([relation('a', 'r', 'b'), relation('a', '', 'b')]),
    'VARVE_BAD_ID',
  )
  expect(await graph(stage).get()).toEqual([])
})

import { expect, test } from 'vitest'
import { applyChanges, copyStruct, viewOf } from '../../src/indices/struct-changes.ts'
import type { IndexStruct } from '../../src/stores/index-struct.ts'

test('every change changes its entry and nothing else', () => {
  const struct: IndexStruct = { indexId: 'i', type: 'mixed', summary: null }
  applyChanges(struct, [
    { op: 'set', field: 'map', key: 'a', value: 1 },
    { op: 'set', field: 'map', key: 'b', value: 2 },
    { op: 'delete', field: 'map', key: 'a' },
    { op: 'add', field: 'sets', key: 'k', member: 'x' },
    { op: 'add', field: 'sets', key: 'k', member: 'y' },
    { op: 'add', field: 'sets', key: 'l', member: 'x' },
    { op: 'remove', field: 'sets', key: 'k', member: 'x' },
    { op: 'remove', field: 'sets', key: 'l', member: 'x' },
    { op: 'remove', field: 'sets', key: 'never', member: 'x' },
    { op: 'append', field: 'list', member: 'x' },
    { op: 'append', field: 'list', member: 'y' },
    { op: 'append', field: 'list', member: 'x' },
    { op: 'withdraw', field: 'list', member: 'x' },
    { op: 'replace', field: 'summary', value: 'text' },
  ])
  expect(struct).toEqual({
    indexId: 'i',
    type: 'mixed',
    summary: 'text',
    map: new Map([['b', 2]]),
    sets: new Map([['k', new Set(['y'])]]),
    list: ['y'],
  })
})

test('changes of a copy leave the struct, lists of unknown fields included', () => {
  const struct: IndexStruct = { indexId: 'i', type: 'of the future', list: ['x'], map: new Map([['k', 1]]) }
  const copy = copyStruct(struct)
  applyChanges(copy, [
    { op: 'append', field: 'list', member: 'y' },
    { op: 'delete', field: 'map', key: 'k' },
  ])
  expect([copy.list, struct.list, struct.map]).toEqual([['x', 'y'], ['x'], new Map([['k', 1]])])
})

test('a view shows the struct as it is at each call', () => {
  const struct: IndexStruct = { indexId: 'i', type: 'keyword_table', table: new Map() }
  const view = viewOf(struct)
  expect([view.indexId, view.type, view.summary, view.size('table'), view.size('never')]).toEqual([
    'i',
    'keyword_table',
    null,
    0,
    0,
  ])
  applyChanges(struct, [
    { op: 'add', field: 'table', key: 'k', member: 'x' },
    { op: 'append', field: 'list', member: 'm' },
    { op: 'replace', field: 'value', value: 7 },
  ])
  expect(view.get('table', 'k')).toEqual(new Set(['x']))
  expect([view.has('table', 'k'), view.has('table', 'l'), [...view.keys('table')]]).toEqual([
    true,
    false,
    ['k'],
  ])
  expect([[...view.members('list')], view.size('list'), view.value('value')]).toEqual([['m'], 1, 7])
  expect([view.get('never', 'k'), [...view.keys('never')], [...view.members('never')]]).toEqual([
    undefined,
    [],
    [],
  ])
})

test('a copy has its own entries, in the shapes of its type, whatever shapes a store hands over', () => {
  const given = {
    indexId: 'i',
    type: 'pinecone',
    nodesDict: { a: 'a', __proto__: null },
    docIdDict: null,
    other: { kept: true },
  } as unknown as IndexStruct
  const copy = copyStruct(given)
  expect(copy).toEqual({
    indexId: 'i',
    type: 'pinecone',
    nodesDict: new Map([['a', 'a']]),
    docIdDict: new Map(),
    embeddingsDict: new Map(),
    other: { kept: true },
  })
  const table = { indexId: 'k', type: 'keyword_table', table: { k: ['x', 'x'] } } as IndexStruct
  expect(copyStruct(table).table).toEqual(new Map([['k', new Set(['x'])]]))
  const sets = new Map([['k', new Set(['x'])]])
  const own = copyStruct({ indexId: 'k', type: 'keyword_table', table: sets })
  applyChanges(own, [{ op: 'add', field: 'table', key: 'k', member: 'y' }])
  expect(sets).toEqual(new Map([['k', new Set(['x'])]]))
})

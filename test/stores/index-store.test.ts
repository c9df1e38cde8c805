import { describe, expect, test } from 'vitest'
import type { IndexStruct } from '../../src/stores/index-struct.ts'
import { indexKind } from '../../src/stores/index-state.ts'
import type { JournalIndexStore } from '../../src/stores/index-store.ts'
import { structDifference, toFields } from '../../src/stores/struct-difference.ts'
import { seededRandom } from '../support/seeded.ts'
import { expectCode, inEveryWay, openStorage, type Stage } from './store-cases.ts'

const indices = (stage: Stage) => stage.storage.indexStore as JournalIndexStore

const structs: IndexStruct[] = [
  {
    indexId: 'vector',
    type: 'vector_store',
    summary: 'all of it',
    nodesDict: new Map([
      ['v1', 'n1'],
      ['n2', 'n2'],
    ]),
    docIdDict: new Map([['d', ['n1']]]),
    embeddingsDict: new Map(),
    embedModelId: 'model',
  },
  { indexId: 'old', type: 'simple_dict', summary: null, nodesDict: new Map([['a', 'a']]) },
  { indexId: 'list', type: 'list', summary: null, nodes: ['b', 'a', 'b'] },
  {
    indexId: 'tree',
    type: 'tree',
    summary: null,
    allNodes: new Map([
      ['10', 'n1'],
      ['2', 'n2'],
    ]),
    rootNodes: new Map([['2', 'n2']]),
    nodeIdToChildrenIds: new Map<string, string[]>([
      ['n1', []],
      ['n2', ['n1']],
    ]),
  },
  {
    indexId: 'keywords',
    type: 'keyword_table',
    summary: null,
    table: new Map([
      ['cat', new Set(['n1', 'n2'])],
      ['__proto__', new Set(['n2'])],
      ['\ud83d', new Set(['half \ude00'])],
      ['', new Set(['n1'])],
    ]),
  },
  {
    indexId: 'kg',
    type: 'kg',
    table: new Map([['Alice', new Set(['n1'])]]),
    relMap: new Map([['Alice', [['knows', 'Bob']]]]),
    embeddingDict: new Map([["('Alice', 'knows', 'Bob')", [0.1, -0, 1]]]),
  },
  {
    indexId: 'later',
    type: 'of_the_future',
    summary: null,
    options: new Map<string, unknown>([['depth', { a: [1, null, -0] }]]),
    order: ['x', 'y'],
    flag: true,
    nothing: null,
    empty: [],
    numbers: [1, 2],
  },
  { indexId: '__proto__', type: 'constructor', summary: null, name: 'x' },
]

test('a struct may have more entries than a call can have arguments', () => {
  const state = indexKind.initialState({ entries: undefined })
  const ids = Array.from({ length: 200_000 }, (_, at) => `n${at}`)
  const changes = (type: string, struct: Record<string, unknown>) =>
    structDifference(state, undefined, toFields(type, struct))
  expect(changes('vector_store', { nodesDict: new Map(ids.map((id) => [id, id])) })).toHaveLength(ids.length)
  expect(changes('list', { nodes: ids })).toHaveLength(ids.length)
  expect(changes('keyword_table', { table: { k: ids } })).toHaveLength(ids.length)
})

describe('structs', () => {
  inEveryWay('every struct comes back as it was, types of the future included', async (stage) => {
    for (const struct of structs) await indices(stage).addIndexStruct(struct)
    await stage.step()
    for (const struct of structs) expect(await indices(stage).getIndexStruct(struct.indexId)).toEqual(struct)
    expect(await indices(stage).indexStructs()).toEqual(structs)
    expect(await indices(stage).listIndexStructs()).toEqual(
      structs.map(({ indexId, type, summary = null }) => ({ indexId, type, summary })),
    )
    expect(await indices(stage).getIndexStruct('unknown')).toBeUndefined()
  })

  inEveryWay('an object is as good as a Map', async (stage) => {
    await indices(stage).addIndexStruct({ indexId: 'i', type: 'vector_store', nodesDict: { a: 'a' } })
    await indices(stage).addIndexStruct({ indexId: 'k', type: 'keyword_table', table: { cat: ['n1'] } })
    await stage.step()
    expect((await indices(stage).getIndexStruct('i'))!.nodesDict).toEqual(new Map([['a', 'a']]))
    expect((await indices(stage).getIndexStruct('k'))!.table).toEqual(new Map([['cat', new Set(['n1'])]]))
  })

  inEveryWay('deleting one leaves the others', async (stage) => {
    for (const struct of structs) await indices(stage).addIndexStruct(struct)
    await stage.step()
    await indices(stage).deleteIndexStruct('keywords')
    await indices(stage).deleteIndexStruct('unknown')
    await stage.step()
    expect(await indices(stage).indexStructs()).toEqual(
      structs.filter(({ indexId }) => indexId !== 'keywords'),
    )
    await indices(stage).addIndexStruct({ indexId: 'keywords', type: 'keyword_table', table: new Map() })
    await stage.step()
    expect((await indices(stage).getIndexStruct('keywords'))!.table).toEqual(new Map())
  })

  inEveryWay('a struct of another type takes the place of a known one', async (stage) => {
    await indices(stage).addIndexStruct({ indexId: 'i', type: 'list', nodes: ['a'] })
    await stage.step()
    const next = {
      indexId: 'i',
      type: 'keyword_table',
      summary: null,
      table: new Map([['k', new Set(['n'])]]),
    }
    await indices(stage).addIndexStruct(next)
    await stage.step()
    expect(await indices(stage).getIndexStruct('i')).toEqual(next)
  })

  const changes: [what: string, before: Partial<IndexStruct>, after: Partial<IndexStruct>][] = [
    [
      'entries added, changed, deleted',
      { type: 'vector_store', nodesDict: { a: 'a', b: 'b' } },
      { type: 'vector_store', nodesDict: { b: 'x', c: 'c' } },
    ],
    [
      'members added and removed',
      { type: 'keyword_table', table: { a: ['1', '2'], b: ['1'] } },
      { type: 'keyword_table', table: { a: ['2', '3'] } },
    ],
    ['a list grown', { type: 'list', nodes: ['a', 'b'] }, { type: 'list', nodes: ['a', 'b', 'a'] }],
    [
      'a list that lost members',
      { type: 'list', nodes: ['a', 'b', 'a', 'c'] },
      { type: 'list', nodes: ['b', 'c'] },
    ],
    [
      'a list that lost one of two equal members',
      { type: 'list', nodes: ['a', 'b', 'a'] },
      { type: 'list', nodes: ['a', 'b'] },
    ],
    [
      'a list in another order',
      { type: 'list', nodes: ['a', 'b', 'c'] },
      { type: 'list', nodes: ['c', 'a', 'b'] },
    ],
    ['a list emptied', { type: 'list', nodes: ['a'] }, { type: 'list', nodes: [] }],
    [
      'values',
      { type: 'list', nodes: [], summary: 'a', x: { y: 1 } },
      { type: 'list', nodes: [], summary: null, x: { y: -0 } },
    ],
    ['a field that came', { type: 'x' }, { type: 'x', more: { a: 1 }, list: ['a'], flag: null }],
    [
      'a field that went',
      { type: 'x', more: { a: 1 }, list: ['a'], flag: null, sets: new Map([['a', new Set(['b'])]]) },
      { type: 'x' },
    ],
    ['a field that became a list', { type: 'x', f: [] }, { type: 'x', f: ['a'] }],
    ['a list that became a map', { type: 'x', f: ['a', 'b'] }, { type: 'x', f: { a: 1 } }],
    ['a map that became a value', { type: 'x', f: { a: 1 } }, { type: 'x', f: 5 }],
    [
      'a map that became sets',
      { type: 'x', f: new Map([['a', 1]]) },
      { type: 'x', f: new Map([['a', new Set(['b'])]]) },
    ],
    [
      'sets that became a map',
      { type: 'x', f: new Map([['a', new Set(['b'])]]) },
      { type: 'x', f: new Map([['a', 'b']]) },
    ],
  ]

  for (const [what, before, after] of changes) {
    inEveryWay(`a known struct handed over whole equals it afterwards: ${what}`, async (stage) => {
      await indices(stage).addIndexStruct({ indexId: 'i', ...before } as IndexStruct)
      await stage.step()
      await indices(stage).addIndexStruct({ indexId: 'i', ...after } as IndexStruct)
      await stage.step()
      const other = { storage: await openStorage({}) } as Stage
      await indices(other).addIndexStruct({ indexId: 'i', ...after } as IndexStruct)
      expect(await indices(stage).getIndexStruct('i')).toEqual(await indices(other).getIndexStruct('i'))
      await indices(stage).addIndexStruct({ indexId: 'i', ...before } as IndexStruct)
      await indices(other).addIndexStruct({ indexId: 'i', ...before } as IndexStruct)
      expect(await indices(stage).getIndexStruct('i')).toEqual(await indices(other).getIndexStruct('i'))
    })
  }

  inEveryWay('an equal struct writes nothing', async (stage) => {
    for (const struct of structs) await indices(stage).addIndexStruct(struct)
    await stage.step()
    for (const struct of structs) await indices(stage).addIndexStruct(struct)
    if (stage.storage.persistDir !== undefined) expect(stage.storage.hasPendingChanges).toBe(false)
  })
})

describe('changes and views', () => {
  inEveryWay('entries are changed one by one, and a view shows them at once', async (stage) => {
    await indices(stage).addIndexStruct({ indexId: 'i', type: 'keyword_table', table: new Map() })
    await indices(stage).addIndexStruct({ indexId: 'l', type: 'list', nodes: ['a'] })
    await stage.step()
    const view = (await indices(stage).viewIndexStruct('i'))!
    const list = (await indices(stage).viewIndexStruct('l'))!
    await indices(stage).changeIndexStruct('i', [
      { op: 'add', field: 'table', key: 'cat', member: 'n1' },
      { op: 'add', field: 'table', key: 'cat', member: 'n2' },
      { op: 'add', field: 'table', key: 'dog', member: 'n2' },
      { op: 'remove', field: 'table', key: 'cat', member: 'n1' },
      { op: 'remove', field: 'table', key: 'dog', member: 'n2' },
      { op: 'replace', field: 'summary', value: 'animals' },
      { op: 'set', field: 'more', key: 'x', value: { deep: [1] } },
    ])
    await indices(stage).changeIndexStruct('l', [
      { op: 'append', field: 'nodes', member: 'b' },
      { op: 'withdraw', field: 'nodes', member: 'a' },
      { op: 'append', field: 'nodes', member: 'a' },
    ])
    expect([view.indexId, view.type, view.summary]).toEqual(['i', 'keyword_table', 'animals'])
    expect([...view.keys('table')]).toEqual(['cat'])
    expect(view.get('table', 'cat')).toEqual(new Set(['n2']))
    expect([view.has('table', 'cat'), view.has('table', 'dog')]).toEqual([true, false])
    expect([view.size('table'), view.size('more'), list.size('nodes')]).toEqual([1, 1, 2])
    expect([...list.members('nodes')]).toEqual(['b', 'a'])
    await stage.step()
    expect(await indices(stage).getIndexStruct('i')).toEqual({
      indexId: 'i',
      type: 'keyword_table',
      summary: 'animals',
      table: new Map([['cat', new Set(['n2'])]]),
      more: new Map([['x', { deep: [1] }]]),
    })
    expect((await indices(stage).getIndexStruct('l'))!.nodes).toEqual(['b', 'a'])
    expect((await indices(stage).viewIndexStruct('l'))!.size('nodes')).toBe(2)
  })

  test('a view of a deleted struct is empty', async () => {
    const stage = { storage: await openStorage({}) } as Stage
    await indices(stage).addIndexStruct({ indexId: 'l', type: 'list', nodes: ['a'] })
    const view = (await indices(stage).viewIndexStruct('l'))!
    await indices(stage).deleteIndexStruct('l')
    expect([view.type, [...view.members('nodes')], view.size('nodes')]).toEqual(['empty', [], 0])
    expect(await indices(stage).viewIndexStruct('l')).toBeUndefined()
  })

  test('what a caller gets is a copy', async () => {
    const stage = { storage: await openStorage({}) } as Stage
    const table = new Map([['cat', new Set(['n1'])]])
    await indices(stage).addIndexStruct({ indexId: 'i', type: 'keyword_table', table })
    table.get('cat')!.add('n2')
    const struct = (await indices(stage).getIndexStruct('i'))!
    ;(struct.table as typeof table).get('cat')!.add('n3')
    expect((await indices(stage).getIndexStruct('i'))!.table).toEqual(new Map([['cat', new Set(['n1'])]]))
  })
})

describe('bad input', () => {
  test.each([
    ['an empty id', { indexId: '', type: 'list' }, 'VARVE_BAD_ID'],
    ['an id of 10 KB', { indexId: 'x'.repeat(10_240), type: 'list' }, 'VARVE_BAD_ID'],
    ['a function in a field', { indexId: 'i', type: 'x', f: () => 1 }, 'VARVE_BAD_METADATA'],
    [
      'a function in an entry',
      { indexId: 'i', type: 'vector_store', nodesDict: { a: () => 1 } },
      'VARVE_BAD_METADATA',
    ],
  ] as const)('%s is refused, and nothing changes', async (_, struct, code) => {
    const stage = { storage: await openStorage({}) } as Stage
    await indices(stage).addIndexStruct({ indexId: 'i', type: 'list', nodes: ['a'] })
    const before = await indices(stage).indexStructs()
    await expectCode(indices(stage).addIndexStruct(struct), code)
    expect(await indices(stage).indexStructs()).toEqual(before)
  })

  test.each([
    ['no type', { indexId: 'i' }],
    ['a map that is a number', { indexId: 'i', type: 'vector_store', nodesDict: 5 }],
    ['a map that is a list', { indexId: 'i', type: 'vector_store', nodesDict: ['a'] }],
    ['a list of numbers', { indexId: 'i', type: 'list', nodes: [1] }],
    ['a list that is a text', { indexId: 'i', type: 'list', nodes: 'abc' }],
    ['sets of numbers', { indexId: 'i', type: 'keyword_table', table: { a: [1] } }],
  ])('a struct with %s is a mistake of the caller', async (_, struct) => {
    const { indexStore } = await openStorage({})
    await expect(indexStore.addIndexStruct(struct as unknown as IndexStruct)).rejects.toThrow(TypeError)
    expect(await indexStore.indexStructs()).toEqual([])
  })

  test('a change of an unknown index, or of another kind than its field is refused whole', async () => {
    const stage = { storage: await openStorage({}) } as Stage
    await expectCode(indices(stage).changeIndexStruct('i', []), 'VARVE_INDEX_NOT_FOUND')
    await indices(stage).addIndexStruct({ indexId: 'i', type: 'list', nodes: ['a'] })
    await expect(
      indices(stage).changeIndexStruct('i', [
        { op: 'append', field: 'nodes', member: 'b' },
        { op: 'set', field: 'nodes', key: 'x', value: 1 },
      ]),
    ).rejects.toThrow("The field nodes is of kind list; 'set' does not change that.")
    await expectCode(
      indices(stage).changeIndexStruct('i', [{ op: 'set', field: 'more', key: '', value: 1 }]),
      'VARVE_BAD_ID',
    )
    expect((await indices(stage).getIndexStruct('i'))!.nodes).toEqual(['a'])
  })

  test('structs that come and go, and whose coming and going is taken back, never share an entry', async () => {
    const seed = Number(process.env['STRUCT_SEED'] ?? 1)
    const random = seededRandom(seed)
    const storage = await openStorage({})
    const ids = ['a', 'b', 'c', 'd']
    const model = new Map<string, string[]>()
    for (let step = 0; step < 300; step++) {
      const before = new Map(model)
      const isTakenBack = random() < 0.5
      const unit = storage.together(async () => {
        for (let change = 0; change < 3; change++) {
          const indexId = ids[Math.floor(random() * ids.length)]!
          if (random() < 0.4) {
            await storage.indexStore.deleteIndexStruct(indexId)
            model.delete(indexId)
          } else {
            const nodes = [`${indexId} of step ${step}`, `change ${change}`]
            await storage.indexStore.addIndexStruct({ indexId, type: 'list', nodes })
            model.set(indexId, nodes)
          }
        }
        if (isTakenBack) throw new Error('taken back')
      })
      if (isTakenBack) {
        await expect(unit).rejects.toThrow('taken back')
        model.clear()
        for (const [indexId, nodes] of before) model.set(indexId, nodes)
      } else await unit
      const found = (await storage.indexStore.indexStructs()).map(({ indexId, nodes }) => [indexId, nodes])
      expect(Object.fromEntries(found), `seed ${seed}, step ${step}`).toEqual(Object.fromEntries(model))
    }
  })
})

import { describe, expect, test } from 'vitest'
import { TextNode } from '../../src/stores/node.ts'
import type { JournalVectorStore } from '../../src/stores/vector-store.ts'
import { expectCode, inEveryWay, openStorage, type Stage } from './store-cases.ts'

const vectors = (stage: Stage, namespace = 'default') =>
  stage.storage.vectorStores.get(namespace) as JournalVectorStore

interface Extras {
  source?: string
  metadata?: Record<string, unknown>
}

function node(
  id_: string,
  embedding: number[] | Float32Array,
  { source, metadata = {} }: Extras = {},
): TextNode {
  const relationships = source === undefined ? {} : { SOURCE: { nodeId: source, metadata: {} } }
  return new TextNode({ id_, embedding, metadata, relationships })
}

describe('adding and reading', () => {
  inEveryWay('vectors are kept as float32, lists and typed arrays alike', async (stage) => {
    expect(
      await vectors(stage).add([node('a', [1, 2.5, -0.1]), node('b', new Float32Array([3, 4, 5]))]),
    ).toEqual(['a', 'b'])
    await stage.step()
    expect(await vectors(stage).get('a')).toEqual(new Float32Array([1, 2.5, -0.1]))
    expect(await vectors(stage).get('b')).toEqual(new Float32Array([3, 4, 5]))
    expect(await vectors(stage).get('x')).toBeUndefined()
    expect(await vectors(stage).size()).toBe(2)
    expect(await vectors(stage).ids()).toEqual(['a', 'b'])
  })

  inEveryWay('a vector of a known id is replaced and keeps its place', async (stage) => {
    await vectors(stage).add([node('a', [1, 0]), node('b', [0, 1])])
    await stage.step()
    await vectors(stage).add([node('a', [0, 2]), node('c', [1, 1]), node('c', [0, 3])])
    await stage.step()
    expect(await vectors(stage).ids()).toEqual(['a', 'b', 'c'])
    expect(await vectors(stage).get('c')).toEqual(new Float32Array([0, 3]))
    expect((await vectors(stage).query({ queryEmbedding: [0, 1], similarityTopK: 3 })).ids).toEqual([
      'a',
      'b',
      'c',
    ])
  })

  inEveryWay(
    'metadata has what LlamaIndex adds to it, in place of what a user calls the same',
    async (stage) => {
      await vectors(stage).add([
        node('a', [1], { source: 'doc', metadata: { x: -0, doc_id: 'mine', ref_doc_id: 5 } }),
        node('b', [1]),
      ])
      await stage.step()
      const source = (id: string) => ({ document_id: id, doc_id: id, ref_doc_id: id })
      expect(await vectors(stage).getMetadata('a')).toEqual({
        x: -0,
        _node_type: 'TextNode',
        ...source('doc'),
      })
      expect(await vectors(stage).getMetadata('b')).toEqual({ _node_type: 'TextNode', ...source('None') })
      expect(await vectors(stage).getMetadata('x')).toBeUndefined()
    },
  )

  inEveryWay('what a caller holds is not what is stored', async (stage) => {
    const embedding = new Float32Array([1, 2])
    await vectors(stage).add([node('a', embedding)])
    embedding[0] = 9
    ;(await vectors(stage).get('a'))![1] = 9
    await stage.step()
    expect(await vectors(stage).get('a')).toEqual(new Float32Array([1, 2]))
  })

  inEveryWay('more vectors than are read at a time are all found', async (stage) => {
    const count = 2500
    const at = (index: number) => [Math.cos(index / count), Math.sin(index / count)]
    await vectors(stage).add(Array.from({ length: count }, (_, index) => node(`n${index}`, at(index))))
    await stage.step()
    const { ids } = await vectors(stage).query({ queryEmbedding: at(1700), similarityTopK: 3 })
    expect(ids[0]).toBe('n1700')
    expect(ids.slice(1).sort()).toEqual(['n1699', 'n1701'])
  })
})

describe('deleting', () => {
  inEveryWay('by source document', async (stage) => {
    await vectors(stage).add([
      node('a', [1], { source: 'd' }),
      node('b', [1], { source: 'e' }),
      node('c', [1], { source: 'd' }),
    ])
    await stage.step()
    await vectors(stage).delete('d')
    await vectors(stage).delete('unknown')
    await stage.step()
    expect(await vectors(stage).ids()).toEqual(['b'])
    await vectors(stage).add([node('b', [1], { source: 'f' })])
    await vectors(stage).delete('e')
    expect(await vectors(stage).ids()).toEqual(['b'])
    await vectors(stage).delete('f')
    await stage.step()
    expect(await vectors(stage).ids()).toEqual([])
  })

  inEveryWay('by ids, by filter, by both', async (stage) => {
    const kind = (value: string) => ({ filters: [{ key: 'kind', value }] })
    const all = ['a', 'b', 'c', 'd'].map((id, index) =>
      node(id, [1], { metadata: { kind: index < 2 ? 'x' : 'y' } }),
    )
    await vectors(stage).add(all)
    await stage.step()
    await vectors(stage).deleteNodes({ nodeIds: ['a', 'c', 'unknown'], filters: kind('x') })
    await stage.step()
    expect(await vectors(stage).ids()).toEqual(['b', 'c', 'd'])
    await vectors(stage).deleteNodes({ nodeIds: ['c', 'c'] })
    await vectors(stage).deleteNodes({ nodeIds: [] })
    expect(await vectors(stage).ids()).toEqual(['b', 'd'])
    await vectors(stage).deleteNodes({ filters: kind('y') })
    await stage.step()
    expect(await vectors(stage).ids()).toEqual(['b'])
    expect(await vectors(stage).ids({ filters: kind('y') })).toEqual([])
    await expect(vectors(stage).deleteNodes({})).rejects.toThrow(TypeError)
  })

  inEveryWay('by a list of ids, which a string is not', async (stage) => {
    await vectors(stage).add([node('a', [1]), node('b', [2]), node('ab', [2])])
    await stage.step()
    const given = 'ab' as unknown as string[]
    for (const call of [
      vectors(stage).deleteNodes({ nodeIds: given }),
      vectors(stage).query({ queryEmbedding: [1], nodeIds: given }),
      vectors(stage).query({ queryEmbedding: [1], docIds: given }),
    ])
      await expect(call).rejects.toThrow('takes a list: put what you gave it into [ ].')
    expect(await vectors(stage).ids()).toEqual(['a', 'b', 'ab'])
  })

  inEveryWay('everything; then vectors of another length are welcome', async (stage) => {
    await vectors(stage).add([node('a', [1]), node('b', [2])])
    await stage.step()
    await vectors(stage).clear()
    await vectors(stage).add([node('a', [1, 2])])
    await stage.step()
    expect(await vectors(stage).ids()).toEqual(['a'])
    expect((await vectors(stage).query({ queryEmbedding: [1, 2] })).ids).toEqual(['a'])
    await vectors(stage).add([node('a', [3, 4])])
    await vectors(stage).deleteNodes({ nodeIds: ['a'] })
    await vectors(stage).add([node('b', [1, 2, 3])])
    await stage.step()
    expect((await vectors(stage).query({ queryEmbedding: [1, 2, 3] })).ids).toEqual(['b'])
  })
})

describe('queries', () => {
  inEveryWay('the nearest come first, with their cosines', async (stage) => {
    await vectors(stage).add([node('a', [1, 0]), node('b', [0, 1]), node('c', [1, 1]), node('zero', [0, 0])])
    await stage.step()
    const { ids, similarities } = await vectors(stage).query({ queryEmbedding: [2, 0], similarityTopK: 9 })
    expect(ids).toEqual(['a', 'c', 'b', 'zero'])
    expect(similarities).toEqual([1, expect.closeTo(Math.SQRT1_2), 0, 0])
    expect((await vectors(stage).query({ queryEmbedding: [2, 0] })).ids).toEqual(['a'])
    expect((await vectors(stage).query({ queryEmbedding: [2, 0], similarityTopK: 0 })).ids).toEqual([])
  })

  inEveryWay('an empty store answers nothing, whatever the length', async (stage) => {
    expect(await vectors(stage).query({ queryEmbedding: [1, 2, 3] })).toEqual({ ids: [], similarities: [] })
  })

  inEveryWay('only the given nodes and source documents are asked', async (stage) => {
    await vectors(stage).add(['a', 'b', 'c'].map((id) => node(id, [1], { source: `doc ${id}` })))
    await stage.step()
    const ids = async (query: object) =>
      (await vectors(stage).query({ queryEmbedding: [1], similarityTopK: 9, ...query })).ids
    expect(await ids({ nodeIds: ['c', 'a', 'unknown'] })).toEqual(['a', 'c'])
    expect(await ids({ nodeIds: new Set(['b']) })).toEqual(['b'])
    expect(await ids({ nodeIds: [] })).toEqual([])
    expect(await ids({ docIds: ['doc b', 'doc c'] })).toEqual(['b', 'c'])
    expect(await ids({ docIds: ['doc b'], nodeIds: ['a'] })).toEqual([])
  })

  inEveryWay('filters see metadata, nested, in the order of the hits', async (stage) => {
    await vectors(stage).add([
      node('a', [1, 0], { metadata: { year: 2020, tags: ['x'] }, source: 'd' }),
      node('b', [1, 0.1], { metadata: { year: 2021 } }),
      node('c', [1, 0.2], { metadata: {} }),
    ])
    await stage.step()
    const ids = async (filters: Parameters<JournalVectorStore['ids']>[0]) =>
      (await vectors(stage).query({ queryEmbedding: [1, 0], similarityTopK: 9, ...filters })).ids
    expect(await ids({ filters: { filters: [{ key: 'year', operator: '>=', value: 2020 }] } })).toEqual([
      'a',
      'b',
    ])
    expect(await ids({ filters: { filters: [{ key: 'year', operator: 'is_empty' }] } })).toEqual(['c'])
    expect(await ids({ filters: { filters: [{ key: 'ref_doc_id', value: 'd' }] } })).toEqual(['a'])
    const nested = {
      condition: 'or' as const,
      filters: [
        { key: 'tags', operator: 'contains' as const, value: 'x' },
        {
          condition: 'not' as const,
          filters: [{ key: 'year', operator: 'in' as const, value: [2020, 2021] }],
        },
      ],
    }
    expect(await ids({ filters: nested })).toEqual(['a', 'c'])
    expect(await ids({ filters: { filters: [{ key: 'year', value: 1999 }] } })).toEqual([])
    await expectCode(ids({ filters: { filters: [{ key: 'year', value: {} }] } }), 'VARVE_BAD_FILTER')
  })

  inEveryWay('of equal scores the one first added wins, whatever happened since', async (stage) => {
    const ids = async () => (await vectors(stage).query({ queryEmbedding: [1], similarityTopK: 9 })).ids
    await vectors(stage).add(['a', 'b', 'c', 'd'].map((id) => node(id, [1])))
    expect(await ids()).toEqual(['a', 'b', 'c', 'd'])
    await stage.step()
    await vectors(stage).deleteNodes({ nodeIds: ['b'] })
    await vectors(stage).add([node('b', [2]), node('a', [3])])
    expect(await ids()).toEqual(['a', 'c', 'd', 'b'])
    await stage.step()
    expect(await ids()).toEqual(['a', 'c', 'd', 'b'])
    await vectors(stage).deleteNodes({ nodeIds: ['a', 'd'] })
    expect(await ids()).toEqual(['c', 'b'])
    await stage.storage.rollback()
    // In memory everything is pending, and so gone.
    expect(await ids()).toEqual(await vectors(stage).ids())
  })

  inEveryWay('each namespace is by itself, whatever its name', async (stage) => {
    const names = ['image', 'a__b', 'a/b', '../x', 'Ünïcode', '__proto__', 'x'.repeat(300)]
    for (const [index, name] of names.entries()) {
      stage.storage.addVectorStore(name)
      await vectors(stage, name).add([
        node(
          `of ${index}`,
          Array.from({ length: index + 1 }, () => 1),
        ),
      ])
    }
    await stage.step()
    expect([...stage.storage.vectorStores.keys()].sort()).toEqual(['default', ...names].sort())
    for (const [index, name] of names.entries()) {
      expect(vectors(stage, name).namespace).toBe(name)
      expect(await vectors(stage, name).ids()).toEqual([`of ${index}`])
    }
    expect(await vectors(stage).size()).toBe(0)
  })
})

describe('bad input', () => {
  const bad: [what: string, embedding: unknown, code: 'VARVE_BAD_VECTOR' | 'VARVE_WRONG_DIMENSIONS'][] = [
    ['a missing vector', undefined, 'VARVE_BAD_VECTOR'],
    ['an empty vector', [], 'VARVE_BAD_VECTOR'],
    ['NaN', [1, NaN], 'VARVE_BAD_VECTOR'],
    ['infinity', [1, Infinity], 'VARVE_BAD_VECTOR'],
    ['a number beyond float32', [1, 1e300], 'VARVE_BAD_VECTOR'],
    ['a text', [1, '2'], 'VARVE_BAD_VECTOR'],
    ['null', [1, null], 'VARVE_BAD_VECTOR'],
    ['a vector of another length', [1, 2, 3], 'VARVE_WRONG_DIMENSIONS'],
  ]

  test.each(bad)('%s is refused, and nothing of its call is added', async (_, embedding, code) => {
    const stage = { storage: await openStorage({}) } as Stage
    await vectors(stage).add([node('a', [1, 2])])
    await expectCode(vectors(stage).add([node('b', [1, 2]), node('c', embedding as number[])]), code)
    await expectCode(vectors(stage).add([node('a', embedding as number[])]), code)
    expect(await vectors(stage).ids()).toEqual(['a'])
    expect(await vectors(stage).get('a')).toEqual(new Float32Array([1, 2]))
  })

  test('vectors of another length than those of the namespace name the remedy', async () => {
    const stage = { storage: await openStorage({}) } as Stage
    await vectors(stage).add([node('a', [1, 2])])
    await expect(vectors(stage).add([node('b', [1, 2, 3])])).rejects.toThrow(
      "Node b has 3 dimensions; the vectors of namespace 'default' have 2. Put vectors of another model into a namespace of their own.",
    )
  })

  test('a query of another length, with NaN, empty, without a vector, or of another mode is refused', async () => {
    const stage = { storage: await openStorage({}) } as Stage
    await vectors(stage).add([node('a', [1, 2])])
    await expectCode(vectors(stage).query({ queryEmbedding: [1] }), 'VARVE_WRONG_DIMENSIONS')
    await expectCode(vectors(stage).query({ queryEmbedding: [1, NaN] }), 'VARVE_BAD_VECTOR')
    await expectCode(vectors(stage).query({ queryEmbedding: [] }), 'VARVE_BAD_VECTOR')
    await expectCode(vectors(stage).query({}), 'VARVE_UNSUPPORTED_QUERY')
    await expectCode(
      vectors(stage).query({ queryEmbedding: [1, 2], mode: 'sparse' }),
      'VARVE_UNSUPPORTED_QUERY',
    )
  })

  test.each([
    ['empty', ''],
    ['of 2 KB', 'x'.repeat(2048)],
    ['with half of a surrogate pair', '\ud800'],
    ['no text', 5 as unknown as string],
    ['a BigInt', 5n as unknown as string],
  ])('a namespace that is %s is refused', async (_, namespace) => {
    const storage = await openStorage({})
    expect(() => storage.addVectorStore(namespace)).toThrow(
      expect.objectContaining({ code: 'VARVE_BAD_NAMESPACE' }),
    )
    expect([...storage.vectorStores.keys()]).toEqual(['default'])
  })

  test('what is no node is a mistake of the caller', async () => {
    const stage = { storage: await openStorage({}) } as Stage
    await expect(vectors(stage).add([{ id_: 'a', embedding: [1] } as unknown as TextNode])).rejects.toThrow(
      TypeError,
    )
  })
})

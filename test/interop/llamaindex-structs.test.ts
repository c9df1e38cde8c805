import { describe, expect, test } from 'vitest'
import { entry, messages, readFiles } from './made-directory.ts'

describe('index structs', () => {
  const structOf = async (type: string, data: unknown) => {
    const { structs } = await readFiles({
      'index_store.json': { 'index_store/data': { i: entry(type, data) } },
    })
    return structs[0]
  }
  test.each<[string, object, object]>([
    [
      'vector_store',
      { nodes_dict: { a: 'b' }, doc_id_dict: {}, embeddings_dict: {} },
      { nodesDict: new Map([['a', 'b']]), docIdDict: new Map(), embeddingsDict: new Map() },
    ],
    ['list', { nodes: ['a', 'a'] }, { nodes: ['a', 'a'] }],
    [
      'tree',
      { all_nodes: { '0': 'a', '1': 'b' }, root_nodes: { '1': 'b' }, node_id_to_children_ids: { b: ['a'] } },
      {
        allNodes: new Map([
          ['0', 'a'],
          ['1', 'b'],
        ]),
        rootNodes: new Map([['1', 'b']]),
        nodeIdToChildrenIds: new Map([['b', ['a']]]),
      },
    ],
    [
      'keyword_table',
      { table: { cat: ['a', 'b'], constructor: ['c'] } },
      {
        table: new Map([
          ['cat', new Set(['a', 'b'])],
          ['constructor', new Set(['c'])],
        ]),
      },
    ],
    [
      'kg',
      { table: { Alice: ['a'] }, rel_map: {}, embedding_dict: { "('a', 'b', 'c')": [0.5] } },
      {
        table: new Map([['Alice', new Set(['a'])]]),
        relMap: new Map(),
        embeddingDict: new Map([["('a', 'b', 'c')", [0.5]]]),
      },
    ],
    [
      'document_summary',
      {
        summary_id_to_node_ids: { s: ['a'] },
        node_id_to_summary_id: { a: 's' },
        doc_id_to_summary_id: { d: 's' },
      },
      {
        summaryIdToNodeIds: new Map([['s', ['a']]]),
        nodeIdToSummaryId: new Map([['a', 's']]),
        docIdToSummaryId: new Map([['d', 's']]),
      },
    ],
    ['simple_lpg', {}, {}],
    ['empty', {}, {}],
    ['sql', { context_dict: { t: 'x' } }, { contextDict: new Map([['t', 'x']]) }],
    [
      'hologram',
      { depth: 3, parts: ['a'], map: { x: { y: 1 } } },
      { depth: 3, parts: ['a'], map: new Map([['x', { y: 1 }]]) },
    ],
  ])('%s, whether its data is text or an object, with unknown fields', async (type, data, expected) => {
    const whole = { index_id: 'i', summary: null, ...data, later: 1 }
    const struct = { indexId: 'i', type, summary: null, ...expected, later: 1 }
    expect(await structOf(type, JSON.stringify(whole))).toEqual(struct)
    expect(await structOf(type, whole)).toEqual(struct)
  })

  test.each(['simple_dict', 'dict', 'weaviate', 'chroma'])(
    '%s, a vector index of old, keeps its name and has its fields',
    async (type) => {
      expect(await structOf(type, { nodes_dict: { a: 'a' } })).toEqual({
        indexId: 'i',
        type,
        nodesDict: new Map([['a', 'a']]),
        docIdDict: new Map(),
        embeddingsDict: new Map(),
      })
    },
  )

  test('missing fields are empty', async () => {
    expect(await structOf('kg', '{}')).toEqual({
      indexId: 'i',
      type: 'kg',
      table: new Map(),
      relMap: new Map(),
      embeddingDict: new Map(),
    })
  })

  test('several come in the order of the file', async () => {
    const text =
      '{"index_store/data": {"10": {"__type__": "list", "__data__": "{}"}, "2": {"__type__": "empty", "__data__": "{}"}}}'
    const { structs } = await readFiles({ 'index_store.json': text })
    expect(structs.map(({ indexId }) => indexId)).toEqual(['10', '2'])
  })

  test('nodes that no docstore holds are warned of', async () => {
    const content = await readFiles({
      'docstore.json': {},
      'index_store.json': { 'index_store/data': { i: entry('list', { nodes: ['a', 'b', 'c', 'd'] }) } },
    })
    expect(messages(content)).toEqual([
      'index_store.json: Index i (list) names 4 nodes (a, b, c, …) that docstore.json does not hold.',
    ])
  })

  test('TypeScript’s tables of keywords, and nodes that stand only in a struct', async () => {
    const node = {
      id_: 'n',
      text: 't',
      metadata: {},
      type: 'TEXT',
      hash: 'h',
      relationships: { SOURCE: { nodeId: 'd', metadata: {} } },
    }
    const content = await readFiles({
      'doc_store.json': {},
      'index_store.json': {
        'docstore/data': {
          v: { indexId: 'v', nodesDict: { n: node }, type: 'simple_dict' },
          k: { indexId: 'k', summary: 's', table: { jumps: ['n'] }, type: 'keyword_table' },
          l: { indexId: 'l', nodes: ['n'], type: 'list' },
        },
      },
    })
    expect(content.dialect).toBe('typescript')
    expect(content.structs).toEqual([
      {
        indexId: 'v',
        type: 'simple_dict',
        nodesDict: new Map([['n', 'n']]),
        docIdDict: new Map(),
        embeddingsDict: new Map(),
      },
      { indexId: 'k', type: 'keyword_table', summary: 's', table: new Map([['jumps', new Set(['n'])]]) },
      { indexId: 'l', type: 'list', nodes: ['n'] },
    ])
    expect(content.nodes).toHaveLength(1)
    expect([...content.nodes][0]).toMatchObject({ id_: 'n', text: 't', refDocId: 'd', hash: 'h' })
    expect(messages(content)).toEqual([
      'index_store.json: 1 nodes stand only in its indices; they were added to the document store.',
      'index_store.json: Index v names 1 vectors that no file holds.',
    ])
  })
})

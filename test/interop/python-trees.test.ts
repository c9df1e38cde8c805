import { describe, expect, test } from 'vitest'
import { nodeToPython } from '../../src/interop/python-node.ts'
import { pythonJson, pythonStyle } from '../../src/interop/json-styles.ts'
import { objectOf, spelled } from '../../src/interop/python-spelled.ts'
import { plainTree } from '../../src/interop/members.ts'
import { structToPython } from '../../src/interop/python-struct.ts'
import {
  docstoreToPython,
  graphStoreToPython,
  indexStoreToPython,
  vectorStoreToPython,
} from '../../src/interop/python-trees.ts'
import { Document, ImageDocument, ImageNode, IndexNode, Node, TextNode } from '../../src/stores/node.ts'

const plain = (tree: unknown) => plainTree(tree, pythonStyle) as Record<string, unknown>

const base = {
  embedding: null,
  metadata: {},
  excluded_embed_metadata_keys: [],
  excluded_llm_metadata_keys: [],
  relationships: {},
  metadata_template: '{key}: {value}',
  metadata_separator: '\n',
}
const text = {
  text: 'Hello',
  mimetype: 'text/plain',
  start_char_idx: null,
  end_char_idx: null,
  text_template: '{metadata_str}\n\n{content}',
}
const resource = { embeddings: null, text: null, path: null, url: null, mimetype: null }

describe('nodes', () => {
  test('a text node is written as LlamaIndex writes it in 2026, keys in its order', () => {
    const node = new TextNode({
      id_: 'node-1',
      metadata: { file_name: 'a.md' },
      relationships: {
        SOURCE: { nodeId: 'doc-1', nodeType: 'DOCUMENT', metadata: { file_name: 'a.md' }, hash: '807c' },
        CHILD: [{ nodeId: 'c', metadata: {} }],
      },
      text: 'Hello',
      startCharIdx: 0,
      endCharIdx: 5,
    })
    expect(pythonJson(nodeToPython(node))).toBe(
      '{"__data__": {"id_": "node-1", "embedding": null, "metadata": {"file_name": "a.md"}, ' +
        '"excluded_embed_metadata_keys": [], "excluded_llm_metadata_keys": [], ' +
        '"relationships": {"1": {"node_id": "doc-1", "node_type": "4", "metadata": {"file_name": "a.md"}, "hash": "807c", "class_name": "RelatedNodeInfo"}, ' +
        '"5": [{"node_id": "c", "node_type": null, "metadata": {}, "hash": null, "class_name": "RelatedNodeInfo"}]}, ' +
        '"metadata_template": "{key}: {value}", "metadata_separator": "\\n", "text": "Hello", "mimetype": "text/plain", ' +
        '"start_char_idx": 0, "end_char_idx": 5, "text_template": "{metadata_str}\\n\\n{content}", "class_name": "TextNode"}, "__type__": "1"}',
    )
  })

  test.each([
    [
      new ImageNode({ id_: 'n', text: 'Hello', imagePath: '/a' }),
      '2',
      { ...text, image: null, image_path: '/a', image_url: null, image_mimetype: null, text_embedding: null },
    ],
    [
      new IndexNode({ id_: 'n', text: 'Hello', indexId: 'i', obj: { a: 1 } }),
      '3',
      { ...text, index_id: 'i', obj: { a: 1 } },
    ],
    [
      new Document({ id_: 'n', text: 'Hello' }),
      '4',
      {
        text_resource: { ...resource, text: 'Hello' },
        image_resource: null,
        audio_resource: null,
        video_resource: null,
        text_template: text.text_template,
        text: 'Hello',
      },
    ],
    [
      new ImageDocument({ id_: 'n', image: 'AAEC' }),
      '4',
      {
        text_resource: null,
        image_resource: { ...resource, data: 'AAEC' },
        audio_resource: null,
        video_resource: null,
        text_template: text.text_template,
        text: '',
      },
    ],
    [
      new Node({ id_: 'n' }),
      '5',
      {
        text_resource: null,
        image_resource: null,
        audio_resource: null,
        video_resource: null,
        text_template: text.text_template,
      },
    ],
  ] as const)('each class has its code and its fields: %s', (node, type, fields) => {
    expect(nodeToPython(node)).toEqual({
      __data__: { id_: 'n', ...base, ...fields, class_name: node.baseClassName },
      __type__: type,
    })
  })

  test('a node inside a node is wrapped as in a docstore', () => {
    const inner = new TextNode({ id_: 'inner', text: 'Hello' })
    const { __data__: data } = nodeToPython(new IndexNode({ id_: 'n', obj: inner }))
    expect((data as { obj: unknown }).obj).toEqual(nodeToPython(inner))
  })

  test('what has no place in Python is written beside: a carried hash, unknown fields and types', () => {
    const node = new TextNode({
      id_: 'n',
      text: 'Hello',
      className: 'Mine',
      extra: { later: 1, __type__: '77' },
    })
    node.carryHash('theirs')
    expect(nodeToPython(node)).toEqual({
      __data__: { id_: 'n', ...base, ...text, hash: 'theirs', later: 1, class_name: 'Mine' },
      __type__: '77',
    })
    node.text = 'changed'
    expect(nodeToPython(node).__data__).not.toHaveProperty('hash')
  })
})

describe('stores', () => {
  test('collections without entries are absent', () => {
    const nothing = { namespace: 'docstore', nodes: [], documentMetadata: new Map(), refDocs: new Map() }
    expect(plain(docstoreToPython(nothing))).toEqual({})
    expect(plain(indexStoreToPython([]))).toEqual({})
    expect(plain(graphStoreToPython([]))).toEqual({ graph_dict: {} })
    expect(plain(vectorStoreToPython([]))).toEqual({
      embedding_dict: {},
      text_id_to_ref_doc_id: {},
      metadata_dict: {},
    })
  })

  test('a docstore', () => {
    const tree = plain(
      docstoreToPython({
        namespace: 'docstore',
        nodes: [new TextNode({ id_: 'n', text: 'Hello' })],
        documentMetadata: new Map([
          ['doc', { hash: 'h' }],
          ['n', { hash: 'h1', refDocId: 'doc', extra: { x: 1 } }],
        ]),
        refDocs: new Map([['doc', { nodeIds: ['n'], metadata: { a: 1 } }]]),
      }),
    )
    expect(tree).toEqual({
      'docstore/metadata': { doc: { doc_hash: 'h' }, n: { doc_hash: 'h1', ref_doc_id: 'doc', x: 1 } },
      'docstore/ref_doc_info': { doc: { node_ids: ['n'], metadata: { a: 1 } } },
      'docstore/data': { n: nodeToPython(new TextNode({ id_: 'n', text: 'Hello' })) },
    })
    expect(Object.keys(tree)).toEqual(['docstore/metadata', 'docstore/ref_doc_info', 'docstore/data'])
  })

  test('vectors: "None" where there is no source', () => {
    expect(
      plain(
        vectorStoreToPython([
          { id: 'a', vector: new Float32Array([0.5, 1]), refDocId: 'doc', metadata: { x: 1 } },
          { id: 'b', vector: new Float32Array([0.5, 2]) },
        ]),
      ),
    ).toEqual({
      embedding_dict: { a: [0.5, 1], b: [0.5, 2] },
      text_id_to_ref_doc_id: { a: 'doc', b: 'None' },
      metadata_dict: { a: { x: 1 } },
    })
  })

  test.each([
    ['list', { nodes: ['n1', 'n2'] }, '{"index_id": "X", "summary": null, "nodes": ["n1", "n2"]}'],
    [
      'tree',
      {
        rootNodes: new Map([['2', 'p1']]),
        allNodes: new Map([
          ['10', 'n1'],
          ['2', 'p1'],
        ]),
        nodeIdToChildrenIds: new Map([['p1', ['n1']]]),
      },
      '{"index_id": "X", "summary": null, "all_nodes": {"10": "n1", "2": "p1"}, "root_nodes": {"2": "p1"}, "node_id_to_children_ids": {"p1": ["n1"]}}',
    ],
    [
      'keyword_table',
      { table: new Map([['Käse 😀', new Set(['n1', 'n2'])]]) },
      '{"index_id": "X", "summary": null, "table": {"K\\u00e4se \\ud83d\\ude00": ["n1", "n2"]}}',
    ],
    [
      'kg',
      { table: new Map(), relMap: new Map(), embeddingDict: new Map([["('a', 'b', 'c')", [0.1, 1e-7]]]) },
      '{"index_id": "X", "summary": null, "table": {}, "rel_map": {}, "embedding_dict": {"(\'a\', \'b\', \'c\')": [0.1, 1e-07]}}',
    ],
    [
      'vector_store',
      { nodesDict: new Map([['n1', 'n1']]), docIdDict: new Map(), embeddingsDict: new Map() },
      '{"index_id": "X", "summary": null, "nodes_dict": {"n1": "n1"}, "doc_id_dict": {}, "embeddings_dict": {}}',
    ],
  ])('a struct of type %s is JSON in a string', (type, fields, data) => {
    expect(plain(structToPython({ indexId: 'X', type, summary: null, ...fields }))).toEqual({
      __type__: type,
      __data__: data,
    })
  })
})

describe('trees', () => {
  test('JSON as Python writes it', () => {
    const tree = {
      a: [1, 2.5, NaN, Infinity, -Infinity, 2n ** 70n, 1e21],
      'ü"\u007f': '\u2028\t\\',
      b: [true, false, null],
      c: {},
      d: [],
    }
    expect(pythonJson(tree)).toBe(
      '{"a": [1, 2.5, NaN, Infinity, -Infinity, 1180591620717411303424, 1e+21], "\\u00fc\\"\\u007f": "\\u2028\\t\\\\", "b": [true, false, null], "c": {}, "d": []}',
    )
  })

  test('floats and key orders are carried out of sight', () => {
    const tree = spelled(
      { '2': 1, '10': [1, 2], x: { y: 3 } },
      {
        floats: new Set(['/2', '/10/1', '/x/y']),
        keyOrders: new Map([['', ['10', 'x', '2']]]),
      },
    )
    expect(JSON.stringify(tree)).toBe('{"2":1,"10":[1,2],"x":{"y":3}}')
    expect(pythonJson(tree)).toBe('{"10": [1, 2.0], "x": {"y": 3.0}, "2": 1.0}')
    expect(
      pythonJson(
        objectOf([
          ['b', 1],
          ['1', 2],
          ['__proto__', 3],
        ]),
      ),
    ).toBe('{"b": 1, "1": 2, "__proto__": 3}')
  })
})

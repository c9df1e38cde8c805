import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { nodeDisk } from '../../src/disk/node-disk.ts'
import { importLlamaIndex } from '../../src/context/import-directory.ts'
import { readLlamaIndexDirectory, withLlamaIndexDirectory } from '../../src/interop/llamaindex-directory.ts'
import { numerals } from '../../src/interop/vector-numbers.ts'
import { expectCode } from '../stores/store-cases.ts'
import { directoryOf, docstore, entry, messages, readFiles } from './made-directory.ts'

describe('nothing of LlamaIndex', () => {
  test('an absent directory, a file, an empty directory and a foreign one are not recognised', async () => {
    const foreign = await directoryOf({ 'package.json': { name: 'x' }, 'notes.txt': 'x' })
    const empty = await directoryOf({})
    for (const path of [join(empty, 'absent'), join(foreign, 'notes.txt'), empty, foreign]) {
      expect(await readLlamaIndexDirectory(nodeDisk, path)).toBeUndefined()
    }
  })

  test('a directory with a file of 0.5 alone is refused, not taken for an empty one', async () => {
    const directory = await directoryOf({ 'index.json': { index_struct: {}, docstore: { docs: {} } } })
    await expect(readLlamaIndexDirectory(nodeDisk, directory)).rejects.toMatchObject({
      code: 'VARVE_NOT_STORAGE',
      message: expect.stringContaining('index.json: It is an index that LlamaIndex 0.5 or older') as string,
    })
  })
})

describe('a damaged file is named', () => {
  const good = {
    'docstore.json': {},
    'index_store.json': {},
    'default__vector_store.json': {},
    'graph_store.json': {},
    'property_graph_store.json': {},
    'chat_store.json': {},
  }
  const cases = Object.keys(good).flatMap((name) => [
    [name, 'empty', ''],
    [name, 'cut off', '{"docstore/data": {"a": '],
    [name, 'all zeros', new Uint8Array(100)],
    [name, 'a list', '[]'],
  ])
  test.each(cases as [string, string, string | Uint8Array][])('%s: %s', async (name, _, content) => {
    await expect(readFiles({ ...good, [name]: content })).rejects.toMatchObject({
      code: 'VARVE_BAD_FILE',
      message: expect.stringContaining(name) as string,
      fields: expect.objectContaining({ file: name }) as object,
    })
  })

  test('inside a struct too', async () => {
    const index = { 'index_store/data': { i: entry('list', '{"nodes": ["a"') } }
    await expect(readFiles({ 'index_store.json': index })).rejects.toThrow(
      /^index_store\.json \(index i\) ends after 14 bytes/,
    )
  })

  test('and a directory in a file’s place', async () => {
    const directory = await directoryOf({})
    await mkdir(join(directory, 'docstore.json'))
    await expect(readLlamaIndexDirectory(nodeDisk, directory)).rejects.toThrow(/docstore\.json is not a file/)
  })

  test.each([
    ['a struct without a type', { 'index_store/data': { i: { __data__: '{}' } } }],
    ['a struct that is a number', { 'index_store/data': { i: 5 } }],
    ['nodes that are no strings', { 'index_store/data': { i: entry('list', { nodes: [1] }) } }],
    ['a map that is a list', { 'index_store/data': { i: entry('vector_store', { nodes_dict: [] }) } }],
  ])('a shape that LlamaIndex does not write is an error: %s', async (_, index) => {
    await expect(readFiles({ 'index_store.json': index })).rejects.toMatchObject({ code: 'VARVE_BAD_FILE' })
  })
})

describe('docstores', () => {
  test('any collection may be absent; an empty file is an empty store', async () => {
    const empty = await readFiles({ 'docstore.json': {} })
    expect(empty).toMatchObject({ nodes: { length: 0 }, documentMetadata: new Map(), refDocs: new Map() })
    const metadataOnly = await readFiles({
      'docstore.json': { 'docstore/metadata': { d: { doc_hash: 'h' } } },
    })
    expect(metadataOnly.documentMetadata).toEqual(new Map([['d', { hash: 'h' }]]))
  })

  test('records keep what is unknown', async () => {
    const record = { doc_hash: 'h', ref_doc_id: 'd', later: [1] }
    const { documentMetadata } = await readFiles({ 'docstore.json': { 'docstore/metadata': { n: record } } })
    expect(documentMetadata).toEqual(new Map([['n', { hash: 'h', refDocId: 'd', extra: { later: [1] } }]]))
  })

  test.each([
    ['now', { node_ids: ['n'], metadata: { a: 1 } }],
    ['at first', { doc_ids: ['n'], extra_info: { a: 1 } }],
    ['in TypeScript, with a node twice', { nodeIds: ['n', 'n'], extraInfo: { a: 1 } }],
  ])('ref doc infos as written %s', async (_, info) => {
    const { refDocs } = await readFiles({
      'docstore.json': docstore({ n: entry('1', { text: 't' }) }, { 'docstore/ref_doc_info': { d: info } }),
    })
    expect(refDocs).toEqual(new Map([['d', { nodeIds: ['n'], metadata: { a: 1 } }]]))
  })

  test('early 0.6 has no ref doc infos: they are made from the nodes', async () => {
    const node = (extra_info: object) => entry('1', { text: 't', extra_info, relationships: { '1': 'd' } })
    const { refDocs } = await readFiles({
      'docstore.json': docstore({ a: node({ x: 1 }), b: node({ x: 2, y: 3 }) }),
    })
    expect(refDocs).toEqual(new Map([['d', { nodeIds: ['a', 'b'], metadata: { x: 2, y: 3 } }]]))
  })

  test('another namespace is found; of several the usual one counts, and the others are named', async () => {
    const other = { 'mine/data': { n: entry('1', { text: 't' }) } }
    const mine = await readFiles({ 'docstore.json': other })
    expect([mine.namespace, ...mine.nodes.ids()]).toEqual(['mine', 'n'])
    const both = await readFiles({
      'docstore.json': { ...other, ...docstore({ m: entry('1', {}) }), odd: {} },
    })
    expect([both.namespace, ...both.nodes.ids()]).toEqual(['docstore', 'm'])
    expect(messages(both)).toEqual(
      expect.arrayContaining([
        'docstore.json: It also holds the namespaces mine, which were left out.',
        'docstore.json: The collection "odd" is unknown, and was left out.',
      ]),
    )
  })

  test('nodes are read when they are asked for, and a damaged one is named then', async () => {
    const good = '{"__data__": {"text": "t"}, "__type__": "1"}'
    const files = {
      'docstore.json': `{"docstore/data": {"a": ${good}, "b": {"__type__": "1", "__data__": {"text": "u"}}, "c": {"__data__": null}, "d": {"__data__": {"text": tru}}, "e": {"__data__": {}, "__data__": null}}, "docstore/ref_doc_info": {}}`,
    }
    const directory = await directoryOf(files)
    await withLlamaIndexDirectory(nodeDisk, directory, {}, async (content) => {
      const { nodes, warnings } = content!
      expect([...nodes.ids()]).toEqual(['a', 'b', 'd', 'e'])
      expect(warnings.map(({ message }) => message)).toContain('Node c has no data, and was left out.')
      const one = (id: string) => [...nodes.only((each) => each === id)][0]
      expect(one('a')!.text).toBe('t')
      expect(one('a')).not.toBe(one('a'))
      expect(one('b')).toBe(one('b'))
      expect(() => one('d')).toThrow(/^docstore.json is not JSON: at byte 173/)
      expect(() => one('e')).toThrow(/node e has data twice/)
    })
    await expect(readFiles(files)).rejects.toMatchObject({ code: 'VARVE_BAD_FILE' })
    await expectCode(importLlamaIndex(directory), 'VARVE_BAD_FILE')
    expect(await nodeDisk.stat(`${directory}/varve.json`)).toBeUndefined()
  })

  test('ids that look like numbers, like __proto__, or like paths keep their order and place', async () => {
    const text =
      '{"docstore/data": {"10": {"__data__": {}}, "2": {"__data__": {}}, "__proto__": {"__data__": {}}, "../x": {"__data__": {}}}}'
    const { nodes } = await readFiles({ 'docstore.json': text })
    expect([...nodes.ids()]).toEqual(['10', '2', '__proto__', '../x'])
  })

  test('sources that name missing nodes are warned of', async () => {
    const content = await readFiles({
      'docstore.json': { 'docstore/ref_doc_info': { d: { node_ids: ['x'] } } },
    })
    expect(messages(content)).toContain(
      'docstore.json: Its source documents name 1 nodes (x) that it does not hold.',
    )
  })
})

describe('vectors', () => {
  test('keep order, source and metadata; "None" is no source', async () => {
    const text =
      '{"embedding_dict": {"10": [0.5, 1], "2": [NaN, 1.0]}, "text_id_to_ref_doc_id": {"10": "d", "2": "None"}, "metadata_dict": {"10": {"score": 1.0}}}'
    const { vectors } = await readFiles({ 'default__vector_store.json': text })
    expect(vectors).toEqual(
      new Map([
        [
          'default',
          [
            {
              id: '10',
              vector: new Float32Array([0.5, 1]),
              numerals: numerals.integers,
              refDocId: 'd',
              metadata: { score: 1 },
              spelling: { floats: new Set(['/score']), keyOrders: new Map() },
            },
            { id: '2', vector: new Float32Array([NaN, 1]) },
          ],
        ],
      ]),
    )
  })

  test('of every namespace, also one that holds the separator, and of the file without one', async () => {
    const store = (id: string) => ({
      embedding_dict: { [id]: [1] },
      text_id_to_doc_id: { [id]: 'd' },
      metadata_dict: null,
    })
    const { vectors } = await readFiles({
      'a__b__vector_store.json': store('x'),
      'image__vector_store.json': store('y'),
      'vector_store.json': store('z'),
    })
    expect(
      [...vectors].map(([namespace, records]) => [
        namespace,
        records.map(({ id, refDocId }) => [id, refDocId]),
      ]),
    ).toEqual([
      ['a__b', [['x', 'd']]],
      ['image', [['y', 'd']]],
      ['default', [['z', 'd']]],
    ])
  })

  test('of the default namespace the newer file counts', async () => {
    const store = (id: string) => ({ embedding_dict: { [id]: [1] } })
    const content = await readFiles({
      'vector_store.json': store('old'),
      'default__vector_store.json': store('new'),
    })
    expect(content.vectors.get('default')).toEqual([
      { id: 'new', vector: new Float32Array([1]), numerals: numerals.integers },
    ])
    expect(messages(content)).toContain(
      'vector_store.json: There is a newer file of the namespace default; this was left out.',
    )
  })

  test('that are none, and what belongs to none, are left out with a warning', async () => {
    const content = await readFiles({
      'vector_store.json': {
        embedding_dict: { a: [], b: null, c: 'x', d: [1] },
        text_id_to_ref_doc_id: { e: 'd' },
        later: {},
      },
    })
    expect(content.vectors.get('default')?.map(({ id }) => id)).toEqual(['d'])
    expect(messages(content)).toEqual(
      expect.arrayContaining([
        'vector_store.json: a has no vector but an empty list, and was left out.',
        'vector_store.json: b has no vector but something else, and was left out.',
        'vector_store.json: c has no vector but something else, and was left out.',
        'vector_store.json: 1 ids have a source or metadata but no vector; these were left out.',
        'vector_store.json: The part "later" is unknown, and was left out.',
      ]),
    )
  })

  test('of FAISS under the same name are left out with a warning', async () => {
    const content = await readFiles({
      'docstore.json': {},
      'default__vector_store.json': Buffer.from('IxF2\0\0\xff', 'latin1'),
    })
    expect(messages(content)).toEqual(
      expect.arrayContaining([
        'default__vector_store.json: It is an index of FAISS, not JSON; its vectors were left out.',
      ]),
    )
  })
})

describe('graphs', () => {
  test('triplets come in the order of the file, repeated ones too', async () => {
    const text = '{\n  "graph_dict": {"10": [["r", "a"], ["r", "a"]], "2": [["s", "b"]], "lonely": []}\n}'
    expect((await readFiles({ 'graph_store.json': text })).graph).toEqual([
      ['10', 'r', 'a'],
      ['10', 'r', 'a'],
      ['2', 's', 'b'],
    ])
  })

  test('what is no triplet is left out with a warning', async () => {
    const content = await readFiles({
      'graph_store.json': { graph_dict: { a: [['r'], ['r', 'o'], ['r', 5]], b: null } },
    })
    expect(content.graph).toEqual([['a', 'r', 'o']])
    expect(messages(content).filter((message) => message.startsWith('graph_store'))).toHaveLength(2)
  })

  test('a knowledge graph that stands in its index is taken from there', async () => {
    const kg = entry('kg', { table: { a: [] }, rel_map: { a: [['r', 'b']] } })
    const content = await readFiles({
      'index_store.json': { 'index_store/data': { i: kg } },
      'graph_store.json': { graph_dict: {} },
    })
    expect(content.graph).toEqual([['a', 'r', 'b']])
  })

  test('a property graph is kept whole, in UTF-8 and in the alphabet of Windows', async () => {
    const tree = {
      nodes: { José: { label: 'entity', embedding: null, properties: { x: [1] }, name: 'José' } },
      relations: {},
      triplets: [['a', 'b', 'c']],
      later: 1,
    }
    const utf8 = await readFiles({ 'property_graph_store.json': tree })
    expect(utf8.propertyGraph?.tree).toEqual(tree)
    const latin = await readFiles({
      'property_graph_store.json': Buffer.from(JSON.stringify(tree), 'latin1'),
    })
    expect(latin.propertyGraph?.tree).toEqual(tree)
    expect(messages(latin)).toContain(
      'property_graph_store.json: It is not in UTF-8; it was read as Windows-1252, which some letters may show.',
    )
  })
})

test('nodes with vectors that no index names are warned of, but not the summaries of documents', async () => {
  const struct = (type: string, data: object) => entry(type, JSON.stringify(data))
  const content = await readFiles({
    'docstore.json': docstore({ a: entry('1', {}), lost: entry('1', {}), summary: entry('1', {}) }),
    'index_store.json': {
      'index_store/data': {
        v: struct('vector_store', { index_id: 'v', nodes_dict: { a: 'a' } }),
        s: struct('document_summary', {
          index_id: 's',
          summary_id_to_node_ids: { summary: ['a'] },
          node_id_to_summary_id: { a: 'summary' },
          doc_id_to_summary_id: {},
        }),
      },
    },
    'default__vector_store.json': { embedding_dict: { a: [1], lost: [1], summary: [1] } },
  })
  expect(messages(content)).toEqual([
    'index_store.json: No index names 1 nodes (lost) although their vectors are there.',
  ])
})

test('where both dialects wrote, the one whose files are complete counts, and the others are named', async () => {
  const python = entry('vector_store', '{"nodes_dict": {"p": "p"}}')
  const typescript = { indexId: 't', nodesDict: {}, type: 'simple_dict' }
  const mixed = {
    'docstore.json': docstore({ p: entry('1', { text: 'p' }) }),
    'doc_store.json': docstore({ t: entry('TEXT', '{"text": "t"}') }),
    'index_store.json': { 'index_store/data': { p: python }, 'docstore/data': { t: typescript } },
  }
  const overwritten = await readFiles({ ...mixed, 'vector_store.json': { embeddingDict: { t: [1] } } })
  expect(overwritten).toMatchObject({ dialect: 'typescript', structs: [{ indexId: 't' }] })
  expect([...overwritten.nodes.ids()]).toEqual(['t'])
  expect(messages(overwritten).slice(0, 2)).toEqual([
    'docstore.json: LlamaIndex for Python and for TypeScript both wrote here; TypeScript counts, docstore.json was left out.',
    'index_store.json: LlamaIndex for Python and for TypeScript both wrote here; TypeScript counts, index_store.json ("index_store/data") was left out.',
  ])
  const intact = await readFiles({ ...mixed, 'default__vector_store.json': { embedding_dict: { p: [1] } } })
  expect(intact).toMatchObject({ dialect: 'python', structs: [{ indexId: 'p' }] })
  expect([...intact.nodes.ids()]).toEqual(['p'])
})

import { expect, test } from 'vitest'
import { SimpleDocumentStore } from '../../src/context/simple-stores.ts'
import { StorageContext } from '../../src/context/storage-context.ts'
import { MemoryDisk } from '../../src/disk/memory-disk.ts'
import { Document, ImageDocument, ImageNode, IndexNode, Node, TextNode } from '../../src/stores/node.ts'
import { all, expectCode } from '../stores/store-cases.ts'
import { fill, picture } from './support.ts'

async function copyOf(storage: StorageContext): Promise<StorageContext> {
  return StorageContext.fromDict(await storage.toDict())
}

test('an empty storage is an empty dictionary', async () => {
  const storage = await StorageContext.fromDefaults()
  expect(await storage.toDict()).toEqual({
    vector_store: { default: { embedding_dict: {}, text_id_to_ref_doc_id: {}, metadata_dict: {} } },
    doc_store: {},
    index_store: {},
    graph_store: { graph_dict: {} },
    property_graph_store: null,
  })
  const copy = await copyOf(storage)
  expect(await picture(copy)).toEqual(await picture(storage))
  await copy.close()
  await storage.close()
})

test('a dictionary has what Python has, under its keys', async () => {
  const storage = await StorageContext.fromDefaults()
  await fill(storage)
  const dict = await storage.toDict()
  expect(Object.keys(dict)).toEqual([
    'vector_store',
    'doc_store',
    'index_store',
    'graph_store',
    'property_graph_store',
  ])
  expect(dict.vector_store).toEqual({
    default: {
      embedding_dict: { n1: [1, 2], n2: [3, 4] },
      text_id_to_ref_doc_id: { n1: 'doc', n2: 'doc' },
      metadata_dict: {
        n1: { _node_type: 'TextNode', document_id: 'doc', doc_id: 'doc', ref_doc_id: 'doc' },
        n2: { _node_type: 'TextNode', document_id: 'doc', doc_id: 'doc', ref_doc_id: 'doc' },
      },
    },
    image: expect.objectContaining({ embedding_dict: { i1: [1, 2, 3] } }),
  })
  expect(dict.doc_store).toMatchObject({
    'docstore/metadata': { doc: { doc_hash: 'hash' }, n1: { ref_doc_id: 'doc' } },
    'docstore/ref_doc_info': { doc: { node_ids: ['n1', 'n2', 'n3'], metadata: { n1: 1, n2: 1, n3: 1 } } },
    'docstore/data': { n1: { __type__: '1', __data__: { text: 'text of n1' } } },
  })
  expect(dict.index_store).toMatchObject({
    'index_store/data': {
      list: { __type__: 'list', __data__: '{"index_id": "list", "summary": "s", "nodes": ["n1", "n2"]}' },
    },
  })
  expect(dict.graph_store).toEqual({
    graph_dict: {
      Alice: [
        ['knows', 'Bob'],
        ['likes', 'Tea'],
        ['is', 'kind'],
      ],
    },
  })
  expect(dict.property_graph_store).toMatchObject({
    triplets: [['a', 'r', 'b']],
    relations: { a_r_b: { label: 'r' } },
  })
  await storage.close()
})

test('a storage made from a dictionary equals the one it was made of', async () => {
  const storage = await StorageContext.fromDefaults()
  await fill(storage)
  const related = { nodeId: 'x', nodeType: 'TEXT', metadata: { '~/': -0 }, hash: 'h', extra: { e: 1 } }
  await storage.docstore.addDocuments([
    new TextNode({
      id_: '10',
      text: 'a\ud800',
      embedding: [0.1, 2],
      metadata: { b: { '10': NaN, '2': 2n ** 64n }, list: [-0, null, [Infinity]], ['__proto__']: { x: 1 } },
      excludedEmbedMetadataKeys: ['b'],
      relationships: { SOURCE: related, PREVIOUS: related, CHILD: [related, related], '9': related },
      metadataTemplate: 'x',
      startCharIdx: 1,
      endCharIdx: 2,
      mimetype: 'text/x',
      className: 'Mine',
      extra: { later: { a: [1, -0] } },
    }),
    new ImageNode({ id_: '2', text: 't', image: 'AAEC', imageUrl: 'u', textEmbedding: [1, 2] }),
    new IndexNode({ id_: 'i', indexId: 'x', obj: new Document({ id_: 'inner', text: 'inside' }) }),
    new IndexNode({ id_: 'j', indexId: 'x', obj: [1, { a: -0 }] }),
    new Document({ id_: 'd', textResource: { text: 't', extra: { x: -0 } }, audioResource: { url: 'a' } }),
    new Document({ id_: 'e' }),
    new ImageDocument({ id_: 'f', image: new Uint8Array([1, 2, 255]), imagePath: '/p' }),
    new Node({ id_: 'g', videoResource: { data: new Uint8Array(0), embeddings: { dense: [1] } } }),
  ])
  const copy = await copyOf(storage)
  expect(await picture(copy)).toEqual(await picture(storage))
  expect(await copy.toDict()).toEqual(await storage.toDict())
  await copy.close()
  await storage.close()
})

test('a dictionary is a copy: neither it nor the storage sees the other change', async () => {
  const storage = await StorageContext.fromDefaults()
  await fill(storage)
  const before = await picture(storage)
  const dict = await storage.toDict()
  const text = JSON.stringify(dict)
  const copy = await StorageContext.fromDict(dict)
  expect(JSON.stringify(dict)).toBe(text)
  ;(dict.doc_store['docstore/ref_doc_info'] as Record<string, { node_ids: string[] }>)['doc']!.node_ids.push(
    'x',
  )
  await copy.docstore.deleteRefDoc('doc')
  expect(await picture(storage)).toEqual(before)
  await copy.close()
  await storage.close()
})

test('through JSON text it is the same, but for what JSON cannot say', async () => {
  const storage = await StorageContext.fromDefaults()
  await fill(storage)
  const copy = await StorageContext.fromDict(JSON.parse(JSON.stringify(await storage.toDict())) as object)
  expect(await picture(copy)).toEqual(await picture(storage))
  await copy.close()
  await storage.close()
})

test('it is in memory, pending, and belongs to the directory it persists to', async () => {
  const disk = new MemoryDisk()
  const storage = await StorageContext.fromDefaults()
  await fill(storage)
  const copy = await StorageContext.fromDict(await storage.toDict(), { disk })
  expect(copy.persistDir).toBeUndefined()
  expect(await copy.persist('/copy')).toMatchObject({ number: 1, kind: 'data' })
  const before = await picture(copy)
  await copy.close()
  const again = await StorageContext.fromDefaults({ disk, persistDir: '/copy' })
  expect(await picture(again)).toEqual(before)
  await again.close()
  await storage.close()
})

test('a docstore of another namespace keeps it', async () => {
  const storage = await StorageContext.fromDefaults({ docstore: new SimpleDocumentStore(undefined, 'mine') })
  await storage.docstore.addDocuments([new TextNode({ id_: 'a' })])
  expect(Object.keys((await storage.toDict()).doc_store)).toEqual(['mine/data', 'mine/metadata'])
  const copy = await copyOf(storage)
  expect((copy.docstore as SimpleDocumentStore).namespace).toBe('mine')
  expect(await all(copy.docstore.ids())).toEqual(['a'])
  await copy.close()
  await storage.close()
})

test('dictionaries of older versions: missing parts, one vector store', async () => {
  const warnings: string[] = []
  const onWarning = (warning: string) => void warnings.push(warning)
  const storage = await StorageContext.fromDict(
    {
      vector_store: { embedding_dict: { a: [1, 2] }, text_id_to_doc_id: { a: 'doc' } },
      doc_store: {
        'docstore/data': {
          a: {
            __type__: '1',
            __data__: { text: 't', doc_id: 'a', extra_info: null, relationships: { '1': 'doc' } },
          },
        },
      },
    },
    { onWarning },
  )
  expect(await storage.docstore.getRefDocInfo('doc')).toEqual({ nodeIds: ['a'], metadata: {} })
  expect((await storage.vectorStore.query({ queryEmbedding: [1, 2] })).ids).toEqual(['a'])
  expect(warnings).toEqual([])
  await storage.close()
})

test.each([
  ['the text of one', '{"doc_store":{}}' as unknown as object, 'VARVE_BAD_FILE'],
  ['a list', [], 'VARVE_BAD_FILE'],
  ['nothing', null as unknown as object, 'VARVE_BAD_FILE'],
  ['what has none of the stores', { docstore: 5 }, 'VARVE_BAD_FILE'],
  ['a part that is a list', { doc_store: [1] }, 'VARVE_BAD_FILE'],
  ['a node that is a text', { doc_store: { 'docstore/data': { a: 'x' } } }, 'VARVE_BAD_FILE'],
  [
    'a struct that is no JSON',
    { index_store: { 'index_store/data': { i: { __type__: 'list', __data__: '{' } } } },
    'VARVE_BAD_FILE',
  ],
  [
    'a function',
    { doc_store: { 'docstore/data': { a: { __type__: '1', __data__: { f: () => 1 } } } } },
    'VARVE_BAD_METADATA',
  ],
] as const)('%s is refused', async (_, dict, code) => {
  await expectCode(StorageContext.fromDict(dict), code)
})

import { IndexDict, IndexList, KeywordTable } from '@llamaindex/core/data-structs'
import { BaseEmbedding } from '@llamaindex/core/embeddings'
import { Settings } from '@llamaindex/core/global'
import { Document, TextNode } from '@llamaindex/core/schema'
import { VectorStoreQueryMode } from '@llamaindex/core/vector-store'
import { expect, test } from 'vitest'
import { StorageContext } from '../../src/context/storage-context.ts'
import type { DropInStorageContext } from '../../src/llamaindex/storage-context.ts'
import type { MemoryDisk } from '../../src/disk/memory-disk.ts'
import { expectCode } from '../stores/store-cases.ts'
import { chunkOf, insert, insertNodes, open, reopen, settled } from './support.ts'

class Nothing extends BaseEmbedding {
  constructor() {
    super()
  }

  override async getTextEmbedding(): Promise<number[]> {
    return [0]
  }
}

/** Bytes in the files, but not those made ready in advance. */
async function bytesOfInsert(context: DropInStorageContext, disk: MemoryDisk, struct: IndexDict, id: string) {
  let bytes = 0
  disk.onOperation = (operation) => {
    if (operation.kind === 'write') bytes += operation.sizeBytes!
  }
  await insert(context, struct, id)
  await settled(context)
  disk.onOperation = undefined
  return bytes
}

async function onlyDict(context: DropInStorageContext): Promise<IndexDict> {
  const [struct, ...others] = await context.indexStore.getIndexStructs()
  expect(others).toEqual([])
  return struct as IndexDict
}

test('documents: found, listed, refused as duplicates, hashed and deleted', async () => {
  const { context } = await open()
  const { docStore } = context
  const document = new Document({ id_: 'd', text: 'text' })
  await docStore.addDocuments([document, chunkOf(document, 'c1'), chunkOf(document, 'c2')], true)
  expect(Object.keys(await docStore.docs())).toEqual(['d', 'c1', 'c2'])
  expect(await docStore.getDocument('c1', true)).toBeInstanceOf(TextNode)
  expect(await docStore.getDocument('x', false)).toBeUndefined()
  await expectCode(docStore.getDocument('x', true), 'VARVE_NODE_NOT_FOUND')
  await expectCode(docStore.getNode('x'), 'VARVE_NODE_NOT_FOUND')
  expect((await docStore.getNodes(['c2', 'x', 'c1'], false)).map(({ id_ }) => id_)).toEqual(['c2', 'c1'])
  const dict = await docStore.getNodeDict({ 3: 'c2', 1: 'd' })
  expect(Object.entries(dict).map(([key, { id_ }]) => [key, id_])).toEqual([
    ['1', 'd'],
    ['3', 'c2'],
  ])
  await expectCode(docStore.addDocuments([document], false), 'VARVE_DUPLICATE_ID')
  expect(await docStore.getRefDocInfo('d')).toEqual({ nodeIds: ['c1', 'c2'], extraInfo: {} })
  expect(await docStore.getAllRefDocInfo()).toEqual({ d: { nodeIds: ['c1', 'c2'], extraInfo: {} } })
  expect(await docStore.getRefDocInfo('x')).toBeUndefined()
  expect(await docStore.getDocumentHash('d')).toBe(document.hash)
  await docStore.setDocumentHash('d', 'other')
  expect((await docStore.getAllDocumentHashes())['other']).toBe('d')
  await docStore.deleteDocument('c1', true)
  await docStore.deleteDocument('c1', false)
  await expectCode(docStore.deleteDocument('c1', true), 'VARVE_NODE_NOT_FOUND')
  await docStore.deleteRefDoc('d', true)
  expect(await docStore.documentExists('c2')).toBe(false)
  await expectCode(docStore.deleteRefDoc('d', true), 'VARVE_REF_DOC_NOT_FOUND')
  docStore.persist()
})

test('structs of all three types come back in a new process, keyword tables too', async () => {
  const { context, disk } = await open()
  const document = new Document({ id_: 'd', text: 'text' })
  const dict = new IndexDict()
  await insertNodes(context, dict, [chunkOf(document, 'c1'), chunkOf(document, 'c2')])
  const list = new IndexList(undefined, 'all')
  list.nodes = ['c1', 'c2', 'c1']
  const table = new KeywordTable()
  table.addNode(['word', '__proto__'], 'c1')
  table.addNode(['word'], 'c2')
  await context.indexStore.addIndexStruct(list)
  await context.indexStore.addIndexStruct(table)
  await context.persist()
  const { indexStore } = await reopen(disk)
  const [dictBack, listBack, tableBack] = await indexStore.getIndexStructs()
  expect(dictBack).toBeInstanceOf(IndexDict)
  expect(dictBack!.toJson()).toEqual(dict.toJson())
  expect(listBack).toEqual(list)
  expect(tableBack).toEqual(table)
  expect(await indexStore.getIndexStruct(table.indexId)).toEqual(table)
  expect(await indexStore.getIndexStruct('x')).toBeUndefined()
  await expectCode(indexStore.getIndexStruct(), 'VARVE_SEVERAL_INDICES')
  for (const { indexId } of [dict, list]) await indexStore.deleteIndexStruct(indexId)
  expect(await indexStore.getIndexStruct()).toEqual(table)
})

test('a struct handed over whole is stored as what changed: an insert writes the same bytes at any size', async () => {
  const { context, disk } = await open()
  const document = new Document({ id_: 'd', text: 'text' })
  const struct = new IndexDict()
  await insertNodes(context, struct, [chunkOf(document, 'first')])
  await settled(context)
  const small = await bytesOfInsert(context, disk, struct, 'new1')
  const many = Array.from({ length: 2_000 }, (_, at) => chunkOf(document, `chunk ${at}`))
  await insertNodes(context, struct, many)
  await settled(context)
  const large = await bytesOfInsert(context, disk, struct, 'new2')
  // Numbers of commits and places in files take more digits.
  expect(large).toBeLessThanOrEqual(small + 64)
  expect(small).toBeGreaterThan(500)
})

test('keys come and go, whoever changed the struct meanwhile', async () => {
  const { context } = await open()
  const document = new Document({ id_: 'd', text: 'text' })
  const nodes = ['3', 'a', '1', '__proto__', 'b'].map((id) => chunkOf(document, id))
  const struct = new IndexDict(undefined, 'before')
  await insertNodes(context, struct, nodes.slice(0, 3))
  struct.delete('a')
  struct.summary = 'after'
  await insertNodes(context, struct, nodes.slice(4))
  const keys = async () => Object.keys((await onlyDict(context)).nodesDict).toSorted()
  expect(await keys()).toEqual(['1', '3', 'b'])
  expect((await onlyDict(context)).summary).toBe('after')
  await context.storage.indexStore.changeIndexStruct!(struct.indexId, [
    { op: 'delete', field: 'nodesDict', key: '3' },
  ])
  expect(await keys()).toEqual(['1', 'b'])
  await context.indexStore.addIndexStruct(struct)
  expect(await keys()).toEqual(['1', '3', 'b'])
})

test('a node that goes from the document store alone stays in the struct, as its vector stays', async () => {
  const { context, disk } = await open()
  const document = new Document({ id_: 'd', text: 'text' })
  await insertNodes(context, new IndexDict(), [chunkOf(document, 'c1'), chunkOf(document, 'c2')])
  await context.docStore.deleteDocument('c1', true)
  await context.persist()
  const again = await reopen(disk)
  const { nodesDict } = await onlyDict(again)
  expect(Object.keys(nodesDict)).toEqual(['c1', 'c2'])
  expect(nodesDict['c1']).toBeInstanceOf(TextNode)
  expect(nodesDict['c1']!.toJSON()).toMatchObject({ id_: 'c1', text: 'chunk of text' })
  await again.docStore.deleteRefDoc('d', true)
  expect(Object.keys((await onlyDict(again)).nodesDict)).toEqual(['c1'])
})

test('the nodes of a struct are read when they are asked for, as they stood when it was', async () => {
  const { context, disk } = await open()
  const document = new Document({ id_: 'd', text: 'text' })
  const nodes = ['c1', 'c2', 'c3'].map((id) => chunkOf(document, id))
  await insertNodes(context, new IndexDict(), nodes)
  await context.persist()
  const again = await reopen(disk)
  const dict = await onlyDict(again)
  const isRead = (id: string) => 'value' in Object.getOwnPropertyDescriptor(dict.nodesDict, id)!
  expect(Object.keys(dict.nodesDict)).toEqual(['c1', 'c2', 'c3'])
  expect(Object.keys(dict.nodesDict).filter(isRead)).toEqual([])
  await again.docStore.addDocuments([new TextNode({ id_: 'c1', text: 'later' })], true)
  await again.docStore.deleteDocument('c2', true)
  expect(['c1', 'c2'].map((id) => dict.nodesDict[id]!.toJSON())).toMatchObject([
    { text: 'chunk of text' },
    { text: 'chunk of text' },
  ])
  expect(dict.nodesDict['c1']).toBe(dict.nodesDict['c1'])
  expect(Object.keys(dict.nodesDict).filter(isRead)).toEqual(['c1', 'c2'])
  dict.addNode(new TextNode({ id_: 'c3', text: 'set' }))
  dict.delete('c1')
  expect(Object.values(dict.nodesDict).map((node) => node.toJSON())).toMatchObject([
    { text: 'chunk of text' },
    { text: 'set' },
  ])
})

test('a node that only a struct has leaves in a directory of either kind', async () => {
  const { context, disk } = await open()
  const document = new Document({ id_: 'd', text: 'text' })
  await insertNodes(context, new IndexDict(), [chunkOf(document, 'c1'), chunkOf(document, 'c2')])
  await context.docStore.deleteDocument('c1', true)
  await context.persist()
  const exported = async (format: 'python' | 'typescript') => {
    const { nodes, omitted } = await context.storage.exportTo(`/${format}`, { format })
    const text = (name: string) => Buffer.from(disk.peek(`/${format}/${name}`)).toString()
    const read = (name: string) => JSON.parse(text(name)) as Record<string, Record<string, object>>
    return { nodes, omitted, read }
  }

  const python = await exported('python')
  expect(python).toMatchObject({ nodes: 2, omitted: [] })
  expect(python.read('docstore.json')['docstore/data']).toMatchObject({
    c1: { __data__: { text: 'chunk of text' } },
    c2: {},
  })
  const [struct] = Object.values(python.read('index_store.json')['index_store/data']!) as {
    __data__: string
  }[]
  expect(JSON.parse(struct!.__data__)).toMatchObject({ nodes_dict: { c1: 'c1', c2: 'c2' } })

  const typescript = await exported('typescript')
  expect(typescript.omitted).toEqual([])
  expect(Object.keys(typescript.read('doc_store.json')['docstore/data']!)).toEqual(['c2'])
  const [dict] = Object.values(typescript.read('index_store.json')['docstore/data']!)
  expect(dict).toMatchObject({ nodesDict: { c1: { text: 'chunk of text' }, c2: {} } })
  expect(Object.keys(typescript.read('vector_store.json')['embeddingDict']!)).toEqual(['c1', 'c2'])

  await using copy = await StorageContext.fromDict(await context.storage.toDict())
  expect((await copy.docstore.getNode('c1')).text).toBe('chunk of text')
})

test('a node that no document store has is kept in the struct', async () => {
  const { context, disk } = await open()
  const struct = new IndexDict()
  struct.addNode(new TextNode({ id_: 'n', text: 'alone', metadata: { a: 1 } }))
  await context.indexStore.addIndexStruct(struct)
  await context.persist()
  expect((await onlyDict(await reopen(disk))).toJson()).toEqual(struct.toJson())
})

test('structs of types that LlamaIndexTS does not have are passed over', async () => {
  const { context } = await open()
  await context.storage.indexStore.addIndexStruct({ indexId: 't', type: 'tree', allNodes: new Map() })
  expect(await context.indexStore.getIndexStructs()).toEqual([])
  expect(await context.indexStore.getIndexStruct('t')).toBeUndefined()
})

test('vectors: added, found by filter, deleted with their document', async () => {
  const { context, disk } = await open()
  const vectors = context.vectorStores.TEXT!
  const [a, b] = ['a', 'b'].map((id_) => new Document({ id_, text: id_ }))
  const nodes = [chunkOf(a!, 'c1', [1, 0]), chunkOf(b!, 'c2', [0, 1])]
  nodes[1]!.metadata = { n: 2 }
  expect(await vectors.add(nodes)).toEqual(['c1', 'c2'])
  await context.persist()
  const found = (await reopen(disk)).vectorStores.TEXT!
  const query = { queryEmbedding: [1, 0.1], similarityTopK: 2, mode: VectorStoreQueryMode.DEFAULT }
  expect(await found.query(query)).toEqual({
    ids: ['c1', 'c2'],
    similarities: [expect.closeTo(0.995, 3), expect.closeTo(0.0995, 3)],
  })
  const only = async (key: string, value: string | number) =>
    (await found.query({ ...query, filters: { filters: [{ key, value, operator: '==' }] } })).ids
  expect(await only('n', 2)).toEqual(['c2'])
  expect(await only('ref_doc_id', 'a')).toEqual(['c1'])
  expect(await only('_node_type', 'TextNode')).toEqual(['c1', 'c2'])
  expect((await found.query({ ...query, mode: VectorStoreQueryMode.MMR, mmrThreshold: 0.1 })).ids[0]).toBe(
    'c1',
  )
  await vectors.delete('a')
  await vectors.delete('unknown')
  expect((await vectors.query(query)).ids).toEqual(['c2'])
  await expect(vectors.add([new TextNode({ text: 'without' })])).rejects.toThrow('Embedding not set')
  await expectCode(vectors.query({ ...query, mode: VectorStoreQueryMode.HYBRID }), 'VARVE_UNSUPPORTED_QUERY')
  expect(vectors.client()).toBe(context.storage.vectorStore)
})

test('a namespace of its own has an embedding model of its own; others ask Settings, and only when asked', async () => {
  const { context } = await open()
  const model = new Nothing()
  const images = context.addVectorStore('image', { embedModel: model })
  expect(images.embedModel).toBe(model)
  expect(() => context.vectorStores.TEXT!.embedModel).toThrow('embedModel')
  Settings.withEmbedModel(model, () => expect(context.vectorStores.TEXT!.embedModel).toBe(model))
  context.vectorStores.TEXT!.embedModel = model
  expect(context.vectorStores.TEXT!.embedModel).toBe(model)
})

test('stores that are given stand beside ours, and what was given is not changed', async () => {
  const { context: other } = await open()
  const vectorStores = { IMAGE: other.vectorStores.TEXT! }
  const { context } = await open({ docStore: other.docStore, indexStore: other.indexStore, vectorStores })
  expect(context.docStore).toBe(other.docStore)
  expect(context.indexStore).toBe(other.indexStore)
  expect(context.vectorStores.IMAGE).toBe(other.vectorStores.TEXT)
  expect(context.vectorStores.TEXT).not.toBe(other.vectorStores.TEXT)
  expect(Object.keys(vectorStores)).toEqual(['IMAGE'])
  const { context: third } = await open({ vectorStore: other.vectorStores.TEXT! })
  expect(third.vectorStores.TEXT).toBe(other.vectorStores.TEXT)
})

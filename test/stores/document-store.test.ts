import { describe, expect, test } from 'vitest'
import type { JournalDocumentStore } from '../../src/stores/document-store.ts'
import {
  Document,
  ImageDocument,
  ImageNode,
  IndexNode,
  Node,
  TextNode,
  type BaseNode,
} from '../../src/stores/node.ts'
import { all, expectCode, inEveryWay, openStorage, type Stage } from './store-cases.ts'

const docs = (stage: Stage) => stage.storage.docstore as JournalDocumentStore

function chunk(id_: string, source?: string, metadata: Record<string, unknown> = {}): TextNode {
  const relationships = source === undefined ? {} : { SOURCE: { nodeId: source, metadata: {} } }
  return new TextNode({ id_, text: `text of ${id_}`, metadata, relationships })
}

/** Everything the store says, orders included. */
async function picture(store: JournalDocumentStore) {
  const ids = await all(store.ids())
  return {
    nodes: await store.getNodes(ids),
    refDocs: [...(await store.getAllRefDocInfo())],
    hashes: [...(await store.getAllDocumentHashes())],
  }
}

describe('adding and reading', () => {
  inEveryWay('a node comes back with every field', async (stage) => {
    const nodes: BaseNode[] = [
      new TextNode({
        id_: 'text',
        text: 'Grüße 😀',
        embedding: [0.1, -0, 1e300],
        metadata: { a: 1, b: [true, null, { c: 2n ** 70n }], d: -0, '10': 1, '2': 2, e: NaN },
        excludedEmbedMetadataKeys: ['a'],
        excludedLlmMetadataKeys: ['b'],
        relationships: {
          SOURCE: { nodeId: 'doc', nodeType: 'DOCUMENT', metadata: { m: 1 }, hash: 'h' },
          NEXT: { nodeId: 'next', metadata: {} },
          CHILD: [{ nodeId: 'c', metadata: {} }],
        },
        metadataTemplate: '{key}={value}',
        metadataSeparator: '|',
        textTemplate: '{content}',
        startCharIdx: 3,
        endCharIdx: 9,
        mimetype: 'text/markdown',
        className: 'MyNode',
        extra: { unknown: [1] },
      }),
      new ImageNode({
        id_: 'image',
        text: 't',
        image: 'AAEC',
        imagePath: '/a.png',
        textEmbedding: new Float32Array([1, 2]),
      }),
      new IndexNode({
        id_: 'index',
        text: 't',
        indexId: 'i',
        obj: new TextNode({ id_: 'inner', text: 'x' }),
      }),
      new Document({ id_: 'document', text: 'whole', metadata: { file: 'a.md' } }),
      new ImageDocument({
        id_: 'imageDocument',
        image: new Uint8Array([0, 255, 7]),
        imageMimetype: 'image/png',
      }),
      new Node({ id_: 'media', text: 't', audioResource: { url: 'http://x', data: new Uint8Array(1000) } }),
    ]
    await docs(stage).addDocuments(nodes)
    await stage.step()
    expect(await docs(stage).getNodes(nodes.map(({ id_ }) => id_))).toEqual(nodes)
    for (const node of nodes) {
      const read = await docs(stage).getNode(node.id_)
      expect(read).toEqual(node)
      expect(read.className).toBe(node.className)
      expect(await docs(stage).getDocumentHash(node.id_)).toBe(node.hash)
      expect(read.hash).toBe(node.hash)
    }
  })

  inEveryWay('nodes are read by id, in the order asked for', async (stage) => {
    await docs(stage).addDocuments([chunk('a'), chunk('b'), chunk('c')])
    await stage.step()
    expect((await docs(stage).getNodes(['c', 'a'])).map(({ id_ }) => id_)).toEqual(['c', 'a'])
    expect(
      (await docs(stage).getNodes(['c', 'x', 'a'], { raiseError: false })).map(({ id_ }) => id_),
    ).toEqual(['c', 'a'])
    const dict = await docs(stage).getNodeDict(
      new Map([
        [7, 'b'],
        [3, 'a'],
      ]),
    )
    expect([...dict].map(([key, { id_ }]) => [key, id_])).toEqual([
      [7, 'b'],
      [3, 'a'],
    ])
    expect(await docs(stage).documentExists('a')).toBe(true)
    expect(await docs(stage).documentExists('x')).toBe(false)
    await expectCode(docs(stage).getNode('x'), 'VARVE_NODE_NOT_FOUND')
    await expectCode(docs(stage).getDocument('x'), 'VARVE_NODE_NOT_FOUND')
    await expectCode(docs(stage).getNodes(['a', 'x']), 'VARVE_NODE_NOT_FOUND')
    expect(await docs(stage).getNode('x', { raiseError: false })).toBeUndefined()
  })

  inEveryWay('a list is what is taken, and an id that is none is not known', async (stage) => {
    await docs(stage).addDocuments([chunk('1'), chunk('2'), chunk('12')])
    await stage.step()
    const list = '12' as unknown as string[]
    const calls = [
      docs(stage).getNodes(list),
      docs(stage).deleteDocuments(list),
      docs(stage).addDocuments(chunk('3') as unknown as BaseNode[]),
    ]
    for (const call of calls)
      await expect(call).rejects.toThrow('takes a list: put what you gave it into [ ].')
    expect(await all(docs(stage).ids())).toEqual(['1', '2', '12'])
    const none = undefined as unknown as string
    expect(await docs(stage).documentExists(none)).toBe(false)
    expect(await docs(stage).getNode(none, { raiseError: false })).toBeUndefined()
    expect(await docs(stage).getDocumentHash(none)).toBeUndefined()
    await expectCode(docs(stage).deleteDocument(none), 'VARVE_NODE_NOT_FOUND')
  })

  inEveryWay('ids come in the order of first adding; a replaced node keeps its place', async (stage) => {
    await docs(stage).addDocuments([chunk('b'), chunk('a'), chunk('c')])
    await stage.step()
    await docs(stage).addDocuments([new TextNode({ id_: 'a', text: 'new' }), chunk('d')])
    await stage.step()
    expect(await all(docs(stage).ids())).toEqual(['b', 'a', 'c', 'd'])
    expect((await docs(stage).getNode('a')).text).toBe('new')
  })

  inEveryWay('without allowUpdate a known id adds nothing', async (stage) => {
    await docs(stage).addDocuments([chunk('a', 'doc')])
    await stage.step()
    const before = await picture(docs(stage))
    await expectCode(
      docs(stage).addDocuments([chunk('b', 'doc'), chunk('a')], { allowUpdate: false }),
      'VARVE_DUPLICATE_ID',
    )
    await expectCode(
      docs(stage).addDocuments([chunk('n'), chunk('n')], { allowUpdate: false }),
      'VARVE_DUPLICATE_ID',
    )
    expect(await picture(docs(stage))).toEqual(before)
    await docs(stage).addDocuments([chunk('b')], { allowUpdate: false })
    await stage.step()
    expect(await docs(stage).documentExists('b')).toBe(true)
  })

  inEveryWay('without storeText only hash and ref doc are kept', async (stage) => {
    await docs(stage).addDocuments([chunk('a', 'doc')], { storeText: false })
    await stage.step()
    expect(await docs(stage).documentExists('a')).toBe(false)
    expect(await docs(stage).getDocumentHash('a')).toBe(chunk('a', 'doc').hash)
    expect(await docs(stage).getRefDocInfo('doc')).toEqual({ nodeIds: ['a'], metadata: {} })
  })

  inEveryWay('what a caller holds is not what is stored', async (stage) => {
    const node = chunk('a', 'doc', { list: [1] })
    const { metadata } = node
    await docs(stage).addDocuments([node])
    expect(node.metadata).toBe(metadata)
    ;(node.metadata.list as number[]).push(2)
    node.text = 'changed'
    const read = await docs(stage).getNode('a')
    expect(read.text).toBe('text of a')
    ;(read.metadata.list as number[]).push(3)
    const info = await docs(stage).getRefDocInfo('doc')
    info!.nodeIds.push('x')
    ;(info!.metadata.list as number[]).push(4)
    await stage.step()
    expect((await docs(stage).getNode('a')).metadata).toEqual({ list: [1] })
    expect(await docs(stage).getRefDocInfo('doc')).toEqual({ nodeIds: ['a'], metadata: { list: [1] } })
  })
})

describe('ref docs', () => {
  inEveryWay('a ref doc has its nodes, and the union of their metadata', async (stage) => {
    await docs(stage).addDocuments([chunk('a', 'doc', { x: 1, z: -0 }), chunk('b', 'doc', { x: 2, y: [1] })])
    await stage.step()
    await docs(stage).addDocuments([chunk('c', 'doc', { y: [1], '~/': 1 }), chunk('d', 'other')])
    await stage.step()
    expect(await docs(stage).getRefDocInfo('doc')).toEqual({
      nodeIds: ['a', 'b', 'c'],
      metadata: { x: 2, z: -0, y: [1], '~/': 1 },
    })
    expect([...(await docs(stage).getAllRefDocInfo()).keys()]).toEqual(['doc', 'other'])
    expect(await docs(stage).refDocExists('doc')).toBe(true)
    expect(await docs(stage).refDocExists('a')).toBe(false)
    expect(await docs(stage).getRefDocInfo('x')).toBeUndefined()
  })

  inEveryWay(
    'many nodes at once go as they do one by one, and who is not there is no matter',
    async (stage) => {
      const store = docs(stage)
      await store.addDocuments([chunk('a', 'doc'), chunk('b', 'doc'), chunk('c', 'other'), chunk('d')])
      await store.deleteDocuments(['a', 'none', 'c'])
      expect(await all(store.ids())).toEqual(['b', 'd'])
      expect([...(await store.getAllRefDocInfo())]).toEqual([['doc', { nodeIds: ['b'], metadata: {} }]])
      await store.deleteDocuments(['none'])
      expect(await all(store.ids())).toEqual(['b', 'd'])
    },
  )

  inEveryWay('the last node takes its ref doc along, hash included', async (stage) => {
    await docs(stage).addDocuments([chunk('a', 'doc'), chunk('b', 'doc')])
    await docs(stage).setDocumentHash('doc', 'h')
    await stage.step()
    await docs(stage).deleteDocument('a')
    await stage.step()
    expect(await docs(stage).getRefDocInfo('doc')).toEqual({ nodeIds: ['b'], metadata: {} })
    expect(await docs(stage).getDocumentHash('doc')).toBe('h')
    await docs(stage).deleteDocument('b')
    await stage.step()
    expect(await docs(stage).refDocExists('doc')).toBe(false)
    expect(await docs(stage).getDocumentHash('doc')).toBeUndefined()
    expect((await docs(stage).getAllDocumentHashes()).size).toBe(0)
  })

  inEveryWay('deleting a ref doc deletes its nodes and nothing else', async (stage) => {
    await docs(stage).addDocuments([
      chunk('a', 'doc'),
      chunk('b', 'doc'),
      chunk('c', 'other'),
      new Document({ id_: 'doc' }),
    ])
    await stage.step()
    await docs(stage).deleteRefDoc('doc')
    await stage.step()
    expect(await all(docs(stage).ids())).toEqual(['c'])
    expect([...(await docs(stage).getAllRefDocInfo()).keys()]).toEqual(['other'])
    expect(await docs(stage).getDocumentHash('a')).toBeUndefined()
    await expectCode(docs(stage).deleteRefDoc('doc'), 'VARVE_REF_DOC_NOT_FOUND')
    await docs(stage).deleteRefDoc('doc', { raiseError: false })
  })

  inEveryWay('a document of which only the hash is known can be deleted', async (stage) => {
    await docs(stage).setDocumentHash('doc', 'h')
    await stage.step()
    await docs(stage).deleteRefDoc('doc')
    await stage.step()
    expect(await docs(stage).getDocumentHash('doc')).toBeUndefined()
  })

  inEveryWay('a node that was its own source is still there when it gets another', async (stage) => {
    await docs(stage).addDocuments([chunk('a', 'a')])
    await stage.step()
    await docs(stage).addDocuments([chunk('a', 'doc')])
    await stage.step()
    expect((await docs(stage).getNode('a')).text).toBe('text of a')
    expect(await docs(stage).getDocumentHash('a')).toBe(chunk('a', 'doc').hash)
    expect([...(await docs(stage).getAllRefDocInfo())]).toEqual([['doc', { nodeIds: ['a'], metadata: {} }]])
  })

  inEveryWay('a node that has two sources in one call takes the first one with it', async (stage) => {
    const metadata = { k: 1 }
    await docs(stage).addDocuments([
      chunk('a', 'one', metadata),
      chunk('a', 'two', metadata),
      chunk('b', 'one', metadata),
    ])
    await stage.step()
    expect(await docs(stage).getRefDocInfo('one')).toEqual({ nodeIds: ['b'], metadata })
  })

  inEveryWay('a node that gets another source leaves its old one', async (stage) => {
    await docs(stage).addDocuments([chunk('a', 'one', { k: 1 }), chunk('b', 'one', { k: 1 })])
    await stage.step()
    await docs(stage).addDocuments([chunk('a', 'two', { k: 1 })])
    await stage.step()
    expect([...(await docs(stage).getAllRefDocInfo())]).toEqual([
      ['one', { nodeIds: ['b'], metadata: { k: 1 } }],
      ['two', { nodeIds: ['a'], metadata: { k: 1 } }],
    ])
    // The last node of `one` leaves it in the very call that brings it a new one.
    await docs(stage).addDocuments([chunk('b', 'two', { k: 1 }), chunk('c', 'one', { k: 1 })])
    await stage.step()
    expect(await docs(stage).getRefDocInfo('one')).toEqual({ nodeIds: ['c'], metadata: { k: 1 } })
    await docs(stage).addDocuments([chunk('c')])
    await stage.step()
    expect(await docs(stage).refDocExists('one')).toBe(false)
  })

  inEveryWay('deleting an unknown node is an error, or nothing', async (stage) => {
    await expectCode(docs(stage).deleteDocument('x'), 'VARVE_NODE_NOT_FOUND')
    await docs(stage).deleteDocument('x', { raiseError: false })
    expect(stage.storage.hasPendingChanges).toBe(false)
  })
})

describe('hashes', () => {
  inEveryWay('hashes are set, read, and listed from hash to id', async (stage) => {
    await docs(stage).setDocumentHashes(
      new Map([
        ['d1', 'same'],
        ['d2', 'same'],
        ['d3', 'own'],
      ]),
    )
    await stage.step()
    expect(await docs(stage).getDocumentHash('d1')).toBe('same')
    expect([...(await docs(stage).getAllDocumentHashes())]).toEqual([
      ['same', 'd2'],
      ['own', 'd3'],
    ])
    await docs(stage).setDocumentHash('d1', 'new')
    await stage.step()
    expect(await docs(stage).getDocumentHash('d1')).toBe('new')
    expect(await docs(stage).getDocumentHash('x')).toBeUndefined()
  })

  inEveryWay('a new hash does not part a node from its source', async (stage) => {
    await docs(stage).addDocuments([chunk('a', 'doc')])
    await docs(stage).setDocumentHash('a', 'other')
    await stage.step()
    await docs(stage).deleteDocument('a')
    expect(await docs(stage).refDocExists('doc')).toBe(false)
  })

  test('a hash is a string', async () => {
    const { docstore } = await openStorage({})
    await expect(docstore.setDocumentHash('a', 5 as unknown as string)).rejects.toThrow(TypeError)
    expect(await docstore.getDocumentHash('a')).toBeUndefined()
  })
})

describe('bad input', () => {
  const cyclic: Record<string, unknown> = {}
  cyclic.self = cyclic

  test.each<[what: string, node: () => BaseNode, code: 'VARVE_BAD_ID' | 'VARVE_BAD_METADATA']>([
    ['an empty id', () => new TextNode({ id_: '' }), 'VARVE_BAD_ID'],
    ['an id of 10 KB', () => new TextNode({ id_: 'x'.repeat(10_240) }), 'VARVE_BAD_ID'],
    ['an id with half of a surrogate pair', () => new TextNode({ id_: 'a\ud800' }), 'VARVE_BAD_ID'],
    ['an id that is a number', () => new TextNode({ id_: 5 as unknown as string }), 'VARVE_BAD_ID'],
    ['an empty source id', () => chunk('b', ''), 'VARVE_BAD_ID'],
    ['metadata with a function', () => chunk('b', 'doc', { f: () => 1 }), 'VARVE_BAD_METADATA'],
    ['metadata with a symbol', () => chunk('b', 'doc', { s: Symbol('s') }), 'VARVE_BAD_METADATA'],
    ['metadata with a cycle', () => chunk('b', 'doc', cyclic), 'VARVE_BAD_METADATA'],
    [
      'metadata that is a list',
      () => chunk('b', 'doc', [] as unknown as Record<string, unknown>),
      'VARVE_BAD_METADATA',
    ],
    [
      'a relation with a cycle',
      () => new TextNode({ id_: 'b', relationships: { NEXT: { nodeId: 'n', metadata: cyclic } } }),
      'VARVE_BAD_METADATA',
    ],
  ])('%s is refused, and nothing of its call is added', async (_, bad, code) => {
    const stage = { storage: await openStorage({}) } as Stage
    await docs(stage).addDocuments([chunk('a', 'doc', { k: 1 })])
    const before = await picture(docs(stage))
    await expectCode(docs(stage).addDocuments([chunk('first', 'doc', { n: 1 }), bad()]), code)
    expect(await picture(docs(stage))).toEqual(before)
  })

  test('what is no node is a mistake of the caller', async () => {
    const { docstore } = await openStorage({})
    await expect(docstore.addDocuments([{ id_: 'a' } as unknown as BaseNode])).rejects.toThrow(TypeError)
  })

  inEveryWay('strange ids are ids like any other', async (stage) => {
    const ids = [
      '__proto__',
      'constructor',
      '../../x',
      '/etc/passwd',
      'a/b~c',
      '\u0000',
      '10',
      '2',
      'ü'.repeat(4096),
      '\uf8ff',
    ]
    await docs(stage).addDocuments(ids.map((id) => chunk(id, `source of ${id}`.slice(0, 2000), { [id]: id })))
    await stage.step()
    expect(await all(docs(stage).ids())).toEqual(ids)
    for (const id of ids) expect(Object.entries((await docs(stage).getNode(id)).metadata)).toEqual([[id, id]])
    await docs(stage).deleteDocument('__proto__')
    await stage.step()
    expect(await docs(stage).documentExists('__proto__')).toBe(false)
    expect(await docs(stage).refDocExists('source of __proto__')).toBe(false)
  })

  inEveryWay('metadata is what JSON makes of it, and BigInt', async (stage) => {
    const date = new Date(0)
    await docs(stage).addDocuments([
      chunk('a', 'doc', { date, gone: undefined, list: [undefined], big: 2n ** 64n }),
    ])
    await stage.step()
    const stored = { date: date.toISOString(), list: [null], big: 2n ** 64n }
    expect((await docs(stage).getNode('a')).metadata).toEqual(stored)
    expect((await docs(stage).getRefDocInfo('doc'))!.metadata).toEqual(stored)
  })
})

test('a docstore of another namespace stands beside the default one and keeps its name', async () => {
  const { SimpleDocumentStore } = await import('../../src/context/simple-stores.ts')
  const { MemoryDisk } = await import('../../src/disk/memory-disk.ts')
  const disk = new MemoryDisk()
  const first = await openStorage({
    disk,
    persistDir: '/s',
    docstore: new SimpleDocumentStore(undefined, 'Ünïcode/x'),
  })
  await first.docstore.addDocuments([chunk('a')])
  await first.persist()
  await first.close()
  const again = await openStorage({ disk, persistDir: '/s' })
  expect((again.docstore as JournalDocumentStore).namespace).toBe('Ünïcode/x')
  expect((await again.docstore.getNode('a')).id_).toBe('a')
  await again.close()
})

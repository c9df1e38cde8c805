import { describe, expect, test, vi } from 'vitest'
import { StorageContext } from '../../src/context/storage-context.ts'
import type { MemoryDisk } from '../../src/disk/memory-disk.ts'
import type { SimpleVectorStore } from '../../src/context/simple-stores.ts'
import type { Difference } from '../../src/history/difference.ts'
import type { StoredDocument } from '../../src/history/stored-value.ts'
import type { IndexStruct } from '../../src/stores/index-struct.ts'
import { Document, TextNode } from '../../src/stores/node.ts'
import { fill, quietDisk } from './support.ts'

const persistDir = '/storage'

function ticking(): () => Date {
  let time = Date.UTC(2026, 0, 1)
  return () => new Date((time += 1000))
}

async function open(disk = quietDisk()): Promise<StorageContext> {
  return StorageContext.fromDefaults({ persistDir, disk, clock: ticking() })
}

function node(id_: string, text: string, metadata = {}): TextNode {
  return new TextNode({ id_, text, metadata, relationships: { SOURCE: { nodeId: 'doc', metadata: {} } } })
}

/** Commit 1 adds a and b, 2 changes a, 3 deletes a and adds a triplet. */
async function threeCommits(disk = quietDisk()): Promise<StorageContext> {
  const storage = await open(disk)
  await storage.docstore.addDocuments([node('a', 'one', { page: 1 }), node('b', 'two')])
  await storage.persist({ actor: 'ann', message: 'first' })
  await storage.docstore.addDocuments([node('a', 'uno', { page: 1, lang: 'it' })])
  await storage.persist({ actor: 'bob', message: 'second' })
  await storage.docstore.deleteDocument('a')
  await storage.graphStore.upsertTriplet('Ann', 'knows', 'Bob')
  await storage.persist({ actor: 'ann', message: 'third' })
  return storage
}

/** Commit 1 adds the vector a, 2 the vector b and the node a, 3 clears the vectors. */
async function vectorsCleared(): Promise<StorageContext> {
  const storage = await open()
  await storage.vectorStore.add([new TextNode({ id_: 'a', embedding: [1] })])
  await storage.persist()
  await storage.vectorStore.add([new TextNode({ id_: 'b', embedding: [2] })])
  await storage.docstore.addDocuments([node('a', 'one')])
  await storage.persist()
  await (storage.vectorStore as SimpleVectorStore).clear()
  await storage.persist()
  return storage
}

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all = []
  for await (const item of items) all.push(item)
  return all
}

describe('log', () => {
  test('tells what each commit touched, the newest first', async () => {
    const storage = await threeCommits()
    const log = await collect(storage.history.log({ keys: true }))
    expect(log.map(({ number, actor, touched }) => ({ number, actor, touched }))).toEqual([
      {
        number: 3,
        actor: 'ann',
        touched: [
          { store: 'docstore', counts: { NodesDeleted: 1 }, keys: ['a'] },
          { store: 'graph_store', counts: { TripletsAdded: 1 }, keys: [['Ann', 'knows', 'Bob']] },
        ],
      },
      {
        number: 2,
        actor: 'bob',
        touched: [{ store: 'docstore', counts: { NodesAdded: 1 }, keys: ['a', 'doc'] }],
      },
      {
        number: 1,
        actor: 'ann',
        touched: [{ store: 'docstore', counts: { NodesAdded: 2 }, keys: ['a', 'doc', 'b'] }],
      },
    ])
    await storage.close()
  })

  test.each([
    [{ reverse: true }, [1, 2, 3]],
    [{ limit: 2 }, [3, 2]],
    [{ limit: 2, reverse: true }, [1, 2]],
    [{ limit: 0 }, []],
    [{ since: 1 }, [3, 2]],
    [{ until: 'HEAD~1' }, [2, 1]],
    [{ since: 3, until: 1 }, []],
    [{ since: '2026-01-01' }, [3, 2, 1]],
    [{ actor: 'ann' }, [3, 1]],
    [{ actor: 'ann', limit: 1, reverse: true }, [1]],
    [{ store: 'graph_store' }, [3]],
    [{ store: 'vector_store' }, []],
    [{ key: 'b' }, [1]],
    [{ store: 'docstore', key: 'a' }, [3, 2, 1]],
    [{ key: ['Ann', 'knows', 'Bob'] as const }, [3]],
  ])('takes %j', async (options, numbers) => {
    const storage = await threeCommits()
    expect((await collect(storage.history.log(options))).map(({ number }) => number)).toEqual(numbers)
    await storage.close()
  })

  test('finds a key in the store that was asked for only', async () => {
    const storage = await vectorsCleared()
    const numbers = async (store: string): Promise<number[]> =>
      (await collect(storage.history.log({ store, key: 'a' }))).map(({ number }) => number)
    expect(await numbers('docstore')).toEqual([2])
    expect(await numbers('vector_store')).toEqual([3, 1])
    await storage.close()
  })

  test.each([1.5, -1, NaN, '2'])('refuses a limit of %j', async (limit) => {
    const storage = await threeCommits()
    const log = storage.history.log({ limit: limit as number })
    await expect(collect(log)).rejects.toMatchObject({ code: 'VARVE_BAD_OPTION' })
    await storage.close()
  })

  test('finds what changed a document, though it named only its nodes', async () => {
    const storage = await open()
    const source = { SOURCE: { nodeId: 'doc', metadata: {} } }
    const part = (id_: string) => new TextNode({ id_, text: id_, relationships: source })
    await storage.docstore.addDocuments([new Document({ id_: 'doc', text: 'whole' }), part('1'), part('2')])
    await storage.persist()
    for (const id of ['1', '2']) {
      await storage.docstore.deleteDocument(id)
      await storage.persist()
    }
    expect(await storage.docstore.documentExists('doc')).toBe(false)
    for (const options of [{ key: 'doc' }, { key: 'doc', store: 'docstore' }]) {
      const log = await collect(storage.history.log(options))
      expect(log.map(({ number }) => number)).toEqual([3, 2, 1])
    }
    await storage.close()
  })

  test('finds what touched every key', async () => {
    const storage = await vectorsCleared()
    expect(await collect(storage.history.log({ key: 'b' }))).toMatchObject([
      { number: 3, touched: [{ store: 'vector_store/default', counts: { VectorsCleared: 1 } }] },
      { number: 2 },
    ])
    await storage.close()
  })

  test('is empty before the first commit', async () => {
    const storage = await open()
    expect(await collect(storage.history.log())).toEqual([])
    expect(await storage.history.tags()).toEqual([])
    await storage.close()
  })

  test('says which stores there can be', async () => {
    const storage = await threeCommits()
    await expect(collect(storage.history.log({ store: 'nodes' }))).rejects.toMatchObject({
      code: 'VARVE_BAD_OPTION',
      message: expect.stringContaining('There is no store "nodes". Stores are \'docstore\'') as string,
    })
    await storage.close()
  })
})

describe('versions', () => {
  test('of a node show its text and keys as they are', async () => {
    const storage = await open()
    const metadata = JSON.parse('{"__proto__": 1, "half": "\\ud800"}') as Record<string, unknown>
    await storage.docstore.addDocuments([new Document({ id_: 'd', text: '\uf8ff Apple', metadata })])
    await storage.persist()
    const [difference] = await collect(storage.history.diff(0, 1, { store: 'docstore' }))
    const { node } = difference!.paths[0]!.after as { node: Record<string, unknown> }
    expect(JSON.stringify(node)).toContain('"\uf8ff Apple"')
    const paths = (await storage.history.blame('docstore', 'd')).map(({ path }) => path)
    expect(paths).toContain('/node/metadata/__proto__')
    await storage.close()
  })

  test.each([[[null, null, null]], [['a', 'b']], [{ relation: 1 }], [7], [null]])(
    'of %j, which is no key, are refused',
    async (key) => {
      const storage = await threeCommits()
      const versions = storage.history.versions('graph_store', key as unknown as string)
      await expect(collect(versions)).rejects.toMatchObject({
        code: 'VARVE_BAD_OPTION',
        message: expect.stringContaining('is no key of anything. Give an id, a triplet') as string,
      })
      await storage.close()
    },
  )

  test('are every value of a node, through its deletion', async () => {
    const storage = await threeCommits()
    await storage.docstore.addDocuments([node('a', 'again')])
    await storage.persist()
    const versions = await collect(storage.history.versions('docstore', 'a'))
    expect(
      versions.map(({ commit, value }) => [
        commit.number,
        ((value as StoredDocument)?.node as TextNode)?.text,
      ]),
    ).toEqual([
      [1, 'one'],
      [2, 'uno'],
      [3, undefined],
      [4, 'again'],
    ])
    expect(versions[1]!.commit).toMatchObject({ actor: 'bob', message: 'second' })
    await storage.close()
  })

  test('leave out commits that changed nothing', async () => {
    const storage = await threeCommits()
    await storage.docstore.addDocuments([node('b', 'two')])
    await storage.persist()
    expect(await collect(storage.history.log({ key: 'b' }))).toHaveLength(2)
    expect(await collect(storage.history.versions('docstore', 'b'))).toHaveLength(1)
    await storage.close()
  })

  test('are of a document that nodes come from, too, which goes with its last node', async () => {
    const storage = await threeCommits()
    await storage.docstore.deleteDocument('b')
    await storage.persist()
    const versions = await collect(storage.history.versions('docstore', 'doc'))
    expect(
      versions.map(({ commit, value }) => [commit.number, (value as StoredDocument)?.refDoc?.nodeIds]),
    ).toEqual([
      [1, ['a', 'b']],
      [2, ['a', 'b']],
      [3, ['b']],
      [4, undefined],
    ])
    await storage.close()
  })

  test('are of a document whose node was a document itself, and went with the last of its own', async () => {
    const from = (id_: string, nodeId: string): TextNode =>
      new TextNode({ id_, text: id_, relationships: { SOURCE: { nodeId, metadata: {} } } })
    const storage = await open()
    for (const step of [
      () => storage.docstore.addDocuments([from('chunk', 'section')]),
      () => storage.docstore.addDocuments([from('section', 'book'), from('other section', 'book')]),
      () => storage.docstore.deleteDocument('chunk'),
      () => storage.docstore.addDocuments([from('section', 'another book')]),
    ]) {
      await step()
      await storage.persist()
    }
    const { value } = (await collect(storage.history.versions('docstore', 'book'))).at(-1)!
    expect((value as StoredDocument).refDoc).toEqual(await storage.docstore.getRefDocInfo('book'))
    await storage.close()
  })

  test('are of vectors, structs, triplets, entities and relations', async () => {
    const storage = await open()
    await fill(storage)
    await storage.persist()
    await storage.vectorStore.delete('doc')
    await storage.indexStore.deleteIndexStruct('list')
    await storage.graphStore.delete('Alice', 'knows', 'Bob')
    await storage.persist()
    const seen = []
    for (const [store, key] of [
      ['vector_store', 'n1'],
      ['vector_store/image', 'i1'],
      ['index_store', 'list'],
      ['graph_store', ['Alice', 'knows', 'Bob']],
    ] as const)
      seen.push((await collect(storage.history.versions(store, key))).map(({ value }) => value))
    expect(seen).toEqual([
      [expect.objectContaining({ vector: Float32Array.of(1, 2), refDocId: 'doc' }), undefined],
      [expect.objectContaining({ vector: Float32Array.of(1, 2, 3) })],
      [{ indexId: 'list', type: 'list', summary: 's', nodes: ['n1', 'n2'] }, undefined],
      [['Alice', 'knows', 'Bob'], undefined],
    ])
    expect(await collect(storage.history.versions('docstore', 'never'))).toEqual([])
    await storage.close()
  })
})

describe('versions of a key in a directory of several sessions', () => {
  /** Commit 1 is about the keys, 2 about others, 3 about them again; each session leaves a list of what it touched. */
  async function threeSessions(disk: MemoryDisk): Promise<void> {
    for (const name of ['\uf8ffodd', 'other', '\uf8ffodd']) {
      const storage = await open(disk)
      await storage.docstore.addDocuments([
        node(name === 'other' ? 'b' : 'a', `${await storage.docstore.documentExists('a')}`),
      ])
      if (await storage.graphStore.get(name).then(({ length }) => length > 0))
        await storage.graphStore.delete(name, 'knows', 'Bob')
      else await storage.graphStore.upsertTriplet(name, 'knows', 'Bob')
      await storage.persist()
      await storage.close()
    }
  }

  async function found(disk: MemoryDisk): Promise<number[][]> {
    const storage = await open(disk)
    const all = [
      await collect(storage.history.versions('docstore', 'a')),
      await collect(storage.history.versions('graph_store', ['\uf8ffodd', 'knows', 'Bob'])),
    ]
    await storage.close()
    return all.map((versions) => versions.map(({ commit }) => commit.number))
  }

  test('are found however the key is spelled there', async () => {
    const disk = quietDisk()
    await threeSessions(disk)
    expect(await found(disk)).toEqual([
      [1, 3],
      [1, 3],
    ])
  })

  test('are found without the lists, or with some of them', async () => {
    const disk = quietDisk()
    await threeSessions(disk)
    const lists = (await disk.list('/storage/snapshots')).filter((name) => name.endsWith('=touched.snap'))
    expect(lists).toHaveLength(6)
    for (const list of lists) {
      await disk.unlink(`/storage/snapshots/${list}`)
      expect(await found(disk), list).toEqual([
        [1, 3],
        [1, 3],
      ])
    }
  })
})

test('versions of a key read the commits that were about it, and no others: damage elsewhere is not met', async () => {
  const disk = quietDisk()
  let storage = await open(disk)
  const changes = ['a', 'other-1', 'other-2', 'a', 'other-3', 'a', 'other-4', 'b']
  for (const [at, id] of changes.entries()) {
    await storage.docstore.addDocuments([node(id, `text ${at}`)])
    await storage.persist()
  }
  await storage.close()
  const log = Buffer.from(await disk.readSmallFile(`${persistDir}/docstore/0000000001.log`))
  for (let at = -1; (at = log.indexOf('other-', at + 1)) >= 0;) log[at]! ^= 1
  disk.put(`${persistDir}/docstore/0000000001.log`, log)
  storage = await open(disk)
  const numbers = async (id: string): Promise<number[]> =>
    (await collect(storage.history.versions('docstore', id))).map(({ commit }) => commit.number)
  expect(await numbers('a')).toEqual([1, 4, 6])
  expect(await numbers('b')).toEqual([8])
  await expect(numbers('other-2')).rejects.toThrow('a row is damaged, in commit 3')
  await storage.close()
})

test('blame names for each field the commit that set it last', async () => {
  const storage = await open()
  await storage.docstore.addDocuments([node('a', 'one', { page: 1, lang: 'en' })])
  await storage.persist({ actor: 'ann', message: 'first' })
  await storage.docstore.addDocuments([node('a', 'uno', { page: 1, lang: 'it' })])
  await storage.persist({ actor: 'bob', message: 'second' })
  const blame = await storage.history.blame('docstore', 'a')
  const by = Object.fromEntries(blame.map(({ path, commit }) => [path, commit.actor]))
  expect(by).toMatchObject({
    '/node/text': 'bob',
    '/node/metadata/page': 'ann',
    '/node/metadata/lang': 'bob',
    '/hash': 'bob',
    '/refDocId': 'ann',
  })
  await storage.docstore.deleteDocument('a')
  await storage.persist()
  expect(await storage.history.blame('docstore', 'a')).toEqual([])
  await storage.close()
})

describe('diff', () => {
  test('tells what was added, changed and removed, and which fields', async () => {
    const storage = await threeCommits()
    const differences = await collect(storage.history.diff(1, 2))
    expect(differences).toMatchObject([
      {
        change: 'changed',
        store: 'docstore',
        key: 'a',
        paths: [
          { path: '/node/text', before: 'one', after: 'uno' },
          { path: '/node/metadata/lang', before: undefined, after: 'it' },
          { path: '/hash' },
        ],
      },
      { change: 'changed', store: 'docstore', key: 'doc', paths: [{ path: '/refDoc/metadata/lang' }] },
    ])
    const texts = [differences[0]!.before, differences[0]!.after].map(
      (value) => ((value as StoredDocument).node as TextNode).text,
    )
    expect(texts).toEqual(['one', 'uno'])
    await storage.close()
  })

  test('after a snapshot reads of the commits since then what is about the keys that differ: damage elsewhere is not met', async () => {
    const disk = quietDisk()
    let storage = await open(disk)
    await storage.docstore.addDocuments([node('a', 'one'), node('b', 'two')])
    await storage.persist()
    await storage.close()
    storage = await open(disk)
    const other = new TextNode({ id_: 'other-1', text: 'three' })
    for (const step of [
      () => storage.docstore.addDocuments([other]),
      () => storage.docstore.deleteDocument('b'),
      () => storage.docstore.addDocuments([node('a', 'uno'), node('c', 'four')]),
    ]) {
      await step()
      await storage.persist()
    }
    await storage.close()
    const log = Buffer.from(await disk.readSmallFile(`${persistDir}/docstore/0000000001.log`))
    for (let at = -1; (at = log.indexOf('other-1', at + 1)) >= 0;) log[at]! ^= 1
    disk.put(`${persistDir}/docstore/0000000001.log`, log)
    storage = await open(disk)
    const differences = await collect(storage.history.diff(3, 'HEAD'))
    expect(differences.map(({ key, change, paths }) => [key, change, paths.map(({ path }) => path)])).toEqual(
      [
        ['a', 'changed', ['/node/text', '/hash']],
        ['doc', 'changed', ['/refDoc/nodeIds']],
        ['c', 'added', ['']],
      ],
    )
    expect((differences[1]!.before as StoredDocument).refDoc?.nodeIds).toEqual(['a'])
    await expect(collect(storage.history.diff(1, 2))).rejects.toThrow('a row is damaged, in commit 2')
    await storage.close()
  })

  test('after a snapshot knows the ref docs of nodes that go, and reads the snapshot once for each side', async () => {
    const disk = quietDisk()
    const of = (source: string, id_: string): TextNode =>
      new TextNode({ id_, text: id_, relationships: { SOURCE: { nodeId: source, metadata: {} } } })
    let storage = await open(disk)
    await storage.docstore.addDocuments([of('doc', 'a'), of('doc', 'b'), of('old', 'moved')])
    await storage.persist()
    await storage.close()
    storage = await open(disk)
    for (const nodes of [[of('new', 'moved')], [of('new', 'c'), of('doc', 'd')]]) {
      await storage.docstore.addDocuments(nodes)
      await storage.persist()
    }
    await storage.docstore.deleteDocument('a')
    await storage.docstore.deleteDocument('moved')
    await storage.persist()
    const opened = vi.spyOn(disk, 'openToRead')
    const differences = await collect(storage.history.diff(3, 4))
    const snapshots = opened.mock.calls.filter(([path]) => path.endsWith('~docstore.snap'))
    const nodeIds = (value: unknown): unknown => (value as StoredDocument | undefined)?.refDoc?.nodeIds
    expect(
      differences.map(({ key, change, before, after }) => [key, change, nodeIds(before), nodeIds(after)]),
    ).toEqual([
      ['a', 'removed', undefined, undefined],
      ['moved', 'removed', undefined, undefined],
      ['doc', 'changed', ['a', 'b', 'd'], ['b', 'd']],
      ['new', 'changed', ['moved', 'c'], ['c']],
    ])
    expect(snapshots).toHaveLength(2)
    await storage.close()
  })

  test('backwards is the other way round', async () => {
    const storage = await threeCommits()
    const there = await collect(storage.history.diff(1, 3))
    const back = await collect(storage.history.diff(3, 1))
    const signs = { added: 'removed', changed: 'changed', removed: 'added' }
    const turned = back.map(({ change, before, after, ...rest }) => ({
      ...rest,
      change: signs[change],
      before: after,
      after: before,
      paths: rest.paths.map(({ path, ...both }) => ({ path, before: both.after, after: both.before })),
    }))
    expect(turned).toEqual(there)
    expect(there.filter(({ change }) => change === 'added').map(({ store }) => store)).toEqual([
      'graph_store',
    ])
    expect(await collect(storage.history.diff(2, 2))).toEqual([])
    await storage.close()
  })

  test('leaves out what was changed and changed back', async () => {
    const storage = await threeCommits()
    await storage.history.restore(2)
    expect(await collect(storage.history.diff(2, 4))).toEqual([])
    expect(await collect(storage.history.diff(2, 3))).toMatchObject([
      { change: 'removed', key: 'a' },
      { change: 'changed', key: 'doc' },
      { change: 'added', key: ['Ann', 'knows', 'Bob'] },
    ])
    await storage.close()
  })

  test('of a clearing names all that it took', async () => {
    const storage = await vectorsCleared()
    const differences = await collect(storage.history.diff(2, 3))
    expect(differences.map(({ change, store, key }) => `${change} ${store} ${key as string}`)).toEqual([
      'removed vector_store/default a',
      'removed vector_store/default b',
    ])
    await storage.close()
  })

  test('of index structs names the entries that differ, and makes the whole ones for who asks', async () => {
    const storage = await open()
    const add = (words: Record<string, string[]>, nodes: string[]) =>
      Promise.all([
        storage.indexStore.addIndexStruct({
          indexId: 'words',
          type: 'keyword_table',
          table: new Map(Object.entries(words).map(([word, ids]) => [word, new Set(ids)])),
        }),
        storage.indexStore.addIndexStruct({ indexId: 'list', type: 'list', nodes }),
      ])
    await add({ same: ['n1'], 'a/b': ['n1'], gone: ['n1'] }, ['n1'])
    await storage.persist()
    await add({ same: ['n1'], 'a/b': ['n1', 'n2'], new: ['n2'] }, ['n1', 'n2'])
    await storage.persist()
    await storage.indexStore.deleteIndexStruct('list')
    await storage.persist()
    const [words, list] = await collect(storage.history.diff(1, 2))
    expect([words!.key, words!.paths]).toEqual([
      'words',
      [
        { path: '/table/gone', before: ['n1'], after: undefined },
        { path: '/table/a~1b', before: ['n1'], after: ['n1', 'n2'] },
        { path: '/table/new', before: undefined, after: ['n2'] },
      ],
    ])
    expect((words!.after as IndexStruct)['table']).toEqual(
      new Map([
        ['same', new Set(['n1'])],
        ['a/b', new Set(['n1', 'n2'])],
        ['new', new Set(['n2'])],
      ]),
    )
    expect([list!.key, list!.paths]).toEqual([
      'list',
      [{ path: '/nodes', before: ['n1'], after: ['n1', 'n2'] }],
    ])
    const [removed] = await collect(storage.history.diff(2, 3))
    expect(removed).toMatchObject({
      change: 'removed',
      paths: [{ path: '', before: { type: 'list', nodes: ['n1', 'n2'] } }],
    })
    await storage.close()
  })

  test('of index structs reads their snapshot once, and leaves both sides as they were', async () => {
    const disk = quietDisk()
    let storage = await open(disk)
    const add = (word: string, member: string) =>
      storage.indexStore.addIndexStruct({
        indexId: 'words',
        type: 'keyword_table',
        table: new Map([[word, new Set(['n1', member])]]),
      })
    await add('same', 'n1')
    await storage.persist()
    await storage.close()
    storage = await open(disk)
    for (const member of ['n2', 'n3']) {
      await add('same', member)
      await storage.persist()
    }
    const opened = vi.spyOn(disk, 'openToRead')
    const of = (value: unknown) => ((value as IndexStruct)['table'] as Map<string, Set<string>>).get('same')
    for (const [a, b, was, is] of [
      [2, 3, 'n2', 'n3'],
      [3, 2, 'n3', 'n2'],
    ] as const) {
      const [{ before, after, paths }] = (await collect(storage.history.diff(a, b))) as [Difference]
      expect(paths).toEqual([{ path: '/table/same', before: ['n1', was], after: ['n1', is] }])
      expect([of(before), of(after)]).toEqual([new Set(['n1', was]), new Set(['n1', is])])
    }
    const snapshots = opened.mock.calls.filter(([path]) => path.endsWith('~index_store.snap'))
    expect(snapshots).toHaveLength(2)
    await storage.close()
  })

  test('of one store, or of some keys', async () => {
    const storage = await threeCommits()
    const ofStore = await collect(storage.history.diff(0, 'HEAD', { store: 'graph_store' }))
    expect(ofStore.map(({ key }) => key)).toEqual([['Ann', 'knows', 'Bob']])
    const ofKeys = await collect(storage.history.diff(0, 'HEAD', { keys: ['b', 'never'] }))
    expect(ofKeys.map(({ key }) => key)).toEqual(['b'])
    await storage.close()
  })
})

describe('tags', () => {
  test.each([0, 'HEAD~3', '2000-01-01'])('are given to commits: %j is the beginning', async (moment) => {
    const storage = await threeCommits()
    await expect(storage.history.tag('start', moment)).rejects.toMatchObject({ code: 'VARVE_NO_SUCH_MOMENT' })
    expect(await storage.history.tags()).toEqual([])
    await storage.close()
  })

  test('are commits that name moments, outlive the session, and can be taken away', async () => {
    const disk = quietDisk()
    let storage = await threeCommits(disk)
    expect(await storage.history.tag('v1', 2, { actor: 'ann' })).toMatchObject({
      number: 4,
      kind: 'tag',
      actor: 'ann',
      tag: { name: 'v1', commit: 2 },
    })
    await storage.close()
    storage = await open(disk)
    await storage.history.tag('now')
    expect(await storage.history.tags()).toEqual([
      { name: 'v1', commit: 2 },
      { name: 'now', commit: 4 },
    ])
    const past = await storage.asOf('v1')
    expect(((await past.docstore.getDocument('a')) as TextNode).text).toBe('uno')
    expect(await past.history.tags()).toEqual([])
    await expect(past.history.tag('v2')).rejects.toMatchObject({ code: 'VARVE_READ_ONLY' })
    await past.close()
    expect(await storage.history.untag('v1')).toMatchObject({ kind: 'tag', tag: { name: 'v1' } })
    await expect(storage.asOf('v1')).rejects.toMatchObject({ code: 'VARVE_NO_SUCH_MOMENT' })
    await expect(storage.history.untag('v1')).rejects.toMatchObject({ code: 'VARVE_NO_SUCH_MOMENT' })
    await storage.close()
  })

  test('are not given twice, nor before there is anything to name', async () => {
    const storage = await open()
    await expect(storage.history.tag('v1')).rejects.toMatchObject({ code: 'VARVE_NO_SUCH_MOMENT' })
    await fill(storage)
    await storage.persist()
    await storage.history.tag('v1')
    await expect(storage.history.tag('v1')).rejects.toMatchObject({
      code: 'VARVE_BAD_TAG',
      message: 'The tag "v1" names commit 1. Choose another name, or call untag() first.',
    })
    await expect(storage.history.tag('12')).rejects.toMatchObject({ code: 'VARVE_BAD_TAG' })
    await storage.close()
  })

  test('leave what is pending alone', async () => {
    const storage = await threeCommits()
    await storage.docstore.addDocuments([new Document({ id_: 'pending' })])
    await storage.history.tag('v1')
    expect(storage.hasPendingChanges).toBe(true)
    const head = await storage.asOf('HEAD')
    expect(await head.docstore.documentExists('pending')).toBe(false)
    await storage.persist()
    expect(await storage.docstore.documentExists('pending')).toBe(true)
    await Promise.all([head.close(), storage.close()])
  })
})

test('what is said of a commit is checked before anything is written', async () => {
  const storage = await threeCommits()
  const note = { metadata: { f: () => 1 } }
  const calls = [
    () => storage.history.tag('v2', 'HEAD', note),
    () => storage.history.untag('v1', note),
    () => storage.history.restore(1, note),
    () => storage.history.revert(2, note),
  ]
  await storage.history.tag('v1')
  for (const call of calls) await expect(call()).rejects.toMatchObject({ code: 'VARVE_BAD_METADATA' })
  expect((await storage.history.log({ limit: 1 }).next()).value?.number).toBe(4)
  await storage.close()
})

describe('restore', () => {
  test('leaves no difference where only the order of members is another', async () => {
    const storage = await open()
    const put = async (members: string[]): Promise<void> => {
      await storage.indexStore.addIndexStruct({
        indexId: 'k',
        type: 'keyword_table',
        table: new Map([['word', new Set(members)]]),
      })
      await storage.persist()
    }
    await put(['a', 'b'])
    await put(['b'])
    await storage.history.restore(1)
    expect(await collect(storage.history.diff(1, 'HEAD'))).toEqual([])
    expect(await storage.history.restore(1)).toBeUndefined()
    await storage.close()
  })

  test('makes the present hold what a moment held, in one commit, and keeps what was between', async () => {
    const storage = await open()
    await fill(storage)
    await storage.persist()
    const then = await storage.toDict()
    await storage.docstore.deleteRefDoc('doc')
    await storage.vectorStore.delete('doc')
    await storage.indexStore.deleteIndexStruct('list')
    await storage.graphStore.delete('Alice', 'knows', 'Bob')
    await storage.persist()
    const between = await storage.toDict()
    expect(await storage.history.restore(1, { actor: 'ann' })).toMatchObject({
      number: 3,
      kind: 'restore',
      actor: 'ann',
    })
    expect(await storage.toDict()).toEqual(then)
    expect(await collect(storage.history.diff(1, 3))).toEqual([])
    expect(await storage.history.restore(1)).toBeUndefined()
    const past = await storage.asOf(2)
    expect(await past.toDict()).toEqual(between)
    await Promise.all([past.close(), storage.close()])
  })

  test('gives triplets back their order, which walks with a limit show', async () => {
    const storage = await open()
    for (const name of ['Bob', 'Cid', 'Dan']) await storage.graphStore.upsertTriplet('Ann', 'knows', name)
    await storage.persist()
    await storage.graphStore.delete('Ann', 'knows', 'Bob')
    await storage.persist()
    await storage.history.restore(1)
    expect(await storage.graphStore.get('Ann')).toEqual([
      ['knows', 'Bob'],
      ['knows', 'Cid'],
      ['knows', 'Dan'],
    ])
    await storage.close()
  })

  test('commits what is pending before, so that nothing is lost', async () => {
    const storage = await threeCommits()
    await storage.docstore.addDocuments([new Document({ id_: 'pending' })])
    expect(await storage.history.restore(3)).toMatchObject({ number: 5 })
    expect(await storage.docstore.documentExists('pending')).toBe(false)
    const past = await storage.asOf(4)
    expect(await past.docstore.documentExists('pending')).toBe(true)
    await Promise.all([past.close(), storage.close()])
  })
})

describe('what goes back says what it goes back over', () => {
  test.each([
    ['restore', 1, {}, 'Restore commit 1'],
    ['restore', 'HEAD~2', {}, 'Restore "HEAD~2" (commit 1)'],
    ['restore', new Date(Date.UTC(2030, 0)), {}, undefined],
    ['restore', 1, { message: 'too early' }, 'too early'],
    ['revert', 'HEAD', {}, 'Revert "third" (commit 3)'],
    ['revert', 3, { message: 'too early' }, 'too early'],
  ] as const)('%s(%j, %j)', async (way, moment, note, message) => {
    const storage = await threeCommits()
    expect((await storage.history[way](moment, note))?.message).toBe(message)
    await storage.close()
  })

  test('of a commit without a message its number, of a long message the first line', async () => {
    const storage = await open()
    for (const [id, message] of [['a', 'why\n\nand how'], ['b'], ['c', '']] as const) {
      await storage.docstore.addDocuments([new Document({ id_: id })])
      await storage.persist(message === undefined ? {} : { message })
    }
    const messages = []
    for (const number of [1, 2, 3]) messages.push((await storage.history.revert(number))?.message)
    expect(messages).toEqual(['Revert "why" (commit 1)', 'Revert commit 2', 'Revert commit 3'])
    await storage.close()
  })
})

describe('revert', () => {
  test('appends the inverse of a commit, whatever was committed since', async () => {
    const storage = await open()
    await fill(storage)
    await storage.persist()
    const before = await storage.toDict()
    await storage.docstore.deleteDocument('alone')
    await storage.vectorStore.delete('doc')
    await storage.graphStore.upsertTriplet('Ann', 'knows', 'Bob')
    await storage.persist()
    await storage.docstore.addDocuments([new Document({ id_: 'later' })])
    await storage.persist()
    expect(await storage.history.revert(2)).toMatchObject({ number: 4, kind: 'revert' })
    await storage.docstore.deleteDocument('later')
    await storage.persist()
    expect(await collect(storage.history.diff(1, 'HEAD'))).toEqual([])
    expect((await storage.toDict()).graph_store).toEqual(before.graph_store)
    await storage.close()
  })

  test('refuses where later commits touched the same keys, and names them', async () => {
    const storage = await threeCommits()
    await expect(storage.history.revert(2)).rejects.toMatchObject({
      code: 'VARVE_REVERT_CONFLICT',
      message:
        'Commits after 2 touched what it did: "a" in docstore, "doc" in docstore. Revert those first, or restore() a moment as a whole.',
    })
    await expect(storage.history.revert(0)).rejects.toMatchObject({ code: 'VARVE_NO_SUCH_MOMENT' })
    expect(await collect(storage.history.log())).toHaveLength(3)
    await storage.close()
  })

  test('of one after another comes to the beginning', async () => {
    const storage = await threeCommits()
    for (const number of [3, 2, 1]) await storage.history.restore(number - 1)
    expect(await collect(storage.history.diff(0, 'HEAD'))).toEqual([])
    await storage.close()
  })
})

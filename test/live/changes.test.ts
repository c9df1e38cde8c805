// What `changes` tells of commits, and where it begins.
import { afterEach, describe, expect, test } from 'vitest'
import { MemoryDisk } from '../../src/disk/memory-disk.ts'
import type { Change, EntryChange, IndexStruct, StorageContext } from '../../src/index.ts'
import { TextNode } from '../../src/stores/node.ts'
import { applyChanges } from '../../src/indices/struct-changes.ts'
import {
  addNode,
  directory,
  FakeWatcher,
  follow,
  heard,
  never,
  node,
  pause,
  take,
  until,
  write,
} from './support.ts'

const open: StorageContext[] = []
afterEach(async () => {
  for (const storage of open.splice(0)) await storage.close()
})

async function pair(disk = new MemoryDisk()): Promise<{ writer: StorageContext; follower: StorageContext }> {
  const both = { writer: await write(disk), follower: await follow(disk) }
  open.push(both.writer, both.follower)
  return both
}

async function first(changes: AsyncGenerator<Change>): Promise<Change> {
  const [change] = await take(changes, 1)
  await changes.return(undefined)
  return change!
}

const numbers = (changes: readonly Change[]): number[] => changes.map(({ commit }) => commit.number)

describe('a change', () => {
  test('names its commit, and the keys that were added, changed and removed', async () => {
    const { writer, follower } = await pair()
    await writer.docstore.addDocuments([node('a'), node('b')])
    await writer.persist()
    const changes = follower.changes({ from: 1 })
    await writer.docstore.addDocuments([node('a', 'other'), node('c')])
    await writer.docstore.deleteDocument('b')
    await writer.graphStore.upsertTriplet('Ann', 'knows', 'Bob')
    const commit = await writer.persist({ actor: 'ann', message: 'a correction' })
    expect(await first(changes)).toEqual({
      commit,
      token: `2:${commit!.hash}`,
      stores: [
        { store: 'docstore', added: ['c'], changed: ['a'], removed: ['b'] },
        { store: 'graph_store', added: [['Ann', 'knows', 'Bob']], changed: [], removed: [] },
      ],
    })
  })

  test('a source document comes with its first node and goes with its last', async () => {
    const { writer, follower } = await pair()
    const part = (id_: string) =>
      new TextNode({ id_, text: id_, relationships: { SOURCE: { nodeId: 'doc', metadata: {} } } })
    const changes = follower.changes({ from: 'start' })
    const stores: unknown[] = []
    for (const step of [
      () => writer.docstore.addDocuments([part('p')]),
      () => writer.docstore.addDocuments([part('q')]),
      () => writer.docstore.deleteDocument('p'),
      () => writer.docstore.deleteDocument('q'),
    ]) {
      await step()
      await writer.persist()
      stores.push(...(await take(changes, 1))[0]!.stores)
    }
    expect(stores).toEqual([
      { store: 'docstore', added: ['p', 'doc'], changed: [], removed: [] },
      { store: 'docstore', added: ['q'], changed: ['doc'], removed: [] },
      { store: 'docstore', added: [], changed: ['doc'], removed: ['p'] },
      { store: 'docstore', added: [], changed: [], removed: ['q', 'doc'] },
    ])
  })

  test('clearing a vector store removes all its keys, whatever its namespace', async () => {
    const { writer, follower } = await pair()
    const changes = follower.changes({ from: 'start' })
    const images = writer.addVectorStore('images & more')
    await images.add(['x', 'y'].map((id_) => new TextNode({ id_, embedding: [1, 2] })))
    await writer.persist()
    await images.clear!()
    await writer.persist()
    expect((await take(changes, 2)).map(({ stores }) => stores)).toEqual([
      [{ store: 'vector_store/images & more', added: ['x', 'y'], changed: [], removed: [] }],
      [{ store: 'vector_store/images & more', added: [], changed: [], removed: ['x', 'y'] }],
    ])
    expect([...follower.vectorStores.keys()]).toEqual(['default', 'images & more'])
  })

  test('chats, property graphs and tags are told, too', async () => {
    const { writer, follower } = await pair()
    const changes = follower.changes({ from: 'start' })
    await writer.chatStore.setMessages('user', [{ role: 'user', content: 'hello' }])
    await writer.propertyGraphStore.upsertNodes([{ label: 'person', name: 'Ann', properties: {} }])
    await writer.persist()
    await writer.history.tag('v1')
    const [commit, tag] = await take(changes, 2)
    expect(commit!.stores.map(({ store, added }) => [store, added.length])).toEqual([
      ['chat_store', 1],
      ['property_graph_store', 1],
    ])
    expect(tag).toMatchObject({ commit: { kind: 'tag', tag: { name: 'v1', commit: 1 } }, stores: [] })
  })

  test('its patches turn a copy of a struct into the struct as it is', async () => {
    const { writer, follower } = await pair()
    const { indexStore } = writer
    const changes = follower.changes({ from: 'start' })
    const table = new Map([['cat', new Set(['n1', 'n2'])]])
    const steps = [
      () => indexStore.addIndexStruct({ indexId: 'k', type: 'keyword_table', summary: 's', table }),
      () =>
        indexStore.changeIndexStruct!('k', [
          { op: 'add', field: 'table', key: 'dog', member: 'n3' },
          { op: 'remove', field: 'table', key: 'cat', member: 'n1' },
          { op: 'replace', field: 'summary', value: 'other' },
        ]),
      () => indexStore.addIndexStruct({ indexId: 'l', type: 'list', nodes: ['a', 'b', 'a'] }),
      () =>
        indexStore.changeIndexStruct!('l', [
          { op: 'withdraw', field: 'nodes', member: 'a' },
          { op: 'append', field: 'nodes', member: 'c' },
        ]),
      () => indexStore.deleteIndexStruct('k'),
      async () => {
        await indexStore.deleteIndexStruct('l')
        await indexStore.addIndexStruct({ indexId: 'l', type: 'list', nodes: ['d'], extra: { x: 1 } })
      },
    ]
    const copies = new Map<string, IndexStruct>()
    for (const step of steps) {
      await step()
      await writer.persist()
      const [{ stores }] = (await take(changes, 1)) as [Change]
      for (const { removed, patches } of stores) {
        for (const id of removed) copies.delete(id as string)
        for (const { indexId, changes: patch } of patches!) {
          const { type } = (await indexStore.getIndexStruct(indexId))!
          const copy = copies.get(indexId) ?? { indexId, type }
          copies.set(indexId, copy)
          patched(copy, patch)
        }
      }
      expect([...copies.values()]).toEqual(await indexStore.indexStructs())
    }
  })
})

const empty = { map: () => new Map(), sets: () => new Map(), list: () => [], value: () => null }

function patched(struct: IndexStruct, changes: readonly EntryChange[]): void {
  for (const change of changes) {
    if (change.op === 'drop') delete struct[change.field]
    else if (change.op === 'field') struct[change.field] = empty[change.kind]()
    else applyChanges(struct, [change])
  }
}

describe('changes', () => {
  test('begin after a moment: now, the start, a number, a tag, a token', async () => {
    const { writer, follower } = await pair()
    for (const id of ['a', 'b', 'c']) await addNode(writer, id)
    await writer.history.tag('v1', 2)
    const [, second] = await take(follower.changes({ from: 'start' }), 2)
    const now = take(follower.changes(), 1)
    await until(async () => follower.docstore.documentExists('c'))
    expect(numbers(await take(follower.changes({ from: 'start' }), 4))).toEqual([1, 2, 3, 4])
    expect(numbers(await take(follower.changes({ from: 3 }), 1))).toEqual([4])
    expect(numbers(await take(follower.changes({ from: 'HEAD~3' }), 2))).toEqual([2, 3])
    expect(numbers(await take(follower.changes({ from: 'v1' }), 2))).toEqual([3, 4])
    expect(numbers(await take(follower.changes({ from: second!.token }), 2))).toEqual([3, 4])
    await addNode(writer, 'd')
    expect(numbers(await now).at(-1)).toBeLessThanOrEqual(5)
  })

  test("'now' is the moment of the call, not that of the first question", async () => {
    const { writer, follower } = await pair()
    await addNode(writer, 'a')
    await until(async () => follower.docstore.documentExists('a'))
    const changes = follower.changes()
    await addNode(writer, 'b')
    await until(async () => follower.docstore.documentExists('b'))
    expect(numbers(await take(changes, 1))).toEqual([2])
  })

  test('a slow reader gets every commit, in order, however many came meanwhile', async () => {
    const { writer, follower } = await pair()
    const changes = follower.changes({ from: 'start' })
    await addNode(writer, 'first')
    expect(numbers(await take(changes, 1))).toEqual([1])
    for (let at = 0; at < 200; at++) await addNode(writer, `n${at % 20}`)
    const rest = await take(changes, 200)
    expect(numbers(rest)).toEqual(Array.from({ length: 200 }, (_, at) => at + 2))
    expect(rest.map(({ stores: [store] }) => store!.added.length)).toEqual(
      Array.from({ length: 200 }, (_, at) => (at < 20 ? 1 : 0)),
    )
  })

  test('a reader who is so slow that nothing is kept for it any more gets the rest from the log, and then what is kept again', async () => {
    const { writer, follower } = await pair()
    const changes = follower.changes()
    const reading = take(changes, 1)
    await addNode(writer, 'first')
    expect(numbers(await reading)).toEqual([1])
    const many = (name: string): TextNode[] =>
      Array.from({ length: 6000 }, (_, at) => new TextNode({ id_: `${name}${at}`, text: '' }))
    for (const name of ['a', 'b', 'c']) {
      await writer.docstore.addDocuments(many(name))
      await writer.persist()
      await until(async () => follower.docstore.documentExists(`${name}5999`))
    }
    const rest = await take(changes, 3)
    expect(numbers(rest)).toEqual([2, 3, 4])
    expect(rest.map(({ stores: [store] }) => store!.added.length)).toEqual([6000, 6000, 6000])
    const last = take(changes, 1)
    await addNode(writer, 'last')
    expect(numbers(await last)).toEqual([5])
  })

  test('are told of, though a question to the history took them up before a look did', async () => {
    const disk = new MemoryDisk()
    const writer = await write(disk)
    await addNode(writer, 'a')
    const watcher = new FakeWatcher()
    const follower = await follow(disk, { poll: never, watcher })
    const told = heard(follower)
    await pause(400)
    await addNode(writer, 'b')
    expect((await follower.history.log().next()).value?.number).toBe(2)
    watcher.hint()
    await until(() => told.length > 0)
    expect(told).toEqual([2])
    await follower.close()
    await writer.close()
  })

  test('belong to who reads them: another reader gets what was committed, whatever is done to them', async () => {
    const { writer, follower } = await pair()
    await addNode(writer, 'first')
    await until(async () => follower.docstore.documentExists('first'))
    const readers = [follower.changes(), follower.changes(), follower.changes()]
    const first = readers.map((reader) => reader.next())
    await addNode(writer, 'a')
    for (const { value } of await Promise.all(first)) {
      const [store] = value!.stores
      expect(store).toEqual({ store: 'docstore', added: ['a'], changed: [], removed: [] })
      store!.added.push('b')
    }
    for (const reader of readers) await reader.return(undefined)
  })

  test('end with the signal, at once', async () => {
    const { writer, follower } = await pair()
    await addNode(writer, 'a')
    const stop = new AbortController()
    const taken: number[] = []
    const reading = (async () => {
      for await (const { commit } of follower.changes({ from: 'start', signal: stop.signal }))
        taken.push(commit.number)
    })()
    await until(() => taken.length === 1)
    stop.abort()
    await reading
    expect(taken).toEqual([1])
    expect(await take(follower.changes({ from: 'start', signal: stop.signal }), 1)).toEqual([])
  })

  test('a token of commits that were rolled back is refused', async () => {
    const disk = new MemoryDisk()
    const { writer, follower } = await pair(disk)
    await addNode(writer, 'a')
    const token = (await first(follower.changes({ from: 'start' }))).token
    const later = `2:${token.slice(2)}`
    await expect(follower.changes({ from: later }).next()).rejects.toMatchObject({
      code: 'VARVE_OTHER_HISTORY',
      message: expect.stringContaining('it has 1 commits, and not 2') as string,
    })
  })

  test('a token of another history is refused, though it has that many commits', async () => {
    const { writer, follower } = await pair()
    await addNode(writer, 'a')
    await expect(follower.changes({ from: `1:${'0'.repeat(64)}` }).next()).rejects.toMatchObject({
      code: 'VARVE_OTHER_HISTORY',
      message: expect.stringContaining('its commit 1 is another one') as string,
    })
  })

  test('a moment that is none, or not there yet, is refused', async () => {
    const { writer, follower } = await pair()
    const missing = expect.objectContaining({ code: 'VARVE_NO_SUCH_MOMENT' })
    await expect(follower.changes({ from: 1 }).next()).rejects.toEqual(missing)
    await addNode(writer, 'a')
    await expect(follower.changes({ from: 'v7' }).next()).rejects.toEqual(missing)
    await expect(follower.changes({ from: -1 }).next()).rejects.toMatchObject({ code: 'VARVE_BAD_MOMENT' })
  })

  test('wait for a directory that is not there yet', async () => {
    const { writer, follower } = await pair()
    const changes = take(follower.changes(), 2)
    await pause(5)
    await addNode(writer, 'a')
    await addNode(writer, 'b')
    expect(numbers(await changes)).toEqual([1, 2])
    expect(follower.persistDir).toBe(directory)
  })
})

import { describe, expect, test } from 'vitest'
import { MemoryDisk } from '../../src/disk/memory-disk.ts'
import type { Disk, ReadableFile } from '../../src/disk/disk.ts'
import { StorageContext, TextNode, VectorStoreIndex, type Change } from '../../src/index.ts'
import {
  addNode,
  directory,
  FakeWatcher,
  follow,
  heard,
  never,
  pause,
  take,
  until,
  write,
} from './support.ts'

test('what is erased is gone from a follower, which goes on in the same history', async () => {
  const disk = new MemoryDisk()
  const writer = await write(disk)
  await addNode(writer, 'a')
  await addNode(writer, 'b')
  const follower = await follow(disk)
  const told = heard(follower)
  expect(await follower.docstore.documentExists('a')).toBe(true)
  await writer.history.erase({ nodeIds: ['a'], reason: 'on request' })
  await addNode(writer, 'c')
  await until(async () => follower.docstore.documentExists('c'))
  await until(() => told.length === 3)
  expect(told).toEqual([3, 4, 5])
  expect(await follower.docstore.documentExists('a')).toBe(false)
  const nodes = await follower.docstore.getNodes(['b', 'c'])
  expect(nodes.map((node) => node.getContent())).toEqual(['text of b', 'text of c'])
  await follower.close()
  await writer.close()
})

test('a change names what its commit erased, also of stores and structs that no event of it speaks of', async () => {
  const disk = new MemoryDisk()
  const writer = await write(disk)
  const nodes = ['a', 'b', 'c'].map(
    (id_) =>
      new TextNode({
        id_,
        text: `text of ${id_}`,
        embedding: [1, id_.codePointAt(0)!],
        relationships: { SOURCE: { nodeId: `source of ${id_}`, metadata: {} } },
      }),
  )
  await VectorStoreIndex.init({ nodes, storageContext: writer, indexId: 'index' })
  await writer.persist()
  const follower = await follow(disk)
  const changes = follower.changes({ from: 'now' })
  const next = changes.next()
  await writer.history.erase({ refDocIds: ['source of a'], reason: 'on request' })
  const { commit, stores } = (await next).value!
  expect(commit.kind).toBe('erase')
  const of = (name: string) => stores.find(({ store }) => store === name)
  expect(of('docstore')).toMatchObject({ added: [], removed: expect.arrayContaining(['a', 'source of a']) })
  expect(of('vector_store/default')).toMatchObject({ added: [], changed: [], removed: ['a'] })
  expect(of('index_store')).toMatchObject({
    changed: ['index'],
    removed: [],
    patches: [{ indexId: 'index', changes: [{ op: 'delete', field: 'nodesDict', key: 'a' }] }],
  })
  expect((await changes.next()).value).toMatchObject({ commit: { kind: 'erase finished' }, stores: [] })
  await changes.return(undefined)
  await follower.close()
  await writer.close()
})

test.each([
  ['little was committed', 1],
  ['so much that it is not kept', 6000],
])('a change names what its commit erased, also to who reads the log, if since then %s', async (_, count) => {
  const disk = new MemoryDisk()
  const writer = await write(disk)
  await addNode(writer, 'a')
  for (const at of [1, 2]) {
    await writer.graphStore.upsertTriplet('it', 'is', `the ${at}.`)
    await writer.persist()
  }
  const follower = await follow(disk)
  const changes = follower.changes({ from: 1 })
  expect((await changes.next()).value?.commit.number).toBe(2)
  await writer.history.erase({ nodeIds: ['a'], reason: 'on request' })
  for (const name of ['b', 'c']) {
    const many = Array.from({ length: count }, (_, at) => new TextNode({ id_: `${name}${at}`, text: '' }))
    await writer.docstore.addDocuments(many)
    await writer.persist()
  }
  await until(async () => follower.docstore.documentExists('c0'))
  expect((await changes.next()).value?.commit.number).toBe(3)
  const { commit, stores } = (await changes.next()).value!
  expect(commit).toMatchObject({ number: 4, kind: 'erase' })
  expect(stores).toMatchObject([{ store: 'docstore', added: [], changed: [], removed: ['a'] }])
  await follower.close()
  await writer.close()
})

test('whatever read fails once while an erase is taken up, each commit is told once, and the erase with what it took', async () => {
  for (let failing = 0, isOver = false; !isOver; failing++) {
    const disk = new MemoryDisk()
    const writer = await write(disk)
    await addNode(writer, 'a')
    let reads = Infinity
    const faulty = new Proxy<Disk>(disk, {
      get(target, name: keyof Disk) {
        const value: unknown = target[name]
        if (name !== 'openToRead')
          return typeof value === 'function' ? (value.bind(target) as unknown) : value
        return async (path: string): Promise<ReadableFile> => {
          const file = await target.openToRead(path)
          const check = (): void => {
            if (reads-- === 0) throw Object.assign(new Error('EIO: i/o error, read'), { code: 'EIO' })
          }
          return {
            size: () => file.size(),
            read: async (...place) => (check(), file.read(...place)),
            readNow: (...place) => (check(), file.readNow(...place)),
            close: () => file.close(),
          }
        }
      },
    })
    const follower = await StorageContext.fromDefaults({
      persistDir: directory,
      disk: faulty,
      follow: { poll: 1 },
      onWarning: () => {},
    })
    const told: Change[] = []
    follower.on('change', (change) => told.push(change))
    await writer.history.erase({ nodeIds: ['a'], reason: 'on request' })
    reads = failing
    await until(() => told.length > 1)
    isOver = reads > 0 && told.length > 1
    expect(
      told.map(({ commit }) => commit.number),
      `read ${failing} failed`,
    ).toEqual([2, 3])
    expect(told[0]!.stores, `read ${failing} failed`).toMatchObject([{ store: 'docstore', removed: ['a'] }])
    await follower.close()
    await writer.close()
  }
})

const long = 'x'.repeat(300_000) // More than is read ahead.

test('who is behind reads on where an erase that it has not seen yet overwrites what it is about to read', async () => {
  const disk = new MemoryDisk()
  const writer = await write(disk)
  await addNode(writer, 'a', long)
  await addNode(writer, 'b', long)
  await addNode(writer, 'c')
  const follower = await follow(disk, { poll: never })
  const changes = follower.changes({ from: 'start' })
  const added: unknown[] = []
  const next = async (): Promise<void> => {
    for (const store of (await changes.next()).value!.stores) added.push(...store.added)
  }
  await next()
  await writer.history.erase({ nodeIds: ['b'], reason: 'on request' })
  await next()
  await next()
  expect(added).toEqual(['a', 'c'])
  await follower.close()
  await writer.close()
})

test('who reads what was erased is told so, and all else is read, wherever the follower is in taking the erase up', async () => {
  for (let head = 0; head < 900; head += 6) {
    const disk = new MemoryDisk()
    const writer = await write(disk)
    await addNode(writer, 'a')
    await addNode(writer, 'b')
    const follower = await follow(disk, { poll: never })
    await writer.history.erase({ nodeIds: ['a'], reason: 'on request' })
    const taking = follower.history.tags()
    for (let turn = 0; turn < head; turn++) await Promise.resolve()
    const reading = [follower.docstore.getNode('a'), follower.docstore.getNode('b')]
    expect(await Promise.allSettled(reading), `${head} turns later`).toMatchObject([
      { reason: { code: expect.stringMatching(/^VARVE_(ERASED|NODE_NOT_FOUND)$/) } },
      { value: { id_: 'b' } },
    ])
    await taking
    await follower.close()
    await writer.close()
  }
})

test('a follower opens wherever the erase is that another process is about', async () => {
  for (let head = 0; head < 900; head += 6) {
    const disk = new MemoryDisk()
    const writer = await write(disk)
    await addNode(writer, 'a')
    await addNode(writer, 'b')
    const erasing = writer.history.erase({ nodeIds: ['a'], reason: 'on request' })
    for (let turn = 0; turn < head; turn++) await Promise.resolve()
    const follower = await follow(disk, { poll: never })
    expect(await follower.docstore.documentExists('b'), `${head} turns later`).toBe(true)
    await erasing
    await follower.close()
    await writer.close()
  }
})

describe('an answer about the past that a reader is reading while another process erases', () => {
  const answers: Record<string, (reader: StorageContext) => AsyncGenerator<unknown>> = {
    versions: ({ history }) => history.versions('docstore', 'b'),
    diff: ({ history }) => history.diff(0, 'HEAD'),
    'log with keys': ({ history }) => history.log({ keys: true }),
  }

  for (const [name, ask] of Object.entries(answers)) {
    test(`says that it was erased, and calls nothing damaged: ${name}`, async () => {
      const disk = new MemoryDisk()
      const writer = await write(disk)
      await addNode(writer, 'a')
      for (let n = 2; n <= 13; n++) await addNode(writer, 'b', n + long)
      await addNode(writer, 'c')
      const reader = await follow(disk, { poll: never }) // It shares nothing with the writer.
      const answer = ask(reader)
      await answer.next()
      await writer.history.erase({ nodeIds: ['b'], reason: 'on request' })
      const rest = async (): Promise<void> => {
        for await (const _ of answer) continue
      }
      await expect(rest()).rejects.toMatchObject({ code: 'VARVE_ERASED', fields: { commit: 15 } })
      const again = []
      for await (const about of ask(reader)) again.push(about)
      expect(JSON.stringify(again)).not.toContain('"b"')
      await reader.close()
      await writer.close()
    })
  }
})

describe('a change names what its commit erased', () => {
  /** A follower of a writer with a node `a`, and a reader that was told of everything until now, which is commit 2. */
  async function scene(): Promise<{
    writer: StorageContext
    follower: StorageContext
    reader: AsyncGenerator<Change>
    watcher: FakeWatcher
  }> {
    const disk = new MemoryDisk()
    const writer = await write(disk)
    await addNode(writer, 'a')
    const watcher = new FakeWatcher()
    const follower = await follow(disk, { poll: never, watcher })
    await pause(400)
    const reader = follower.changes()
    const first = reader.next()
    await addNode(writer, 'b')
    watcher.hint()
    expect((await first).value?.commit.number).toBe(2)
    return { writer, follower, reader, watcher }
  }

  const erase = (writer: StorageContext) => writer.history.erase({ nodeIds: ['a'], reason: 'on request' })
  const takesA = [{ store: 'docstore', added: [], changed: [], removed: ['a'] }]

  test('also if somebody read it before the follower came to the commit', async () => {
    const { writer, follower, reader, watcher } = await scene()
    await erase(writer)
    await expect(follower.docstore.getNode('a')).rejects.toMatchObject({ code: 'VARVE_ERASED' })
    watcher.hint()
    const [erased, finished] = await take(reader, 2)
    expect(erased).toMatchObject({ commit: { number: 3 }, stores: takesA })
    expect(finished).toMatchObject({ commit: { number: 4 }, stores: [] })
    await follower.close()
    await writer.close()
  })

  test('also to a slow reader, if questions to the history took it up, and what came after it', async () => {
    const { writer, follower, reader, watcher } = await scene()
    await addNode(writer, 'c')
    watcher.hint()
    await until(async () => follower.docstore.documentExists('c'))
    await erase(writer)
    await follower.history.log().next()
    await addNode(writer, 'd')
    await follower.history.log().next()
    watcher.hint()
    const changes = await take(reader, 4)
    expect(changes.map(({ commit }) => commit.number)).toEqual([3, 4, 5, 6])
    expect(changes[1]!.stores).toEqual(takesA)
    await follower.close()
    await writer.close()
  })

  test('also to a reader for whom nothing else is kept any more', async () => {
    const { writer, follower, reader, watcher } = await scene()
    await erase(writer)
    for (const name of ['c', 'd']) {
      const many = Array.from({ length: 6000 }, (_, at) => new TextNode({ id_: `${name}${at}`, text: '' }))
      await writer.docstore.addDocuments(many)
      await writer.persist()
      watcher.hint()
      await until(async () => follower.docstore.documentExists(`${name}5999`))
    }
    const changes = await take(reader, 4)
    expect(changes.map(({ commit }) => commit.number)).toEqual([3, 4, 5, 6])
    expect(changes[0]!.stores).toEqual(takesA)
    await follower.close()
    await writer.close()
  })

  test('and whoever comes late to what was erased is not told that it came or went', async () => {
    const { writer, follower, watcher } = await scene()
    await writer.docstore.deleteDocument('a')
    await writer.persist()
    await erase(writer)
    await follower.docstore.getNode('a').catch(() => {}) // So the follower knows of it, and has not come to it.
    const late = follower.changes({ from: 'start' })
    const first = await take(late, 2)
    const next = late.next()
    watcher.hint()
    const changes = [...first, (await next).value!, ...(await take(late, 2))]
    expect(changes.map(({ commit }) => commit.number)).toEqual([1, 2, 3, 4, 5])
    const keys = changes.flatMap(({ stores }) =>
      stores.flatMap(({ added, changed, removed }) => [...added, ...changed, ...removed]),
    )
    expect(keys).toEqual(['b'])
    await follower.close()
    await writer.close()
  })

  test('each of two, also if one look finds both', async () => {
    const { writer, follower, reader, watcher } = await scene()
    await erase(writer)
    await addNode(writer, 'c')
    await writer.history.erase({ nodeIds: ['b'], reason: 'on request' })
    watcher.hint()
    const changes = await take(reader, 5)
    expect(changes.map(({ commit }) => commit.number)).toEqual([3, 4, 5, 6, 7])
    const removed = changes.flatMap(({ stores }) => stores.flatMap((store) => store.removed))
    expect(removed.toSorted()).toEqual(['a', 'b'])
    const left: string[] = []
    for await (const id of follower.docstore.ids()) left.push(id)
    expect(left).toEqual(['c'])
    await follower.close()
    await writer.close()
  })
})

// What a follower sees, and when: on a disk in memory, with a watcher that says what the test wants.
import { afterEach, describe, expect, test } from 'vitest'
import { MemoryDisk } from '../../src/disk/memory-disk.ts'
import { loadIndexFromStorage, StorageContext, VectorStoreIndex } from '../../src/index.ts'
import { Document } from '../../src/stores/node.ts'
import { fill, picture } from '../context/support.ts'
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

async function kept(opening: Promise<StorageContext>): Promise<StorageContext> {
  const storage = await opening
  open.push(storage)
  return storage
}

/** Words as vectors. */
const model = {
  id: 'letters',
  embed: async (texts: readonly string[]) =>
    texts.map((text) =>
      Array.from({ length: 26 }, (_, at) => 1 + text.split(String.fromCharCode(97 + at)).length),
    ),
}

describe('a follower', () => {
  test('shows what is committed, in all stores, and nothing that is pending', async () => {
    const disk = new MemoryDisk()
    const writer = await kept(write(disk))
    await addNode(writer, 'a')
    const follower = await kept(follow(disk))
    expect(await follower.docstore.documentExists('a')).toBe(true)

    await fill(writer)
    expect(await follower.docstore.documentExists('n1')).toBe(false)
    await writer.persist()
    await until(async () => follower.docstore.documentExists('n1'))
    expect(await picture(follower)).toEqual(await picture(writer))
    expect([...follower.vectorStores.keys()]).toEqual([...writer.vectorStores.keys()])
  })

  test('is opened before the directory exists, and begins when a writer creates it', async () => {
    const disk = new MemoryDisk()
    const follower = await kept(follow(disk))
    const told = heard(follower)
    expect(await follower.docstore.documentExists('a')).toBe(false)
    const writer = await kept(write(disk))
    await addNode(writer, 'a')
    await until(() => told.length > 0)
    expect(told).toEqual([1])
    expect(await follower.docstore.documentExists('a')).toBe(true)
  })

  test("says that it shows nothing of LlamaIndex's files until a writer has made a journal of them", async () => {
    const disk = new MemoryDisk()
    const old = { 'docstore/data': { a: { __type__: '1', __data__: { id_: 'a', text: 'text of a' } } } }
    disk.put(`${directory}/docstore.json`, Buffer.from(JSON.stringify(old)))
    const warnings: string[] = []
    const follower = await kept(follow(disk, { warnings }))
    expect(warnings).toEqual([expect.stringMatching(/holds LlamaIndex's files.*first persist\(\)/)])
    expect(await follower.docstore.documentExists('a')).toBe(false)
    const writer = await kept(write(disk))
    await writer.persist()
    await until(async () => follower.docstore.documentExists('a'))
    expect(warnings).toHaveLength(1)
  })

  test('takes no lock, writes nothing and changes nothing', async () => {
    const disk = new MemoryDisk()
    const follower = await kept(follow(disk))
    expect(await disk.list('/')).toEqual([])
    const writer = await kept(write(disk))
    await addNode(writer, 'a')
    await until(async () => follower.docstore.documentExists('a'))
    await expect(follower.docstore.addDocuments([node('b')])).rejects.toMatchObject({
      code: 'VARVE_READ_ONLY',
    })
    await expect(follower.persist()).rejects.toMatchObject({ code: 'VARVE_READ_ONLY' })
  })

  test('looks again soon after a hint: a second commit 10 ms later, of which no event tells, is seen', async () => {
    const disk = new MemoryDisk()
    const writer = await kept(write(disk))
    await addNode(writer, 'a')
    const watcher = new FakeWatcher()
    const follower = await kept(follow(disk, { poll: never, watcher }))
    const told = heard(follower)
    await pause(400)
    await addNode(writer, 'b')
    watcher.hint()
    await until(() => told.length === 1)
    await pause(10)
    await addNode(writer, 'c')
    await until(() => told.length === 2)
    expect(told).toEqual([2, 3])
  })

  test('a hint that comes before the commit can be read is followed by looks that can', async () => {
    const disk = new MemoryDisk()
    const writer = await kept(write(disk))
    await addNode(writer, 'a')
    const watcher = new FakeWatcher()
    const follower = await kept(follow(disk, { poll: never, watcher }))
    const told = heard(follower)
    await pause(400)
    watcher.hint()
    await pause(30)
    await addNode(writer, 'b')
    await until(() => told.length === 1)
    expect(told).toEqual([2])
  })

  test('nobody watches a stream of commits, and somebody does again when it ends', async () => {
    const disk = new MemoryDisk()
    const writer = await kept(write(disk))
    let last = await addNode(writer, 'a')
    const watcher = new FakeWatcher()
    const follower = await kept(follow(disk, { poll: never, watcher }))
    const told = heard(follower)
    await pause(400)
    expect(watcher).toMatchObject({ folders: { length: 1 }, closed: 0 })
    last = await addNode(writer, 'the first of many')
    watcher.hint()
    while (watcher.closed === 0) {
      last = await addNode(writer, `node ${last}`)
      await pause(1)
    }
    await until(() => watcher.folders.length === 2)
    await until(() => told.length === last - 1)
    await pause(400)
    last = await addNode(writer, 'b')
    watcher.hint()
    await until(() => told.length === last - 1)
    expect(told).toEqual(Array.from({ length: last - 1 }, (_, at) => at + 2))
    expect(watcher).toMatchObject({ folders: { length: 2 }, closed: 1 })
  })

  test('polls where no event ever comes', async () => {
    const disk = new MemoryDisk()
    const writer = await kept(write(disk))
    await addNode(writer, 'a')
    const follower = await kept(follow(disk, { poll: 20 }))
    const told = heard(follower)
    await pause(400)
    await addNode(writer, 'b')
    await until(() => told.length === 1)
    expect(told).toEqual([2])
  })

  test('polls, and says so, when the system has no watchers left', async () => {
    const disk = new MemoryDisk()
    const writer = await kept(write(disk))
    await addNode(writer, 'a')
    const [watcher, warnings] = [new FakeWatcher(), [] as string[]]
    const follower = await kept(follow(disk, { poll: 20, watcher, warnings }))
    const told = heard(follower)
    await until(() => watcher.folders.length > 0)
    watcher.fail(new Error('ENOSPC: System limit for number of file watchers reached'))
    watcher.fail(new Error('ENOSPC, again'))
    await pause(400)
    await addNode(writer, 'b')
    await until(() => told.length === 1)
    expect(watcher.closed).toBe(1)
    expect(watcher.folders).toEqual([`${directory}/commits`])
    expect(warnings).toEqual([
      `The operating system does not tell what happens in ${directory} (ENOSPC: System limit for number of file watchers reached): it is followed by looking every 20 ms. On Linux, fs.inotify.max_user_watches and max_user_instances may be too low.`,
    ])
  })

  test('polls, and says so, when a watcher cannot even begin', async () => {
    const disk = new MemoryDisk()
    await addNode(await kept(write(disk)), 'a')
    const warnings: string[] = []
    const watch = () => {
      throw new Error('EMFILE')
    }
    await kept(
      StorageContext.fromDefaults({
        persistDir: directory,
        disk,
        follow: { watch },
        onWarning: (warning) => warnings.push(warning),
      }),
    )
    await until(() => warnings.length > 0)
    expect(warnings.join()).toContain('(EMFILE): it is followed by looking every 100 ms')
  })

  test('an index that is loaded answers from the new state, and one that is created later can be loaded', async () => {
    const disk = new MemoryDisk()
    const writer = await kept(write(disk))
    const index = await VectorStoreIndex.fromDocuments(
      [new Document({ id_: 'zoo', text: 'zebra zoo zigzag' })],
      { storageContext: writer, embedModel: model },
    )
    await writer.persist()
    const follower = await kept(follow(disk))
    const told = heard(follower)
    const followed = await loadIndexFromStorage(follower, { embedModel: model })
    const ask = async () =>
      (await followed.asRetriever({ similarityTopK: 1 }).retrieve('queen')).map(({ node: hit }) =>
        hit.getContent(),
      )
    expect(await ask()).toEqual(['zebra zoo zigzag'])

    await index.insert(new Document({ id_: 'q', text: 'queen' }))
    await writer.persist()
    await until(() => told.length === 1)
    expect(await ask()).toEqual(['queen'])

    const other = await VectorStoreIndex.fromDocuments([new Document({ text: 'other' })], {
      storageContext: writer,
      embedModel: model,
    })
    await writer.persist()
    await until(() => told.length === 2)
    const loaded = await loadIndexFromStorage(follower, { indexId: other.indexId, embedModel: model })
    expect(loaded.indexId).toBe(other.indexId)
  })

  test('a retrieval that is under way shows all of a commit or nothing of it', async () => {
    const disk = new MemoryDisk()
    const writer = await kept(write(disk))
    const index = await VectorStoreIndex.fromDocuments([new Document({ id_: 'd', text: 'round 0' })], {
      storageContext: writer,
      embedModel: model,
    })
    await writer.persist()
    const watcher = new FakeWatcher()
    const follower = await kept(follow(disk, { poll: 1, watcher }))
    const told = heard(follower)
    const retriever = (await loadIndexFromStorage(follower, { embedModel: model })).asRetriever({
      similarityTopK: 5,
    })
    const vector = (await model.embed(['round']))[0]!
    let isWriting = true
    const writing = (async () => {
      for (let round = 1; round <= 30; round++) {
        await writer.transaction({}, async () => {
          await index.updateRefDoc(new Document({ id_: 'd', text: `round ${round}` }))
        })
        watcher.hint()
        await pause(2)
      }
      isWriting = false
    })()
    const seen: number[] = []
    while (isWriting) {
      // Between the vector store and the docstore a retrieval waits: this many turns later the next one begins.
      const hits = await retriever.retrieve({ queryStr: '', embedding: vector })
      expect(hits.map(({ node: hit }) => hit.getContent().slice(0, 6))).toEqual(['round '])
      seen.push(Number(hits[0]!.node.getContent().slice(6)))
      if (seen.length % 3 === 0) await pause(0)
    }
    await writing
    await until(() => told.length === 30)
    expect(seen).toEqual(seen.toSorted((a, b) => a - b))
    expect(new Set(seen).size).toBeGreaterThan(1)
  })

  test('many commits that are found at once are told one by one, when the stores hold them', async () => {
    const disk = new MemoryDisk()
    const writer = await kept(write(disk))
    await addNode(writer, 'n1')
    const watcher = new FakeWatcher()
    const follower = await kept(follow(disk, { poll: never, watcher }))
    const told: [number, boolean][] = []
    follower.on('change', ({ commit }) => {
      void follower.docstore
        .documentExists(`n${commit.number}`)
        .then((exists) => told.push([commit.number, exists]))
    })
    await pause(400)
    for (let number = 2; number <= 20; number++) await addNode(writer, `n${number}`)
    watcher.hint()
    await until(() => told.length === 19)
    expect(told).toEqual(Array.from({ length: 19 }, (_, at) => [at + 2, true]))
  })

  test('a listener that throws is a warning, and the others are told all the same', async () => {
    const disk = new MemoryDisk()
    const writer = await kept(write(disk))
    const warnings: string[] = []
    const follower = await kept(follow(disk, { warnings }))
    follower.on('change', () => {
      throw new Error('no')
    })
    // As of callers without types, whom no linter warns.
    const later = (() => pause(1).then(() => Promise.reject(new Error('nor later')))) as () => unknown
    follower.on('change', later)
    const told = heard(follower)
    await addNode(writer, 'a')
    await until(() => told.length === 1 && warnings.length === 2)
    expect(warnings).toEqual([
      "A listener of 'change' threw: Error: no",
      "A listener of 'change' threw: Error: nor later",
    ])
  })

  test('whoever does not listen any more is not told', async () => {
    const disk = new MemoryDisk()
    const writer = await kept(write(disk))
    const follower = await kept(follow(disk))
    const first: number[] = []
    const end = follower.on('change', ({ commit }) => void first.push(commit.number))
    await addNode(writer, 'a')
    await until(() => first.length === 1)
    end()
    const told = heard(follower)
    await addNode(writer, 'b')
    await until(() => told.length === 1)
    expect([first, told]).toEqual([[1], [2]])
  })

  test('two followers of one process, and the context that writes, have each their own view', async () => {
    const disk = new MemoryDisk()
    const writer = await kept(write(disk))
    const [one, two] = [await kept(follow(disk)), await kept(follow(disk, { poll: never }))]
    await pause(400)
    await addNode(writer, 'a')
    await until(async () => one.docstore.documentExists('a'))
    expect(await two.docstore.documentExists('a')).toBe(false)
    await one.close()
    await addNode(writer, 'b')
  })

  test('its history knows the last commit, whether a look has found it or not', async () => {
    const disk = new MemoryDisk()
    const writer = await kept(write(disk))
    await addNode(writer, 'a')
    const follower = await kept(follow(disk, { poll: never }))
    await pause(400)
    await addNode(writer, 'b')
    const numbers: number[] = []
    for await (const { number } of follower.history.log()) numbers.push(number)
    expect(numbers).toEqual([2, 1])
    expect(await follower.docstore.documentExists('b')).toBe(true)
  })
})

describe('opening a follower', () => {
  test.each([
    [{ follow: true }],
    [{ persistDir: directory, follow: true, asOf: 1 }],
    [{ persistDir: directory, follow: true, readOnly: false }],
    [{ persistDir: directory, follow: true, autoPersist: true }],
    [{ persistDir: directory, follow: { poll: 0 } }],
    [{ persistDir: directory, follow: { poll: Number.NaN } }],
  ])('with %j is refused', async (options) => {
    await expect(StorageContext.fromDefaults({ disk: new MemoryDisk(), ...options })).rejects.toMatchObject({
      code: 'VARVE_BAD_OPTION',
    })
  })

  test('whoever does not follow has no changes to tell', async () => {
    const storage = await kept(write(new MemoryDisk()))
    const refused = expect.objectContaining({ code: 'VARVE_BAD_OPTION' })
    expect(() => storage.changes()).toThrow(refused)
    expect(() => storage.on('change', () => {})).toThrow(refused)
  })

  test('closing ends everything: no look comes after it, and an iteration ends', async () => {
    const disk = new MemoryDisk()
    await addNode(await kept(write(disk)), 'a')
    const watcher = new FakeWatcher()
    const follower = await follow(disk, { watcher })
    const changes = take(follower.changes(), 1)
    await until(() => watcher.folders.length === 1)
    await follower.close()
    expect(await changes).toEqual([])
    expect(watcher.closed).toBe(1)
    expect(() => follower.changes()).toThrow(expect.objectContaining({ code: 'VARVE_CLOSED' }))
  })
})

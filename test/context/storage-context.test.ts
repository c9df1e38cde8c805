import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import {
  SimpleDocumentStore,
  SimpleGraphStore,
  SimpleIndexStore,
  SimplePropertyGraphStore,
  SimpleVectorStore,
} from '../../src/context/simple-stores.ts'
import { StorageContext, type StorageContextOptions } from '../../src/context/storage-context.ts'
import type { MemoryDisk } from '../../src/disk/memory-disk.ts'
import { VarveError } from '../../src/errors.ts'
import type {
  DocumentStore,
  GraphStore,
  IndexStore,
  PropertyGraphStore,
  VectorStore,
} from '../../src/stores/contract.ts'
import type { JournalVectorStore } from '../../src/stores/vector-store.ts'
import { loadIndexFromStorage } from '../../src/indices/load-index.ts'
import { VectorStoreIndex } from '../../src/indices/vector-store-index.ts'
import { bagOfWords } from '../indices/support/bag-of-words.ts'
import { Document, TextNode } from '../../src/stores/node.ts'
import { all, expectCode } from '../stores/store-cases.ts'
import { filesOf, fill, picture, quietDisk } from './support.ts'

const dir = '/data/storage'

async function open(
  disk: MemoryDisk,
  options: StorageContextOptions = {},
): Promise<{ storage: StorageContext; warnings: string[] }> {
  const warnings: string[] = []
  const storage = await StorageContext.fromDefaults({
    disk,
    persistDir: dir,
    onWarning: (warning) => warnings.push(warning),
    ...options,
  })
  return { storage, warnings }
}

async function persisted(disk = quietDisk()): Promise<MemoryDisk> {
  const { storage } = await open(disk)
  await fill(storage)
  await storage.persist({ message: 'first' })
  await storage.close()
  return disk
}

const messages = async (storage: StorageContext) =>
  (await all(storage.commits())).map(({ message }) => message)
const kinds = async (storage: StorageContext) => (await all(storage.commits())).map(({ kind }) => kind)

describe('opening', () => {
  test('opening writes nothing, creates nothing and takes no lock', async () => {
    const disk = quietDisk()
    const { storage } = await open(disk)
    expect([...(await storage.docstore.getAllRefDocInfo())]).toEqual([])
    expect((await storage.vectorStore.query({ queryEmbedding: [1] })).ids).toEqual([])
    await storage.close()
    expect(disk.operations).toBe(0)
    const full = await persisted()
    const before = await filesOf(full)
    const again = await open(full)
    await picture(again.storage)
    expect(await filesOf(full)).toEqual(before)
    await again.storage.close()
    expect(await filesOf(full)).toEqual(before)
  })

  test('what was persisted is there again, in every store', async () => {
    const disk = quietDisk()
    const { storage } = await open(disk)
    await fill(storage)
    const before = await picture(storage)
    await storage.persist()
    await storage.close()
    const again = await open(disk)
    expect(await picture(again.storage)).toEqual(before)
    expect(again.warnings).toEqual([])
    await again.storage.close()
  })

  test('an index without nodes in a namespace of its own is there again', async () => {
    const disk = quietDisk()
    const { storage } = await open(disk)
    storage.addVectorStore('images')
    const options = { embedModel: bagOfWords(), namespace: 'images' }
    await VectorStoreIndex.init({ ...options, storageContext: storage, indexId: 'I' })
    await storage.persist()
    await storage.close()
    const again = await open(disk)
    const index = await loadIndexFromStorage(again.storage, { indexId: 'I', embedModel: bagOfWords() })
    await index.insertNodes([new TextNode({ id_: 'a', text: 'a' })])
    expect(
      await again.storage.vectorStores
        .get('images')!
        .query({ queryEmbedding: Array(64).fill(1) as number[] }),
    ).toMatchObject({ ids: ['a'] })
    await again.storage.close()
  })

  test('a transaction without a function is refused', async () => {
    const { storage } = await open(quietDisk())
    const untyped = storage as unknown as { transaction(change: () => Promise<void>): Promise<void> }
    const call = untyped.transaction(async () => {})
    await expect(call).rejects.toThrow('transaction({ message }, async () => …)')
    await storage.close()
  })

  test('without a directory everything is in memory', async () => {
    const disk = quietDisk()
    const storage = await StorageContext.fromDefaults({ disk })
    await fill(storage)
    expect(storage.persistDir).toBeUndefined()
    expect((await storage.docstore.getNode('n1')).text).toBe('text of n1')
    await storage.close()
    expect(disk.operations).toBe(0)
  })

  test('stores can be had one by one', async () => {
    const disk = await persisted()
    await using docstore = await SimpleDocumentStore.fromPersistDir(dir, { disk })
    await using vectors = await SimpleVectorStore.fromPersistDir(dir, { disk })
    await using images = await SimpleVectorStore.fromPersistDir(dir, { disk, namespace: 'image' })
    await using indices = await SimpleIndexStore.fromPersistDir(dir, { disk })
    await using graph = await SimpleGraphStore.fromPersistDir(dir, { disk })
    await using properties = await SimplePropertyGraphStore.fromPersistDir(dir, { disk })
    expect((await docstore.getNode('n1')).id_).toBe('n1')
    expect(await vectors.ids()).toEqual(['n1', 'n2'])
    expect(await images.ids()).toEqual(['i1'])
    expect(await indices.indexStructs()).toHaveLength(2)
    expect(await graph.triplets()).toHaveLength(3)
    expect(await properties.get()).toHaveLength(2)
  })

  test('a context of given stores belongs to their journal, and takes the others from it', async () => {
    const disk = await persisted()
    const docstore = await SimpleDocumentStore.fromPersistDir(dir, { disk })
    const indexStore = await SimpleIndexStore.fromPersistDir(dir, { disk })
    const storage = await StorageContext.fromDefaults({ docstore, indexStore })
    expect(storage.persistDir).toBe(dir)
    expect(storage.docstore).toBe(docstore)
    expect(storage.indexStore).toBe(indexStore)
    expect(await (storage.vectorStore as JournalVectorStore).ids()).toEqual(['n1', 'n2'])
    expect([...storage.vectorStores.keys()]).toEqual(['default', 'image'])
    await docstore.addDocuments([new TextNode({ id_: 'more' })])
    expect((await storage.persist({ message: 'more' }))!.number).toBe(2)
    await storage.close()
    // The lock is free: the stores were closed with the context.
    await expectCode(docstore.getNode('n1'), 'VARVE_CLOSED')
    const other = await open(disk.asProcess({ pid: 2 }))
    await other.storage.docstore.setDocumentHash('x', 'h')
    await other.storage.rollback()
    await other.storage.close()
  })

  test('a store given to two contexts works until the last one is closed', async () => {
    const docstore = new SimpleDocumentStore()
    const one = await StorageContext.fromDefaults({ docstore })
    const two = await StorageContext.fromDefaults({ docstore })
    await docstore.addDocuments([new TextNode({ id_: 'a' })])
    expect(await two.docstore.documentExists('a')).toBe(true)
    await two.graphStore.upsertTriplet('a', 'b', 'c')
    expect(await one.graphStore.get('a')).toEqual([['b', 'c']])
    await one.close()
    await expectCode(one.persist(), 'VARVE_CLOSED')
    expect(await docstore.documentExists('a')).toBe(true)
    await two.close()
    await expectCode(docstore.documentExists('a'), 'VARVE_CLOSED')
  })

  test('stores made in memory move into the context, with what they hold', async () => {
    const disk = await persisted()
    const docstore = new SimpleDocumentStore()
    const image = new SimpleVectorStore()
    const words = new SimpleVectorStore()
    await docstore.addDocuments([new TextNode({ id_: 'new' })])
    await image.add([new TextNode({ id_: 'i2', embedding: [7, 7, 7] })])
    await words.add([new TextNode({ id_: 'w', embedding: [1] })])
    const { storage } = await open(disk, { docstore, vectorStores: { image, words } })
    expect(storage.docstore).toBe(docstore)
    expect((await docstore.getNode('n1')).id_).toBe('n1')
    expect(await image.ids()).toEqual(['i1', 'i2'])
    expect(words.namespace).toBe('words')
    await storage.persist()
    await storage.close()
    const again = await open(disk)
    expect(await again.storage.docstore.documentExists('new')).toBe(true)
    expect(await (again.storage.vectorStores.get('words') as JournalVectorStore).ids()).toEqual(['w'])
    await again.storage.close()
  })

  test('vectors of another length do not move in', async () => {
    const disk = await persisted()
    const vectorStore = new SimpleVectorStore()
    await vectorStore.add([new TextNode({ id_: 'x', embedding: [1] })])
    await expectCode(open(disk, { vectorStore }), 'VARVE_WRONG_DIMENSIONS')
    expect(await vectorStore.ids()).toEqual(['x'])
  })

  test('the vector store given goes before the one in vectorStores', async () => {
    const [vectorStore, other] = [new SimpleVectorStore(), new SimpleVectorStore()]
    const storage = await StorageContext.fromDefaults({
      vectorStore,
      vectorStores: new Map([['default', other]]),
    })
    expect(storage.vectorStore).toBe(vectorStore)
    await storage.close()
  })

  test('stores of two journals do not mix', async () => {
    const disk = await persisted()
    const elsewhere = await open(disk, { persistDir: '/other' })
    await elsewhere.storage.docstore.setDocumentHash('a', 'h')
    await elsewhere.storage.persist()
    await elsewhere.storage.close()
    await using docstore = await SimpleDocumentStore.fromPersistDir(dir, { disk })
    await using vectorStore = await SimpleVectorStore.fromPersistDir('/other', { disk })
    await expectCode(StorageContext.fromDefaults({ disk, docstore, vectorStore }), 'VARVE_MIXED_JOURNALS')
    await expectCode(open(disk, { persistDir: '/other', docstore }), 'VARVE_MIXED_JOURNALS')
    await expectCode(open(disk, { persistDir: '/new', docstore }), 'VARVE_MIXED_JOURNALS')
    const { storage } = await open(disk)
    expect(() => storage.addVectorStore('x', vectorStore)).toThrow(
      expect.objectContaining({ code: 'VARVE_MIXED_JOURNALS' }),
    )
    // The refusals left the stores usable, and nothing open.
    expect(await docstore.documentExists('n1')).toBe(true)
    expect(await vectorStore.ids()).toEqual([])
    await storage.close()
  })

  test.each(['', 'a\0b', 5, 5n, null])('%s is no directory', async (persistDir) => {
    await expectCode(open(quietDisk(), { persistDir: persistDir as string }), 'VARVE_BAD_OPTION')
  })

  test('an unknown durability is refused', async () => {
    await expectCode(open(quietDisk(), { durability: 'never' as 'commit' }), 'VARVE_BAD_OPTION')
  })

  test('addVectorStore answers the store of its namespace', async () => {
    const storage = await StorageContext.fromDefaults()
    const image = storage.addVectorStore('image')
    expect(storage.addVectorStore('image')).toBe(image)
    expect(storage.vectorStores.get('image')).toBe(image)
    const foreign = foreignStores().vectorStore
    expect(storage.addVectorStore('far', foreign)).toBe(foreign)
    await storage.close()
  })
})

describe('persist', () => {
  test('answers the commit that carried the changes, and undefined if there were none', async () => {
    const disk = quietDisk()
    const { storage } = await open(disk)
    expect(await storage.persist()).toBeUndefined()
    expect(disk.operations).toBe(0)
    await fill(storage)
    expect(storage.hasPendingChanges).toBe(true)
    const commit = (await storage.persist({ actor: 'me', message: 'first', metadata: { a: 1 } }))!
    expect(commit).toMatchObject({
      number: 1,
      kind: 'data',
      actor: 'me',
      message: 'first',
      metadata: { a: 1 },
    })
    expect(storage.hasPendingChanges).toBe(false)
    const before = disk.operations
    expect(await storage.persist()).toBeUndefined()
    expect(disk.operations).toBe(before)
    await storage.docstore.setDocumentHash('a', 'h')
    expect((await storage.persist())!.number).toBe(2)
    expect(await messages(storage)).toEqual([undefined, 'first'])
    await storage.close()
  })

  test('stores what is said of a commit as metadata is stored anywhere', async () => {
    const disk = quietDisk()
    const { storage } = await open(disk)
    await fill(storage)
    await storage.persist({ metadata: { at: new Date(0), gone: undefined } })
    await storage.transaction({ message: 'second', metadata: { at: new Date(1) } }, () =>
      storage.docstore.setDocumentHash('a', 'h'),
    )
    await storage.close()
    const { storage: again } = await open(disk)
    const said = (await all(again.commits())).map(({ metadata }) => metadata)
    expect(said).toEqual([{ at: '1970-01-01T00:00:00.001Z' }, { at: '1970-01-01T00:00:00.000Z' }])
    await again.close()
  })

  test('refuses what a commit cannot say, before anything is written', async () => {
    const disk = quietDisk()
    const { storage } = await open(disk)
    await fill(storage)
    await expect(storage.persist({ message: 5 as unknown as string })).rejects.toThrow(
      'The message of a commit must be a string.',
    )
    await expectCode(storage.persist({ metadata: { call: () => {} } }), 'VARVE_BAD_METADATA')
    const change = (): Promise<void> => storage.docstore.setDocumentHash('a', 'h')
    await expect(storage.transaction({ actor: 5 as unknown as string }, change)).rejects.toThrow(TypeError)
    expect(await storage.docstore.getDocumentHash('a')).not.toBe('h')
    expect(disk.operations).toBe(0)
    await storage.close()
  })

  test('answers the commit of another call that carried the changes', async () => {
    const { storage } = await open(quietDisk())
    await storage.docstore.setDocumentHash('a', 'h')
    const [one, two] = await Promise.all([
      storage.persist({ message: 'one' }),
      storage.persist({ message: 'two' }),
    ])
    expect(one).toEqual(two)
    expect(one!.message).toBe('one')
    await storage.close()
  })

  test('to a new directory writes the present as one commit, without history', async () => {
    const disk = await persisted()
    const { storage } = await open(disk)
    await storage.docstore.deleteDocument('n2')
    await storage.persist({ message: 'second' })
    const before = await picture(storage)
    const commit = (await storage.persist('/copy/deep', { message: 'copied' }))!
    expect(commit).toMatchObject({ number: 1, kind: 'data', message: 'copied' })
    expect(storage.persistDir).toBe(dir)
    expect(await messages(storage)).toEqual(['second', 'first'])
    await storage.close()
    const copy = await open(disk, { persistDir: '/copy/deep' })
    expect(await picture(copy.storage)).toEqual(before)
    expect(await messages(copy.storage)).toEqual(['copied'])
    await copy.storage.close()
  })

  test('to another journal is one replace commit that makes it equal', async () => {
    const disk = await persisted()
    const other = await open(disk, { persistDir: '/other' })
    await other.storage.docstore.addDocuments([new TextNode({ id_: 'old' })])
    await other.storage.addVectorStore('extra').add([new TextNode({ id_: 'old', embedding: [1] })])
    await other.storage.graphStore.upsertTriplet('old', 'old', 'old')
    await other.storage.persist({ message: 'old' })
    await other.storage.close()
    const { storage } = await open(disk)
    const before = await picture(storage)
    const commit = await storage.persist('/other', { message: 'all new' })
    expect(commit).toMatchObject({ number: 2, kind: 'replace', message: 'all new' })
    await storage.close()
    const again = await open(disk, { persistDir: '/other' })
    expect(await picture(again.storage)).toEqual(before)
    expect(await kinds(again.storage)).toEqual(['replace', 'data'])
    await again.storage.close()
  })

  test('of an empty context over a full directory is refused, and changes nothing', async () => {
    const disk = await persisted()
    const before = await filesOf(disk)
    const memory = await StorageContext.fromDefaults({ disk })
    await expectCode(memory.persist(dir), 'VARVE_EMPTY_REPLACE')
    const { storage } = await open(disk, { persistDir: '/empty' })
    await expectCode(storage.persist(dir), 'VARVE_EMPTY_REPLACE')
    expect(await storage.persist('/empty too')).toBeUndefined()
    expect(await filesOf(disk)).toEqual(before)
    await memory.close()
    await storage.close()
  })

  test('to its own directory, however spelled, is a commit', async () => {
    const disk = quietDisk()
    const { storage } = await open(disk)
    await fill(storage)
    expect(await storage.persist(`${dir}/../storage/.//`, { message: 'own' })).toMatchObject({
      number: 1,
      kind: 'data',
    })
    await storage.docstore.setDocumentHash('a', 'h')
    expect(await storage.persist(`/data/./storage`)).toMatchObject({ number: 2, kind: 'data' })
    await storage.close()
  })

  test('a context in memory belongs to the first directory it persists to, by default ./storage', async () => {
    const disk = quietDisk()
    const storage = await StorageContext.fromDefaults({ disk })
    await fill(storage)
    expect(await storage.persist({ message: 'first' })).toMatchObject({ number: 1, message: 'first' })
    expect(storage.persistDir).toBe('./storage')
    await storage.docstore.setDocumentHash('a', 'h')
    expect(await storage.persist()).toMatchObject({ number: 2 })
    expect(await storage.persist('/second')).toMatchObject({ number: 1 })
    expect(storage.persistDir).toBe('./storage')
    const before = await picture(storage)
    await storage.close()
    const again = await open(disk, { persistDir: 'storage' })
    expect(await picture(again.storage)).toEqual(before)
    await again.storage.close()
  })

  test('a context in memory that fails where it first persists to loses nothing, and belongs elsewhere if nothing began there', async () => {
    const became: (string | undefined)[] = []
    for (let at = 0; ; at++) {
      const disk = quietDisk()
      const storage = await StorageContext.fromDefaults({ disk, onWarning: () => {} })
      await fill(storage)
      const before = await picture(storage)
      const struck = disk.inject({ what: 'EIO', at })
      const isDone = await storage.persist('/first').then(
        () => true,
        () => false,
      )
      if (!struck.operation) break
      if (!isDone) {
        await storage.persist('/second')
        became.push(storage.persistDir)
        if (storage.persistDir === '/second') expect(storage.hasPendingChanges).toBe(false)
      }
      expect(await picture(storage)).toEqual(before)
      await storage.close()
      if (isDone) continue
      const again = await open(disk, { persistDir: '/second' })
      expect(await picture(again.storage)).toEqual(before)
      await again.storage.close()
    }
    expect(new Set(became)).toEqual(new Set(['/second', '/first']))
  })

  test('it stays where others came to share it meanwhile', async () => {
    const disk = quietDisk()
    const storage = await StorageContext.fromDefaults({ disk })
    await fill(storage)
    const before = await picture(storage)
    let opening: Promise<StorageContext> | undefined
    disk.onOperation = () => {
      disk.onOperation = undefined
      opening = StorageContext.fromDefaults({ disk, persistDir: '/first' })
      throw Object.assign(new Error('EIO: as the test wants it'), { code: 'EIO', syscall: 'mkdir' })
    }
    const failing = expectCode(storage.persist('/first'), 'VARVE_IO')
    await failing
    const other = await opening!
    expect([storage.persistDir, other.persistDir]).toEqual(['/first', '/first'])
    expect(await picture(other)).toEqual(before)
    expect(await other.persist()).toMatchObject({ number: 1 })
    expect(storage.hasPendingChanges).toBe(false)
    await storage.close()
    await other.close()
  })

  test('a context in memory that replaces a journal belongs to it then, its stores too', async () => {
    const disk = await persisted()
    const docstore = new SimpleDocumentStore()
    const storage = await StorageContext.fromDefaults({ disk, docstore })
    const twin = await StorageContext.fromDefaults({ disk, docstore })
    await docstore.addDocuments([new TextNode({ id_: 'only' })])
    expect(await storage.persist(dir)).toMatchObject({ number: 2, kind: 'replace' })
    expect(storage.persistDir).toBe(dir)
    await docstore.addDocuments([new TextNode({ id_: 'more' })])
    expect(await twin.persist()).toMatchObject({ number: 3, kind: 'data' })
    expect(await all(docstore.ids())).toEqual(['only', 'more'])
    await storage.close()
    await twin.close()
    const again = await open(disk)
    expect(await all(again.storage.docstore.ids())).toEqual(['only', 'more'])
    await again.storage.close()
  })

  test('a reader can copy what it sees to another directory', async () => {
    const disk = await persisted()
    const { storage } = await open(disk, { readOnly: true })
    expect(await storage.persist('/copy')).toMatchObject({ number: 1 })
    expect(disk.peek('/copy/varve.json').length).toBeGreaterThan(0)
    await storage.close()
  })

  test('buffered: what was written is durable after flush, and after close', async () => {
    const disk = quietDisk()
    const { storage } = await open(disk, { durability: 'buffered' })
    await fill(storage)
    const before = await picture(storage)
    await storage.persist()
    await storage.flush()
    const crashed = await open(disk.image('none'))
    expect(await picture(crashed.storage)).toEqual(before)
    await crashed.storage.close()
    await storage.docstore.setDocumentHash('a', 'h')
    await storage.persist()
    await storage.close()
    const closed = await open(disk.image('none'))
    expect(await closed.storage.docstore.getDocumentHash('a')).toBe('h')
    await closed.storage.close()
  })
})

describe('sharing a directory', () => {
  test('two contexts of one directory share live stores, pending changes and lock', async () => {
    const disk = await persisted()
    const one = await open(disk)
    const two = await open(disk, { persistDir: '/data/../data/storage/' })
    const three = await open(disk, { persistDir: '/data/./storage' })
    await one.storage.docstore.addDocuments([new TextNode({ id_: 'a' })])
    expect(await two.storage.docstore.documentExists('a')).toBe(true)
    expect(two.storage.hasPendingChanges).toBe(true)
    await two.storage.docstore.addDocuments([new TextNode({ id_: 'b' })])
    expect((await three.storage.persist())!.number).toBe(2)
    expect(one.storage.hasPendingChanges).toBe(false)
    await one.storage.close()
    await two.storage.docstore.setDocumentHash('c', 'h')
    await two.storage.persist()
    await two.storage.close()
    const other = await open(disk.asProcess({ pid: 2 }))
    // The lock is still held by the last context.
    await expectCode(other.storage.docstore.setDocumentHash('x', 'y'), 'VARVE_LOCKED')
    await three.storage.close()
    await other.storage.docstore.setDocumentHash('x', 'y')
    await other.storage.persist()
    await other.storage.close()
  })

  test('a directory that does not exist yet is shared, too', async () => {
    const disk = quietDisk()
    const paths = [
      dir,
      '/data/storage/',
      '/data/storage/.',
      '/data/./storage',
      '/data//storage',
      '/data/new/../storage',
    ]
    const contexts = await Promise.all(paths.map((persistDir) => open(disk, { persistDir })))
    await contexts[0]!.storage.docstore.addDocuments([new TextNode({ id_: 'a' })])
    for (const { storage } of contexts) expect(await storage.docstore.documentExists('a')).toBe(true)
    await contexts.at(-1)!.storage.persist()
    for (const { storage } of contexts) await storage.close()
    expect(contexts.flatMap(({ warnings }) => warnings)).toEqual([])
  })

  test('opening while the last context closes waits for it', async () => {
    const disk = quietDisk()
    const { storage } = await open(disk)
    await storage.docstore.setDocumentHash('a', 'h')
    await storage.persist()
    let goOn: () => void = () => {}
    const gate = new Promise<void>((resolve) => (goOn = resolve))
    const rename = disk.rename.bind(disk)
    // Of a snapshot, in the midst of closing.
    disk.rename = (from, to) => gate.then(() => rename(from, to))
    const closing = storage.close()
    let isOpen = false
    const opening = open(disk).then((opened) => {
      isOpen = true
      return opened
    })
    await sleep(20)
    expect(isOpen).toBe(false)
    goOn()
    await closing
    const again = await opening
    await again.storage.docstore.setDocumentHash('b', 'h')
    await again.storage.persist()
    await again.storage.close()
  })

  test('opening takes up what another process has committed meanwhile', async () => {
    const disk = await persisted()
    const one = await open(disk)
    expect(await one.storage.docstore.documentExists('later')).toBe(false)
    const other = await open(disk.asProcess({ pid: 2 }))
    await other.storage.docstore.addDocuments([new TextNode({ id_: 'later' })])
    await other.storage.persist()
    await other.storage.close()
    const two = await open(disk)
    expect(await two.storage.docstore.documentExists('later')).toBe(true)
    expect(await one.storage.docstore.documentExists('later')).toBe(true)
    await one.storage.close()
    await two.storage.close()
  })

  test('a second process is told who writes, and reads on', async () => {
    const disk = await persisted()
    const writer = await open(disk)
    await writer.storage.docstore.setDocumentHash('a', 'h')
    const second = await open(disk.asProcess({ pid: 2 }))
    await expectCode(second.storage.docstore.setDocumentHash('b', 'h'), 'VARVE_LOCKED')
    await expectCode(
      second.storage.transaction({}, async () => {}),
      'VARVE_LOCKED',
    )
    expect(await second.storage.docstore.getDocumentHash('b')).toBeUndefined()
    expect(second.storage.hasPendingChanges).toBe(false)
    expect((await second.storage.docstore.getNode('n1')).id_).toBe('n1')
    await writer.storage.rollback()
    await writer.storage.close()
    await second.storage.docstore.setDocumentHash('b', 'h')
    await second.storage.persist()
    await second.storage.close()
  })
})

describe('reading only', () => {
  test('every changing call is refused', async () => {
    const disk = await persisted()
    const before = await filesOf(disk)
    const { storage } = await open(disk, { readOnly: true })
    const calls = [
      () => storage.docstore.setDocumentHash('a', 'h'),
      () => storage.vectorStore.add([new TextNode({ embedding: [1, 2] })]),
      () => storage.indexStore.deleteIndexStruct('list'),
      () => storage.graphStore.upsertTriplet('a', 'b', 'c'),
      () => storage.propertyGraphStore.delete({ ids: [] }),
      () => storage.persist(),
      () => storage.transaction({}, async () => {}),
      () => storage.together(async () => {}),
    ]
    for (const call of calls) await expectCode(call(), 'VARVE_READ_ONLY')
    expect(await filesOf(disk)).toEqual(before)
    await storage.close()
  })

  test('a missing or empty directory is an error', async () => {
    const disk = quietDisk()
    await expectCode(open(disk, { readOnly: true }), 'VARVE_NOT_FOUND')
    await disk.makeDirectory(dir)
    await expectCode(open(disk, { readOnly: true }), 'VARVE_NOT_FOUND')
    await expectCode(SimpleDocumentStore.fromPersistDir(dir, { disk }), 'VARVE_NOT_FOUND')
    await expectCode(SimpleVectorStore.fromPersistDir('/nowhere', { disk }), 'VARVE_NOT_FOUND')
  })

  test('a store opened for reading makes its context one for reading', async () => {
    const disk = await persisted()
    const docstore = await SimpleDocumentStore.fromPersistDir(dir, { disk, readOnly: true })
    const storage = await StorageContext.fromDefaults({ docstore })
    await expectCode(storage.docstore.setDocumentHash('a', 'h'), 'VARVE_READ_ONLY')
    await storage.close()
  })

  test('a store that holds something does not move into a context for reading', async () => {
    const disk = await persisted()
    const docstore = new SimpleDocumentStore()
    await docstore.addDocuments([new TextNode({ id_: 'a' })])
    await expectCode(open(disk, { readOnly: true, docstore }), 'VARVE_READ_ONLY')
    expect(await docstore.documentExists('a')).toBe(true)
  })

  test('beside a reader another context of the same process writes', async () => {
    const disk = await persisted()
    const reader = await open(disk, { readOnly: true })
    const writer = await open(disk)
    await writer.storage.docstore.setDocumentHash('a', 'h')
    expect(await reader.storage.docstore.getDocumentHash('a')).toBe('h')
    await expectCode(reader.storage.rollback(), 'VARVE_READ_ONLY')
    await writer.storage.persist()
    await reader.storage.close()
    await writer.storage.close()
  })
})

describe('closing', () => {
  test('everything of a closed context says that it is closed', async () => {
    const disk = await persisted()
    const { storage } = await open(disk)
    await storage.close()
    const closed = expect.objectContaining({ code: 'VARVE_CLOSED' })
    for (const call of [
      () => storage.persist(),
      () => storage.persist('/other'),
      () => storage.rollback(),
      () => storage.flush(),
      () => storage.toDict(),
      () => storage.transaction({}, async () => {}),
      async () => storage.together(async () => {}),
      async () => all(storage.commits()),
      () => storage.docstore.getNode('n1'),
      () => storage.docstore.addDocuments([new TextNode()]),
      () => all(storage.docstore.ids()),
      () => storage.vectorStore.query({ queryEmbedding: [1, 2] }),
      () => storage.indexStore.indexStructs(),
      () => storage.graphStore.get('a'),
      () => storage.propertyGraphStore.get(),
    ]) {
      await expect(call()).rejects.toEqual(closed)
    }
    expect(() => storage.persistDir).toThrow(closed)
    expect(() => storage.hasPendingChanges).toThrow(closed)
    expect(() => storage.addVectorStore('new')).toThrow(closed)
  })

  test('closing twice does nothing more; pending changes are warned of, not persisted', async () => {
    const disk = await persisted()
    const { storage, warnings } = await open(disk)
    await storage.docstore.deleteDocument('n1')
    await Promise.all([storage.close(), storage.close()])
    await storage.close()
    expect(warnings).toEqual([
      `Closed ${dir} with pending changes; they are lost. Call persist() before close().`,
    ])
    const again = await open(disk)
    expect(await again.storage.docstore.documentExists('n1')).toBe(true)
    await again.storage.close()
  })

  test('await using closes', async () => {
    const disk = await persisted()
    let kept: StorageContext
    {
      await using storage = (await open(disk)).storage
      kept = storage
    }
    await expectCode(kept.persist(), 'VARVE_CLOSED')
  })

  test('a store of its own is closed by itself', async () => {
    const disk = await persisted()
    const store = await SimpleDocumentStore.fromPersistDir(dir, { disk })
    await store.close()
    await expectCode(store.getNode('n1'), 'VARVE_CLOSED')
    const { storage } = await open(disk)
    await (storage.docstore as SimpleDocumentStore).close()
    expect(await storage.docstore.documentExists('n1')).toBe(true)
    await storage.close()
  })
})

describe('transactions and rollback', () => {
  test('what a transaction did is one commit', async () => {
    const disk = await persisted()
    const { storage } = await open(disk)
    const answer = await storage.transaction({ message: 'both', actor: 'me' }, async () => {
      await storage.docstore.deleteDocument('n1')
      await storage.graphStore.upsertTriplet('x', 'y', 'z')
      return 5
    })
    expect(answer).toBe(5)
    expect(storage.hasPendingChanges).toBe(false)
    expect((await all(storage.commits()))[0]).toMatchObject({ number: 2, message: 'both', actor: 'me' })
    await storage.close()
  })

  test('what was pending before becomes a commit of its own', async () => {
    const { storage } = await open(await persisted())
    await storage.docstore.setDocumentHash('before', 'h')
    await storage.transaction({ message: 'inside' }, () => storage.docstore.setDocumentHash('in', 'h'))
    expect(await messages(storage)).toEqual(['inside', undefined, 'first'])
    await storage.close()
  })

  test('if it throws, every store is as before, orders included; what was pending stays', async () => {
    const disk = await persisted()
    const { storage } = await open(disk)
    await storage.docstore.addDocuments([new TextNode({ id_: 'pending' })])
    const before = await picture(storage)
    const failing = storage.transaction({}, async () => {
      await changeEverything(storage)
      expect(await picture(storage)).not.toEqual(before)
      throw new Error('no')
    })
    await expect(failing).rejects.toThrow('no')
    expect(await picture(storage)).toEqual(before)
    expect(storage.hasPendingChanges).toBe(true)
    await storage.persist()
    await storage.close()
    const again = await open(disk)
    expect(await picture(again.storage)).toEqual(before)
    await again.storage.close()
  })

  test('nested ones join; persist and rollback inside are errors', async () => {
    const { storage } = await open(await persisted())
    await storage.transaction({ message: 'outer' }, async () => {
      await storage.docstore.setDocumentHash('a', 'h')
      await storage.transaction({ message: 'inner' }, () => storage.docstore.setDocumentHash('b', 'h'))
      await expectCode(storage.persist(), 'VARVE_IN_TRANSACTION')
      await expectCode(storage.persist('/other'), 'VARVE_IN_TRANSACTION')
      await expectCode(storage.rollback(), 'VARVE_IN_TRANSACTION')
      const failing = storage.transaction({}, async () => {
        await storage.docstore.setDocumentHash('c', 'h')
        throw new Error('inner')
      })
      await expect(failing).rejects.toThrow('inner')
    })
    expect(await messages(storage)).toEqual(['outer', 'first'])
    const hashes = await Promise.all(['a', 'b', 'c'].map((id) => storage.docstore.getDocumentHash(id)))
    expect(hashes).toEqual(['h', 'h', undefined])
    await storage.close()
  })

  test('other writing calls wait for a transaction', async () => {
    const { storage } = await open(await persisted())
    const order: string[] = []
    let finish: () => void = () => {}
    const gate = new Promise<void>((resolve) => (finish = resolve))
    const transaction = storage.transaction({ message: 'long' }, async () => {
      await storage.docstore.setDocumentHash('a', 'h')
      await gate
      order.push('transaction')
    })
    const outside = storage.docstore.setDocumentHash('b', 'h').then(() => order.push('outside'))
    const persist = storage.persist({ message: 'after' })
    setTimeout(finish, 5)
    await Promise.all([transaction, outside, persist])
    expect(order).toEqual(['transaction', 'outside'])
    await storage.persist()
    await storage.close()
  })

  test('rollback drops everything pending, and nothing else', async () => {
    const disk = await persisted()
    const { storage } = await open(disk)
    const before = await picture(storage)
    await changeEverything(storage)
    await storage.rollback()
    expect(storage.hasPendingChanges).toBe(false)
    expect(await picture(storage)).toEqual(before)
    expect(await storage.persist()).toBeUndefined()
    await changeEverything(storage)
    const after = await picture(storage)
    await storage.persist()
    await storage.close()
    const again = await open(disk)
    expect(await picture(again.storage)).toEqual(after)
    await again.storage.close()
  })

  test('in memory, a transaction that throws is rolled back, too', async () => {
    const storage = await StorageContext.fromDefaults()
    await fill(storage)
    const before = await picture(storage)
    const failing = storage.transaction({}, async () => {
      await changeEverything(storage)
      throw new Error('no')
    })
    await expect(failing).rejects.toThrow('no')
    expect(await picture(storage)).toEqual(before)
    await storage.rollback()
    expect(await all(storage.docstore.ids())).toEqual([])
    await storage.close()
  })
})

describe('autoPersist', () => {
  test('the outermost call commits', async () => {
    const disk = quietDisk()
    const { storage } = await open(disk, { autoPersist: true })
    await storage.docstore.setDocumentHash('a', 'h')
    await storage.together(async () => {
      await storage.docstore.setDocumentHash('b', 'h')
      await storage.graphStore.upsertTriplet('a', 'b', 'c')
    })
    await storage.transaction({ message: 'named' }, () => storage.docstore.setDocumentHash('c', 'h'))
    await storage.docstore.deleteRefDoc('unknown', { raiseError: false })
    expect(await messages(storage)).toEqual(['named', undefined, undefined])
    expect(storage.hasPendingChanges).toBe(false)
    await storage.close()
  })

  test('a call that throws commits nothing', async () => {
    const { storage } = await open(await persisted(), { autoPersist: true })
    await expectCode(storage.docstore.deleteDocument('unknown'), 'VARVE_NODE_NOT_FOUND')
    expect(await messages(storage)).toEqual(['first'])
    await storage.close()
  })

  test('holds for given stores', async () => {
    const disk = await persisted()
    const docstore = await SimpleDocumentStore.fromPersistDir(dir, { disk })
    const storage = await StorageContext.fromDefaults({ docstore, autoPersist: true })
    await docstore.setDocumentHash('a', 'h')
    expect(await messages(storage)).toEqual([undefined, 'first'])
    await storage.close()
  })
})

describe('foreign stores', () => {
  test('each can be given, and persist leaves them alone', async () => {
    const foreign = foreignStores()
    const disk = quietDisk()
    const { vectorStore, ...others } = foreign
    const storage = await StorageContext.fromDefaults({
      disk,
      ...others,
      vectorStores: { default: vectorStore, far: vectorStore },
    })
    expect(storage).toMatchObject(others)
    expect(storage.vectorStore).toBe(vectorStore)
    expect(storage.vectorStores.get('far')).toBe(vectorStore)
    expect(await storage.persist()).toBeUndefined()
    expect(storage.persistDir).toBeUndefined()
    await storage.close()
    expect(disk.operations).toBe(0)
  })

  test('beside our own ones, only ours are persisted', async () => {
    const disk = quietDisk()
    const { docstore } = foreignStores()
    const { storage } = await open(disk, { docstore })
    await storage.graphStore.upsertTriplet('a', 'b', 'c')
    expect(await storage.persist()).toMatchObject({ number: 1 })
    expect(await storage.persist()).toBeUndefined()
    await storage.close()
    const again = await open(disk)
    expect(await again.storage.graphStore.get('a')).toEqual([['b', 'c']])
    await again.storage.close()
  })

  test.each(Object.keys(foreignStores()))('a foreign %s cannot be rolled back, and says so', async (name) => {
    const foreign = foreignStores()
    const { storage } = await open(quietDisk(), { [name]: foreign[name as keyof typeof foreign] })
    const ours =
      name === 'graphStore'
        ? () => storage.docstore.setDocumentHash('a', 'h')
        : () => storage.graphStore.upsertTriplet('a', 'b', 'c')
    await expectCode(storage.transaction({}, ours), 'VARVE_FOREIGN_STORE')
    await expectCode(storage.rollback(), 'VARVE_FOREIGN_STORE')
    await expectCode(storage.toDict(), 'VARVE_FOREIGN_STORE')
    await expect(storage.rollback()).rejects.toThrow('Database')
    await storage.transaction({ ownStoresOnly: true, message: 'ours' }, ours)
    expect(await messages(storage)).toEqual(['ours'])
    await ours()
    await storage.rollback({ ownStoresOnly: true })
    await storage.close()
  })
})

describe('what can go wrong', () => {
  const refuse = (disk: MemoryDisk, code: string, matches: (path: string) => boolean = () => true) => {
    disk.onOperation = ({ path }) => {
      if (matches(path)) throw Object.assign(new Error(`${code}: refused`), { code })
    }
  }

  test('a file where a directory should be', async () => {
    const disk = quietDisk()
    disk.put(dir, new Uint8Array(1))
    await expectCode(open(disk), 'VARVE_NOT_A_DIRECTORY')
    await expectCode(SimpleDocumentStore.fromPersistDir(dir, { disk }), 'VARVE_NOT_A_DIRECTORY')
    const memory = await StorageContext.fromDefaults({ disk })
    await fill(memory)
    await expectCode(memory.persist(dir), 'VARVE_NOT_A_DIRECTORY')
    await memory.close()
  })

  test('a file on the way to the directory', async () => {
    const disk = quietDisk()
    disk.put('/data', new Uint8Array(1))
    const memory = await StorageContext.fromDefaults({ disk })
    await fill(memory)
    await expectCode(memory.persist(dir), 'VARVE_NOT_A_DIRECTORY')
    expect(await memory.docstore.documentExists('n1')).toBe(true)
    await memory.close()
  })

  test('a directory of something else', async () => {
    const disk = quietDisk()
    disk.put(`${dir}/photo.jpg`, new Uint8Array(1))
    await expectCode(open(disk), 'VARVE_NOT_STORAGE')
    const memory = await StorageContext.fromDefaults({ disk })
    await fill(memory)
    const before = await filesOf(disk)
    await expectCode(memory.persist(dir), 'VARVE_NOT_STORAGE')
    expect(await filesOf(disk)).toEqual(before)
    await memory.close()
  })

  test('hidden files are no reason to refuse', async () => {
    const disk = quietDisk()
    disk.put(`${dir}/.gitkeep`, new Uint8Array(0))
    const { storage } = await open(disk)
    await storage.docstore.setDocumentHash('a', 'h')
    expect(await storage.persist()).toMatchObject({ number: 1 })
    await storage.close()
  })

  test.each([
    ['a newer format', { format: 2 }],
    ['an unknown requirement', { format: 1, requires: ['telepathy'] }],
  ])('%s', async (_, change) => {
    const disk = await persisted()
    const manifest = JSON.parse(Buffer.from(disk.peek(`${dir}/varve.json`)).toString()) as object
    disk.put(`${dir}/varve.json`, Buffer.from(JSON.stringify({ ...manifest, ...change })))
    const before = await filesOf(disk)
    await expectCode(open(disk), 'VARVE_NEWER')
    await expectCode(open(disk, { readOnly: true }), 'VARVE_NEWER')
    expect(await filesOf(disk)).toEqual(before)
  })

  test('no permission to write', async () => {
    const disk = await persisted()
    const before = await filesOf(disk)
    const { storage } = await open(disk)
    refuse(disk, 'EACCES')
    await expectCode(storage.docstore.setDocumentHash('a', 'h'), 'VARVE_PERMISSION')
    await expectCode(
      storage.transaction({}, () => storage.docstore.setDocumentHash('a', 'h')),
      'VARVE_PERMISSION',
    )
    await expectCode(storage.persist('/elsewhere'), 'VARVE_PERMISSION')
    expect(storage.hasPendingChanges).toBe(false)
    expect((await storage.docstore.getNode('n1')).id_).toBe('n1')
    disk.onOperation = undefined
    expect(await filesOf(disk)).toEqual(before)
    await storage.docstore.setDocumentHash('a', 'h')
    await storage.persist()
    await storage.close()
  })

  test('no permission to create the directory: the changes stay pending', async () => {
    const disk = quietDisk()
    const { storage } = await open(disk)
    await fill(storage)
    refuse(disk, 'EACCES')
    await expectCode(storage.persist(), 'VARVE_PERMISSION')
    expect(storage.hasPendingChanges).toBe(true)
    disk.onOperation = undefined
    expect(await storage.persist()).toMatchObject({ number: 1 })
    await storage.close()
  })

  test('no permission to read', async () => {
    const disk = await persisted()
    const stat = disk.stat.bind(disk)
    disk.stat = () => Promise.reject(Object.assign(new Error('EACCES: refused'), { code: 'EACCES' }))
    await expectCode(open(disk), 'VARVE_PERMISSION')
    disk.stat = stat
    const openToRead = disk.openToRead.bind(disk)
    disk.openToRead = () => Promise.reject(Object.assign(new Error('EACCES: refused'), { code: 'EACCES' }))
    await expectCode(open(disk), 'VARVE_PERMISSION')
    disk.openToRead = openToRead
    const { storage } = await open(disk)
    await storage.close()
  })

  test('a full disk: the changes stay pending, and the same call may be repeated', async () => {
    const disk = await persisted()
    const { storage } = await open(disk)
    await storage.docstore.addDocuments([new TextNode({ id_: 'more', text: 'x'.repeat(10_000) })])
    const after = await picture(storage)
    disk.onOperation = ({ kind }) => {
      if (kind === 'write')
        throw Object.assign(new Error('ENOSPC: no space left'), { code: 'ENOSPC', written: 0 })
    }
    await expectCode(storage.persist(), 'VARVE_DISK_FULL')
    expect(storage.hasPendingChanges).toBe(true)
    expect(await picture(storage)).toEqual(after)
    disk.onOperation = undefined
    expect(await storage.persist()).toMatchObject({ number: 2 })
    await storage.close()
    const again = await open(disk)
    expect(await picture(again.storage)).toEqual(after)
    await again.storage.close()
  })

  test('a full disk while copying elsewhere leaves this context as it is', async () => {
    const disk = await persisted()
    const { storage } = await open(disk)
    const before = await picture(storage)
    disk.onOperation = ({ kind, path }) => {
      if (kind === 'write' && path.startsWith('/copy'))
        throw Object.assign(new Error('ENOSPC'), { code: 'ENOSPC', written: 0 })
    }
    await expectCode(storage.persist('/copy'), 'VARVE_DISK_FULL')
    expect(await picture(storage)).toEqual(before)
    expect(storage.hasPendingChanges).toBe(false)
    disk.onOperation = undefined
    expect(await storage.persist('/copy')).toMatchObject({ number: 1 })
    await storage.close()
  })

  test('every error names its code, and its message has a remedy', async () => {
    const { storage } = await open(quietDisk())
    await storage.docstore.addDocuments([new TextNode({ id_: 'a' })])
    const error = await storage.docstore
      .addDocuments([new TextNode({ id_: 'a' })], { allowUpdate: false })
      .catch((caught: unknown) => caught)
    expect(error).toBeInstanceOf(VarveError)
    expect(error).toMatchObject({ code: 'VARVE_DUPLICATE_ID', fields: { id: 'a' } })
    expect((error as Error).message).toBe('node_id a already exists. Set allowUpdate to true to overwrite.')
    await storage.rollback()
    await storage.close()
  })
})

async function changeEverything(storage: StorageContext): Promise<void> {
  await storage.docstore.deleteDocument('n1')
  await storage.docstore.addDocuments([
    new TextNode({
      id_: 'n2',
      text: 'changed',
      relationships: { SOURCE: { nodeId: 'other', metadata: {} } },
    }),
    new Document({ id_: 'n1', text: 'again' }),
  ])
  await storage.docstore.setDocumentHash('doc', 'changed')
  await storage.vectorStore.delete('doc')
  await storage.vectorStore.add([
    new TextNode({ id_: 'n2', embedding: [1, 2] }),
    new TextNode({ id_: 'n9', embedding: [0, 0] }),
  ])
  await storage.addVectorStore('image').clear!()
  await storage.addVectorStore('new').add([new TextNode({ id_: 'x', embedding: [1] })])
  await storage.indexStore.deleteIndexStruct('list')
  await storage.indexStore.addIndexStruct({
    indexId: 'keywords',
    type: 'keyword_table',
    table: { dog: ['n2'], cat: ['n2'] },
  })
  await storage.indexStore.addIndexStruct({ indexId: 'list', type: 'list', nodes: ['x'] })
  await storage.graphStore.delete('Alice', 'likes', 'Tea')
  await storage.graphStore.upsertTriplet('Zoe', 'knows', 'Bob')
  await storage.propertyGraphStore.delete({ ids: ['a'] })
}

class Database {
  readonly persistsByItself = true
  readonly storesText = false
}

function foreignStores() {
  const store = () => new Database() as unknown
  return {
    docstore: store() as DocumentStore,
    indexStore: store() as IndexStore,
    vectorStore: store() as VectorStore,
    graphStore: store() as GraphStore,
    propertyGraphStore: store() as PropertyGraphStore,
  }
}

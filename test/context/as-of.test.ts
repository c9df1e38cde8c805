import { describe, expect, test } from 'vitest'
import { StorageContext } from '../../src/context/storage-context.ts'
import { loadIndexFromStorage } from '../../src/indices/load-index.ts'
import { VectorStoreIndex } from '../../src/indices/vector-store-index.ts'
import { Document, TextNode } from '../../src/stores/node.ts'
import { bagOfWords } from '../indices/support/bag-of-words.ts'
import { MemoryVectorStore } from '../indices/support/memory-vector-store.ts'
import { fill, quietDisk } from './support.ts'

const persistDir = '/storage'
const embedModel = bagOfWords()

async function open(disk = quietDisk()): Promise<StorageContext> {
  return StorageContext.fromDefaults({ persistDir, disk })
}

async function add(storage: StorageContext, ...ids: string[]): Promise<void> {
  await storage.docstore.addDocuments(ids.map((id_) => new Document({ id_, text: `text of ${id_}` })))
}

async function idsOf(storage: StorageContext): Promise<string[]> {
  const ids = []
  for await (const id of storage.docstore.ids()) ids.push(id)
  return ids
}

describe('asOf', () => {
  test('answers from an index as it was, beside one that has moved on', async () => {
    const storage = await open()
    const index = await VectorStoreIndex.fromDocuments([new Document({ id_: 'd', text: 'the old answer' })], {
      storageContext: storage,
      embedModel,
    })
    await storage.persist()
    await index.updateRefDoc(new Document({ id_: 'd', text: 'the new answer' }))
    await storage.persist()

    const past = await storage.asOf('HEAD~1')
    const texts = []
    for (const context of [past, storage]) {
      const loaded = await loadIndexFromStorage(context, { embedModel })
      const [hit] = await loaded.asRetriever({ similarityTopK: 1 }).retrieve('answer')
      texts.push((hit!.node as TextNode).text)
    }
    expect(texts).toEqual(['the old answer', 'the new answer'])
    await Promise.all([past.close(), storage.close()])
  })

  test('opens any number of moments at once, in any order, and none sees what is committed later', async () => {
    const storage = await open()
    for (const id of ['a', 'b', 'c']) {
      await add(storage, id)
      await storage.persist()
    }
    const pasts = await Promise.all([3, 0, 1, 2].map((number) => storage.asOf(number)))
    await storage.docstore.deleteDocument('a')
    await add(storage, 'd')
    await storage.persist()
    expect(await Promise.all(pasts.map(idsOf))).toEqual([['a', 'b', 'c'], [], ['a'], ['a', 'b']])
    expect(await idsOf(storage)).toEqual(['b', 'c', 'd'])
    await storage.close()
    expect(await idsOf(pasts[0]!)).toEqual(['a', 'b', 'c'])
    await Promise.all(pasts.map((past) => past.close()))
  })

  test('has the stores of then, all of them, under their true names', async () => {
    const storage = await open()
    await add(storage, 'a')
    await storage.persist()
    await fill(storage)
    await storage.addVectorStore('Bilder & Töne').add([new TextNode({ id_: 'n', embedding: [1] })])
    await storage.persist()
    const then = await storage.toDict()
    await storage.graphStore.delete('Alice', 'knows', 'Bob')
    await storage.indexStore.deleteIndexStruct('list')
    await storage.vectorStore.delete('doc')
    await storage.persist()
    const [before, past] = [await storage.asOf(1), await storage.asOf(2)]
    expect([...before.vectorStores.keys()]).toEqual(['default'])
    expect([...past.vectorStores.keys()].toSorted()).toEqual(['Bilder & Töne', 'default', 'image'])
    expect(await past.toDict()).toEqual(then)
    expect(await storage.toDict()).not.toEqual(then)
    await Promise.all([before.close(), past.close(), storage.close()])
  })

  test('is for reading only, and holds nothing pending', async () => {
    const storage = await open()
    await add(storage, 'a')
    await storage.persist()
    await add(storage, 'pending')
    const past = await storage.asOf('HEAD')
    expect(await idsOf(past)).toEqual(['a'])
    const readOnly = { code: 'VARVE_READ_ONLY' }
    await expect(add(past, 'b')).rejects.toMatchObject(readOnly)
    await expect(past.persist()).rejects.toMatchObject(readOnly)
    await expect(past.transaction({}, async () => {})).rejects.toMatchObject(readOnly)
    await Promise.all([past.close(), storage.rollback()])
    await storage.close()
  })

  test('counts from itself in a past context', async () => {
    const storage = await open()
    for (const id of ['a', 'b', 'c']) {
      await add(storage, id)
      await storage.persist()
    }
    const past = await storage.asOf(2)
    const before = await past.asOf('HEAD~1')
    expect(await idsOf(before)).toEqual(['a'])
    await expect(past.asOf(3)).rejects.toMatchObject({ code: 'VARVE_NO_SUCH_MOMENT' })
    const numbers = []
    for await (const { number } of past.commits()) numbers.push(number)
    expect(numbers).toEqual([2, 1])
    await Promise.all([past.close(), before.close(), storage.close()])
  })

  test('takes up what others have committed since, before it looks', async () => {
    const disk = quietDisk()
    const writer = await open(disk)
    await add(writer, 'a')
    await writer.persist()
    const reader = await StorageContext.fromDefaults({
      persistDir,
      disk: disk.asProcess({ pid: 2 }),
      readOnly: true,
    })
    await add(writer, 'b')
    await writer.persist()
    const past = await reader.asOf(2)
    expect(await idsOf(past)).toEqual(['a', 'b'])
    await Promise.all([past.close(), reader.close(), writer.close()])
  })

  test('leaves out a store that persists by itself only if told so', async () => {
    const storage = await StorageContext.fromDefaults({
      persistDir,
      disk: quietDisk(),
      vectorStore: new MemoryVectorStore(),
    })
    await add(storage, 'a')
    await storage.persist()
    await expect(storage.asOf(1)).rejects.toMatchObject({
      code: 'VARVE_FOREIGN_STORE',
      message: expect.stringContaining('asOf() cannot reach into MemoryVectorStore') as string,
    })
    const past = await storage.asOf(1, { ownStoresOnly: true })
    expect(await idsOf(past)).toEqual(['a'])
    await Promise.all([past.close(), storage.close()])
  })

  test('needs something that was committed', async () => {
    const storage = await open()
    const message = `Nothing was ever committed in ${persistDir}: it has no past. Call persist() first.`
    await expect(storage.asOf(1)).rejects.toMatchObject({ code: 'VARVE_NO_SUCH_MOMENT', message })
    const inMemory = await StorageContext.fromDefaults()
    await expect(inMemory.asOf(1)).rejects.toMatchObject({ code: 'VARVE_NO_SUCH_MOMENT' })
    await Promise.all([storage.close(), inMemory.close()])
    await expect(storage.asOf(1)).rejects.toMatchObject({ code: 'VARVE_CLOSED' })
  })
})

describe('fromDefaults({ asOf })', () => {
  test('opens a directory as it was', async () => {
    const disk = quietDisk()
    const storage = await open(disk)
    await add(storage, 'a')
    await storage.persist()
    await add(storage, 'b')
    await storage.persist()
    await storage.close()
    const past = await StorageContext.fromDefaults({ persistDir, disk, asOf: 1 })
    expect(await idsOf(past)).toEqual(['a'])
    await past.close()
    await expect(StorageContext.fromDefaults({ persistDir, disk, asOf: 'v1' })).rejects.toMatchObject({
      code: 'VARVE_NO_SUCH_MOMENT',
    })
  })

  test('refuses what cannot have a past', async () => {
    const disk = quietDisk()
    const opening = async (options: object) => StorageContext.fromDefaults({ disk, asOf: 1, ...options })
    await expect(opening({})).rejects.toMatchObject({ code: 'VARVE_BAD_OPTION' })
    await expect(opening({ persistDir, readOnly: false })).rejects.toMatchObject({ code: 'VARVE_BAD_OPTION' })
    await expect(opening({ persistDir })).rejects.toMatchObject({ code: 'VARVE_NOT_FOUND' })
    const { docstore } = await StorageContext.fromDefaults()
    await expect(opening({ persistDir, docstore })).rejects.toMatchObject({ code: 'VARVE_BAD_OPTION' })
    await disk.makeDirectory(persistDir)
    await expect(opening({ persistDir })).rejects.toMatchObject({ code: 'VARVE_NO_SUCH_MOMENT' })
  })
})

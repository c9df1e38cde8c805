import { setTimeout as sleep } from 'node:timers/promises'
import { IndexDict, KeywordTable } from '@llamaindex/core/data-structs'
import { Document, TextNode } from '@llamaindex/core/schema'
import { afterEach, expect, test, vi } from 'vitest'
import type { MemoryDisk } from '../../src/disk/memory-disk.ts'
import { expectCode } from '../stores/store-cases.ts'
import { chunkOf, dir, insert, insertNodes, open, reopen, settled } from './support.ts'

afterEach(() => vi.useRealTimers())

function countSyncs(disk: MemoryDisk): () => number {
  let syncs = 0
  disk.onOperation = ({ kind }) => void (kind === 'sync' && syncs++)
  return () => syncs
}

test('an insert is one commit, whatever it touches, and nobody had to ask for it', async () => {
  const { context, disk } = await open()
  await insert(context, new IndexDict(), 'a')
  const [commit, ...others] = await settled(context)
  expect(others).toEqual([])
  expect(commit!.number).toBe(1)
  const again = await reopen(disk)
  expect(await again.docStore.documentExists('chunk of a')).toBe(true)
  expect(await again.docStore.getDocumentHash('a')).toBeDefined()
  expect(Object.keys(((await again.indexStore.getIndexStructs())[0] as IndexDict).nodesDict)).toEqual([
    'chunk of a',
  ])
})

test('nodes that arrive one at a time are one commit, and cost no more syncs than one node', async () => {
  const syncsFor = async (count: number): Promise<number> => {
    const { context, disk } = await open()
    const syncs = countSyncs(disk)
    const document = new Document({ id_: 'd', text: 'text' })
    const nodes = Array.from({ length: count }, (_, at) => chunkOf(document, `chunk ${at}`))
    await insertNodes(context, new IndexDict(), nodes)
    expect(await settled(context)).toHaveLength(1)
    return syncs()
  }
  const one = await syncsFor(1)
  expect(one).toBeGreaterThan(0)
  expect(await syncsFor(200)).toBe(one)
})

test('inserts with a pause between them are commits of their own', async () => {
  const { context } = await open()
  const struct = new IndexDict()
  for (const id of ['a', 'b', 'c']) {
    await insert(context, struct, id)
    await settled(context)
  }
  expect((await settled(context)).map(({ number }) => number)).toEqual([3, 2, 1])
})

test('what comes while a commit is on its way is in the next', async () => {
  const { context, disk } = await open()
  const struct = new IndexDict()
  await insert(context, struct, 'a')
  let isBegun = false
  disk.onOperation = ({ kind, path }) => {
    if (isBegun || kind !== 'write' || !path.includes('docstore')) return
    isBegun = true
    void insert(context, struct, 'b')
  }
  await settled(context)
  expect(isBegun).toBe(true)
  expect(await settled(context)).toHaveLength(2)
  const again = await reopen(disk)
  expect(await again.docStore.documentExists('chunk of b')).toBe(true)
})

test('a document is not committed before its chunks, however long embedding takes', async () => {
  const { context, disk } = await open()
  const documents = ['a', 'b'].map((id_) => new Document({ id_, text: `text of ${id_}` }))
  await context.docStore.addDocuments(documents, true)
  await sleep(20)
  expect(await settled(context)).toEqual([])
  expect(await (await reopen(disk)).docStore.getDocumentHash('a')).toBeUndefined()
  // Of the other nothing is left after cutting.
  await insertNodes(context, new IndexDict(), [chunkOf(documents[0]!, 'chunk')])
  expect(await settled(context)).toHaveLength(1)
  const again = await reopen(disk)
  expect(await again.docStore.getDocumentHash('a')).toBe(documents[0]!.hash)
  expect(await again.docStore.getDocumentHash('b')).toBe(documents[1]!.hash)
  expect(await again.docStore.documentExists('chunk')).toBe(true)
})

test('an index without vectors is committed with its struct', async () => {
  const { context } = await open()
  const document = new Document({ id_: 'a', text: 'text' })
  await context.docStore.addDocuments([document], true)
  await context.docStore.addDocuments([chunkOf(document, 'chunk')], true)
  expect(await settled(context)).toEqual([])
  const table = new KeywordTable()
  table.addNode(['word'], 'chunk')
  await context.indexStore.addIndexStruct(table)
  expect(await settled(context)).toHaveLength(1)
})

test('documents that nobody cuts are committed after a minute, which is said once', async () => {
  const { context, warnings } = await open()
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  await context.docStore.addDocuments([new Document({ id_: 'a', text: 'text' })], true)
  vi.advanceTimersByTime(59_000)
  expect(await settled(context)).toEqual([])
  expect(warnings).toEqual([])
  vi.advanceTimersByTime(2_000)
  expect(await settled(context)).toHaveLength(1)
  const said = [expect.stringMatching(/^Saving 1 documents \(a\) without their chunks.*deleteRefDoc\(\)/)]
  expect(warnings).toEqual(said)
  await context.docStore.addDocuments([new Document({ id_: 'b', text: 'text' })], true)
  vi.advanceTimersByTime(61_000)
  expect(await settled(context)).toHaveLength(2)
  expect(warnings).toEqual(said)
})

test('documents that nobody cuts are committed when the process is about to exit', async () => {
  const { context } = await open()
  await context.docStore.addDocuments([new Document({ id_: 'a', text: 'text' })], true)
  expect(await settled(context)).toEqual([])
  process.emit('beforeExit', 0)
  expect(await settled(context)).toHaveLength(1)
  expect(process.listenerCount('beforeExit')).toBe(0)
})

test('persist() waits for no chunks, and answers the commit', async () => {
  const { context } = await open()
  await context.docStore.addDocuments([new Document({ id_: 'a', text: 'text' })], true)
  expect(await context.persist({ message: 'now' })).toMatchObject({ number: 1, message: 'now' })
  expect(process.listenerCount('beforeExit')).toBe(0)
})

test('close() saves, twice is once, and nothing listens any more', async () => {
  const { context, disk } = await open()
  await context.docStore.addDocuments([new Document({ id_: 'a', text: 'text' })], true)
  await Promise.all([context.close(), context.close()])
  expect(process.listenerCount('beforeExit')).toBe(0)
  expect(await (await reopen(disk)).docStore.documentExists('a')).toBe(true)
  await expectCode(context.docStore.documentExists('a'), 'VARVE_CLOSED')
})

test('a transaction is one commit or nothing, and is not saved in between', async () => {
  const { context } = await open()
  const struct = new IndexDict()
  await context.storage.transaction({ message: 'both' }, async () => {
    await insert(context, struct, 'a')
    await sleep(5)
    await insert(context, struct, 'b')
  })
  const broken = context.storage.transaction({}, async () => {
    await insert(context, struct, 'c')
    throw new Error('no embedding today')
  })
  await expect(broken).rejects.toThrow('no embedding today')
  expect((await settled(context)).map(({ message }) => message)).toEqual(['both'])
  expect(await context.docStore.documentExists('chunk of c')).toBe(false)
})

test('a full disk is told of; the changes stay pending, and the next one tries again', async () => {
  const { context, disk, warnings } = await open()
  const struct = new IndexDict()
  disk.onOperation = ({ kind }) => {
    if (kind === 'write')
      throw Object.assign(new Error('ENOSPC: no space left'), { code: 'ENOSPC', written: 0 })
  }
  await insert(context, struct, 'a')
  expect(await settled(context)).toEqual([])
  expect(warnings).toEqual([expect.stringMatching(/^Not saved: .*disk.* full.*persist\(\)/i)])
  await expectCode(context.persist(), 'VARVE_DISK_FULL')
  disk.onOperation = undefined
  await insert(context, struct, 'b')
  await settled(context)
  const again = await reopen(disk)
  expect(await again.docStore.documentExists('chunk of a')).toBe(true)
  expect(await again.docStore.documentExists('chunk of b')).toBe(true)
})

test('without a directory nothing is written', async () => {
  const { context, disk } = await open({ persistDir: undefined as never })
  await context.docStore.addDocuments([new TextNode({ id_: 'a', text: 'text' })], true)
  await settled(context)
  await context.close()
  expect(disk.operations).toBe(0)
})

test('opening writes nothing; a directory opened for reading says so when it is changed', async () => {
  const { context, disk } = await open()
  expect(disk.operations).toBe(0)
  await insert(context, new IndexDict(), 'a')
  await context.close()
  const { context: reader } = await open({ disk, readOnly: true, persistDir: dir })
  await expectCode(reader.docStore.setDocumentHash('a', 'h'), 'VARVE_READ_ONLY')
  await reader.close()
})

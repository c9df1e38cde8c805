import { describe, expect, test } from 'vitest'
import type { ReadableFile } from '../../src/disk/disk.ts'
import { MemoryDisk } from '../../src/disk/memory-disk.ts'
import { StorageContext, TextNode } from '../../src/index.ts'
import type { StoredDocument } from '../../src/history/stored-value.ts'
import { Fold } from '../../src/journal/fold.ts'
import { Home } from '../../src/journal/home.ts'
import { pageBytes } from '../../src/journal/snapshot-pages.ts'
import { kindOf } from '../../src/stores/store-kinds.ts'
import { edit } from '../support/damage.ts'

const directory = '/storage'
const snapshot = `${directory}/snapshots/0000000001~docstore.snap`
const nodes = 800
const idOf = (at: number): string => `node ${at}`

/** Tells what is read of snapshots, and whether their files were closed. */
class WatchedDisk extends MemoryDisk {
  read = 0
  opened = 0
  closed = 0
  /** What happens to reads of snapshots from now on. */
  trouble: 'none' | 'garbage' | 'nothing' | 'EIO' = 'none'

  override async openToRead(path: string): Promise<ReadableFile> {
    const file = await super.openToRead(path)
    if (!path.endsWith('.snap')) return file
    if (path === snapshot) this.opened++
    const count = (bytes: Uint8Array): Uint8Array => {
      if (this.trouble === 'EIO') throw Object.assign(new Error('EIO: no luck'), { code: 'EIO' })
      if (path === snapshot) this.read += bytes.length
      if (this.trouble === 'nothing') return bytes.subarray(0, 0)
      return this.trouble === 'garbage' ? bytes.map((byte) => byte ^ 1) : bytes
    }
    return {
      size: () => file.size(),
      read: async (...at) => count(await file.read(...at)),
      readNow: (...at) => count(file.readNow(...at)),
      close: async () => {
        if (path === snapshot) this.closed++
        await file.close()
      },
    }
  }
}

function open(disk: MemoryDisk, options: { readOnly?: boolean } = {}): Promise<StorageContext> {
  return StorageContext.fromDefaults({ persistDir: directory, disk, onWarning: () => {}, ...options })
}

function nodesFrom(from: number, to: number): TextNode[] {
  return Array.from(
    { length: to - from },
    (_, at) => new TextNode({ id_: idOf(from + at), text: `text ${from + at}` }),
  )
}

/** A docstore with a snapshot, and two commits behind it. */
async function written(count = nodes): Promise<WatchedDisk> {
  const disk = new WatchedDisk()
  const first = await open(disk)
  await first.docstore.addDocuments(nodesFrom(0, count))
  await first.persist()
  await first.close()
  const second = await open(disk)
  await second.docstore.addDocuments([new TextNode({ id_: idOf(7), text: 'changed' })])
  await second.persist()
  await second.docstore.deleteDocument(idOf(8))
  await second.persist()
  await second.close()
  disk.read = disk.opened = disk.closed = 0
  return disk
}

/** Where each page begins in the file. */
function pagesOf(disk: MemoryDisk): number[] {
  const bytes = Buffer.from(disk.peek(snapshot))
  const padded = (length: number): number => (length + 7) & ~7
  const start = padded(padded(24 + bytes.readUInt32LE(16)) + bytes.readUInt32LE(20) * 4)
  return Array.from({ length: bytes.readUInt32LE(20) }, (_, page) => start + page * pageBytes)
}

/** Every node, one at a time, as text; undefined for what is not there. */
async function textsIn({ docstore }: StorageContext): Promise<(string | undefined)[]> {
  const texts = []
  for (let at = 0; at < nodes; at++)
    texts.push(((await docstore.getDocument(idOf(at), { raiseError: false })) as TextNode | undefined)?.text)
  return texts
}

const texts = Array.from({ length: nodes }, (_, at) =>
  at === 7 ? 'changed' : at === 8 ? undefined : `text ${at}`,
)

describe('a store that is only looked at', () => {
  test('reads the pages of what is asked for, however large its snapshot is', async () => {
    const [small, large] = [await written(), await written(6 * nodes)]
    for (const disk of [small, large]) {
      await using storage = await open(disk)
      expect((await storage.docstore.getNode(idOf(9))) as TextNode).toMatchObject({ text: 'text 9' })
      expect((await storage.docstore.getNode(idOf(7))) as TextNode).toMatchObject({ text: 'changed' })
      expect(disk.read).toBeGreaterThan(pageBytes)
      expect(disk.read).toBeLessThanOrEqual(pageBytes * 16)
    }
    expect(pagesOf(large).length).toBeGreaterThan(40)
  })

  test('has all there is, in order, and a page is read once', async () => {
    const disk = await written()
    const storage = await open(disk)
    expect(await textsIn(storage)).toEqual(texts)
    expect(await textsIn(storage)).toEqual(texts)
    const ids = [...(await storage.docstore.getAllDocumentHashes()).values()]
    expect(ids).toEqual(Array.from({ length: nodes }, (_, at) => idOf(at)).filter((_, at) => at !== 8))
    expect(disk.read).toBeLessThan(disk.peek(snapshot).length + pageBytes * 2)
    await storage.close()
    expect([disk.opened, disk.closed]).toEqual([1, 1])
  })

  test('leaves no file open', async () => {
    const disk = await written()
    const storage = await open(disk)
    await storage.docstore.getNode(idOf(9))
    expect([disk.opened, disk.closed]).toEqual([1, 0])
    await storage.close()
    expect([disk.opened, disk.closed]).toEqual([1, 1])
  })

  test('has a value that is longer than a page', async () => {
    const disk = new WatchedDisk()
    const writer = await open(disk)
    const source = { SOURCE: { nodeId: 'document', nodeType: 'DOCUMENT', metadata: {} } } as const
    await writer.docstore.addDocuments(
      nodesFrom(0, 4000).map((node) => new TextNode({ id_: node.id_, text: '', relationships: source })),
    )
    await writer.persist()
    await writer.close()
    disk.read = 0
    await using reader = await open(disk, { readOnly: true })
    const { nodeIds } = (await reader.docstore.getRefDocInfo('document'))!
    expect(nodeIds).toEqual(Array.from({ length: 4000 }, (_, at) => idOf(at)))
    expect(disk.read).toBeGreaterThan(2 * pageBytes)
    expect(disk.read).toBeLessThan(disk.peek(snapshot).length / 2)
  })

  test('sees what others commit', async () => {
    const disk = await written()
    await using reader = await open(disk, { readOnly: true })
    expect(await reader.docstore.documentExists(idOf(9))).toBe(true)
    const writer = await open(disk.asProcess({ pid: 2 }))
    await writer.docstore.deleteDocument(idOf(9))
    await writer.docstore.addDocuments([new TextNode({ id_: 'new', text: 'new' })])
    await writer.persist()
    await writer.close()
    await reader.history.log({ limit: 1 }).next()
    expect(await reader.docstore.documentExists(idOf(9))).toBe(false)
    expect(await reader.docstore.documentExists('new')).toBe(true)
    expect(await reader.docstore.documentExists(idOf(10))).toBe(true)
  })

  test('can be written to, and its next snapshot holds everything', async () => {
    const disk = await written()
    const storage = await open(disk)
    expect(await storage.docstore.documentExists(idOf(9))).toBe(true)
    await storage.docstore.addDocuments(nodesFrom(nodes, 2 * nodes))
    await storage.persist()
    await storage.close()
    await using again = await open(disk, { readOnly: true })
    expect((await again.history.verify()).snapshots.map(({ state }) => state)).not.toContain('differs')
    expect(await textsIn(again)).toEqual(texts)
    expect(await again.docstore.documentExists(idOf(2 * nodes - 1))).toBe(true)
  })

  test('of which nothing is changed leaves its snapshot as it is', async () => {
    const disk = await written()
    const before = disk.peek(snapshot)
    const storage = await open(disk)
    expect(await storage.docstore.documentExists(idOf(9))).toBe(true)
    await storage.graphStore.upsertTriplet('a', 'knows', 'b')
    await storage.persist()
    await storage.close()
    expect(Buffer.compare(disk.peek(snapshot), before)).toBe(0)
    await using again = await open(disk, { readOnly: true })
    expect(await textsIn(again)).toEqual(texts)
  })
})

test('a snapshot whose head gives tables the names of others is none', async () => {
  const disk = await written()
  edit(disk, snapshot, (bytes) => {
    const [records, refDocs] = [bytes.indexOf('records'), bytes.indexOf('refDocs')]
    bytes.write('refDocs', records)
    bytes.write('records', refDocs)
  })
  await using storage = await open(disk)
  expect(await storage.docstore.getDocumentHash(idOf(9))).toBeDefined()
  expect(await textsIn(storage)).toEqual(texts)
})

test('a store that was only looked at is not made into a snapshot', async () => {
  const disk = await written()
  const killed = await open(disk.asProcess({ pid: 2 }))
  await killed.docstore.addDocuments(nodesFrom(nodes, 2 * nodes))
  await killed.persist()
  const left = new WatchedDisk({}, disk.crash('all'))
  const storage = await open(left)
  expect(await storage.docstore.documentExists(idOf(9))).toBe(true)
  await storage.graphStore.upsertTriplet('a', 'knows', 'b')
  await storage.persist()
  await storage.close()
  await using again = await open(left, { readOnly: true })
  expect(new Set((await again.history.verify()).snapshots.map(({ state }) => state))).toEqual(
    new Set(['equal']),
  )
  expect(await textsIn(again)).toEqual(texts)
})

test('a store that is forgotten and looked at anew while it is loaded is loaded all the same', async () => {
  const home = (await Home.open(await written(), directory))!
  const fold = new Fold(kindOf)
  const source = home.source('docstore')
  expect((await fold.look('docstore', source)).unread).toBeDefined()
  const loading = fold.load('docstore', source)
  fold.clear()
  const looking = fold.look('docstore', source)
  const loaded = await loading
  expect(loaded.unread).toBeUndefined()
  expect(loaded).toBe(await looking)
  expect(fold.store('docstore')).toBe(loaded)
  await home.files.close()
})

describe('a damaged page', () => {
  test('costs time and nothing else: whatever stands in it comes from the log', async () => {
    const whole = await written()
    const pages = pagesOf(whole)
    expect(pages.length).toBeGreaterThan(3)
    for (const page of pages) {
      const disk = await written()
      edit(disk, snapshot, (bytes) => void (bytes[page + 100]! ^= 1))
      await using storage = await open(disk)
      expect(await textsIn(storage)).toEqual(texts)
    }
  })

  test('that is met after others were looked at is no trouble', async () => {
    const disk = await written()
    await using storage = await open(disk)
    expect(await storage.docstore.documentExists(idOf(9))).toBe(true)
    disk.trouble = 'garbage'
    expect(await textsIn(storage)).toEqual(texts)
  })

  test('is met before anything is written', async () => {
    const disk = await written()
    const storage = await open(disk)
    expect(await storage.docstore.documentExists(idOf(9))).toBe(true)
    disk.trouble = 'garbage'
    await storage.docstore.deleteDocument(idOf(700))
    await storage.docstore.addDocuments(nodesFrom(nodes, 2 * nodes))
    await storage.persist()
    await storage.close()
    disk.trouble = 'none'
    await using again = await open(disk, { readOnly: true })
    expect((await again.history.verify()).snapshots.map(({ state }) => state)).not.toContain('differs')
    expect(await textsIn(again)).toEqual(texts.with(700, undefined))
    expect(await again.docstore.documentExists(idOf(2 * nodes - 1))).toBe(true)
  })

  test.each(['EIO', 'nothing'] as const)('of which a read gives %s is none', async (trouble) => {
    for (const isWriting of [false, true]) {
      const disk = await written()
      const storage = await open(disk)
      expect(await storage.docstore.documentExists(idOf(9))).toBe(true)
      disk.trouble = trouble
      if (isWriting) await storage.docstore.deleteDocument(idOf(700))
      expect(await textsIn(storage)).toEqual(isWriting ? texts.with(700, undefined) : texts)
      await storage.close()
      expect(disk.closed).toBe(disk.opened)
    }
  })

  test('is no cause for whoever needs all pages to fail', async () => {
    const disk = await written()
    edit(disk, snapshot, (bytes) => void (bytes[bytes.indexOf(idOf(700))]! ^= 1))
    const storage = await open(disk)
    await storage.docstore.addDocuments(nodesFrom(nodes, nodes + 1))
    expect(await textsIn(storage)).toEqual(texts)
    await storage.close()
  })

  test('is no trouble when others have committed meanwhile', async () => {
    const disk = await written()
    await using reader = await open(disk, { readOnly: true })
    expect(await reader.docstore.documentExists(idOf(9))).toBe(true)
    const writer = await open(disk.asProcess({ pid: 2 }))
    await writer.docstore.deleteDocument(idOf(700))
    await writer.persist()
    await writer.close()
    disk.trouble = 'garbage'
    await reader.history.log({ limit: 1 }).next()
    expect(await textsIn(reader)).toEqual(texts.with(700, undefined))
  })

  test('does not show in a view of a struct, which looks at it later', async () => {
    const disk = new WatchedDisk()
    const writer = await open(disk)
    const entries = new Map(Array.from({ length: 2000 }, (_, at) => [idOf(at), idOf(at)]))
    await writer.indexStore.addIndexStruct({
      indexId: 'i',
      type: 'vector_store',
      nodesDict: entries,
    })
    await writer.persist()
    await writer.close()
    await using storage = await open(disk, { readOnly: true })
    const view = await storage.indexStore.viewIndexStruct!('i')
    disk.trouble = 'garbage'
    expect(view!.get('nodesDict', idOf(1999))).toBe(idOf(1999))
  })
})

describe('a diff', () => {
  const differing = [
    [idOf(7), 'text 7', 'changed'],
    [idOf(8), 'text 8', undefined],
  ]

  async function diffed({ history }: StorageContext): Promise<unknown[]> {
    const texts = []
    for await (const { key, before, after } of history.diff(1, 'HEAD')) {
      const [was, is] = [before, after].map((value) => (value as StoredDocument | undefined)?.node)
      texts.push([key, (was as TextNode).text, (is as TextNode | undefined)?.text])
    }
    return texts
  }

  test('reads the pages of what differs, however large the snapshot is, and closes it', async () => {
    for (const count of [nodes, 6 * nodes]) {
      const disk = await written(count)
      await using storage = await open(disk, { readOnly: true })
      expect(await diffed(storage)).toEqual(differing)
      expect(disk.read).toBeGreaterThan(pageBytes)
      expect(disk.read).toBeLessThanOrEqual(pageBytes * 2 * 16)
      expect([disk.opened, disk.closed]).toEqual([2, 2])
    }
  })

  test('that is not read to its end leaves no file open', async () => {
    const disk = await written()
    await using storage = await open(disk, { readOnly: true })
    for await (const { key } of storage.history.diff(1, 'HEAD')) {
      expect(key).toBe(idOf(7))
      expect(disk.opened).toBeGreaterThan(0)
      break
    }
    expect(disk.closed).toBe(disk.opened)
  })

  test('does not mind a damaged page, whichever it is', async () => {
    const pages = pagesOf(await written())
    const opened = []
    for (const page of pages) {
      const disk = await written()
      edit(disk, snapshot, (bytes) => void (bytes[page + 100]! ^= 1))
      await using storage = await open(disk, { readOnly: true })
      expect(await diffed(storage)).toEqual(differing)
      expect(disk.closed).toBe(disk.opened)
      opened.push(disk.opened)
    }
    // Met: then it is read whole, too. Not met: there is nothing to be minded.
    expect(new Set(opened)).toEqual(new Set([2, 4]))
  })

  test('that looks at an older snapshot, since the newest cannot be read, tells the same', async () => {
    const disk = await written()
    const storage = await open(disk)
    await storage.docstore.addDocuments(nodesFrom(nodes, 2 * nodes))
    await storage.persist()
    await storage.docstore.deleteDocument(idOf(9))
    await storage.persist()
    await storage.close()
    const newest = (await disk.list(`${directory}/snapshots`)).filter((name) =>
      name.endsWith('~docstore.snap'),
    )
    expect(newest).toHaveLength(2)
    edit(disk, `${directory}/snapshots/${newest[1]}`, (bytes) => bytes.fill(1, 20_000))
    disk.opened = disk.closed = 0
    await using again = await open(disk, { readOnly: true })
    const keys = []
    for await (const { key, change } of again.history.diff(4, 5)) keys.push([key, change])
    expect(keys).toEqual([[idOf(9), 'removed']])
    expect(disk.opened).toBeGreaterThan(0)
    expect(disk.closed).toBe(disk.opened)
  })

  test('goes on when a writer removes a snapshot that it knows of, or looks at', async () => {
    for (const when of ['before', 'after'] as const) {
      const disk = await written()
      await using storage = await open(disk, { readOnly: true })
      const openToRead = disk.openToRead.bind(disk)
      let removed = 0
      disk.openToRead = async (path) => {
        const remove = async (): Promise<void> => {
          if (path === snapshot && removed++ === 0) await disk.unlink(path)
        }
        if (when === 'before') await remove()
        const file = await openToRead(path)
        await remove()
        return file
      }
      expect(await diffed(storage)).toEqual(differing)
      expect(removed).toBeGreaterThan(0)
      expect(disk.closed).toBe(disk.opened)
    }
  })

  test('of moments before an erase tells what was not erased, and nothing of the rest', async () => {
    const disk = await written()
    const storage = await open(disk)
    await storage.history.erase({ nodeIds: [idOf(7)], reason: 'asked' })
    await storage.close()
    await using again = await open(disk, { readOnly: true })
    const keys = []
    for await (const { key, change } of again.history.diff(1, 3, { store: 'docstore' }))
      keys.push([key, change])
    expect(keys).toEqual([[idOf(8), 'removed']])
    expect(disk.closed).toBe(disk.opened)
  })
})

import { describe, expect, test } from 'vitest'
import { StorageContext } from '../../src/context/storage-context.ts'
import { MemoryDisk } from '../../src/disk/memory-disk.ts'
import { repairDirectory } from '../../src/history/repair.ts'
import { verifyDirectory } from '../../src/history/verify.ts'
import { TextNode } from '../../src/stores/node.ts'
import { headerBytes } from '../../src/log/frame.ts'
import { segmentHeaderBytes } from '../../src/log/segment.ts'
import { edit, filesUnder } from '../support/damage.ts'

const persistDir = '/storage'
const info = (nodeId: string) => ({ nodeId, metadata: {} })

async function open(disk: MemoryDisk): Promise<StorageContext> {
  return StorageContext.fromDefaults({ persistDir, disk, onWarning: () => {} })
}

/** Commit 1 adds a node to erase and one to keep, commit 2 another version of both. */
async function filled(): Promise<MemoryDisk> {
  const disk = new MemoryDisk()
  const storage = await open(disk)
  for (const version of [1, 2]) {
    const nodes = ['secret', 'page'].map(
      (id) =>
        new TextNode({
          id_: `${id}-node`,
          text: `${id} ${version}`,
          relationships: { SOURCE: info(`${id}-doc`) },
        }),
    )
    await storage.docstore.addDocuments(nodes)
    await storage.persist()
  }
  await storage.close()
  return disk
}

async function erase(disk: MemoryDisk): Promise<void> {
  const storage = await open(disk)
  try {
    await storage.history.erase({ refDocIds: ['secret-doc'], reason: 'asked for' })
  } finally {
    await storage.close()
  }
}

/** The erase commit is durable, and nothing is overwritten. */
async function unfinished(): Promise<MemoryDisk> {
  const disk = await filled()
  disk.onOperation = ({ kind, path, sizeBytes = 0, offset = 0 }) => {
    if (kind === 'write' && path.includes('/docstore/') && sizeBytes < 200 && offset < 700)
      throw Object.assign(new Error('EIO'), { code: 'EIO' })
  }
  await erase(disk).catch(() => {})
  disk.onOperation = undefined
  return disk.crash('none')
}

describe('an erase without an end', () => {
  const path = `${persistDir}/docstore/0000000001.log`

  /** A node of another store, so that nothing else meets the damage. */
  async function write(disk: MemoryDisk, directory = persistDir): Promise<void> {
    const storage = await StorageContext.fromDefaults({ persistDir: directory, disk, onWarning: () => {} })
    try {
      await storage.vectorStore.add([new TextNode({ id_: 'later', embedding: [1] })])
      await storage.persist()
    } finally {
      await storage.close().catch(() => {})
    }
  }

  async function traces(disk: MemoryDisk, directory: string): Promise<string[]> {
    const files = await filesUnder(disk, directory)
    return files.filter((file) => Buffer.from(disk.peek(file)).includes('secret'))
  }

  test('is completed where what stands beside it is damaged', async () => {
    const disk = await unfinished()
    edit(disk, path, (bytes) => void (bytes[bytes.indexOf('page-node')]! ^= 1))
    expect(await traces(disk, persistDir)).toEqual([path])
    await write(disk)
    expect(await traces(disk, persistDir)).toEqual([])
    const report = await verifyDirectory(disk, persistDir)
    expect(report.erasures).toMatchObject([{ commit: 3, isFinished: true }])
    expect(report.damages).toMatchObject([{ kind: 'item', store: 'docstore' }])
  })

  test('that nobody can find in a damaged frame stops every writer, and a repair takes over all else', async () => {
    const disk = await unfinished()
    edit(disk, path, (bytes) => void (bytes[segmentHeaderBytes + headerBytes]! ^= 1))
    for (let attempt = 0; attempt < 2; attempt++)
      await expect(write(disk)).rejects.toMatchObject({
        code: 'VARVE_CORRUPT',
        message: expect.stringMatching(
          /nothing is written here until it is overwritten\. Run varve repair \/storage --to NEW/,
        ) as string,
      })
    await repairDirectory(disk, persistDir, '/repaired')
    expect(await traces(disk, '/repaired')).toEqual([])
    await write(disk, '/repaired')
    const report = await verifyDirectory(disk, '/repaired')
    expect(report).toMatchObject({ intact: true, erasures: [] })
    const storage = await StorageContext.fromDefaults({ persistDir: '/repaired', disk, readOnly: true })
    expect(await storage.docstore.getNode('page-node')).toMatchObject({ text: 'page 2' })
    await storage.close()
  })
})

describe('verify', () => {
  test('lists what was erased, by commit, and finds all else intact', async () => {
    const disk = await filled()
    await erase(disk)
    const report = await verifyDirectory(disk, persistDir)
    expect(report.damages).toEqual([])
    expect(report).toMatchObject({
      intact: true,
      commits: 4,
      erasures: [{ commit: 3, items: 2, left: 0, isFinished: true }],
    })
  })

  test('lists an erase that has no end yet, which the next writer gives it', async () => {
    const disk = await unfinished()
    const report = await verifyDirectory(disk, persistDir)
    expect(report.damages).toEqual([])
    expect(report.erasures).toEqual([{ commit: 3, items: 2, left: 2, isFinished: false }])
    const storage = await open(disk)
    await storage.docstore.setDocumentHash('x', 'y')
    await storage.persist()
    await storage.close()
    expect((await verifyDirectory(disk, persistDir)).erasures).toEqual([
      { commit: 3, items: 2, left: 0, isFinished: true },
    ])
  })

  test('finds the snapshots that were made anew after it to be what a replay gives', async () => {
    const disk = await filled()
    for (const id of ['later', 'last']) {
      const storage = await open(disk)
      await storage.docstore.addDocuments([new TextNode({ id_: id, text: id })])
      await storage.persist()
      await storage.close()
    }
    const states = async (): Promise<[string, string][]> => {
      const { intact, snapshots } = await verifyDirectory(disk, persistDir)
      expect(intact).toBe(true)
      return snapshots.map(({ path, state }) => [path, state])
    }
    const before = await states()
    expect(before.filter(([path]) => path.endsWith('~docstore.snap')).length).toBeGreaterThan(2)
    await erase(disk)
    expect(await states()).toEqual(expect.arrayContaining(before))
    expect((await states()).filter(([, state]) => state !== 'equal')).toEqual([])
  })

  test('does not call damage what a writer erases meanwhile', async () => {
    const disk = await filled()
    const reader = disk.asProcess({ pid: 9 })
    const openToRead = reader.openToRead.bind(reader)
    let erasing: Promise<void> | undefined
    reader.openToRead = async (path) => {
      if (path.includes('docstore')) await (erasing ??= erase(disk))
      return openToRead(path)
    }
    const report = await verifyDirectory(reader, persistDir)
    expect(erasing).toBeDefined()
    expect(report).toMatchObject({ intact: true, damages: [], erasures: [{ commit: 3, isFinished: true }] })
  })

  test('calls zeros that no erase explains damage', async () => {
    const disk = await filled()
    const erased = disk.snapshot()
    await erase(erased)
    const path = `${persistDir}/docstore/0000000001.log`
    disk.put(path, erased.peek(path).slice(0, disk.peek(path).length))
    const report = await verifyDirectory(disk, persistDir)
    expect(report.intact).toBe(false)
    expect(report.damages.map(({ kind }) => kind)).toEqual(expect.arrayContaining(['item']))
  })

  test('calls bytes that are back where an erase left none damage', async () => {
    const disk = await filled()
    const before = disk.snapshot()
    await erase(disk)
    const path = `${persistDir}/docstore/0000000001.log`
    const [old, now] = [before.peek(path), disk.peek(path)]
    disk.put(path, Buffer.concat([old, now.subarray(old.length)]))
    const report = await verifyDirectory(disk, persistDir)
    expect(report.damages.map(({ fault }) => fault)).toEqual([
      'it was erased by commit 3, and holds bytes again',
      'it was erased by commit 3, and holds bytes again',
    ])
    const storage = await open(disk)
    await expect(storage.docstore.getNode('secret-node')).rejects.toMatchObject({
      code: 'VARVE_NODE_NOT_FOUND',
    })
    await storage.close()
  })
})

describe('repair', () => {
  test.each([
    ['a finished', async () => filled().then(async (disk) => (await erase(disk), disk))],
    ['an unfinished', unfinished],
  ] as const)('carries over nothing of what %s erase named, and the past still says so', async (_, made) => {
    const disk = await made()
    const report = await repairDirectory(disk, persistDir, '/repaired')
    expect(report.lost).toEqual([])
    for (const path of await filesUnder(disk, '/repaired'))
      expect(Buffer.from(disk.peek(path)).includes('secret'), path).toBe(false)
    const past = await StorageContext.fromDefaults({ persistDir: '/repaired', disk, asOf: 2 })
    await expect(past.docstore.getNode('secret-node')).rejects.toMatchObject({ code: 'VARVE_ERASED' })
    expect((await past.docstore.getNode('page-node')).text).toBe('page 2')
    await past.close()
    expect((await verifyDirectory(disk, '/repaired')).intact).toBe(true)
    const storage = await StorageContext.fromDefaults({ persistDir: '/repaired', disk })
    await storage.docstore.setDocumentHash('x', 'y')
    await storage.persist()
    await storage.close()
  })
})

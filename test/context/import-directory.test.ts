import { describe, expect, test } from 'vitest'
import { importLlamaIndex } from '../../src/context/import-directory.ts'
import { StorageContext } from '../../src/context/storage-context.ts'
import { MemoryDisk } from '../../src/disk/memory-disk.ts'
import { expectCode } from '../stores/store-cases.ts'
import { fill, filesOf, picture } from './support.ts'

const from = '/json'
const to = '/varve'

async function jsonDisk(): Promise<MemoryDisk> {
  const disk = new MemoryDisk()
  await using storage = await StorageContext.fromDefaults({ disk })
  await fill(storage)
  await storage.exportTo(from, { format: 'python' })
  return disk
}

describe('an import', () => {
  test.each([
    ['into a directory of its own', to],
    ['beside the files', undefined],
  ])('%s holds what the files hold, as commit 1', async (_, target) => {
    const disk = await jsonDisk()
    const before = await filesOf(disk)
    await using opened = await StorageContext.fromDefaults({ persistDir: from, disk: disk.snapshot() })
    const report = await importLlamaIndex(from, { to: target, disk })
    expect(report).toMatchObject({
      from,
      to: target ?? from,
      dialect: 'python',
      nodes: 4,
      indices: [
        { indexId: 'list', type: 'list' },
        { indexId: 'keywords', type: 'keyword_table' },
      ],
      vectors: { default: 2, image: 1 },
      triplets: 4,
      warnings: [],
      commit: { number: 1, kind: 'import', metadata: { files: report.files } },
    })
    expect(await filesOf(disk)).toMatchObject(before)
    await using storage = await StorageContext.fromDefaults({ persistDir: target ?? from, disk })
    expect(await picture(storage)).toEqual(await picture(opened))
    expect(storage.hasPendingChanges).toBe(false)
  })

  test('says what does not fit and what could not be placed', async () => {
    const disk = new MemoryDisk()
    const index = { i: { __type__: 'list', __data__: '{"index_id": "i", "nodes": ["missing"]}' } }
    disk.put(`${from}/index_store.json`, Buffer.from(JSON.stringify({ 'index_store/data': index, odd: {} })))
    const lone = { nodes: {}, relations: [], more: 1 }
    disk.put(`${from}/property_graph_store.json`, Buffer.from(JSON.stringify(lone)))
    const { warnings } = await importLlamaIndex(from, { to, disk })
    expect(warnings.map(({ message }) => message)).toEqual([
      'The collection "odd" is unknown, and was left out.',
      'It is missing: there are no nodes.',
      'Index i (list) names 1 nodes (missing) that docstore.json does not hold.',
      'property_graph_store.json: The parts more are unknown, and were left out.',
      'property_graph_store.json: Its relations are not an object, and were left out.',
    ])
  })

  test('tells how far it is', async () => {
    const disk = await jsonDisk()
    const seen: { bytes: number; totalBytes: number }[] = []
    const onProgress = ({ bytes, totalBytes }: { bytes: number; totalBytes: number }): void =>
      void seen.push({ bytes, totalBytes })
    const { files } = await importLlamaIndex(from, { to, disk, onProgress })
    const all = files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
    expect(seen.length).toBeGreaterThanOrEqual(files.length)
    expect(seen.every(({ bytes, totalBytes }) => bytes <= all && totalBytes === all)).toBe(true)
    expect(seen.at(-1)).toEqual({ bytes: all, totalBytes: all })
  })

  test('of files that hold nothing writes nothing', async () => {
    const disk = new MemoryDisk()
    disk.put(`${from}/docstore.json`, Buffer.from('{}'))
    expect(await importLlamaIndex(from, { to, disk })).toMatchObject({ nodes: 0, commit: undefined })
    expect(await disk.stat(to)).toBeUndefined()
  })
})

describe('an import that cannot be', () => {
  test('a target that holds anything is refused, and stays', async () => {
    const disk = await jsonDisk()
    disk.put(`${to}/mine.txt`, Buffer.from('mine'))
    await expectCode(importLlamaIndex(from, { to, disk }), 'VARVE_NOT_STORAGE')
    expect(await disk.list(to)).toEqual(['mine.txt'])
  })

  test('a second import beside the files is refused', async () => {
    const disk = await jsonDisk()
    await importLlamaIndex(from, { disk })
    await expect(importLlamaIndex(from, { disk })).rejects.toMatchObject({
      code: 'VARVE_NOT_STORAGE',
      message:
        '/json holds a journal already, or is just becoming one. Give the path of a new or empty directory.',
    })
  })

  test('a directory with nothing of LlamaIndex is not found', async () => {
    const disk = new MemoryDisk()
    await expectCode(importLlamaIndex('/nothing', { to, disk }), 'VARVE_NOT_FOUND')
  })

  test('a damaged file is named, and nothing counts', async () => {
    const disk = await jsonDisk()
    disk.put(`${from}/graph_store.json`, Buffer.from('{"graph_dict": {'))
    await expect(importLlamaIndex(from, { to, disk })).rejects.toMatchObject({
      code: 'VARVE_BAD_FILE',
      fields: { file: 'graph_store.json' },
    })
    await using storage = await StorageContext.fromDefaults({ persistDir: to, disk })
    expect(await storage.docstore.getAllRefDocInfo()).toEqual(new Map())
  })

  test('one that is stopped counts for nothing, and can be done again', async () => {
    const disk = await jsonDisk()
    const controller = new AbortController()
    const onProgress = (): void => controller.abort(new Error('enough'))
    await expect(importLlamaIndex(from, { to, disk, onProgress, signal: controller.signal })).rejects.toThrow(
      'enough',
    )
    expect((await importLlamaIndex(from, { to, disk })).commit?.number).toBe(1)
  })

  test('one that was killed at any operation counts for nothing or whole, and can be done again', async () => {
    const disk = await jsonDisk()
    const images: MemoryDisk[] = []
    disk.onOperation = () => images.push(disk.image('all'))
    const { commit } = await importLlamaIndex(from, { to, disk })
    expect(commit?.number).toBe(1)
    disk.onOperation = undefined
    expect(images.length).toBeGreaterThan(20)
    const again = async (image: MemoryDisk): Promise<string> => {
      try {
        return `commit ${(await importLlamaIndex(from, { to, disk: image })).commit?.number}`
      } catch (error) {
        return (error as { code: string }).code
      }
    }
    const outcomes = await Promise.all(images.map(again))
    expect(new Set(outcomes)).toEqual(new Set(['commit 1', 'VARVE_NOT_STORAGE']))
    expect(outcomes.indexOf('VARVE_NOT_STORAGE')).toBeGreaterThan(outcomes.lastIndexOf('commit 1'))
  })
})

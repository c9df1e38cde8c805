import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { exportLlamaIndex } from '../../src/context/export-directory.ts'
import { StorageContext } from '../../src/context/storage-context.ts'
import { MemoryDisk } from '../../src/disk/memory-disk.ts'
import { TextNode } from '../../src/stores/node.ts'
import { expectCode } from '../stores/store-cases.ts'
import { fill, filesOf, picture } from './support.ts'

const realRoot = join(import.meta.dirname, '../../../shared/llamaindex-dirs')
const hasReal = existsSync(realRoot)
if (!hasReal) console.warn(`skipped: real LlamaIndex directories, since ${realRoot} is not there`)

const quiet = { onWarning: () => {} }
const from = '/storage'
const to = '/exported'

async function filledDisk(): Promise<MemoryDisk> {
  const disk = new MemoryDisk()
  await using storage = await StorageContext.fromDefaults({ persistDir: from, disk })
  await fill(storage)
  await storage.persist()
  return disk
}

const textOf = (disk: MemoryDisk, name: string): string => Buffer.from(disk.peek(`${to}/${name}`)).toString()

describe('an export for Python', () => {
  test('holds what the storage holds, and leaves that alone', async () => {
    const disk = await filledDisk()
    const before = await filesOf(disk)
    const report = await exportLlamaIndex(from, { to, format: 'python', disk })
    expect(report).toEqual({
      to,
      format: 'python',
      files: report.files,
      nodes: 4,
      indices: 2,
      vectors: { default: 2, image: 1 },
      triplets: 4,
      omitted: [],
    })
    expect(report.files.map(({ name }) => name).toSorted()).toEqual(await disk.list(to))
    expect(report.files.map(({ sizeBytes }) => sizeBytes)).toEqual(
      report.files.map(({ name }) => disk.peek(`${to}/${name}`).length),
    )
    const after = await filesOf(disk)
    for (const [path, bytes] of Object.entries(before)) expect(after[path]).toBe(bytes)

    await using storage = await StorageContext.fromDefaults({ persistDir: from, disk, readOnly: true })
    await using exported = await StorageContext.fromDefaults({ persistDir: to, disk, ...quiet })
    expect(await picture(exported)).toEqual(await picture(storage))
  })

  test('always has the files that Python always has', async () => {
    const disk = new MemoryDisk()
    await using storage = await StorageContext.fromDefaults({ disk })
    await storage.exportTo(to, { format: 'python' })
    const vectors = '{"embedding_dict": {}, "text_id_to_ref_doc_id": {}, "metadata_dict": {}}'
    const texts = (await disk.list(to)).map((name) => [name, textOf(disk, name)])
    expect(texts).toEqual([
      ['default__vector_store.json', vectors],
      ['docstore.json', '{}'],
      ['graph_store.json', '{"graph_dict": {}}'],
      ['image__vector_store.json', vectors],
      ['index_store.json', '{}'],
    ])
  })

  test('writes vectors as their file had them, others with all digits', async () => {
    const lists = ['[0.1, -1e-05, 1e+20]', '[0.10000000149011612, 1.0, NaN]', '[1, 2, 3]']
    const embeddings = lists.map((list, at) => `"${at}": ${list}`).join(', ')
    const disk = new MemoryDisk()
    disk.put(`${from}/default__vector_store.json`, Buffer.from(`{"embedding_dict": {${embeddings}}}`))
    await using storage = await StorageContext.fromDefaults({ persistDir: from, disk, ...quiet })
    await storage.vectorStore.add([new TextNode({ id_: 'ours', embedding: [0.1, 1, 0] })])
    await storage.persist()
    await storage.close()
    await exportLlamaIndex(from, { to, format: 'python', disk })
    expect(textOf(disk, 'default__vector_store.json')).toContain(
      `{"embedding_dict": {${embeddings}, "ours": [0.10000000149011612, 1.0, 0.0]}`,
    )
  })

  test('writes a property graph as pydantic does', async () => {
    const disk = new MemoryDisk()
    const text =
      '{"nodes":{"ü":{"label":"l","embedding":[0.1,1.0],"properties":{"v":[0.0001,0.00001,-0.000015,1e-6,1e-7,1000000000000000.0,1e+16,1e+22,-0.0],"big":1180591620717411303424},"name":"ü\\n"}},"relations":{},"triplets":[]}'
    disk.put(`${from}/property_graph_store.json`, Buffer.from(text))
    await exportLlamaIndex(from, { to, format: 'python', disk, ...quiet })
    expect(textOf(disk, 'property_graph_store.json')).toBe(text)
  })

  test('takes pending changes along', async () => {
    const disk = await filledDisk()
    await using storage = await StorageContext.fromDefaults({ persistDir: from, disk, ...quiet })
    await storage.docstore.addDocuments([new TextNode({ id_: 'pending' })])
    expect(await storage.exportTo(to, { format: 'python' })).toMatchObject({ nodes: 5 })
    expect(storage.hasPendingChanges).toBe(true)
    await storage.rollback()
  })

  test('says what has no place: odd namespaces and unknown types', async () => {
    const disk = new MemoryDisk()
    await using storage = await StorageContext.fromDefaults({ disk })
    for (const name of ['a__b', '../up', 'end_', 'fine'])
      await storage.addVectorStore(name).add([new TextNode({ id_: 'n', embedding: [1] })])
    await storage.indexStore.addIndexStruct({ indexId: 'i', type: 'nebula' })
    await storage.indexStore.addIndexStruct({ indexId: 'j', type: 'simple_dict', nodesDict: new Map() })
    const { omitted, files } = await storage.exportTo(to, { format: 'python' })
    expect(omitted.map(({ what }) => what)).toEqual([
      'index i (nebula)',
      'namespace a__b (1 vectors)',
      'namespace ../up (1 vectors)',
      'namespace end_ (1 vectors)',
    ])
    expect(files.map(({ name }) => name)).toContain('fine__vector_store.json')
    expect(textOf(disk, 'index_store.json')).toMatch(
      /^\{"index_store\/data": \{"j": \{"__type__": "vector_store"/,
    )
    expect(await disk.list('/')).toEqual(['exported'])
  })
})

describe('an export that cannot be', () => {
  test('a target that is not empty is refused, and stays', async () => {
    const disk = await filledDisk()
    disk.put(`${to}/mine.txt`, Buffer.from('mine'))
    await expect(exportLlamaIndex(from, { to, format: 'python', disk })).rejects.toMatchObject({
      code: 'VARVE_NOT_STORAGE',
      message: '/exported is there already, and not empty. Give the path of a new or empty directory.',
    })
    expect(await disk.list(to)).toEqual(['mine.txt'])
  })

  test('a target inside the source, and a format that is none, are refused', async () => {
    const disk = await filledDisk()
    await expectCode(exportLlamaIndex(from, { to: `${from}/x`, format: 'python', disk }), 'VARVE_BAD_OPTION')
    await expectCode(exportLlamaIndex(from, { to, format: 'xml' as 'python', disk }), 'VARVE_BAD_OPTION')
    expect(await disk.list('/')).toEqual(['storage'])
  })

  test('one that is stopped leaves no directory', async () => {
    const disk = await filledDisk()
    const controller = new AbortController()
    const onProgress = ({ phase }: { phase: string }): void => {
      if (phase === 'graph_store.json') controller.abort(new Error('enough'))
    }
    await expect(
      exportLlamaIndex(from, { to, format: 'python', disk, onProgress, signal: controller.signal }),
    ).rejects.toThrow('enough')
    expect(await disk.stat(to)).toBeUndefined()
    await exportLlamaIndex(from, { to, format: 'python', disk })
  })

  test('a full disk is said, and leaves no directory', async () => {
    const disk = new MemoryDisk({ capacityBytes: 3000 })
    await using storage = await StorageContext.fromDefaults({ disk })
    await storage.docstore.addDocuments([new TextNode({ id_: 'n', text: 'x'.repeat(4000) })])
    await expect(storage.exportTo(to, { format: 'python' })).rejects.toMatchObject({
      code: 'VARVE_DISK_FULL',
      message: 'The disk of /exported is full. Nothing was left there. Free some space, and export again.',
    })
    expect(await disk.stat(to)).toBeUndefined()
  })

  test('a power failure at any operation leaves all of it or none', async () => {
    const disk = await filledDisk()
    const images: MemoryDisk[] = []
    disk.onOperation = () => images.push(disk.image('all'), disk.image('none'))
    await exportLlamaIndex(from, { to, format: 'python', disk })
    disk.onOperation = undefined
    images.push(disk.image('none'))
    const complete = await filesOf(disk, to)
    const outcomes = new Set<string>()
    for (const [at, image] of images.entries()) {
      const isThere = (await image.stat(to)) !== undefined
      outcomes.add(isThere ? 'whole' : 'none')
      if (isThere) expect(await filesOf(image, to), `image ${at}`).toEqual(complete)
    }
    expect(images.length).toBeGreaterThan(40)
    expect(outcomes).toEqual(new Set(['none', 'whole']))
  })
})

/** Directories of older versions, and the files of the present one, come out byte for byte; others in the newer spelling. */
describe.skipIf(!hasReal)('a real directory written again', () => {
  test.each([
    ['empty-tachikoma-vector', ['docstore.json', 'graph_store.json', 'index_store.json']],
    ['llmpy-2023-11', ['graph_store.json', 'index_store.json', 'vector_store.json']],
    ['kg-wey-gu-chatbot', ['index_store.json']],
    ['vec-wey-gu-chatbot', ['graph_store.json', 'index_store.json']],
    ['privategpt-qdrant-tiny', ['graph_store.json', 'image__vector_store.json', 'index_store.json']],
  ])('%s has the same bytes in %j', async (name, same) => {
    const disk = new MemoryDisk()
    const root = join(realRoot, name)
    for (const file of readdirSync(root)) disk.put(`${from}/${file}`, readFileSync(join(root, file)))
    await exportLlamaIndex(from, { to, format: 'python', disk, ...quiet })
    const written = readdirSync(root).filter((file) => {
      const now = file === 'vector_store.json' ? 'default__vector_store.json' : file
      const path = `${to}/${now}`
      return file.endsWith('.json') && Buffer.from(disk.peek(path)).equals(readFileSync(join(root, file)))
    })
    expect(written).toEqual(same)
  })
})

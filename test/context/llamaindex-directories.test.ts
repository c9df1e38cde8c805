import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { StorageContext, type StorageContextOptions } from '../../src/context/storage-context.ts'
import { SimpleDocumentStore } from '../../src/context/simple-stores.ts'
import { MemoryDisk } from '../../src/disk/memory-disk.ts'
import { loadIndexFromStorage } from '../../src/indices/load-index.ts'
import { VectorStoreIndex } from '../../src/indices/vector-store-index.ts'
import type { LlamaIndexContent } from '../../src/interop/llamaindex-content.ts'
import { readLlamaIndexDirectory } from '../../src/interop/llamaindex-directory.ts'
import type { JournalGraphStore } from '../../src/stores/graph-store.ts'
import { TextNode } from '../../src/stores/node.ts'
import type { JournalVectorStore } from '../../src/stores/vector-store.ts'
import { all, expectCode } from '../stores/store-cases.ts'
import { docstore, entry } from '../interop/made-directory.ts'
import { filesOf, picture } from './support.ts'

const realRoot = join(import.meta.dirname, '../../../shared/llamaindex-dirs')
const real = existsSync(realRoot)
  ? readdirSync(realRoot, { withFileTypes: true }).flatMap((found) =>
      found.isDirectory() ? [found.name] : [],
    )
  : []
if (real.length === 0) console.warn(`skipped: real LlamaIndex directories, since ${realRoot} is not there`)

const dir = '/storage'

async function open(disk: MemoryDisk, options: StorageContextOptions = {}) {
  const warnings: string[] = []
  const onWarning = (warning: string) => void warnings.push(warning)
  const storage = await StorageContext.fromDefaults({ disk, persistDir: dir, onWarning, ...options })
  return { storage, warnings }
}

function realDisk(name: string): MemoryDisk {
  const disk = new MemoryDisk()
  for (const file of readdirSync(join(realRoot, name)))
    disk.put(`${dir}/${file}`, readFileSync(join(realRoot, name, file)))
  return disk
}

/** Values that are no text or bytes yet are written as JSON. */
function madeDisk(files: Record<string, unknown>): MemoryDisk {
  const disk = new MemoryDisk()
  for (const [name, content] of Object.entries(files)) {
    disk.put(`${dir}/${name}`, Buffer.from(typeof content === 'string' ? content : JSON.stringify(content)))
  }
  return disk
}

const small = {
  'docstore.json': docstore(
    {
      n1: entry('1', {
        id_: 'n1',
        text: 'one',
        metadata: { a: 1 },
        relationships: { '1': { node_id: 'doc' } },
      }),
      n2: entry('1', { id_: 'n2', text: 'two', metadata: {}, relationships: { '1': { node_id: 'doc' } } }),
    },
    {
      'docstore/metadata': {
        doc: { doc_hash: 'h' },
        n1: { doc_hash: 'h1', ref_doc_id: 'doc' },
        n2: { doc_hash: 'h2', ref_doc_id: 'doc' },
      },
      'docstore/ref_doc_info': { doc: { node_ids: ['n1', 'n2'], metadata: { a: 1 } } },
    },
  ),
  'index_store.json': {
    'index_store/data': {
      i: entry(
        'vector_store',
        JSON.stringify({ index_id: 'i', summary: null, nodes_dict: { n1: 'n1', n2: 'n2' } }),
      ),
    },
  },
  'default__vector_store.json': {
    embedding_dict: { n1: [1, 0], n2: [0, 1] },
    text_id_to_ref_doc_id: { n1: 'doc', n2: 'doc' },
    metadata_dict: {
      n1: { a: 1, _node_type: 'TextNode', doc_id: 'doc', ref_doc_id: 'doc', document_id: 'doc' },
      n2: {},
    },
  },
  'graph_store.json': { graph_dict: { Alice: [['knows', 'Bob']] } },
}

const toy = (dimensions: number) => ({
  id: 'toy',
  dimensions,
  embed: async (texts: readonly string[]) => texts.map(() => new Float32Array(dimensions).fill(1)),
})

/** The storage holds exactly what the plain reader read from the files. */
async function expectContent(storage: StorageContext, content: LlamaIndexContent): Promise<void> {
  const { docstore: docs, graphStore } = storage
  const ids = [...content.nodes].map(({ id_ }) => id_)
  expect(await all(docs.ids())).toEqual(ids)
  const nodes = await docs.getNodes(ids)
  expect(nodes).toEqual([...content.nodes])
  expect(nodes.map(({ hash }) => hash)).toEqual([...content.nodes].map(({ hash }) => hash))
  for (const [id, { hash }] of content.documentMetadata) expect(await docs.getDocumentHash(id)).toBe(hash)
  const infos = await docs.getAllRefDocInfo()
  expect([...infos.keys()]).toEqual([...content.refDocs.keys()])
  for (const [id, { nodeIds, metadata }] of content.refDocs)
    expect(infos.get(id)).toEqual({ nodeIds, metadata })
  expect(await storage.indexStore.indexStructs()).toEqual(content.structs)
  for (const [namespace, records] of content.vectors) {
    if (records.length === 0) continue
    const store = storage.vectorStores.get(namespace) as JournalVectorStore
    expect(await store.ids()).toEqual(records.map(({ id }) => id))
    for (const { id, vector } of records) expect(await store.get(id)).toEqual(vector)
  }
  expect(await (graphStore as JournalGraphStore).triplets()).toHaveLength(
    new Set(content.graph.map(String)).size,
  )
  for (const [subject, relation, object] of content.graph)
    expect(await graphStore.get(subject)).toContainEqual([relation, object])
}

/** A change in every kind of store. */
async function change(storage: StorageContext): Promise<void> {
  await storage.docstore.addDocuments([new TextNode({ id_: 'mine', text: 'of the caller' })])
  await storage.indexStore.addIndexStruct({ indexId: 'mine', type: 'list', nodes: ['mine'] })
  await storage.graphStore.upsertTriplet('mine', 'mine', 'mine')
}

describe.skipIf(real.length === 0).each(real)('the real directory %s', (name) => {
  test('opens, with everything in it, and reading writes nothing', async () => {
    const disk = realDisk(name)
    const content = (await readLlamaIndexDirectory(disk, dir))!
    const before = await filesOf(disk)
    const { storage, warnings } = await open(disk)
    expect(warnings).toEqual(content.warnings.map(({ file, message }) => `${file}: ${message}`))
    await expectContent(storage, content)
    expect(storage.hasPendingChanges).toBe(false)
    await storage.close()
    const reader = await open(disk, { readOnly: true })
    await expectContent(reader.storage, content)
    await reader.storage.close()
    const docs = await SimpleDocumentStore.fromPersistDir(dir, { disk, onWarning: () => {} })
    expect(await all(docs.ids())).toEqual([...content.nodes].map(({ id_ }) => id_))
    await docs.close()
    expect(await filesOf(disk)).toEqual(before)
    expect(disk.operations).toBe(0)
  })

  test('its index loads and answers, or the error says what is missing', async () => {
    const { storage } = await open(realDisk(name))
    const structs = await storage.indexStore.indexStructs()
    const [id] = await (storage.vectorStore as JournalVectorStore).ids()
    const dimensions =
      id === undefined ? 8 : (await (storage.vectorStore as JournalVectorStore).get(id))!.length
    if (structs.length === 0) {
      await expectCode(loadIndexFromStorage(storage), 'VARVE_NO_INDEX')
    } else {
      const index = await loadIndexFromStorage(storage, { embedModel: toy(dimensions) })
      if (index instanceof VectorStoreIndex) {
        const hits = await index.asRetriever({ similarityTopK: 3 }).retrieve('question')
        const known = new Set(await (storage.vectorStore as JournalVectorStore).ids())
        const named = [...(structs[0]!.nodesDict as Map<string, string>).keys()].filter((each) =>
          known.has(each),
        )
        expect(hits).toHaveLength(Math.min(3, named.length))
      }
    }
    await storage.close()
  })

  test('the first persist writes the import, then the changes, and leaves the files alone', async () => {
    const disk = realDisk(name)
    const content = (await readLlamaIndexDirectory(disk, dir))!
    const before = await filesOf(disk)
    const { storage } = await open(disk)
    await change(storage)
    const commit = await storage.persist({ message: 'mine', actor: 'me' })
    expect(commit).toMatchObject({ number: 2, kind: 'data', message: 'mine', actor: 'me' })
    const [, first] = await all(storage.commits())
    expect(first).toMatchObject({ number: 1, kind: 'import' })
    expect(first!.metadata).toEqual({ files: content.files })
    const after = await picture(storage)
    await storage.close()
    expect(await filesOf(disk)).toMatchObject(before)
    const again = await open(disk)
    expect(again.warnings).toEqual([])
    expect(await picture(again.storage)).toEqual(after)
    await again.storage.rollback()
    await again.storage.close()
  })

  test('a dictionary of it holds the same', async () => {
    const { storage } = await open(realDisk(name))
    const dict = await storage.toDict()
    const copy = await StorageContext.fromDict(dict, { onWarning: () => {} })
    expect(await picture(copy)).toEqual(await picture(storage))
    expect(await copy.toDict()).toEqual(dict)
    await copy.close()
    await storage.close()
  })
})

describe('conversion', () => {
  test('without changes the first persist writes the import alone', async () => {
    const disk = madeDisk(small)
    const content = (await readLlamaIndexDirectory(disk, dir))!
    const { storage } = await open(disk)
    expect(await storage.persist()).toMatchObject({ number: 1, kind: 'import' })
    expect(await storage.persist()).toBeUndefined()
    await expectContent(storage, content)
    await storage.close()
    const { storage: again } = await open(disk)
    await expectContent(again, content)
    expect(await all(again.commits())).toHaveLength(1)
    await again.close()
  })

  test('rolled back changes leave the content of the files', async () => {
    const disk = madeDisk(small)
    const content = (await readLlamaIndexDirectory(disk, dir))!
    const { storage } = await open(disk)
    await change(storage)
    await storage.docstore.deleteRefDoc('doc')
    await storage.rollback()
    await expectContent(storage, content)
    await storage.transaction({ message: 'mine' }, () => storage.docstore.setDocumentHash('x', 'y'))
    expect((await all(storage.commits())).map(({ kind }) => kind)).toEqual(['data', 'import'])
    await storage.close()
  })

  test('a context closed without persist leaves the directory as it was', async () => {
    const disk = madeDisk(small)
    const before = await filesOf(disk)
    const { storage, warnings } = await open(disk)
    await change(storage)
    await storage.close()
    expect(warnings).toEqual([expect.stringContaining('pending changes')])
    expect(await filesOf(disk)).toEqual(before)
  })

  test('another context can be persisted over it: first the import, then the replacement', async () => {
    const disk = madeDisk(small)
    const memory = await StorageContext.fromDefaults({ disk })
    await change(memory)
    expect(await memory.persist(dir)).toMatchObject({ number: 2, kind: 'replace' })
    expect((await all(memory.commits())).map(({ kind }) => kind)).toEqual(['replace', 'import'])
    expect(await all(memory.docstore.ids())).toEqual(['mine'])
    await memory.close()
  })

  test('files that changed afterwards are named when the directory is opened; files that are gone are not', async () => {
    const disk = madeDisk(small)
    const { storage } = await open(disk)
    await storage.persist()
    await storage.close()
    disk.put(`${dir}/graph_store.json`, Buffer.from('{"graph_dict": {"Alice": [["hates", "Bob"]]}}'))
    disk.put(`${dir}/index_store.json`, disk.peek(`${dir}/index_store.json`))
    await disk.unlink(`${dir}/docstore.json`)
    const again = await open(disk)
    expect(again.warnings).toEqual([expect.stringMatching(/^graph_store\.json in \/storage differ/)])
    expect(await again.storage.graphStore.get('Alice')).toEqual([['knows', 'Bob']])
    await again.storage.close()
  })

  test('a process that converts it meanwhile is not overwritten', async () => {
    const disk = madeDisk(small)
    const { storage } = await open(disk)
    const other = await open(disk.asProcess({ pid: 2 }))
    await change(other.storage)
    await other.storage.persist()
    await other.storage.close()
    await storage.docstore.setDocumentHash('x', 'y')
    expect(await storage.persist()).toMatchObject({ number: 3 })
    expect((await all(storage.commits())).map(({ kind }) => kind)).toEqual(['data', 'data', 'import'])
    expect(await storage.docstore.documentExists('mine')).toBe(true)
    await storage.close()
  })

  test('a crash at any moment leaves the files in force, or the whole import', async () => {
    const content = (await readLlamaIndexDirectory(madeDisk(small), dir))!
    const disk = madeDisk(small)
    const images: { image: MemoryDisk; at: string }[] = []
    let seed = 1
    const random = () => (seed = (seed * 16_807) % 2_147_483_647) / 2_147_483_647
    const take = (when: string) => (operation: { index: number; kind: string; path: string }) => {
      const at = `${when} ${operation.index} (${operation.kind} ${operation.path})`
      images.push({ image: disk.image('none'), at: `${at}, nothing unsynced` })
      images.push({ image: disk.image('all'), at: `${at}, everything` })
      for (let round = 0; round < 3; round++)
        images.push({ image: disk.image(random), at: `${at}, seed ${seed}` })
    }
    const { storage } = await open(disk)
    disk.onOperation = take('before')
    disk.afterOperation = take('after')
    await change(storage)
    await storage.persist()
    const acknowledged = images.length
    disk.onOperation = disk.afterOperation = undefined
    const after = await picture(storage)
    await storage.close()
    const seen = new Set<string>()
    for (const [index, { image, at }] of images.entries()) {
      const { storage: survivor } = await open(image)
      const kinds = (await all(survivor.commits())).map(({ kind }) => kind).join()
      seen.add(kinds)
      expect([at, kinds]).toEqual([at, expect.stringMatching(/^(|import|data,import)$/)])
      if (index >= acknowledged) expect([at, kinds]).toEqual([at, 'data,import'])
      if (kinds === 'data,import') expect({ at, ...(await picture(survivor)) }).toEqual({ at, ...after })
      else await expectContent(survivor, content)
      // And it goes on from there.
      await survivor.docstore.setDocumentHash('later', 'h')
      await survivor.persist()
      await survivor.close()
    }
    expect(seen).toEqual(new Set(['', 'import', 'data,import']))
    console.log(
      `${images.length} crashes during the first persist of a LlamaIndex directory; chance began at seed 1`,
    )
  })
})

describe('files that do not fit together', () => {
  const withVectors = (embeddings: string) => ({
    ...small,
    'default__vector_store.json': `{"embedding_dict": ${embeddings}, "text_id_to_ref_doc_id": {}, "metadata_dict": {}}`,
  })

  test('vectors with NaN or infinity are kept, and never found', async () => {
    const disk = madeDisk(withVectors('{"n1": [NaN, 1.0], "bad": [Infinity, 0.5], "n2": [0.0, 1.0]}'))
    const { storage, warnings } = await open(disk)
    expect(warnings.join()).toContain('2 vectors of namespace default (n1, …) hold NaN or infinity')
    const store = storage.vectorStore as JournalVectorStore
    for (const round of ['from the files', 'from the journal']) {
      expect([round, await store.get('n1')]).toEqual([round, new Float32Array([NaN, 1])])
      expect(await store.query({ queryEmbedding: [1, 1], similarityTopK: 9 })).toMatchObject({ ids: ['n2'] })
      await storage.persist()
    }
    const index = await loadIndexFromStorage(storage, { embedModel: toy(2) })
    expect(
      (await (index as VectorStoreIndex).asRetriever().retrieve('q')).map(({ node }) => node.id_),
    ).toEqual(['n2'])
    await store.add([new TextNode({ id_: 'n1', embedding: [1, 1] })])
    expect((await store.query({ queryEmbedding: [1, 1], similarityTopK: 9 })).ids).toEqual(['n1', 'n2'])
    await storage.persist()
    await storage.close()
    const again = await open(disk)
    expect(
      (await again.storage.vectorStore.query({ queryEmbedding: [1, 1], similarityTopK: 9 })).ids,
    ).toEqual(['n1', 'n2'])
    await again.storage.close()
  })

  test('of vectors of several lengths all are kept, and those of the most frequent one found', async () => {
    const disk = madeDisk(withVectors('{"a": [1], "n1": [1, 0], "b": [1, 2, 3], "n2": [0, 1], "c": [1]}'))
    const { storage, warnings } = await open(disk)
    expect(warnings.join()).toContain('have 1, 2, 3 dimensions')
    const store = storage.vectorStore as JournalVectorStore
    expect((await store.query({ queryEmbedding: [1], similarityTopK: 9 })).ids).toEqual(['a', 'c'])
    expect(await store.get('b')).toEqual(new Float32Array([1, 2, 3]))
    await store.deleteNodes({ nodeIds: ['a'] })
    expect((await store.query({ queryEmbedding: [1, 0], similarityTopK: 9 })).ids).toEqual(['n1', 'n2'])
    await expectCode(store.add([new TextNode({ id_: 'x', embedding: [1] })]), 'VARVE_WRONG_DIMENSIONS')
    const before = await picture(storage)
    await storage.persist('/copy')
    await storage.persist()
    await storage.close()
    for (const persistDir of [dir, '/copy']) {
      const again = await open(disk, { persistDir })
      expect(await picture(again.storage)).toEqual(before)
      expect(
        (await again.storage.vectorStore.query({ queryEmbedding: [1, 0], similarityTopK: 9 })).ids,
      ).toEqual(['n1', 'n2'])
      await again.storage.close()
    }
  })

  test('a filter on vectors that were stored without metadata is an error, not an empty answer', async () => {
    const { storage } = await open(madeDisk(withVectors('{"n1": [1, 0]}')))
    const filters = { filters: [{ key: 'a', value: 1 }] }
    await expectCode(
      storage.vectorStore.query({ queryEmbedding: [1, 0], filters }),
      'VARVE_UNSUPPORTED_QUERY',
    )
    await storage.close()
  })

  test('where records do not name their source, deleting a node still takes it out of its ref doc', async () => {
    const old = (id: string) =>
      entry('1', { text: id, doc_id: id, extra_info: null, relationships: { '1': 'doc' } })
    const disk = madeDisk({
      'docstore.json': {
        'docstore/metadata': { doc: { doc_hash: 'h' }, a: { doc_hash: 'a' } },
        ...docstore({ a: old('a'), b: old('b') }),
      },
    })
    const { storage } = await open(disk)
    expect(await storage.docstore.getRefDocInfo('doc')).toEqual({ nodeIds: ['a', 'b'], metadata: {} })
    await storage.docstore.deleteDocument('a')
    expect(await storage.docstore.getRefDocInfo('doc')).toEqual({ nodeIds: ['b'], metadata: {} })
    await storage.docstore.deleteDocument('b')
    expect(await storage.docstore.getDocumentHash('doc')).toBeUndefined()
    await storage.rollback()
    await storage.close()
  })

  test('half of a surrogate pair is kept in texts, keywords and triplets, and left out in ids', async () => {
    const disk = madeDisk({
      'docstore.json': `{"docstore/data": {"n": {"__type__": "1", "__data__": {"id_": "n", "text": "a\\ud83d"}}, "bad\\udc00": {"__type__": "1", "__data__": {}}}}`,
      'index_store.json': `{"index_store/data": {"k": {"__type__": "keyword_table", "__data__": {"index_id": "k", "table": {"\\ud83d": ["n"]}}}}}`,
      'graph_store.json': `{"graph_dict": {"\\ud83d": [["\\ude00", "o"]]}}`,
      'property_graph_store.json': `{"nodes": {"\\ud83d": {"label": "entity", "properties": {"x": 1.0, "y": -0.0}, "name": "\\ud83d"}}, "relations": {}, "triplets": [["\\ud83d", "r", "b"]]}`,
    })
    const { storage, warnings } = await open(disk)
    expect(warnings.join()).toContain('1 entries have ids with half of a surrogate pair')
    const before = await picture(storage)
    expect(before).toMatchObject({
      ids: ['n'],
      triplets: [['\ud83d', '\ude00', 'o']],
      graphTriplets: [['\ud83d', 'r', 'b']],
      graphNodes: [{ name: '\ud83d', properties: { x: 1, y: -0 } }],
    })
    const dict = await storage.toDict()
    await storage.persist()
    await storage.close()
    const again = await open(disk)
    expect(await picture(again.storage)).toEqual(before)
    expect(await again.storage.toDict()).toEqual(dict)
    await again.storage.close()
  })

  test('a property graph of strange shapes opens, and says what was left out', async () => {
    const disk = madeDisk({
      'property_graph_store.json': {
        nodes: { a: 5, b: { label: 'x', name: 'b' } },
        relations: [],
        triplets: [
          ['b', 'r'],
          ['b', 'r', 'b'],
        ],
        later: 1,
      },
    })
    const { storage, warnings } = await open(disk)
    expect(await storage.propertyGraphStore.get()).toEqual([{ label: 'x', name: 'b' }])
    expect(await storage.propertyGraphStore.getTriplets()).toEqual([['b', 'r', 'b']])
    expect(warnings.filter((warning) => warning.startsWith('property_graph_store.json'))).toHaveLength(4)
    await storage.close()
  })

  test('a directory whose files are all empty opens as an empty storage', async () => {
    const disk = madeDisk({
      'docstore.json': {},
      'index_store.json': {},
      'graph_store.json': { graph_dict: {} },
    })
    const docs = await SimpleDocumentStore.fromPersistDir(dir, { disk, onWarning: () => {} })
    expect(await all(docs.ids())).toEqual([])
    await docs.close()
    const { storage } = await open(disk, { readOnly: true })
    await expectCode(loadIndexFromStorage(storage), 'VARVE_NO_INDEX')
    await storage.close()
  })

  test('a docstore of another namespace is found, and keeps its name', async () => {
    const disk = madeDisk({ 'docstore.json': { 'my docs/data': { n: entry('1', { id_: 'n', text: 't' }) } } })
    const { storage } = await open(disk)
    await storage.docstore.setDocumentHash('x', 'y')
    await storage.persist()
    await storage.close()
    const again = await open(disk)
    expect((again.storage.docstore as SimpleDocumentStore).namespace).toBe('my docs')
    expect(await again.storage.docstore.documentExists('n')).toBe(true)
    await again.storage.close()
  })

  test.each([
    ['cut off', '{"docstore/data": {"n'],
    ['no JSON', 'hello'],
    ['of another shape', '[1]'],
  ])('a docstore that is %s is named, and nothing is changed', async (_, text) => {
    const disk = madeDisk({ ...small, 'docstore.json': text })
    const before = await filesOf(disk)
    await expect(open(disk)).rejects.toMatchObject({
      code: 'VARVE_BAD_FILE',
      message: expect.stringContaining('docstore.json'),
    })
    expect(await filesOf(disk)).toEqual(before)
    // Mended, it opens.
    disk.put(`${dir}/docstore.json`, Buffer.from(JSON.stringify(small['docstore.json'])))
    await (await open(disk)).storage.close()
  })
})

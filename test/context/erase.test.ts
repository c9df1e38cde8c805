import { describe, expect, test } from 'vitest'
import { StorageContext } from '../../src/context/storage-context.ts'
import type { EraseOptions } from '../../src/context/storage-history.ts'
import type { MemoryDisk } from '../../src/disk/memory-disk.ts'
import type { BaseIndex } from '../../src/indices/base-index.ts'
import type { VarveError } from '../../src/errors.ts'
import { DocumentSummaryIndex } from '../../src/indices/document-summary-index.ts'
import { KnowledgeGraphIndex } from '../../src/indices/knowledge-graph-index.ts'
import { loadIndicesFromStorage } from '../../src/indices/load-index.ts'
import { PropertyGraphIndex } from '../../src/indices/property-graph-index.ts'
import { SimpleKeywordTableIndex } from '../../src/indices/simple-keyword-table-index.ts'
import { SummaryIndex } from '../../src/indices/summary-index.ts'
import { TreeIndex } from '../../src/indices/tree-index.ts'
import { VectorStoreIndex } from '../../src/indices/vector-store-index.ts'
import type { Triplet } from '../../src/stores/contract.ts'
import { TextNode, type Document } from '../../src/stores/node.ts'
import type { BaseNode } from '../../src/stores/node.ts'
import { bagOfWords } from '../indices/support/bag-of-words.ts'
import { document, oneSentenceANode } from '../indices/support/documents.ts'
import { filesUnder } from '../support/damage.ts'
import { quietDisk } from './support.ts'

const persistDir = '/storage'
const embedModel = bagOfWords()

function open(disk: MemoryDisk): Promise<StorageContext> {
  return StorageContext.fromDefaults({ persistDir, disk, onWarning: () => {} })
}

const summarize = (text: string, nodes: readonly BaseNode[]) => `${nodes.length}: ${text}`
const extractTriplets = (text: string): Triplet[] =>
  text.split('.').flatMap((sentence) => {
    const words = sentence.trim().split(' ')
    return words.length < 3 ? [] : [[words[0]!, words.slice(1, -1).join(' '), words.at(-1)!]]
  })

const secret = document('classified-doc', 'Zanzibar hides quixotic. Quixotic likes Tea.', { place: 'Zembla' })
const harmless = document('public-doc', 'Tea comes from China. China likes rice.', { place: 'here' })

/** What no file may hold: texts and ids, in any of these. */
const secretTexts = ['classified-doc', 'Zanzibar', 'zanzibar', 'uixotic', 'Zembla']

type Build = (storageContext: StorageContext, documents: Document[]) => Promise<BaseIndex>

const builders: Record<string, Build> = {
  vector: (storageContext, documents) =>
    VectorStoreIndex.fromDocuments(documents, { ...parts(storageContext, 'V'), embedModel }),
  list: (storageContext, documents) => SummaryIndex.fromDocuments(documents, parts(storageContext, 'L')),
  keyword_table: (storageContext, documents) =>
    SimpleKeywordTableIndex.fromDocuments(documents, parts(storageContext, 'K')),
  kg: (storageContext, documents) =>
    KnowledgeGraphIndex.fromDocuments(documents, {
      ...parts(storageContext, 'G'),
      extractTriplets,
      embedModel,
    }),
  simple_lpg: (storageContext, documents) =>
    PropertyGraphIndex.fromDocuments(documents, {
      ...parts(storageContext, 'P'),
      extractTriplets,
      embedModel,
    }),
  document_summary: (storageContext, documents) =>
    DocumentSummaryIndex.fromDocuments(documents, { ...parts(storageContext, 'D'), summarize, embedModel }),
  tree: (storageContext, documents) =>
    TreeIndex.fromDocuments(documents, { ...parts(storageContext, 'T'), summarize, numChildren: 2 }),
}

function parts(storageContext: StorageContext, prefix: string) {
  let count = 0
  const ids = { nodeParser: oneSentenceANode(`${prefix}-node-`), newId: () => `${prefix}-sum-${++count}` }
  return { storageContext, indexId: `${prefix}-index`, ...ids }
}

async function traces(disk: MemoryDisk, needles: readonly (string | Uint8Array)[]): Promise<string[]> {
  const found: string[] = []
  for (const path of await filesUnder(disk, persistDir)) {
    const bytes = Buffer.from(disk.peek(path))
    for (const needle of needles)
      if (bytes.includes(needle as Buffer))
        found.push(`${path}: ${typeof needle === 'string' ? needle : 'vector'}`)
  }
  return found
}

/** Everything that a context holds, as one tree. */
async function everything(storage: StorageContext): Promise<unknown> {
  return JSON.parse(JSON.stringify(await storage.toDict()))
}

/** The vectors of nodes, as float32 and as float64. */
async function vectorsOf(storage: StorageContext, ids: readonly string[]): Promise<Uint8Array[]> {
  const found: Uint8Array[] = []
  for (const [, store] of Object.entries({ default: storage.vectorStore })) {
    for (const id of ids) {
      const vector = await (store as unknown as { get(id: string): Promise<Float32Array | undefined> })
        .get(id)
        .catch(() => undefined)
      if (!vector) continue
      found.push(
        new Uint8Array(new Float32Array(vector).buffer),
        new Uint8Array(new Float64Array(vector).buffer),
      )
    }
  }
  return found
}

describe.each(Object.entries(builders))('a document in an index of type %s', (type, build) => {
  test('is erased with everything that came from it, and the rest is as if it had never been there', async () => {
    const disk = quietDisk()
    let storage = await open(disk)
    const index = await build(storage, [secret, harmless])
    await storage.persist()
    if (type !== 'tree') await index.deleteRefDoc('classified-doc', { deleteFromDocstore: true })
    await storage.docstore.setDocumentHash('classified-doc', 'changed')
    await storage.persist()
    await storage.close()
    storage = await open(disk)
    await storage.history.restore(1)
    await storage.docstore.setDocumentHash('public-doc', 'changed')
    await storage.persist()
    const info = await storage.docstore.getRefDocInfo('classified-doc')
    const nodeIds = info!.nodeIds
    const vectors = await vectorsOf(storage, nodeIds)
    if (type === 'vector') expect(vectors.length).toBeGreaterThan(0)
    const needles = [...secretTexts, ...nodeIds, ...vectors]
    expect((await traces(disk, secretTexts)).length).toBeGreaterThan(0)

    const report = await storage.history.erase({
      refDocIds: ['classified-doc'],
      reason: 'asked for',
      actor: 'ann',
    })
    expect(report).toMatchObject({ complete: true, refDocIds: ['classified-doc'] })
    expect(report.nodeIds).toEqual(expect.arrayContaining(nodeIds))
    expect(await traces(disk, needles)).toEqual([])
    const here = await everything(storage)
    expect(JSON.stringify(here)).not.toMatch(/classified|anzibar|uixotic/)
    expect(await storage.docstore.getRefDocInfo('public-doc')).toBeDefined()
    await storage.close()
    expect(await traces(disk, needles)).toEqual([])

    const again = await open(disk)
    expect(await everything(again)).toEqual(here)
    expect((await loadIndicesFromStorage(again, { embedModel })).length).toBe(1)
    await again.close()
    const past = await StorageContext.fromDefaults({ persistDir, disk, asOf: 1 })
    await expect(past.docstore.getNode(nodeIds[0]!)).rejects.toMatchObject({ code: 'VARVE_ERASED' })
    await expect(past.docstore.getNode('unknown')).rejects.toMatchObject({ code: 'VARVE_NODE_NOT_FOUND' })
    expect(
      (await past.docstore.getNodes((await past.docstore.getRefDocInfo('public-doc'))!.nodeIds)).length,
    ).toBeGreaterThan(0)
    expect(JSON.stringify(await everything(past))).not.toMatch(/classified|anzibar|uixotic/)
    await past.close()
  })
})

test('an entity that another document speaks of stays, without a word of where it was found first', async () => {
  const disk = quietDisk()
  const storage = await open(disk)
  const index = await builders['simple_lpg']!(storage, [
    document('classified-doc', 'Quixotic likes Tea.'),
    document('public-doc', 'Tea comes from China.'),
  ])
  await storage.persist()
  const asked = () => index.asRetriever({ retrieverMode: 'embedding' }).retrieve('Tea')
  expect(JSON.stringify(await asked())).toContain('Tea comes from China')
  const report = await storage.history.erase({ refDocIds: ['classified-doc'], reason: 'asked for' })
  expect(report).toMatchObject({ complete: true, remaining: [] })
  expect(await traces(disk, secretTexts)).toEqual([])
  expect(await storage.propertyGraphStore.get({ ids: ['Tea'] })).toMatchObject([
    { name: 'Tea', properties: {} },
  ])
  expect(JSON.stringify(await asked())).toContain('Tea comes from China')
  const { ids } = await storage.vectorStore.query({
    queryEmbedding: new Float32Array(embedModel.dimensions!).fill(1),
    similarityTopK: 9,
  })
  expect(ids.toSorted()).toEqual(['China', 'Tea'])
  await storage.close()
})

function related(id_: string, text: string, relationships: BaseNode['relationships']): TextNode {
  return new TextNode({ id_, text, relationships: { SOURCE: info('public-doc'), ...relationships } })
}

const info = (nodeId: string) => ({ nodeId, metadata: {} })

/** `secret-a` and `secret-b` of one document, and their neighbour, parent and a page that only mentions one, of another. */
async function neighbours(disk = quietDisk()): Promise<StorageContext> {
  const storage = await open(disk)
  const own = (id_: string): TextNode =>
    new TextNode({ id_, text: `text of ${id_}`, relationships: { SOURCE: info('classified-doc') } })
  await storage.docstore.addDocuments([
    own('secret-a'),
    own('secret-b'),
    related('next', 'comes after', { PREVIOUS: info('secret-b'), NEXT: info('page') }),
    related('page', 'see secret-a for more', {}),
    related('parent', 'sums up', { CHILD: [info('secret-a'), info('page')] }),
  ])
  await storage.persist()
  return storage
}

describe('what stays', () => {
  test('loses every mention of an erased document, and its earlier versions with them', async () => {
    const disk = quietDisk()
    const storage = await neighbours(disk)
    const report = await storage.history.erase({ refDocIds: ['classified-doc'], reason: 'asked for' })
    expect(report.rewritten).toEqual(['next', 'parent'])
    expect(report.remaining).toEqual([
      { kind: 'mention', store: 'docstore', key: 'page' },
      { kind: 'parent', store: 'docstore', key: 'parent' },
    ])
    expect(report.complete).toBe(false)
    expect((await storage.docstore.getNode('next')).relationships).toEqual({
      SOURCE: info('public-doc'),
      NEXT: info('page'),
    })
    expect((await storage.docstore.getNode('parent')).relationships['CHILD']).toEqual([info('page')])
    expect((await storage.docstore.getRefDocInfo('public-doc'))!.nodeIds.toSorted()).toEqual([
      'next',
      'page',
      'parent',
    ])
    expect(await traces(disk, ['secret-b', 'classified-doc'])).toEqual([])
    await storage.close()
    const past = await StorageContext.fromDefaults({ persistDir, disk, asOf: 1 })
    await expect(past.docstore.getNode('next')).rejects.toMatchObject({ code: 'VARVE_ERASED' })
    expect((await past.docstore.getNode('page')).relationships).toEqual({ SOURCE: info('public-doc') })
    expect((await past.docstore.getRefDocInfo('public-doc'))!.nodeIds).toEqual(['page'])
    await past.close()
  })

  test('is listed where nodes alone are erased', async () => {
    const disk = quietDisk()
    const storage = await neighbours(disk)
    const report = await storage.history.erase({ nodeIds: ['secret-b', 'secret-a'], reason: 'asked for' })
    expect(report).toMatchObject({
      complete: true,
      rewritten: [],
      refDocIds: [],
      nodeIds: ['secret-b', 'secret-a'],
    })
    expect(report.remaining).toEqual([
      { kind: 'overlap', store: 'docstore', key: 'next' },
      { kind: 'mention', store: 'docstore', key: 'page' },
      { kind: 'parent', store: 'docstore', key: 'parent' },
    ])
    expect((await storage.docstore.getNode('next')).relationships['PREVIOUS']).toEqual(info('secret-b'))
    expect(await traces(disk, ['text of secret'])).toEqual([])
    expect(await storage.docstore.getRefDocInfo('classified-doc')).toBeUndefined()
    await storage.close()
  })

  test('keeps the past of a node whose document only says the erased id in its metadata', async () => {
    const disk = quietDisk()
    const storage = await StorageContext.fromDefaults({ disk, persistDir: '/storage', onWarning: () => {} })
    const of = (source: string, metadata: Record<string, unknown>) =>
      new TextNode({
        id_: `${source}-node`,
        text: `text of ${source}`,
        metadata,
        relationships: { SOURCE: { nodeId: source, metadata } },
      })
    await storage.docstore.addDocuments([
      of('report.pdf', {}),
      of('letter', { attachedTo: 'report.pdf' }),
      of('list', { 'report.pdf': 1 }),
    ])
    await storage.persist()
    const report = await storage.history.erase({ refDocIds: ['report.pdf'], reason: 'asked for' })
    expect(report.rewritten).toEqual([])
    expect(report.remaining.map(({ kind }) => kind)).toContain('mention')
    const past = await storage.asOf(1)
    for (const id of ['letter-node', 'list-node'])
      expect((await past.docstore.getNode(id)).text).toBe(`text of ${id.slice(0, -5)}`)
    await past.close()
    await storage.close()
  })

  test('keeps a node that belongs to another document by now, and says so', async () => {
    const storage = await neighbours()
    await storage.docstore.addDocuments([related('secret-a', 'moved', {})])
    await storage.persist()
    const report = await storage.history.erase({ refDocIds: ['classified-doc'], reason: 'asked for' })
    expect(report.remaining).toContainEqual({ kind: 'overlap', store: 'docstore', key: 'secret-a' })
    expect((await storage.docstore.getNode('secret-a')).text).toBe('moved')
    await storage.close()
  })

  test('of a document with many nodes loses the mentions of each', async () => {
    const disk = quietDisk()
    const storage = await open(disk)
    const many = Array.from({ length: 40 }, (_, number) => `secret-${number}`)
    const nodes = many.map((id_) => related(id_, 'hidden', { SOURCE: info('classified-doc') }))
    const beside = many.map((id, number) => related(`beside-${number}`, 'open', { NEXT: info(id) }))
    await storage.docstore.addDocuments([...nodes, ...beside])
    await storage.persist()
    const report = await storage.history.erase({ refDocIds: ['classified-doc'], reason: 'asked for' })
    expect(report.nodeIds).toHaveLength(40)
    expect(report.rewritten).toHaveLength(40)
    expect(await traces(disk, ['secret-', 'hidden', 'classified-doc'])).toEqual([])
    expect((await storage.docstore.getNode('beside-7')).text).toBe('open')
    await storage.close()
  })

  test('of a matrix can be read and searched, now and then', async () => {
    const disk = quietDisk()
    const storage = await open(disk)
    const vector = (number: number): number[] => [Math.cos(number), Math.sin(number), 1 / (number + 1)]
    const nodes = Array.from(
      { length: 500 },
      (_, number) =>
        new TextNode({
          id_: `vector-${number}`,
          embedding: vector(number),
          relationships: { SOURCE: info(`doc-${number}`) },
        }),
    )
    await storage.vectorStore.add(nodes)
    await storage.persist()
    const bytes = new Uint8Array(Float32Array.from(vector(250)).buffer)
    expect((await traces(disk, [bytes])).length).toBe(1)
    let written = 0
    disk.afterOperation = ({ kind, sizeBytes = 0 }) => (written += kind === 'write' ? sizeBytes : 0)
    await storage.history.erase({ refDocIds: ['doc-250'], reason: 'asked for' })
    disk.afterOperation = undefined
    expect(written).toBeLessThan(2500)
    expect(await traces(disk, [bytes, 'vector-250', 'doc-250'])).toEqual([])
    await storage.close()
    for (const asOf of [undefined, 1]) {
      const seen = await StorageContext.fromDefaults({
        persistDir,
        disk,
        ...(asOf ? { asOf } : { readOnly: true }),
      })
      const found = await seen.vectorStore.query({ queryEmbedding: vector(250), similarityTopK: 500 })
      expect(found.ids).toHaveLength(499)
      expect(found.ids).not.toContain('vector-250')
      await seen.close()
    }
  })
})

describe('an erase', () => {
  test('of what is erased already has nothing to do', async () => {
    const storage = await neighbours()
    await storage.history.erase({ refDocIds: ['classified-doc'], reason: 'asked for' })
    const again = await storage.history.erase({ refDocIds: ['classified-doc'], reason: 'asked for again' })
    expect(again.commit).toBeUndefined()
    await storage.close()
  })

  test('of what never was, or of nothing, or without a reason is refused', async () => {
    const storage = await neighbours()
    const code = (options: EraseOptions): Promise<unknown> =>
      storage.history.erase(options).catch((error: VarveError) => error.code)
    expect(await code({ refDocIds: ['classified-dok'], reason: 'r' })).toBe('VARVE_REF_DOC_NOT_FOUND')
    expect(await code({ nodeIds: ['nobody'], reason: 'r' })).toBe('VARVE_NODE_NOT_FOUND')
    for (const bad of [
      { reason: 'r' },
      { nodeIds: ['page'], refDocIds: ['x'], reason: 'r' },
      { nodeIds: ['page'], reason: ' ' },
    ])
      expect(await code(bad)).toBe('VARVE_BAD_OPTION')
    expect(await storage.docstore.documentExists('secret-a')).toBe(true)
    await storage.close()
  })

  test('of a storage that was never persisted is refused', async () => {
    const storage = await StorageContext.fromDefaults()
    await expect(storage.history.erase({ nodeIds: ['a'], reason: 'r' })).rejects.toMatchObject({
      code: 'VARVE_NO_SUCH_MOMENT',
    })
    await storage.close()
  })

  test('cannot be reverted, and going back to before it brings nothing back', async () => {
    const disk = quietDisk()
    const storage = await neighbours(disk)
    const { commit } = await storage.history.erase({ nodeIds: ['secret-a'], reason: 'asked for' })
    for (const number of [commit!.number, commit!.number + 1])
      await expect(storage.history.revert(number)).rejects.toMatchObject({ code: 'VARVE_ERASED' })
    await storage.history.restore(1)
    expect(await storage.docstore.documentExists('secret-a')).toBe(false)
    expect(await storage.docstore.documentExists('secret-b')).toBe(true)
    const log = []
    for await (const logged of storage.history.log()) log.push(logged.kind)
    expect(log).toEqual(['erase finished', 'erase', 'data'])
    await storage.close()
  })

  test('is told to a context of the past that was opened before it', async () => {
    const disk = quietDisk()
    const storage = await neighbours(disk)
    const past = await StorageContext.fromDefaults({ persistDir, disk, asOf: 1 })
    const reader = await StorageContext.fromDefaults({
      persistDir,
      disk: disk.asProcess({ pid: 77 }),
      readOnly: true,
    })
    expect((await past.docstore.getNode('secret-a')).text).toBe('text of secret-a')
    expect((await reader.docstore.getNode('secret-a')).text).toBe('text of secret-a')
    await storage.history.erase({ refDocIds: ['classified-doc'], reason: 'asked for' })
    for (const seen of [past, reader]) {
      await expect(seen.docstore.getNode('secret-a')).rejects.toMatchObject({ code: 'VARVE_ERASED' })
      expect((await seen.docstore.getNode('page')).text).toBe('see secret-a for more')
    }
    await expect(past.docstore.getNode('secret-b')).rejects.toMatchObject({ code: 'VARVE_ERASED' })
    await Promise.all([past.close(), reader.close(), storage.close()])
  })

  test('leaves a view of a struct that a reader holds usable', async () => {
    const disk = quietDisk()
    const storage = await neighbours(disk)
    await storage.indexStore.addIndexStruct({ indexId: 'held', type: 'list', nodes: ['page'] })
    await storage.persist()
    const reader = await StorageContext.fromDefaults({
      persistDir,
      disk: disk.asProcess({ pid: 77 }),
      readOnly: true,
    })
    const view = (await reader.indexStore.viewIndexStruct!('held'))!
    await storage.history.erase({ refDocIds: ['classified-doc'], reason: 'asked for' })
    await reader.history.log({ limit: 1 }).next()
    expect([...view.members('nodes')]).toEqual(['page'])
    await reader.indexStore.viewIndexStruct!('held')
    expect([...view.members('nodes')]).toEqual(['page'])
    await Promise.all([reader.close(), storage.close()])
  })

  test('needs the right to write', async () => {
    const disk = quietDisk()
    await (await neighbours(disk)).close()
    const reader = await StorageContext.fromDefaults({ persistDir, disk, readOnly: true })
    await expect(reader.history.erase({ nodeIds: ['secret-a'], reason: 'r' })).rejects.toMatchObject({
      code: 'VARVE_READ_ONLY',
    })
    await reader.close()
  })
})

describe('a directory converted from JSON', () => {
  const docstore = JSON.stringify({
    'docstore/data': {
      'secret-a': {
        __data__: JSON.stringify({ id_: 'secret-a', text: 'Zanzibar', class_name: 'TextNode' }),
        __type__: '1',
      },
      page: {
        __data__: JSON.stringify({ id_: 'page', text: 'harmless', class_name: 'TextNode' }),
        __type__: '1',
      },
    },
  })
  async function converted(): Promise<{ disk: MemoryDisk; storage: StorageContext }> {
    const disk = quietDisk()
    disk.put(`${persistDir}/docstore.json`, Buffer.from(docstore))
    return { disk, storage: await open(disk) }
  }

  test('keeps its files, and the report names them', async () => {
    const { disk, storage } = await converted()
    const report = await storage.history.erase({ nodeIds: ['secret-a'], reason: 'asked for' })
    expect(report).toMatchObject({
      complete: false,
      imported: { removed: [], notReached: [{ name: 'docstore.json', isChanged: false }] },
    })
    expect(await traces(disk, ['Zanzibar'])).toEqual([`${persistDir}/docstore.json: Zanzibar`])
    await storage.close()
  })

  test('gives them up if told so, once all else is durable', async () => {
    const { disk, storage } = await converted()
    const report = await storage.history.erase({
      nodeIds: ['secret-a'],
      reason: 'asked for',
      removeImported: true,
    })
    expect(report).toMatchObject({ complete: true, imported: { removed: ['docstore.json'], notReached: [] } })
    await storage.close()
    const left = disk.crash('none')
    expect(await traces(left, ['Zanzibar', 'secret-a'])).toEqual([])
    const again = await open(left)
    expect((await again.docstore.getNode('page')).text).toBe('harmless')
    await again.close()
  })

  test('keeps what was changed since, whatever was asked for', async () => {
    const { disk, storage } = await converted()
    await storage.persist()
    disk.put(`${persistDir}/docstore.json`, Buffer.from(docstore.replace('harmless', 'Harmless')))
    const report = await storage.history.erase({
      nodeIds: ['secret-a'],
      reason: 'asked for',
      removeImported: true,
    })
    expect(report.imported).toEqual({ removed: [], notReached: [{ name: 'docstore.json', isChanged: true }] })
    await storage.close()
  })
})

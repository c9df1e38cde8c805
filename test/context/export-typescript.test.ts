import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { exportLlamaIndex } from '../../src/context/export-directory.ts'
import { StorageContext } from '../../src/context/storage-context.ts'
import { MemoryDisk } from '../../src/disk/memory-disk.ts'
import { checkReadable } from '../../src/interop/typescript-files.ts'
import { Document, IndexNode, Node, TextNode } from '../../src/stores/node.ts'
import { typeScriptHash } from '../../src/stores/node-hash.ts'
import { fill } from './support.ts'

const realRoot = join(import.meta.dirname, '../../../shared/llamaindex-dirs')
const hasReal = existsSync(realRoot)
if (!hasReal) console.warn(`skipped: real LlamaIndex directories, since ${realRoot} is not there`)

const quiet = { onWarning: () => {} }
const to = '/exported'
const format = 'typescript'

const textOf = (disk: MemoryDisk, name: string): string => Buffer.from(disk.peek(`${to}/${name}`)).toString()
const jsonOf = (disk: MemoryDisk, name: string): Record<string, Record<string, Record<string, unknown>>> =>
  JSON.parse(textOf(disk, name)) as never

describe('an export for TypeScript', () => {
  test('of nothing has the three files', async () => {
    const disk = new MemoryDisk()
    await using storage = await StorageContext.fromDefaults({ disk })
    expect(await storage.exportTo(to, { format })).toMatchObject({ omitted: [] })
    const texts = (await disk.list(to)).map((name) => [name, textOf(disk, name)])
    expect(texts).toEqual([
      ['doc_store.json', '{}'],
      ['index_store.json', '{}'],
      ['vector_store.json', '{"embeddingDict":{},"textIdToRefDocId":{},"metadataDict":{}}'],
    ])
  })

  test('writes nodes in the order of its constructors, whole ones into vector indices', async () => {
    const disk = new MemoryDisk()
    await using storage = await StorageContext.fromDefaults({ disk })
    const node = new TextNode({
      id_: 'n',
      text: 'Käse',
      metadata: { b: 1, a: ['x'] },
      relationships: { SOURCE: { nodeId: 'd', metadata: {}, hash: 'h' } },
      startCharIdx: 0,
      endCharIdx: 4,
      textTemplate: '',
      extra: { later: true },
    })
    await storage.docstore.addDocuments([new Document({ id_: 'd', text: 'Käse' }), node])
    await storage.vectorStore.add([
      new TextNode({ id_: 'n', relationships: node.relationships, embedding: [0.5, 1] }),
    ])
    await storage.indexStore.addIndexStruct({
      indexId: 'i',
      type: 'vector_store',
      summary: null,
      nodesDict: new Map([['n', 'n']]),
    })
    expect((await storage.exportTo(to, { format })).omitted).toEqual([])
    const hash = typeScriptHash({
      type: 'TEXT',
      text: 'Käse',
      metadata: { b: 1, a: ['x'] },
      metadataSeparator: '\n',
      endCharIdx: 4,
    })
    const json = `{"id_":"n","metadata":{"b":1,"a":["x"]},"excludedEmbedMetadataKeys":[],"excludedLlmMetadataKeys":[],"relationships":{"SOURCE":{"nodeId":"d","metadata":{},"hash":"h"}},"text":"Käse","textTemplate":"","metadataSeparator":"\\n","startCharIdx":0,"endCharIdx":4,"later":true,"type":"TEXT","hash":"${hash}"}`
    expect(textOf(disk, 'index_store.json')).toBe(
      `{"docstore/data":{"i":{"indexId":"i","nodesDict":{"n":${json}},"type":"simple_dict"}}}`,
    )
    const docs = jsonOf(disk, 'doc_store.json')
    expect(Object.keys(docs)).toEqual(['docstore/data', 'docstore/metadata', 'docstore/ref_doc_info'])
    expect(docs['docstore/data']!.n).toEqual({ __data__: json, __type__: 'TEXT' })
    expect(docs['docstore/metadata']!.n).toEqual({ docHash: hash, refDocId: 'd' })
    expect(docs['docstore/ref_doc_info']).toEqual({ d: { nodeIds: ['n'], extraInfo: { b: 1, a: ['x'] } } })
    expect(textOf(disk, 'vector_store.json')).toMatch(
      /^\{"embeddingDict":\{"n":\[0\.5,1\]\},"textIdToRefDocId":\{"n":"d"\},"metadataDict":\{"n":\{/,
    )
  })

  test('names what it has no place for, and leaves out what would break the rest', async () => {
    const disk = new MemoryDisk()
    await using storage = await StorageContext.fromDefaults({ disk })
    await fill(storage)
    const image = new Node({ id_: 'm', imageResource: { url: 'https://example.org/a.png' } })
    await storage.docstore.addDocuments([image, new IndexNode({ id_: 'x', indexId: 'list' })])
    await storage.indexStore.addIndexStruct({
      indexId: 'vectors',
      type: 'vector_store',
      nodesDict: new Map([
        ['n1', 'n1'],
        ['gone', 'gone'],
      ]),
    })
    const { omitted } = await storage.exportTo(to, { format })
    expect(omitted.map(({ what }) => what)).toEqual([
      'namespace image (1 vectors)',
      'graph (3 triplets)',
      'property graph (1 triplets)',
      'media of 1 nodes',
      'index keywords (keyword_table)',
      '1 entries of indices (gone)',
      '1 vectors of the namespace default',
    ])
    expect(Object.keys(jsonOf(disk, 'index_store.json')['docstore/data']!)).toEqual(['list', 'vectors'])
    expect(Object.keys(jsonOf(disk, 'vector_store.json').embeddingDict!)).toEqual(['n1'])
    expect(jsonOf(disk, 'doc_store.json')['docstore/data']).toMatchObject({
      m: { __type__: 'TEXT' },
      x: { __type__: 'INDEX' },
    })
  })

  test('a file that LlamaIndexTS could not read back is refused, with the reason', () => {
    expect(() => checkReadable('vector_store.json', 1000, 1000)).not.toThrow()
    expect(() => checkReadable('vector_store.json', 1001, 1000)).toThrow(
      expect.objectContaining({
        code: 'VARVE_TOO_LARGE',
        message:
          'vector_store.json would have more than 1000 characters, the longest string that Node.js can hold, and LlamaIndexTS reads a file as one string. Nothing was left there. Export for Python, or keep less in one directory.',
      }),
    )
  })

  test('documents that are unchanged stay unchanged on the other side', async () => {
    const disk = new MemoryDisk()
    await using storage = await StorageContext.fromDefaults({ disk })
    const document = new Document({ id_: 'd', text: 'Hello', metadata: { a: 1 } })
    await storage.docstore.addDocuments([document])
    await storage.exportTo(to, { format })
    const theirs = typeScriptHash({
      type: 'DOCUMENT',
      text: 'Hello',
      metadata: { a: 1 },
      metadataSeparator: document.metadataSeparator,
    })
    expect(jsonOf(disk, 'doc_store.json')['docstore/metadata']).toEqual({ d: { docHash: theirs } })
    await using back = await StorageContext.fromDefaults({ persistDir: to, disk, readOnly: true, ...quiet })
    await back.exportTo('/python', { format: 'python' })
    const docs = JSON.parse(Buffer.from(disk.peek('/python/docstore.json')).toString()) as never
    expect(docs['docstore/metadata']).toEqual({ d: { doc_hash: document.hash } })
  })
})

describe.skipIf(!hasReal)('a real directory of LlamaIndexTS written again', () => {
  test.each([
    ['ts-chat-basiclaw-2024-08', ['doc_store.json', 'index_store.json', 'vector_store.json']],
    ['ts-azure-samples', ['index_store.json']],
  ])('%s has the same bytes in %j', async (name, same) => {
    const disk = new MemoryDisk()
    const root = join(realRoot, name)
    for (const file of readdirSync(root)) disk.put(`/storage/${file}`, readFileSync(join(root, file)))
    await exportLlamaIndex('/storage', { to, format, disk, ...quiet })
    const written = (await disk.list(to)).filter((file) =>
      Buffer.from(disk.peek(`${to}/${file}`)).equals(readFileSync(join(root, file))),
    )
    expect(written).toEqual(same)
  })
})

import { beforeEach, describe, expect, test } from 'vitest'
import { StorageContext } from '../../src/context/storage-context.ts'
import type { IndexStorage } from '../../src/indices/index-storage.ts'
import { loadIndexFromStorage } from '../../src/indices/load-index.ts'
import type { RetrieverOptions } from '../../src/indices/retriever.ts'
import { TreeIndex } from '../../src/indices/tree-index.ts'
import type { BaseNode } from '../../src/stores/node.ts'
import { bagOfWords } from './support/bag-of-words.ts'
import { document, node } from './support/documents.ts'
import { WholeIndexStore } from './support/memory-index-store.ts'
import { MemoryStorage } from './support/memory-storage.ts'

/** All the words below. */
const summarize = (_text: string, nodes: readonly BaseNode[]) => nodes.map((each) => each.text).join(' ')
const leaf = (text: string, refDocId?: string) => node(text, text, refDocId)

describe.each([
  ['our own storage', () => StorageContext.fromDefaults()],
  ['stores that only know whole structs', () => new MemoryStorage({ indexStore: new WholeIndexStore() })],
])('in %s', (_, newStorage) => {
  let storage: IndexStorage
  beforeEach(async () => {
    storage = await newStorage()
  })
  const options = () => {
    let count = 0
    const newId = () => `s${++count}`
    return { storageContext: storage, indexId: 'T', newId, summarize, numChildren: 2 }
  }
  const build = async (words: string, given = {}) =>
    await TreeIndex.init({ ...options(), nodes: words.split(' ').map((word) => leaf(word)), ...given })
  const shape = async () => {
    const struct = (await storage.indexStore.getIndexStruct('T'))!
    const { allNodes, rootNodes, nodeIdToChildrenIds } = struct as unknown as Record<
      string,
      Map<string, unknown>
    >
    return {
      all: Object.fromEntries(allNodes!),
      roots: Object.fromEntries(rootNodes!),
      children: Object.fromEntries(
        [...nodeIdToChildrenIds!].filter(([, ids]) => (ids as string[]).length > 0),
      ),
    }
  }
  const found = async (index: TreeIndex, query: string, given: RetrieverOptions = {}) =>
    (await index.asRetriever(given).retrieve(query)).map((hit) => hit.node.id_)

  test('a tree is built level by level, as Python writes it', async () => {
    await build('a b c d')
    expect(await shape()).toEqual({
      all: { 0: 'a', 1: 'b', 2: 'c', 3: 'd', 4: 's1', 5: 's2' },
      roots: { 4: 's1', 5: 's2' },
      children: { s1: ['a', 'b'], s2: ['c', 'd'] },
    })
    expect((await storage.docstore.getNode('s1')).text).toBe('a b')
  })

  test('few leaves are roots, and so are all without a function', async () => {
    await build('a b')
    expect(await shape()).toEqual({ all: { 0: 'a', 1: 'b' }, roots: { 0: 'a', 1: 'b' }, children: {} })
    const flat = await build('a b c', { summarize: undefined, indexId: 'F' })
    expect(await found(flat, '', { retrieverMode: 'root' })).toEqual(['a', 'b', 'c'])
    const unbuilt = await build('a b c', { buildTree: false, indexId: 'U' })
    expect(await found(unbuilt, '', { retrieverMode: 'root' })).toEqual(['a', 'b', 'c'])
  })

  test('leaves and roots are answered in the order of the tree', async () => {
    const index = await build('a b c d e')
    expect(await found(index, '', { retrieverMode: 'all_leaf' })).toEqual(['a', 'b', 'c', 'd', 'e'])
    expect(await found(index, '', { retrieverMode: 'all_leaf', nodeIds: ['b'] })).toEqual(['b'])
    expect((await found(index, '', { retrieverMode: 'root' })).length).toBeLessThanOrEqual(2)
    expect(() => index.asRetriever({ retrieverMode: 'hybrid' })).toThrow(
      /no retrieverMode 'hybrid'.*'all_leaf'/,
    )
  })

  test('a question is followed down to the most similar leaf', async () => {
    const index = await build('apple pear cat dog', { embedModel: bagOfWords() })
    expect(await found(index, 'dog')).toEqual(['dog'])
    expect(await found(index, 'pear')).toEqual(['pear'])
    expect(await found(index, 'pear', { childBranchFactor: 2 })).toHaveLength(4)
    const hits = await index.asRetriever().retrieve('cat')
    expect(hits[0]!.score).toBeCloseTo(1)
  })

  test('nodes that were kept with their vectors need no model to be found', async () => {
    await build('apple pear cat dog', { embedModel: bagOfWords() })
    const loaded = (await loadIndexFromStorage(storage)) as TreeIndex
    const [embedding] = await bagOfWords().embed(['dog'], { kind: 'query' })
    const hits = await loaded.asRetriever().retrieve({ embedding: embedding! })
    expect(hits.map((hit) => hit.node.id_)).toEqual(['dog'])
    await expect(loaded.asRetriever().retrieve('dog')).rejects.toMatchObject({ code: 'VARVE_NO_EMBED_MODEL' })
    await expect(
      loadIndexFromStorage(storage, { embedModel: bagOfWords({ id: 'x' }) }),
    ).rejects.toMatchObject({
      code: 'VARVE_OTHER_EMBED_MODEL',
    })
  })

  test('what is inserted gathers under new summaries; nothing that is there is summarized anew', async () => {
    const index = await build('a b c d')
    const before = (await storage.docstore.getNode('s1')).hash
    for (const word of ['e', 'f', 'g', 'h']) await index.insertNodes([leaf(word)])
    expect(await found(index, '', { retrieverMode: 'all_leaf' })).toEqual([
      'a',
      'b',
      'c',
      'd',
      'e',
      'f',
      'g',
      'h',
    ])
    const roots = await found(index, '', { retrieverMode: 'root' })
    expect(roots.length).toBeLessThanOrEqual(2)
    const texts = (await storage.docstore.getNodes(roots)).map((each) => each.text)
    expect(texts.join(' ').split(' ').sort().join(' ')).toBe('a b c d e f g h')
    expect((await storage.docstore.getNode('s1')).hash).toBe(before)
  })

  test('a leaf that is there already is replaced where it stands', async () => {
    const index = await build('a b c d')
    const before = await shape()
    await index.insertNodes([node('b', 'new')])
    expect(await shape()).toEqual(before)
    expect((await storage.docstore.getNode('b')).text).toBe('new')
  })

  test('a leaf that goes takes along the parents that it leaves empty, and no more', async () => {
    const index = await build('a b c d')
    await index.deleteNodes(['a', 's2', 'unknown'])
    expect(await shape()).toMatchObject({
      roots: { 4: 's1', 5: 's2' },
      children: { s1: ['b'], s2: ['c', 'd'] },
    })
    await index.deleteNodes(['b'])
    expect(await shape()).toEqual({
      all: { 2: 'c', 3: 'd', 5: 's2' },
      roots: { 5: 's2' },
      children: { s2: ['c', 'd'] },
    })
    expect(await storage.docstore.documentExists('s1')).toBe(false)
    await index.insertNodes([leaf('e')])
    expect((await shape()).all).toEqual({ 2: 'c', 3: 'd', 5: 's2', 6: 'e' })
    await index.deleteNodes(['c', 'd', 'e'])
    expect(await shape()).toEqual({ all: {}, roots: {}, children: {} })
  })

  test('documents are updated and refreshed, and summaries are not made of what goes', async () => {
    const nodeParser = (documents: readonly BaseNode[]) =>
      documents.flatMap((each) => each.text.split(' ').map((word) => leaf(word, each.id_)))
    const index = await TreeIndex.fromDocuments([document('d', 'a b')], { ...options(), nodeParser })
    expect(await index.refreshRefDocs([document('d', 'x y z')])).toEqual([true])
    expect(await found(index, '', { retrieverMode: 'all_leaf' })).toEqual(['x', 'y', 'z'])
    const texts = (await storage.docstore.getNodes(await found(index, '', { retrieverMode: 'root' }))).map(
      ({ text }) => text,
    )
    expect(texts.sort()).toEqual(['x y', 'z'])
    expect([...(await index.refDocInfo()).keys()]).toEqual(['d'])
    await index.deleteRefDoc('d')
    expect(await shape()).toEqual({ all: {}, roots: {}, children: {} })
  })

  test('a node that only the tree knows is missed by name', async () => {
    const index = await build('a b c')
    await storage.docstore.deleteDocument('a')
    await expect(index.asRetriever({ retrieverMode: 'all_leaf' }).retrieve('')).rejects.toMatchObject({
      code: 'VARVE_NODE_NOT_FOUND',
      message: expect.stringContaining("'a'"),
    })
  })

  test('work that is stopped while it summarizes changes nothing', async () => {
    const index = await build('a b')
    const before = await shape()
    const stop = new AbortController()
    const stopping = (await loadIndexFromStorage(storage, {
      numChildren: 2,
      summarize: (text, nodes, { signal }) => {
        expect(signal).toBe(stop.signal)
        stop.abort(new Error('enough'))
        return summarize(text, nodes)
      },
    })) as TreeIndex
    await expect(stopping.insertNodes([leaf('c')], { signal: stop.signal })).rejects.toThrow('enough')
    expect(await shape()).toEqual(before)
    expect(await storage.docstore.documentExists('c')).toBe(false)
    await index.insertNodes([])
  })

  test('bad options and answers are named', async () => {
    await expect(build('a', { numChildren: 1 })).rejects.toThrow(/numChildren is 1/)
    await expect(build('a', { numChildren: 0 })).rejects.toThrow(/numChildren is 0/)
    await expect(build('a b c', { summarize: () => undefined })).rejects.toThrow(/summarize gave undefined/)
    expect(await storage.indexStore.getIndexStruct('T')).toBeUndefined()
  })
})

import { expect, test } from 'vitest'
import { MemoryDisk } from '../../src/disk/memory-disk.ts'
import { TextNode, VectorStoreIndex } from '../../src/index.ts'
import { addNode, follow, heard, never, until, write } from './support.ts'

test('what is erased is gone from a follower, which goes on in the same history', async () => {
  const disk = new MemoryDisk()
  const writer = await write(disk)
  await addNode(writer, 'a')
  await addNode(writer, 'b')
  const follower = await follow(disk)
  const told = heard(follower)
  expect(await follower.docstore.documentExists('a')).toBe(true)
  await writer.history.erase({ nodeIds: ['a'], reason: 'on request' })
  await addNode(writer, 'c')
  await until(async () => follower.docstore.documentExists('c'))
  await until(() => told.length === 3)
  expect(told).toEqual([3, 4, 5])
  expect(await follower.docstore.documentExists('a')).toBe(false)
  const nodes = await follower.docstore.getNodes(['b', 'c'])
  expect(nodes.map((node) => node.getContent())).toEqual(['text of b', 'text of c'])
  await follower.close()
  await writer.close()
})

test('a change names what its commit erased, also of stores and structs that no event of it speaks of', async () => {
  const disk = new MemoryDisk()
  const writer = await write(disk)
  const nodes = ['a', 'b', 'c'].map(
    (id_) =>
      new TextNode({
        id_,
        text: `text of ${id_}`,
        embedding: [1, id_.codePointAt(0)!],
        relationships: { SOURCE: { nodeId: `source of ${id_}`, metadata: {} } },
      }),
  )
  await VectorStoreIndex.init({ nodes, storageContext: writer, indexId: 'index' })
  await writer.persist()
  const follower = await follow(disk)
  const changes = follower.changes({ from: 'now' })
  const next = changes.next()
  await writer.history.erase({ refDocIds: ['source of a'], reason: 'on request' })
  const { commit, stores } = (await next).value!
  expect(commit.kind).toBe('erase')
  const of = (name: string) => stores.find(({ store }) => store === name)
  expect(of('docstore')).toMatchObject({ added: [], removed: expect.arrayContaining(['a', 'source of a']) })
  expect(of('vector_store/default')).toMatchObject({ added: [], changed: [], removed: ['a'] })
  expect(of('index_store')).toMatchObject({
    changed: ['index'],
    removed: [],
    patches: [{ indexId: 'index', changes: [{ op: 'delete', field: 'nodesDict', key: 'a' }] }],
  })
  expect((await changes.next()).value).toMatchObject({ commit: { kind: 'erase finished' }, stores: [] })
  await changes.return(undefined)
  await follower.close()
  await writer.close()
})

test('who is behind reads on where an erase that it has not seen yet overwrites what it is about to read', async () => {
  const disk = new MemoryDisk()
  const writer = await write(disk)
  await addNode(writer, 'a')
  await addNode(writer, 'b')
  await addNode(writer, 'c')
  const follower = await follow(disk, { poll: never })
  const changes = follower.changes({ from: 'start' })
  const added: unknown[] = []
  const next = async (): Promise<void> => {
    for (const store of (await changes.next()).value!.stores) added.push(...store.added)
  }
  await next()
  await writer.history.erase({ nodeIds: ['b'], reason: 'on request' })
  await next()
  await next()
  expect(added).toEqual(['a', 'c'])
  await follower.close()
  await writer.close()
})

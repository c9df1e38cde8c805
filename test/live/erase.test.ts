import { expect, test } from 'vitest'
import { MemoryDisk } from '../../src/disk/memory-disk.ts'
import { addNode, follow, heard, until, write } from './support.ts'

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

import { expect, test } from 'vitest'
import { MemoryDisk } from '../../src/disk/memory-disk.ts'
import { verifyDirectory } from '../../src/history/verify.ts'
import { Journal } from '../../src/journal/journal.ts'
import { makeDirectoryDurable } from '../../src/log/durable-directory.ts'
import { seededBytes } from '../support/seeded.ts'
import { contents, put, toyOptions } from '../support/toy-store.ts'

test('a displaced writer harms nothing that a third one acknowledged', async () => {
  const disk = new MemoryDisk()
  await makeDirectoryDurable(disk, '/s')
  const open = (pid: number, takeover = false) =>
    Journal.open('/s', {
      ...toyOptions({ disk: disk.asProcess({ pid }), random: seededBytes(pid) }),
      takeover,
    })

  const first = await open(1)
  await put(first, 'docstore', { z: 1 })
  await first.persist()
  await first.close()
  const stuck = await open(2)
  await put(stuck, 'docstore', { a: 1 })
  await stuck.persist()
  await put(stuck, 'docstore', { late: 1 })
  const taker = await open(3, true)
  await put(taker, 'index_store', { b: 1 })
  await taker.persist()
  await taker.close()
  const third = await open(4)
  await put(third, 'docstore', { c: 'acknowledged' })
  await third.persist()

  await expect(stuck.persist()).rejects.toMatchObject({ code: 'VARVE_DISPLACED' })
  await third.close()
  expect((await verifyDirectory(disk, '/s')).damages).toEqual([])
  const reader = await open(5)
  expect(await contents(reader, 'docstore')).toEqual({ z: 1, a: 1, c: 'acknowledged' })
  await reader.close()
})

// Following real files, of which the operating system tells.
import { mkdtemp, realpath, rename, rm, truncate, readdir, cp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { StorageContext } from '../../src/index.ts'
import { addNode, heard, never, pause, until } from './support.ts'

let top: string
let persistDir: string
const open: StorageContext[] = []

beforeEach(async () => {
  top = await realpath(await mkdtemp(join(tmpdir(), 'varve-live-')))
  persistDir = join(top, 'storage')
})
afterEach(async () => {
  for (const storage of open.splice(0)) await storage.close()
  await rm(top, { recursive: true, force: true })
})

async function kept(
  options: { follow?: { poll: number }; directory?: string } = {},
): Promise<StorageContext> {
  const { directory = persistDir, ...rest } = options
  const storage = await StorageContext.fromDefaults({ persistDir: directory, onWarning: () => {}, ...rest })
  open.push(storage)
  return storage
}

test('events alone tell of each commit, also in the segments of a later session', async () => {
  const first = await kept()
  await addNode(first, 'a')
  const follower = await kept({ follow: { poll: never } })
  const told = heard(follower)
  await pause(600)
  await addNode(first, 'b')
  await until(() => told.length === 1)
  await pause(600)
  await addNode(first, 'c')
  await until(() => told.length === 2)
  await first.close()
  await pause(600)
  const second = await kept()
  await addNode(second, 'd')
  await until(() => told.length === 3)
  expect(told).toEqual([2, 3, 4])
})

test('a directory that is renamed away and back is followed again, by events', async () => {
  const writer = await kept()
  await addNode(writer, 'a')
  await writer.close()
  const follower = await kept({ follow: { poll: 50 } })
  const told = heard(follower)
  await rename(persistDir, join(top, 'elsewhere'))
  await until(() => told.length === 1)
  expect(told[0]).toMatchObject({ code: 'VARVE_NOT_FOUND' })
  await rename(join(top, 'elsewhere'), persistDir)
  await addNode(await kept(), 'b')
  await until(() => told.length === 2)
  expect(told[1]).toBe(2)
})

test('a commit log that is truncated in place is an error, and when it is whole again all goes on', async () => {
  const writer = await kept()
  await addNode(writer, 'a')
  await addNode(writer, 'b')
  await writer.close()
  await cp(persistDir, join(top, 'copy'), { recursive: true })
  const follower = await kept({ follow: { poll: 20 } })
  const told = heard(follower)
  const [name] = (await readdir(join(persistDir, 'commits'))).toSorted()
  await truncate(join(persistDir, 'commits', name!), 100)
  await until(() => told.length === 1)
  expect(told[0]).toMatchObject({ code: 'VARVE_CORRUPT' })
  expect((await follower.docstore.getNode('b')).getContent()).toBe('text of b')
  await cp(join(top, 'copy', 'commits', name!), join(persistDir, 'commits', name!))
  await addNode(await kept(), 'c')
  await until(() => told.at(-1) === 3)
  expect((await follower.docstore.getNode('c')).getContent()).toBe('text of c')
})

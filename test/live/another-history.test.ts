// What becomes of a follower when its directory is not what it was.
import { afterEach, describe, expect, test } from 'vitest'
import { MemoryDisk } from '../../src/disk/memory-disk.ts'
import { StorageContext, type Change } from '../../src/index.ts'
import { VarveError } from '../../src/errors.ts'
import { picture } from '../context/support.ts'
import { addNode, directory, follow, heard, node, take, until, write } from './support.ts'

const open: StorageContext[] = []
afterEach(async () => {
  for (const storage of open.splice(0)) await storage.close()
})

interface Scene {
  disk: MemoryDisk
  follower: StorageContext
  told: ReturnType<typeof heard>
}

/** A directory with commits, whose writer is gone, and a follower that knows all of them. */
async function scene(...ids: string[]): Promise<Scene> {
  const disk = new MemoryDisk()
  await commitAll(disk, ids)
  const follower = await follow(disk)
  open.push(follower)
  return { disk, follower, told: heard(follower) }
}

async function commitAll(disk: MemoryDisk, ids: readonly string[]): Promise<void> {
  const writer = await write(disk)
  for (const id of ids) await addNode(writer, id)
  await writer.close()
}

async function ids({ docstore }: StorageContext): Promise<string[]> {
  const all: string[] = []
  for await (const id of docstore.ids()) all.push(id)
  return all
}

async function copyTree(disk: MemoryDisk, from: string, to: string): Promise<void> {
  await disk.makeDirectory(to)
  for (const name of await disk.list(from)) {
    const [source, target] = [`${from}/${name}`, `${to}/${name}`]
    const { kind } = (await disk.stat(source))!
    if (kind === 'directory') await copyTree(disk, source, target)
    if (kind === 'file') await place(disk, target, disk.peek(source))
  }
}

/** A new file. */
async function place(disk: MemoryDisk, path: string, bytes: Uint8Array): Promise<void> {
  if (await disk.stat(path)) await disk.unlink(path)
  const file = await disk.create(path)
  await file.write([bytes], 0)
  await file.close()
}

async function overwrite(
  disk: MemoryDisk,
  path: string,
  { offset, bytes }: { offset: number; bytes: Uint8Array },
): Promise<void> {
  const file = await disk.openToWrite(path)
  await file.write([bytes], offset)
  await file.close()
}

const errorCodes = (told: Scene['told']): string[] =>
  told.flatMap((each) => (each instanceof VarveError ? [each.code] : []))

describe('a directory that is', () => {
  test('renamed away is an error, the last good state stays, and when it is back all goes on', async () => {
    const { disk, follower, told } = await scene('a')
    await disk.rename(directory, '/elsewhere')
    await until(() => told.length === 1)
    expect(errorCodes(told)).toEqual(['VARVE_NOT_FOUND'])
    expect(await ids(follower)).toEqual(['a'])
    expect((await follower.docstore.getNode('a')).getContent()).toBe('text of a')
    await disk.rename('/elsewhere', directory)
    await commitAll(disk, ['b'])
    await until(() => told.length === 2)
    expect(told[1]).toBe(2)
    expect(await ids(follower)).toEqual(['a', 'b'])
    await disk.rename(directory, '/elsewhere')
    await until(() => told.length === 3)
    expect(errorCodes(told)).toEqual(['VARVE_NOT_FOUND', 'VARVE_NOT_FOUND'])
  })

  test('replaced by a copy of itself goes on, with the new files, and nothing is told', async () => {
    const { disk, follower, told } = await scene('a')
    await disk.rename(directory, '/old')
    await copyTree(disk, '/old', directory)
    await commitAll(disk, ['b'])
    await until(() => told.includes(2))
    await commitAll(disk, ['c'])
    await until(() => told.includes(3))
    expect(told.filter((each) => !(each instanceof Error))).toEqual([2, 3])
    expect(await ids(follower)).toEqual(['a', 'b', 'c'])
    const nodes = await follower.docstore.getNodes(['a', 'b', 'c'])
    expect(nodes.map((each) => each.getContent())).toEqual(['text of a', 'text of b', 'text of c'])
  })

  test('replaced by a copy of itself is read in stores, too, in which nobody has written since', async () => {
    const { disk, follower, told } = await scene('a')
    await disk.rename(directory, '/old')
    await copyTree(disk, '/old', directory)
    const writer = await write(disk)
    await writer.graphStore.upsertTriplet('a', 'is', 'b')
    await writer.persist()
    await until(() => told.includes(2))
    expect((await follower.docstore.getNode('a')).getContent()).toBe('text of a')
    await writer.close()
  })

  test('replaced by that of another journal is a reset, and its content is shown', async () => {
    const { disk, follower, told } = await scene('a', 'b')
    const changes = follower.changes()
    const waiting = changes.next()
    waiting.catch(() => {})
    await disk.rename(directory, '/old')
    await commitAll(disk, ['z'])
    await until(() => told.some((each) => typeof each === 'object' && 'reason' in each))
    expect(told.filter((each) => !(each instanceof Error))).toEqual([{ reason: 'replaced', from: 2, to: 1 }])
    expect(await ids(follower)).toEqual(['z'])
    expect((await follower.docstore.getNode('z')).getContent()).toBe('text of z')
    await expect(waiting).rejects.toMatchObject({
      code: 'VARVE_OTHER_HISTORY',
      message: expect.stringContaining('another journal stands there now') as string,
    })
    await commitAll(disk, ['y'])
    await until(() => told.at(-1) === 2)
    expect(await ids(follower)).toEqual(['z', 'y'])
  })

  test('rolled back to a copy is a reset, and a token from before is refused', async () => {
    const { disk, follower, told } = await scene('a')
    await copyTree(disk, directory, '/backup')
    await commitAll(disk, ['b', 'c'])
    await until(() => told.length === 2)
    const [, , { token }] = (await take(follower.changes({ from: 'start' }), 3)) as [
      unknown,
      unknown,
      { token: string },
    ]
    await disk.rename(directory, '/old')
    await disk.rename('/backup', directory)
    await until(() => told.some((each) => typeof each === 'object' && 'reason' in each))
    expect(told.filter((each) => !(each instanceof Error))).toEqual([
      2,
      3,
      { reason: 'rolled-back', from: 3, to: 1 },
    ])
    expect(await ids(follower)).toEqual(['a'])
    await expect(follower.changes({ from: token }).next()).rejects.toMatchObject({
      code: 'VARVE_OTHER_HISTORY',
    })
    await commitAll(disk, ['x', 'y'])
    await until(() => told.at(-1) === 3)
    await expect(follower.changes({ from: token }).next()).rejects.toMatchObject({
      code: 'VARVE_OTHER_HISTORY',
    })
    expect(await ids(follower)).toEqual(['a', 'x', 'y'])
  })

  test('one in which other commits stand in the place of known ones is a reset', async () => {
    const { disk, follower, told } = await scene('a')
    await copyTree(disk, directory, '/backup')
    await commitAll(disk, ['b', 'c'])
    await until(() => told.length === 2)
    await copyTree(disk, '/backup', '/fork')
    await disk.rename(directory, '/old')
    const fork = await writeTo(disk, '/fork')
    await disk.rename('/fork', directory)
    await until(() => told.some((each) => typeof each === 'object' && 'reason' in each))
    expect(told.filter((each) => !(each instanceof Error))).toEqual([
      2,
      3,
      { reason: 'forked', from: 3, to: fork },
    ])
    expect(await ids(follower)).toEqual(['a', 'v', 'w', 'x'])
  })

  test('truncated below what was durable is an error, and the last good state stays', async () => {
    const { disk, follower, told } = await scene('a', 'b')
    const log = `${directory}/commits/${(await disk.list(`${directory}/commits`))[0]}`
    const size = (await disk.stat(log))!.sizeBytes
    await place(disk, log, disk.peek(log).subarray(0, size >> 1))
    await until(() => told.length === 1)
    expect(errorCodes(told)).toEqual(['VARVE_CORRUPT'])
    expect(await ids(follower)).toEqual(['a', 'b'])
    expect((await follower.docstore.getNode('b')).getContent()).toBe('text of b')
  })

  test('damaged where a new commit stands is an error, and once it is repaired all goes on', async () => {
    const { disk, follower, told } = await scene('a')
    const [name] = await disk.list(`${directory}/docstore`)
    const end = (await disk.stat(`${directory}/docstore/${name}`))!.sizeBytes
    await disk.rename(directory, '/aside')
    await until(() => told.length === 1)
    expect(await writeTo(disk, '/aside')).toBe(4)
    const good = disk.peek(`/aside/docstore/${name}`).slice(end)
    await overwrite(disk, `/aside/docstore/${name}`, { offset: end, bytes: new Uint8Array(good.length) })
    await disk.rename('/aside', directory)
    await until(() => errorCodes(told).includes('VARVE_CORRUPT'))
    expect(await ids(follower)).toEqual(['a'])
    await overwrite(disk, `${directory}/docstore/${name}`, { offset: end, bytes: good })
    await until(() => told.at(-1) === 4)
    expect(await ids(follower)).toEqual(['a', 'v', 'w', 'x'])
  })

  test('touched tells nothing', async () => {
    const { disk, follower, told } = await scene('a')
    const log = `${directory}/commits/${(await disk.list(`${directory}/commits`))[0]}`
    await overwrite(disk, log, { offset: 0, bytes: disk.peek(log) })
    await commitAll(disk, ['later'])
    await until(() => told.length > 0)
    expect(told).toEqual([2])
    expect(await ids(follower)).toEqual(['a', 'later'])
  })

  test('deleted and created anew by a writer is a reset', async () => {
    const { disk, follower, told } = await scene('a')
    await removeTree(disk, directory)
    await until(() => told.length === 1)
    await commitAll(disk, ['n'])
    await until(() => told.length === 2)
    expect(told[1]).toEqual({ reason: 'replaced', from: 1, to: 1 })
    expect(await ids(follower)).toEqual(['n'])
  })
})

test('a writer that displaced another, whose last commits were seen, is a reset', async () => {
  const disk = new MemoryDisk()
  const displaced = await write(disk)
  open.push(displaced)
  await addNode(displaced, 'a')
  const follower = await follow(disk)
  open.push(follower)
  const told = heard(follower)
  // The other one took over before commit 2: it saw commit 1 only, and began segments of its own.
  await copyTree(disk, directory, '/other')
  await addNode(displaced, 'b')
  await until(() => told.length === 1)
  const next = await StorageContext.fromDefaults({
    persistDir: '/other',
    disk,
    takeover: true,
    onWarning: () => {},
  })
  open.push(next)
  await next.docstore.addDocuments([node('c'), node('d')])
  await next.persist()
  for (const folder of ['docstore', 'commits'])
    for (const name of await disk.list(`/other/${folder}`))
      if (!(await disk.list(`${directory}/${folder}`)).includes(name))
        await place(disk, `${directory}/${folder}/${name}`, disk.peek(`/other/${folder}/${name}`))
  await until(() => told.length > 1)
  expect(told).toEqual([2, { reason: 'forked', from: 2, to: 2 }])
  expect(await ids(follower)).toEqual(['a', 'c', 'd'])
})

test('without a listener, resets and errors are warnings', async () => {
  const disk = new MemoryDisk()
  await commitAll(disk, ['a'])
  const warnings: string[] = []
  const follower = await follow(disk, { warnings })
  open.push(follower)
  await disk.rename(directory, '/old')
  await until(() => warnings.length === 1)
  await commitAll(disk, ['z'])
  await until(() => warnings.length === 2)
  expect(warnings).toEqual([
    `The journal that was followed in ${directory} is not there any more. Its last state is shown until it comes back, or another one takes its place.`,
    `${directory} holds another history than was followed: another journal stands there now.`,
  ])
  expect((await picture(follower)).ids).toEqual(['z'])
})

/** Three more commits, in a directory of another name. Answers the last commit. */
async function writeTo(disk: MemoryDisk, path: string): Promise<number> {
  const writer = await StorageContext.fromDefaults({ persistDir: path, disk, onWarning: () => {} })
  let last = 0
  for (const id of ['v', 'w', 'x']) last = await addNode(writer, id)
  await writer.close()
  return last
}

async function removeTree(disk: MemoryDisk, path: string): Promise<void> {
  for (const name of await disk.list(path)) {
    const child = `${path}/${name}`
    if ((await disk.stat(child))!.kind === 'directory') await removeTree(disk, child)
    else await disk.unlink(child)
  }
}

describe('where another journal takes the place of one with changes that nobody has read yet,', () => {
  /** A reader that had commit 2, and nothing since; the follower knows commit 3, which erased something and is followed by another. */
  async function late(): Promise<Scene & { reader: AsyncGenerator<Change> }> {
    const disk = new MemoryDisk()
    const writer = await write(disk)
    await writer.indexStore.addIndexStruct({ indexId: 'i', type: 'keyword_table', table: new Map() })
    await addNode(writer, 'a')
    const follower = await follow(disk, { poll: 2 })
    open.push(follower)
    const told = heard(follower)
    const reader = follower.changes()
    const first = reader.next()
    await addNode(writer, 'b')
    expect((await first).value?.commit.number).toBe(2)
    await writer.history.erase({ nodeIds: ['a'], reason: 'on request' })
    await addNode(writer, 'old')
    await until(async () => follower.docstore.documentExists('old'))
    await writer.close()
    await disk.rename(directory, '/old')
    return { disk, follower, told, reader }
  }

  test('a reader that begins is told of the new one, though no look found it', async () => {
    const { disk, follower } = await late()
    await commitAll(disk, ['x', 'y', 'z'])
    const { value } = await follower.changes({ from: 2 }).next()
    expect(value).toMatchObject({ commit: { number: 3 }, stores: [{ added: ['z'] }] })
  })

  test('the reset is told, and the late reader refused, whatever the new one holds', async () => {
    const { disk, follower, told, reader } = await late()
    const writer = await write(disk)
    open.push(writer)
    await writer.indexStore.addIndexStruct({ indexId: 'i', type: 'x', table: new Map([['k', 'v']]) })
    await writer.persist()
    const changes = [{ op: 'set' as const, field: 'table', key: 'q', value: 'b' }]
    await writer.indexStore.changeIndexStruct!('i', changes)
    await writer.persist()
    await until(() => told.some((each) => typeof each === 'object'))
    expect(told.filter((each) => each instanceof Error)).toEqual([])
    expect(told.at(-1)).toMatchObject({ reason: 'replaced' })
    await expect(take(reader, 5)).rejects.toMatchObject({ code: 'VARVE_OTHER_HISTORY' })
    expect(await follower.docstore.documentExists('old')).toBe(false)
  })
})

import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { MemoryDisk } from '../../src/disk/memory-disk.ts'
import { StorageContext, TextNode, type VarveError } from '../../src/index.ts'
import { encode } from '../../src/journal/codec.ts'
import { encodeFrame } from '../../src/log/frame.ts'
import { frameHead, replaceFrames, withFormat } from './newer.ts'
import { names, read, storagePath, type Golden } from './golden.ts'
import { makeAll, presentFormat } from './make.ts'
import { directory } from './stage.ts'
import { absent, readCommits, readValues, type ReadValues } from './values.ts'

const formats = [presentFormat]
const all = formats.flatMap((format) => names(format).map((name) => ({ format, name })))

function diskWith({ files }: Golden): MemoryDisk {
  const disk = new MemoryDisk({ machine: { bootId: 'another day' } })
  for (const [path, bytes] of files) disk.put(`${directory}/${path}`, bytes)
  return disk
}

function open(disk: MemoryDisk, options: { readOnly?: boolean } = {}): Promise<StorageContext> {
  return StorageContext.fromDefaults({ persistDir: directory, disk, onWarning: () => {}, ...options })
}

function present(values: ReadValues): Record<string, unknown> {
  return Object.fromEntries([...values].filter(([, value]) => value !== absent))
}

async function expectAll(storage: StorageContext, { commits, states, keys }: Golden): Promise<void> {
  expect(await readCommits(storage)).toEqual(commits)
  const expected = states.get(commits.length)!
  expect(present(await readValues(storage, keys))).toEqual(Object.fromEntries(expected))
}

test.each(all)('$format/$name is read as it was meant, and nothing is written', async ({ format, name }) => {
  const persistDir = storagePath(format, name)
  const before = await readdir(persistDir, { recursive: true })
  const storage = await StorageContext.fromDefaults({ persistDir, readOnly: true, onWarning: () => {} })
  await expectAll(storage, read(format, name))
  await storage.close()
  expect(await readdir(persistDir, { recursive: true })).toEqual(before)
})

test.each(all)('$format/$name can be written on, and keeps what it held', async ({ format, name }) => {
  const golden = read(format, name)
  const disk = diskWith(golden)
  const writer = await open(disk)
  await writer.docstore.addDocuments([new TextNode({ id_: 'added', text: 'today' })])
  await writer.persist({ message: 'today' })
  await writer.docstore.deleteDocument('added')
  await writer.persist()
  await writer.close()

  const reader = await open(disk, { readOnly: true })
  expect((await readCommits(reader)).slice(0, -2)).toEqual(golden.commits)
  expect(present(await readValues(reader, golden.keys))).toEqual(
    Object.fromEntries(golden.states.get(golden.commits.length)!),
  )
  await reader.close()
})

test.each(all)('$format/$name holds the same without its snapshots', async ({ format, name }) => {
  const golden = read(format, name)
  const files = new Map([...golden.files].filter(([path]) => !path.startsWith('snapshots/')))
  const storage = await open(diskWith({ ...golden, files }), { readOnly: true })
  await expectAll(storage, golden)
  await storage.close()
})

test('the script still makes directories that hold the same', async () => {
  const made = await makeAll()
  expect(made.map(({ name }) => name).sort()).toEqual(names(presentFormat))
  for (const { name, states, keys, commits } of made) {
    const golden = read(presentFormat, name)
    expect(keys).toEqual(golden.keys)
    expect(commits.length).toBe(golden.commits.length)
    const last = states.get(commits.length)!
    expect(present(last)).toEqual(Object.fromEntries(golden.states.get(commits.length)!))
  }
})

/** Format 2 does not exist; these are format 1 with a later number where a later Varve would put it. */
const newer: [what: string, path: string, edit: (bytes: Buffer) => Uint8Array | Promise<Uint8Array>][] = [
  ['a manifest of format 2', 'varve.json', (bytes) => Buffer.from(String(bytes).replace('"format":1', '"format":2'))],
  [
    'a manifest of format 2 that looks different',
    'varve.json',
    () => Buffer.from('{"format":2,"identity":{"kind":"ulid"},"requires":"?"}'),
  ],
  [
    'a requirement nobody knows yet',
    'varve.json',
    (bytes) => Buffer.from(String(bytes).replace('"requires":[]', '"requires":["telepathy"]')),
  ],
  ['a segment of format 2', 'docstore/0000000001.log', (bytes) => withFormat(bytes, 2)],
  ['a commit segment of format 2', 'commits/0000000001.log', (bytes) => withFormat(bytes, 2)],
  [
    'a commit of version 2',
    'commits/0000000001.log',
    (bytes) =>
      replaceFrames(bytes, (frame) => {
        const head = frameHead(frame)
        return head[0] === 'Commit' ? { ...frame, head: encode([head[0], 2, ...head.slice(2)]) } : frame
      }),
  ],
]

test.each(newer)('%s is refused as newer, not as corrupt', async (_, path, edit) => {
  for (const withSnapshots of [true, false]) {
    const golden = read(presentFormat, 'documents')
    const files = new Map([...golden.files].filter(([name]) => withSnapshots || !name.startsWith('snapshots/')))
    files.set(path, await edit(Buffer.from(files.get(path)!)))
    const disk = diskWith({ ...golden, files })
    const reading = async (): Promise<unknown> => {
      await using storage = await open(disk, { readOnly: true })
      await readCommits(storage)
      return storage.docstore.getAllRefDocInfo()
    }
    await expect(reading()).rejects.toMatchObject({ code: 'VARVE_NEWER' } satisfies Partial<VarveError>)
    const writing = async (): Promise<unknown> => {
      await using storage = await open(disk)
      return storage.docstore.addDocuments([new TextNode({ id_: 'x', text: '' })])
    }
    await expect(writing()).rejects.toMatchObject({ code: 'VARVE_NEWER' })
  }
})

test('an event of version 2 is refused as newer, not as corrupt', async () => {
  const { disk, files } = await withEvent(encode(['NodesAdded', 2]))
  await expect(readNodes(disk)).rejects.toMatchObject({ code: 'VARVE_NEWER' })
  expect(files).toBeGreaterThan(0)
})

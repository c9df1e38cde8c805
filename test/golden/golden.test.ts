import { readdir } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { MemoryDisk } from '../../src/disk/memory-disk.ts'
import { StorageContext, TextNode } from '../../src/index.ts'
import { names, read, storagePath, type Golden } from './golden.ts'
import { makeAll, presentFormat } from './make.ts'
import { withDigestOf, withFormat, withVersion2 } from './newer.ts'
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
  const commits = await readCommits(reader)
  expect(commits.slice(0, golden.commits.length)).toEqual(golden.commits)
  expect(commits.length - golden.commits.length).toBe(name === 'erasing' ? 3 : 2)
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

const documents = read(presentFormat, 'documents')
const manifest = 'varve.json'
const commits = 'commits/0000000001.log'
const docstore = 'docstore/0000000001.log'

/** There is no later Varve yet: these are files of format 1 with a later number where that would put it. */
const newer: [what: string, edited: Record<string, Uint8Array>][] = [
  ['a manifest of format 2', { [manifest]: inManifest('"format":1', '"format":2') }],
  [
    'a manifest of format 2 that looks different',
    { [manifest]: Buffer.from('{"format":2,"identity":{"kind":"ulid"},"requires":"?"}') },
  ],
  ['a requirement nobody knows yet', { [manifest]: inManifest('"requires":[]', '"requires":["telepathy"]') }],
  ['a segment of format 2', { [docstore]: withFormat(bytesOf(docstore), 2) }],
  ['a commit segment of format 2', { [commits]: withFormat(bytesOf(commits), 2) }],
  ['a commit of version 2', { [commits]: withVersion2(bytesOf(commits), 'Commit') }],
  ['an event of version 2', eventsOfVersion2('NodesAdded')],
]

function bytesOf(path: string): Uint8Array {
  return documents.files.get(path)!
}

function inManifest(before: string, after: string): Buffer {
  const text = Buffer.from(bytesOf(manifest)).toString()
  if (!text.includes(before)) throw new Error(`The manifest has no ${before}: ${text}`)
  return Buffer.from(text.replace(before, after))
}

function eventsOfVersion2(type: string): Record<string, Uint8Array> {
  const edited = withVersion2(bytesOf(docstore), type)
  return { [docstore]: edited, [commits]: withDigestOf(bytesOf(commits), bytesOf(docstore), edited) }
}

test.each(newer)('%s is refused as newer, not as corrupt, with snapshots and without', async (_, edited) => {
  for (const withSnapshots of [true, false]) {
    const files = new Map(
      [...documents.files].filter(([path]) => withSnapshots || !path.startsWith('snapshots/')),
    )
    for (const [path, bytes] of Object.entries(edited)) files.set(path, bytes)
    const refused = { name: 'VarveError', code: 'VARVE_NEWER' }
    await expect(readDocuments(diskWith({ ...documents, files }))).rejects.toMatchObject(refused)
    await expect(addDocument(diskWith({ ...documents, files }))).rejects.toMatchObject(refused)
  }
})

async function readDocuments(disk: MemoryDisk): Promise<void> {
  await using storage = await open(disk, { readOnly: true })
  await storage.docstore.getAllRefDocInfo()
  await readCommits(storage)
}

async function addDocument(disk: MemoryDisk): Promise<void> {
  await using storage = await open(disk)
  await storage.docstore.addDocuments([new TextNode({ id_: 'x', text: '' })])
  await storage.persist()
}

import { beforeAll, describe, expect, test } from 'vitest'
import type { Disk, ReadableFile } from '../../src/disk/disk.ts'
import { MemoryDisk } from '../../src/disk/memory-disk.ts'
import { linkCommits } from '../../src/history/commit-chain.ts'
import { readCommitLog } from '../../src/history/commit-log.ts'
import { findJournal } from '../../src/history/journal-place.ts'
import { SegmentReader } from '../../src/history/segment-reader.ts'
import { verifyDirectory } from '../../src/history/verify.ts'
import { Catalog } from '../../src/journal/catalog.ts'
import { decode, encode } from '../../src/journal/codec.ts'
import { Journal } from '../../src/journal/journal.ts'
import { journalIdBytes, readManifest } from '../../src/journal/manifest.ts'
import { catalogSubject, encodeSnapshot, readSnapshot, type Sections } from '../../src/journal/snapshot.ts'
import { makeDirectoryDurable } from '../../src/log/durable-directory.ts'
import {
  commitsFolder,
  namespaceFolder,
  parseSnapshotName,
  segmentName,
  snapshotName,
  snapshotsFolder,
} from '../../src/log/names.ts'
import { seededRandom } from '../support/seeded.ts'
import { damageCases } from './damages.ts'
import {
  append,
  directory,
  edit,
  nodes,
  numbered,
  oddFolder,
  oddNamespace,
  Places,
  sampleJournal,
  sampleOptions,
  vectors,
} from './sample-journal.ts'

let whole: MemoryDisk
let places: Places

beforeAll(async () => {
  whole = (await sampleJournal()).disk
  places = await Places.of(whole)
})

describe('an intact journal', () => {
  test('is said to be intact, with what it holds', async () => {
    const report = await verifyDirectory(whole, directory)
    expect(report).toMatchObject({
      intact: true,
      commits: 10,
      damages: [],
      unnamed: [],
      head: { number: 10 },
    })
    expect(report.torn).toBeUndefined()
    expect(report.stores.map(({ folder }) => folder)).toEqual(
      [
        'docstore',
        'graph_store',
        'index_store',
        'property_graph_store',
        oddFolder,
        'vector_store/default',
      ].toSorted(),
    )
    expect(
      report.stores.every(
        ({ safeThrough, damagedCommits }) => safeThrough === 10 && damagedCommits.length === 0,
      ),
    ).toBe(true)
    expect(report.stores.find(({ folder }) => folder === oddFolder)).toMatchObject({
      name: oddNamespace,
      items: 3,
    })
    expect(report.stores.reduce((sum, { items }) => sum + items, 0)).toBe(91)
  })

  test('has snapshots that equal the replay', async () => {
    const { snapshots } = await verifyDirectory(whole, directory)
    expect(snapshots.map(({ subject }) => subject)).toEqual(
      expect.arrayContaining(['docstore', 'index_store', 'journal', 'vector_store/default']),
    )
    expect(new Set(snapshots.map(({ state }) => state))).toEqual(new Set(['equal']))
  })

  test('but for a list of what was touched that lacks something', async () => {
    const disk = whole.snapshot()
    await rewriteSnapshot(
      disk,
      'docstore=touched',
      (sections) => new Map([['frames', sections.get('frames')!.subarray(0, -8)]]),
    )
    const { snapshots } = await verifyDirectory(disk, directory)
    const states = snapshots
      .filter(({ state }) => state !== 'equal')
      .map(({ subject, state }) => [subject, state])
    expect(states).toEqual([['docstore=touched', 'differs']])
  })

  test('nor for a catalog that knows a tag which nobody gave', async () => {
    const disk = whole.snapshot()
    await rewriteSnapshot(disk, catalogSubject, (sections) => {
      const catalog = Catalog.fromPlain(decode(sections.get(catalogSubject)!))!
      catalog.tags.set('forged', 1)
      return new Map([[catalogSubject, encode(catalog.toPlain())]])
    })
    const { intact, damages } = await verifyDirectory(disk, directory)
    expect(intact).toBe(false)
    expect(damages).toMatchObject([
      { kind: 'snapshot', path: expect.stringContaining('~journal.snap') as string },
    ])
  })

  test('is not written to, and its report is plain data', async () => {
    const before = whole.operations
    const report = await verifyDirectory(whole, directory)
    expect(whole.operations).toBe(before)
    const { torn: _, writer: __, ...plain } = report
    expect(JSON.parse(JSON.stringify(report))).toEqual(plain)
  })

  test('is read whole, and says how far it is', async () => {
    const progress: number[] = []
    const { bytes } = await verifyDirectory(whole, directory, {
      onProgress: (seen) => {
        expect(seen.bytes).toBeLessThanOrEqual(seen.totalBytes)
        progress.push(seen.bytes)
      },
    })
    expect(progress.at(-1)).toBe(bytes)
    expect(progress).toEqual(progress.toSorted((a, b) => a - b))
  })

  test('is left in peace when the caller asks to stop', async () => {
    const signal = AbortSignal.abort(new Error('enough'))
    await expect(verifyDirectory(whole, directory, { signal })).rejects.toThrow('enough')
  })
})

/** As a hostile hand could, with a good checksum. */
async function rewriteSnapshot(
  disk: MemoryDisk,
  subject: string,
  change: (sections: Sections) => Sections,
): Promise<void> {
  const folder = `${directory}/snapshots`
  const name = (await disk.list(folder)).find((each) => parseSnapshotName(each)?.subject === subject)!
  const journalId = journalIdBytes((await readManifest(disk, directory))!)
  const id = { journalId, subject, commit: parseSnapshotName(name)!.commit }
  const { hash, sections } = (await readSnapshot(disk, directory, id))!
  await disk.unlink(`${folder}/${name}`)
  const file = await disk.create(`${folder}/${name}`)
  await file.write(encodeSnapshot({ ...id, hash }, change(sections)), 0)
  await file.close()
}

test('a commit that follows from another than the one before it is named, though it meets every checksum', async () => {
  const { files } = await findJournal(whole, directory)
  const log = await readCommitLog(new SegmentReader(files), undefined)
  expect(linkCommits(log).faults).toEqual([])
  const entry = log
    .flatMap(({ entries }) => entries)
    .find((each) => each.kind === 'commit' && each.commit.number === 2)
  if (entry?.kind === 'commit') entry.commit.previous = new Uint8Array(32)
  expect(linkCommits(log).faults).toMatchObject([
    { fault: 'it does not follow from the commit before', at: 2 },
  ])
})

describe('damage is named at its place:', () => {
  test.each(damageCases)('$name', async ({ damage, finds }) => {
    const disk = whole.snapshot()
    await damage(disk, places)
    const report = await verifyDirectory(disk, directory)
    expect(report.damages).toMatchObject(await finds(places))
    expect(report.damages).toHaveLength((await finds(places)).length)
    expect(report.intact).toBe(false)
    expect(report.torn).toBeUndefined()
  })
})

describe('what is safe', () => {
  test('is said per store, and behind the damage too', async () => {
    const disk = whole.snapshot()
    const frame = (await places.frames(places.part(7, 'docstore')))[0]!
    edit(
      disk,
      places.path('docstore', places.part(7, 'docstore').segment),
      (bytes) => void (bytes[frame.rowOffsets[0]!]! ^= 1),
    )
    const { stores } = await verifyDirectory(disk, directory)
    expect(stores.find(({ folder }) => folder === 'docstore')).toMatchObject({
      safeThrough: 6,
      damagedCommits: [[7, 7]],
    })
    expect(
      stores.filter(({ folder }) => folder !== 'docstore').every(({ safeThrough }) => safeThrough === 10),
    ).toBe(true)
  })

  test('is no store from a lost commit on, since nobody can tell what it changed', async () => {
    const disk = whole.snapshot()
    const { segment, offset } = places.offsets[6]!
    edit(disk, places.path(commitsFolder, segment), (bytes) => void (bytes[offset + 8]! ^= 1))
    const { stores, unnamed } = await verifyDirectory(disk, directory)
    expect(
      stores.every(({ safeThrough, damagedCommits }) => safeThrough === 6 && damagedCommits[0]?.[0] === 7),
    ).toBe(true)
    const [from, to] = [
      places.part(7, 'property_graph_store').from,
      places.part(7, 'property_graph_store').to,
    ]
    expect(unnamed).toContainEqual({ path: 'property_graph_store/0000000001.log', from, to, what: 'unnamed' })
  })
})

test('a journal of many stores is verified with few files open at a time', async () => {
  const disk = new MemoryDisk()
  await makeDirectoryDurable(disk, directory)
  const journal = await Journal.open(directory, sampleOptions(disk))
  for (const name of numbered('n', 60))
    await append(journal, namespaceFolder('vector_store', name), vectors([name]))
  await journal.persist()
  await journal.close()
  let [open, most] = [0, 0]
  const counting = new Proxy<Disk>(disk, {
    get: (target, name: keyof Disk): unknown => {
      if (name !== 'openToRead') return (target[name] as () => unknown).bind(target)
      return async (path: string): Promise<ReadableFile> => {
        const file = await disk.openToRead(path)
        most = Math.max(most, ++open)
        const close = (): Promise<void> => {
          open--
          return file.close()
        }
        return {
          size: () => file.size(),
          read: (offset, length) => file.read(offset, length),
          readNow: (offset, length) => file.readNow(offset, length),
          close,
        }
      }
    },
  })
  expect(await verifyDirectory(counting, directory)).toMatchObject({ intact: true, commits: 1 })
  expect(open).toBe(0)
  expect(most).toBeLessThan(10)
})

/** Ten commits, the last of which, on disk, lacks its nodes; the snapshots of it are gone, or one is left. */
async function withoutLastPart({ snapshot }: { snapshot?: { hash?: Buffer } } = {}): Promise<MemoryDisk> {
  const { disk: written } = await sampleJournal({ open: true })
  const { hash } = (await verifyDirectory(written, directory)).head!
  const disk = written.snapshot()
  for (const name of await disk.list(`${directory}/${snapshotsFolder}`))
    if (parseSnapshotName(name)?.commit === 10) await disk.unlink(`${directory}/${snapshotsFolder}/${name}`)
  if (snapshot) {
    const journalId = journalIdBytes((await readManifest(disk, directory))!)
    const id = { journalId, subject: 'property_graph_store', commit: 10 }
    const sections = (await readSnapshot(whole, directory, id))!.sections
    const file = encodeSnapshot({ ...id, hash: snapshot.hash ?? Buffer.from(hash, 'hex') }, sections)
    disk.put(`${directory}/${snapshotsFolder}/${snapshotName(10, id.subject)}`, Buffer.concat(file))
  }
  const { segment, from } = places.part(10, 'docstore')
  edit(disk, places.path('docstore', segment), (bytes) => bytes.subarray(0, from + 10))
  return disk
}

test.each([2, 9])('a segment of the commit log in the place of segment %i is damage', async (place) => {
  const disk = whole.snapshot()
  const path = (segment: number): string => places.path(commitsFolder, segment)
  const taken = (await disk.list(`${directory}/${commitsFolder}`)).includes(segmentName(place))
  disk.put(path(place), Buffer.from(disk.peek(path(1))))
  await expect(Journal.open(directory, sampleOptions(disk))).rejects.toMatchObject({ code: 'VARVE_CORRUPT' })
  const { intact, damages, commits } = await verifyDirectory(disk, directory)
  expect(intact).toBe(false)
  expect(damages.map(({ fault }) => fault)).toContain('it is segment 1')
  if (!taken) expect(commits).toBe(10)
})

describe('what a snapshot of the last commit proves', () => {
  test('is that what it lacks was durable, and is damage', async () => {
    const report = await verifyDirectory(await withoutLastPart({ snapshot: {} }), directory)
    expect(report).toMatchObject({ intact: false, commits: 10, torn: undefined })
    expect(report.damages[0]).toMatchObject({ kind: 'frame', store: 'docstore', commits: [[10, 10]] })
    expect(report.snapshots.find(({ commit }) => commit === 10)?.state).toBe('equal')
  })
})

describe('what is no damage', () => {
  test.each([1, 20, 60])(
    'is a commit that lacks its last %i bytes and was never promised',
    async (missing) => {
      const { disk } = await sampleJournal({ open: true })
      const { segment } = places.offsets[9]!
      edit(disk, places.path(commitsFolder, segment), (bytes) => bytes.subarray(0, bytes.length - missing))
      const report = await verifyDirectory(disk, directory)
      expect(report).toMatchObject({
        intact: true,
        commits: 9,
        torn: { commits: 0, offset: places.offsets[9]!.offset },
      })
      expect(report.unnamed.map(({ path }) => path)).toEqual(
        expect.arrayContaining(['property_graph_store/0000000001.log']),
      )
    },
  )

  test('is a commit at the end whose parts never arrived', async () => {
    const disk = await withoutLastPart()
    const report = await verifyDirectory(disk, directory)
    expect(report).toMatchObject({ intact: true, commits: 9, torn: { commits: 1 } })
    expect(report.stores.find(({ folder }) => folder === 'docstore')).toMatchObject({ safeThrough: 9 })
  })

  test('is a snapshot of another commit of its number than the torn one', async () => {
    const disk = await withoutLastPart({ snapshot: { hash: Buffer.alloc(32) } })
    const { intact, torn, snapshots } = await verifyDirectory(disk, directory)
    expect({ intact, torn }).toMatchObject({ intact: true, torn: { commits: 1 } })
    expect(snapshots.find(({ commit }) => commit === 10)?.state).toBe('other history')
  })

  test('is a snapshot that cannot be read', async () => {
    const disk = whole.snapshot()
    edit(disk, `${directory}/snapshots/0000000003~index_store.snap`, (bytes) => bytes.subarray(0, 40))
    const report = await verifyDirectory(disk, directory)
    expect(report.intact).toBe(true)
    expect(report.snapshots.find(({ subject }) => subject === 'index_store')).toMatchObject({
      state: 'unreadable',
    })
  })

  test('is what a dead writer left, named by no commit', async () => {
    const disk = whole.snapshot()
    const dead = disk.asProcess({ pid: 20 })
    const journal = await Journal.open(directory, sampleOptions(dead))
    for (let from = 1; from <= 40; from += 10)
      await append(journal, 'docstore', nodes(numbered('z', 10, from), 20))
    dead.kill()
    const report = await verifyDirectory(disk, directory)
    expect(report).toMatchObject({ intact: true, commits: 10, writer: { pid: 20, state: 'dead' } })
    expect(report.unnamed.map(({ what }) => what)).toContain('leftover')
  })

  test('is a directory where a journal was begun and nothing committed', async () => {
    const disk = whole.snapshot()
    for (const folder of ['commits', 'snapshots'])
      for (const name of await disk.list(`${directory}/${folder}`))
        await disk.unlink(`${directory}/${folder}/${name}`)
    for (const { path } of (await verifyDirectory(disk, directory)).unnamed)
      await disk.unlink(`${directory}/${path}`)
    expect(await verifyDirectory(disk, directory)).toMatchObject({ intact: true, commits: 0, stores: [] })
  })
})

test('a sector that the disk cannot read is damage like any other, and the rest is still read', async () => {
  const disk = whole.snapshot()
  const { segment } = places.part(4, 'docstore', 1)
  const path = places.path('docstore', segment)
  const open = disk.openToRead.bind(disk)
  disk.openToRead = async (asked) => {
    const file = await open(asked)
    if (asked !== path) return file
    const read = file.read.bind(file)
    file.read = async (offset, length) => {
      if (offset < 100 && offset + length > 80)
        throw Object.assign(new Error('EIO: i/o error, read'), { code: 'EIO', syscall: 'read' })
      return read(offset, length)
    }
    return file
  }
  const { damages } = await verifyDirectory(disk, directory)
  expect(damages.length).toBeGreaterThan(0)
  expect(damages.every(({ store, segment: where }) => store === 'docstore' && where === segment)).toBe(true)
})

describe('beside a living writer', () => {
  test('nothing is taken for damage, whatever the writer does meanwhile', async () => {
    const random = seededRandom(5)
    const delay = async (): Promise<void> => {
      if (random() < 0.2) await new Promise((resume) => setImmediate(resume))
    }
    const disk = new MemoryDisk({ delay })
    await makeDirectoryDurable(disk, directory)
    const journal = await Journal.open(directory, sampleOptions(disk))
    await append(journal, 'docstore', nodes(['first']))
    await journal.persist()
    let writing = true
    const writes = (async () => {
      for (let at = 1; at <= 150; at++) {
        await append(journal, 'docstore', nodes(numbered(`n${at}-`, 3), 30))
        if (at % 7 === 0)
          await append(journal, 'docstore', nodes(numbered(`lost${at}-`, 30), 30)).then(() =>
            journal.rollback(),
          )
        await append(journal, 'vector_store/default', vectors(numbered(`n${at}-`, 3)))
        await journal.persist({ message: `${at}` })
      }
      await journal.close()
      writing = false
    })()
    const seen: number[] = []
    while (writing) {
      const report = await verifyDirectory(disk.asProcess({ pid: 99 }), directory)
      expect(report.damages).toEqual([])
      seen.push(report.commits)
    }
    await writes
    expect(seen).toEqual(seen.toSorted((a, b) => a - b))
    expect(seen.length).toBeGreaterThan(3)
    expect(await verifyDirectory(disk, directory)).toMatchObject({ intact: true, unnamed: [] })
  })
})

describe('what cannot be looked at is refused:', () => {
  test.each([
    ['a missing directory', '/nowhere', 'VARVE_NOT_FOUND'],
    ['a file', `${directory}/varve.json`, 'VARVE_NOT_A_DIRECTORY'],
    ['an empty directory', '/data', 'VARVE_NOT_FOUND'],
  ])('%s', async (_, path, code) => {
    await expect(verifyDirectory(whole, path)).rejects.toMatchObject({ code })
  })

  test("LlamaIndex's files without a journal", async () => {
    const disk = new MemoryDisk()
    disk.put('/llama/docstore.json', Buffer.from('{}'))
    await expect(verifyDirectory(disk, '/llama')).rejects.toThrow(
      "holds LlamaIndex's files, and no journal yet",
    )
  })

  test('a newer format, as newer and not as damaged', async () => {
    const disk = whole.snapshot()
    disk.put(`${directory}/varve.json`, Buffer.from('{"format":2}'))
    await expect(verifyDirectory(disk, directory)).rejects.toMatchObject({ code: 'VARVE_NEWER' })
  })

  test('a directory in which neither manifest nor commit log can be read', async () => {
    const disk = whole.snapshot()
    await disk.unlink(`${directory}/varve.json`)
    for (const name of await disk.list(`${directory}/commits`))
      edit(disk, `${directory}/commits/${name}`, (bytes) => void bytes.fill(0))
    await expect(verifyDirectory(disk, directory)).rejects.toMatchObject({ code: 'VARVE_CORRUPT' })
  })
})

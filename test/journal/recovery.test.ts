/**
 * The recovery table of FORMAT.md, a row a test: what was done to the files, how many commits survive it, or
 * which error names it.
 */
import { describe, expect, test } from 'vitest'
import { MemoryDisk } from '../../src/disk/memory-disk.ts'
import { VarveError, type VarveErrorCode } from '../../src/errors.ts'
import { encodeCommit, heads } from '../../src/journal/commit.ts'
import { Home } from '../../src/journal/home.ts'
import { Journal } from '../../src/journal/journal.ts'
import { journalIdBytes, readManifest } from '../../src/journal/manifest.ts'
import { encodeSnapshot } from '../../src/journal/snapshot.ts'
import { noCommit, recover } from '../../src/log/recovery.ts'
import { SegmentFiles } from '../../src/log/segment-files.ts'
import { append, cut, edit, filesUnder, flip, framesOf, segmentPath } from '../support/damage.ts'
import { seededBytes } from '../support/seeded.ts'
import { contents, put, toyOptions } from '../support/toy-store.ts'

const directory = '/storage'
const manifest = `${directory}/varve.json`
const [commits, docstore, indexStore] = ['commits', 'docstore', 'index_store'].map((folder) =>
  segmentPath(directory, folder),
) as [string, string, string]

const third = (folder: string): string => segmentPath(directory, folder, 3)

const open = (disk: MemoryDisk, onWarning = (_: string): void => {}): Promise<Journal> =>
  Journal.open(directory, toyOptions({ disk, onWarning, random: seededBytes(disk.operations + 7) }))

async function write(disk: MemoryDisk, from: number, to: number): Promise<Journal> {
  const journal = await open(disk)
  for (let number = from; number <= to; number++) {
    await put(journal, 'docstore', { [`a${number}`]: number, [`b${number}`]: number }, 50)
    await put(journal, 'index_store', { [`c${number}`]: number })
    await journal.persist({ message: `commit ${number}` })
  }
  return journal
}

/** The ways a writer can end. */
const ends = {
  /** Three commits, the last above every mark. */
  async killed(disk: MemoryDisk) {
    await write(disk, 1, 3)
  },
  /** Three commits, and a mark. */
  async marked(disk: MemoryDisk) {
    await (await write(disk, 1, 3)).flush()
  },
  /** Three commits, a close mark, snapshots. */
  async closed(disk: MemoryDisk) {
    await (await write(disk, 1, 3)).close()
  },
  /** Three commits, snapshots of the last, and no mark. */
  async snapshotted(disk: MemoryDisk) {
    await ends.closed(disk)
    cut(disk, commits, frame(disk, commits, 2).end)
  },
  /** A session that was killed, and two more. */
  async continued(disk: MemoryDisk) {
    await write(disk, 1, 1)
    await write(disk.asProcess({ pid: 2, bootId: 'second' }), 2, 2)
    await write(disk.asProcess({ pid: 3, bootId: 'third' }), 3, 3)
  },
  /** Two sessions that ended in order, so two commits lie below a mark. */
  async markedAndMore(disk: MemoryDisk) {
    const journal = await write(disk, 1, 2)
    await journal.flush()
    await put(journal, 'docstore', { a3: 3, b3: 3 }, 50)
    await put(journal, 'index_store', { c3: 3 })
    await journal.persist()
  },
  /** One commit of the docstore, then three of the index store alone. */
  async oneStoreThenTheOther(disk: MemoryDisk) {
    const journal = await open(disk)
    await put(journal, 'docstore', { a1: 1 })
    await journal.persist()
    for (let number = 2; number <= 4; number++) {
      await put(journal, 'index_store', { [`c${number}`]: number })
      await journal.persist()
    }
  },
}

const swap = (disk: MemoryDisk, path: string, other: string): void => disk.put(path, disk.peek(other))

interface Row {
  name: string
  end: keyof typeof ends
  damage: (disk: MemoryDisk) => void | Promise<void>
  /** So many commits are there afterwards. */
  survives?: number
  /** Something was dropped, and the next writer says so. */
  torn?: true
  error?: { code: VarveErrorCode; fields?: Record<string, unknown> }
}

const corrupt = (fields: Record<string, unknown> = {}): Row['error'] => ({ code: 'VARVE_CORRUPT', fields })
const frame = (disk: MemoryDisk, path: string, number: number): ReturnType<typeof framesOf>[number] =>
  framesOf(disk.peek(path)).at(number)!

async function otherJournal(): Promise<MemoryDisk> {
  const disk = new MemoryDisk()
  const journal = await Journal.open(directory, toyOptions({ disk, random: seededBytes(99) }))
  await put(journal, 'docstore', { other: 1 })
  await journal.persist()
  await journal.close()
  return disk
}

const rows: Row[] = [
  { name: 'nothing at all', end: 'killed', damage: () => {}, survives: 3 },
  {
    name: 'a torn commit frame',
    end: 'killed',
    damage: (disk) => cut(disk, commits, frame(disk, commits, 2).end - 5),
    survives: 2,
    torn: true,
  },
  {
    name: 'a commit frame without its end of zeros',
    end: 'killed',
    damage: (disk) => cut(disk, commits, frame(disk, commits, 2).end - 1),
    survives: 2,
    torn: true,
  },
  {
    name: 'a torn store frame',
    end: 'killed',
    damage: (disk) => cut(disk, docstore, frame(disk, docstore, 2).payloads + 9),
    survives: 2,
    torn: true,
  },
  {
    name: 'a store frame without the zeros at its end',
    end: 'killed',
    damage: (disk) => cut(disk, indexStore, frame(disk, indexStore, 2).end - 1),
    survives: 2,
    torn: true,
  },
  {
    name: 'a store frame of zeros',
    end: 'killed',
    damage: (disk) => edit(disk, indexStore, (bytes) => bytes.fill(0, frame(disk, indexStore, 2).offset)),
    survives: 2,
    torn: true,
  },
  {
    name: 'a commit log that ends in zeros',
    end: 'marked',
    damage: (disk) => append(disk, commits, Buffer.alloc(3000)),
    survives: 3,
    torn: true,
  },
  {
    name: 'a flipped bit in the last commit above the mark',
    end: 'killed',
    damage: (disk) => flip(disk, commits, frame(disk, commits, 2).offset + 50),
    survives: 2,
    torn: true,
  },
  {
    name: 'a flipped bit in a row above the mark',
    end: 'killed',
    damage: (disk) => flip(disk, docstore, frame(disk, docstore, 2).rows + 30),
    survives: 2,
    torn: true,
  },
  {
    name: 'a flipped bit in a payload above the mark',
    end: 'killed',
    damage: (disk) => flip(disk, docstore, frame(disk, docstore, 2).payloads + 3),
    survives: 2,
    torn: true,
  },
  {
    name: 'a bad row, a snapshot of its commit',
    end: 'snapshotted',
    damage: (disk) => flip(disk, docstore, frame(disk, docstore, 2).rows + 30),
    survives: 3,
  },
  {
    name: 'a bad row, another store’s snapshot',
    end: 'snapshotted',
    damage: async (disk) => {
      flip(disk, docstore, frame(disk, docstore, 2).rows + 30)
      for (const path of await filesUnder(disk, `${directory}/snapshots`))
        if (path.includes('~docstore') || path.includes('~journal')) await disk.unlink(path)
    },
    error: corrupt({ store: 'docstore', segment: 1, commit: 3 }),
  },
  {
    name: 'a bad row, a snapshot of another commit',
    end: 'killed',
    damage: async (disk) => {
      const id = { journalId: journalIdBytes((await readManifest(disk, directory))!), commit: 3 }
      const hash = new Uint8Array(32)
      const [file] = encodeSnapshot({ ...id, subject: 'index_store', hash }, new Map())
      disk.put(`${directory}/snapshots/0000000003~index_store.snap`, Buffer.from(file!))
      flip(disk, docstore, frame(disk, docstore, 2).rows + 30)
    },
    survives: 2,
    torn: true,
  },
  {
    name: 'a flipped bit in a commit below the mark',
    end: 'marked',
    damage: (disk) => flip(disk, commits, frame(disk, commits, 1).offset + 50),
    error: corrupt({ store: 'commits', segment: 1, commit: 2 }),
  },
  {
    name: 'a flipped bit in the header of a commit below the mark',
    end: 'marked',
    damage: (disk) => flip(disk, commits, frame(disk, commits, 1).offset + 13),
    error: corrupt({ store: 'commits', segment: 1, commit: 2 }),
  },
  {
    name: 'a damaged row below the mark',
    end: 'marked',
    damage: (disk) => flip(disk, docstore, frame(disk, docstore, 1).rows + 25),
    error: corrupt({ store: 'docstore', segment: 1, commit: 2, item: 0, fault: 'a row is damaged' }),
  },
  {
    name: 'a damaged table below the mark',
    end: 'marked',
    damage: (disk) => flip(disk, docstore, frame(disk, docstore, 1).offset + 60),
    error: corrupt({ store: 'docstore', segment: 1, commit: 2 }),
  },
  {
    name: 'a store frame below the mark that was replaced by another good one',
    end: 'marked',
    damage: (disk) =>
      edit(disk, docstore, (bytes) => {
        bytes.copy(
          bytes,
          frame(disk, docstore, 1).offset,
          frame(disk, docstore, 2).offset,
          frame(disk, docstore, 2).end,
        )
      }),
    error: corrupt({ store: 'docstore', segment: 1, commit: 2, fault: 'it is not what the commit saw' }),
  },
  {
    name: 'a gap between two commits below the mark',
    end: 'marked',
    damage: (disk) =>
      edit(disk, commits, (bytes) =>
        Buffer.concat([
          bytes.subarray(0, frame(disk, commits, 1).offset),
          bytes.subarray(frame(disk, commits, 1).end),
        ]),
      ),
    error: corrupt({ store: 'commits', segment: 1, commit: 2 }),
  },
  {
    name: 'a commit that does not follow from the one before',
    end: 'marked',
    damage: (disk) =>
      edit(disk, commits, (bytes) => {
        const forged = encodeCommit({
          number: 2,
          previous: new Uint8Array(32),
          timeMs: 0,
          kind: 'data',
          note: {},
          parts: [],
          names: {},
          syncedThrough: 1,
          random: () => {},
        })
        const { offset, end } = frame(disk, commits, 1)
        return Buffer.concat([bytes.subarray(0, offset), ...forged.chunks, bytes.subarray(end)])
      }),
    error: corrupt({
      store: 'commits',
      segment: 1,
      commit: 2,
      fault: 'it does not follow from the commit before',
    }),
  },
  {
    name: 'bytes in a store that no commit names',
    end: 'marked',
    damage: (disk) => append(disk, docstore, Buffer.alloc(700, 'x')),
    survives: 3,
  },
  {
    name: 'a segment that no commit names',
    end: 'marked',
    damage: (disk) => disk.put(segmentPath(directory, 'docstore', 2), disk.peek(docstore)),
    survives: 3,
  },
  {
    name: 'files that are none of ours',
    end: 'marked',
    damage: (disk) => disk.put(`${directory}/docstore/notes.txt`, Buffer.from('?')),
    survives: 3,
  },
  {
    name: 'bytes beyond the sealed length of a commit segment',
    end: 'continued',
    damage: (disk) => append(disk, commits, Buffer.alloc(700, 'x')),
    survives: 3,
  },
  {
    name: 'a whole commit beyond the sealed length',
    end: 'continued',
    damage: (disk) =>
      append(
        disk,
        commits,
        disk.peek(commits).subarray(frame(disk, commits, 0).offset, frame(disk, commits, 0).end),
      ),
    survives: 3,
  },
  {
    name: 'bytes beyond the committed end of an older store segment',
    end: 'continued',
    damage: (disk) => append(disk, docstore, Buffer.alloc(700, 'x')),
    survives: 3,
  },
  {
    name: 'a missing commit log',
    end: 'marked',
    damage: (disk) => disk.unlink(commits),
    error: corrupt({ store: 'commits', segment: 1 }),
  },
  {
    name: 'a missing commit segment at the beginning',
    end: 'continued',
    damage: (disk) => disk.unlink(commits),
    error: corrupt({ store: 'commits', segment: 1 }),
  },
  {
    name: 'a missing commit segment in the middle',
    end: 'continued',
    damage: (disk) => disk.unlink(segmentPath(directory, 'commits', 2)),
    error: corrupt({ store: 'commits' }),
  },
  {
    name: 'a sealed commit segment that was cut',
    end: 'continued',
    damage: (disk) => cut(disk, commits, 100),
    error: corrupt({ store: 'commits', segment: 1 }),
  },
  {
    name: 'a missing store segment',
    end: 'marked',
    damage: (disk) => disk.unlink(docstore),
    error: corrupt({ store: 'docstore', segment: 1 }),
  },
  {
    name: 'a store segment that was cut',
    end: 'marked',
    damage: (disk) => cut(disk, docstore, frame(disk, docstore, 2).end - 1),
    error: corrupt({ store: 'docstore', segment: 1 }),
  },
  {
    name: 'a segment in the place of another',
    end: 'continued',
    damage: (disk) => disk.put(docstore, disk.peek(segmentPath(directory, 'docstore', 2))),
    error: corrupt({ store: 'docstore', segment: 1, fault: 'it is segment 2' }),
  },
  {
    name: 'a segment of another store',
    end: 'marked',
    damage: (disk) => disk.put(docstore, disk.peek(indexStore)),
    error: corrupt({ store: 'docstore', segment: 1, fault: 'it belongs to another store' }),
  },
  {
    name: 'a segment of another journal',
    end: 'marked',
    damage: async (disk) => disk.put(docstore, (await otherJournal()).peek(docstore)),
    error: corrupt({ store: 'docstore', segment: 1, fault: 'it belongs to another journal' }),
  },
  {
    name: 'the commit log of another journal',
    end: 'marked',
    damage: async (disk) => disk.put(commits, (await otherJournal()).peek(commits)),
    error: corrupt({ store: 'commits', segment: 1, fault: 'it belongs to another journal' }),
  },
  {
    name: 'a commit log rolled back behind a snapshot',
    end: 'closed',
    damage: (disk) => cut(disk, commits, frame(disk, commits, 0).end),
    error: corrupt({ store: 'commits', commit: 2 }),
  },
  {
    name: 'a commit log rolled back behind what a store frame knows',
    end: 'killed',
    damage: (disk) => cut(disk, commits, frame(disk, commits, 0).end),
    error: corrupt({ store: 'commits', commit: 2 }),
  },
  {
    name: 'every snapshot damaged',
    end: 'closed',
    damage: async (disk) => {
      for (const path of await filesUnder(disk, `${directory}/snapshots`))
        flip(disk, path, disk.peek(path).length - 9)
    },
    survives: 3,
  },
  {
    name: 'every snapshot missing',
    end: 'closed',
    damage: async (disk) => {
      for (const path of await filesUnder(disk, `${directory}/snapshots`)) await disk.unlink(path)
    },
    survives: 3,
  },
  {
    name: 'snapshots under each other’s names',
    end: 'closed',
    damage: async (disk) => {
      const paths = await filesUnder(disk, `${directory}/snapshots`)
      const bytes = paths.map((path) => disk.peek(path))
      for (const [index, path] of paths.entries()) disk.put(path, bytes[(index + 1) % paths.length]!)
    },
    survives: 3,
  },
  {
    name: 'snapshots of another journal',
    end: 'closed',
    damage: async (disk) => {
      const other = await otherJournal()
      for (const path of await filesUnder(other, `${directory}/snapshots`))
        disk.put(path.replace(/0{9}1~/, '0000000003~'), other.peek(path))
    },
    survives: 3,
  },
  {
    name: 'another store’s segment where only the last commit has one',
    end: 'continued',
    damage: (disk) => swap(disk, third('docstore'), third('index_store')),
    error: corrupt({ store: 'docstore', segment: 3 }),
  },
  {
    name: 'another store’s segment in the place of the commit log’s last',
    end: 'continued',
    damage: (disk) => swap(disk, third('commits'), third('docstore')),
    error: corrupt({ store: 'commits', segment: 3 }),
  },
  {
    name: 'a commit log from before a store was first named, which knows of later commits',
    end: 'oneStoreThenTheOther',
    damage: (disk) => {
      cut(disk, commits, frame(disk, commits, 0).end)
      cut(disk, docstore, frame(disk, docstore, 0).end)
    },
    error: corrupt({ store: 'commits', commit: 2 }),
  },
  {
    name: 'a later format in the manifest',
    end: 'marked',
    damage: (disk) => disk.put(manifest, Buffer.from('{"format":2}')),
    error: { code: 'VARVE_NEWER' },
  },
  {
    name: 'a manifest of a far future',
    end: 'marked',
    damage: (disk) =>
      disk.put(
        manifest,
        Buffer.from('{"format":31,"id":{"journal":[1,2]},"requires":{"telepathy":true},"shape":"round"}'),
      ),
    error: { code: 'VARVE_NEWER' },
  },
  {
    name: 'a requirement nobody knows yet',
    end: 'marked',
    damage: (disk) =>
      edit(disk, manifest, (bytes) =>
        Buffer.from(bytes.toString().replace('"requires":[]', '"requires":["telepathy"]')),
      ),
    error: { code: 'VARVE_NEWER', fields: { requires: ['telepathy'] } },
  },
  {
    name: 'a segment of a later format',
    end: 'marked',
    damage: (disk) =>
      edit(disk, docstore, (bytes) => {
        bytes.writeUInt32LE(2, 8)
        bytes.writeUInt32LE(crcOf(bytes.subarray(0, 60)), 60)
      }),
    error: { code: 'VARVE_NEWER' },
  },
  {
    name: 'a manifest of garbage',
    end: 'marked',
    damage: (disk) => disk.put(manifest, Buffer.from('{"format":')),
    error: corrupt({ path: manifest }),
  },
  {
    name: 'an empty manifest',
    end: 'marked',
    damage: (disk) => disk.put(manifest, Buffer.alloc(0)),
    error: corrupt({ path: manifest }),
  },
  {
    name: 'a missing manifest',
    end: 'marked',
    damage: (disk) => disk.unlink(manifest),
    error: corrupt({ path: manifest }),
  },
  {
    name: 'a first commit that is torn',
    end: 'killed',
    damage: (disk) => onlyFirst(disk, (length) => length - 1),
    survives: 0,
  },
  {
    name: 'a commit log that has only begun',
    end: 'killed',
    damage: (disk) => onlyFirst(disk, () => 64),
    survives: 0,
  },
  {
    name: 'a commit log without a whole header',
    end: 'killed',
    damage: (disk) => onlyFirst(disk, () => 63),
    survives: 0,
  },
  {
    name: 'a commit log that was never written',
    end: 'killed',
    damage: (disk) => onlyFirst(disk, () => 0),
    survives: 0,
  },
]

/** As if the power had gone during the very first commit. */
function onlyFirst(disk: MemoryDisk, length: (firstEnd: number) => number): void {
  cut(disk, docstore, frame(disk, docstore, 0).end)
  cut(disk, indexStore, frame(disk, indexStore, 0).end)
  cut(disk, commits, length(frame(disk, commits, 0).end))
}

async function filesOf(disk: MemoryDisk): Promise<SegmentFiles> {
  const journalId = journalIdBytes((await readManifest(disk, directory))!)
  return new SegmentFiles({ disk, directory, journalId })
}

function crcOf(bytes: Uint8Array): number {
  let crc = ~0
  for (const byte of bytes) {
    crc ^= byte
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0)
  }
  return ~crc >>> 0
}

async function everything(disk: MemoryDisk): Promise<{ commits: number; docstore: unknown; index: unknown }> {
  const home = await Home.open(disk, directory)
  await home?.files.close()
  const journal = await open(disk)
  try {
    return {
      commits: home?.catalog.end.number ?? 0,
      docstore: await contents(journal, 'docstore'),
      index: await contents(journal, 'index_store'),
    }
  } finally {
    await journal.close()
  }
}

function present(count: number): Awaited<ReturnType<typeof everything>> {
  const numbers = Array.from({ length: count }, (_, index) => index + 1)
  return {
    commits: count,
    docstore: Object.fromEntries(
      numbers.flatMap((number) => [
        [`a${number}`, number],
        [`b${number}`, number],
      ]),
    ),
    index: Object.fromEntries(numbers.map((number) => [`c${number}`, number])),
  }
}

describe('recovery', () => {
  test.each(rows.filter(({ error }) => !error))(
    '$name ($end): $survives commits survive',
    async ({ end, damage, survives, torn }) => {
      const disk = new MemoryDisk()
      await ends[end](disk)
      const after = disk.crash('all')
      await damage(after)
      expect(await everything(after)).toEqual(present(survives!))

      const warnings: string[] = []
      const journal = await open(after, (warning) => warnings.push(warning))
      await put(journal, 'docstore', { next: 1 })
      expect((await journal.persist())!.number).toBe(survives! + 1)
      await journal.close()
      expect(warnings).toHaveLength(torn ? 1 : 0)
      expect(await everything(after)).toEqual({
        ...present(survives!),
        commits: survives! + 1,
        docstore: { ...(present(survives!).docstore as object), next: 1 },
      })
    },
  )

  test.each(rows.filter(({ error }) => error))(
    '$name ($end): $error.code',
    async ({ end, damage, error }) => {
      const disk = new MemoryDisk()
      await ends[end](disk)
      const after = disk.crash('all')
      await damage(after)
      const before = await bytesOf(after)
      const thrown: unknown = await everything(after).catch((reason: unknown) => reason)
      expect(thrown).toBeInstanceOf(VarveError)
      expect(thrown).toMatchObject({ code: error!.code, fields: error!.fields ?? {} })
      // A writer meets the same error, and leaves no mark.
      const writing = open(after).then(async (journal) => {
        await put(journal, 'docstore', { next: 1 })
        await put(journal, 'index_store', { next: 1 })
        await journal.persist()
      })
      await expect(writing).rejects.toMatchObject({ code: error!.code })
      expect(await bytesOf(after)).toEqual(before)
    },
  )

  test('a damaged header of a segment that durable commits name drops no unmarked commit after them', async () => {
    const disk = new MemoryDisk()
    await ends.markedAndMore(disk)
    const after = disk.crash('all')
    flip(after, docstore, 20)
    const damage = { code: 'VARVE_CORRUPT', fields: { store: 'docstore', segment: 1 } }
    await expect(Home.open(after, directory)).rejects.toMatchObject(damage)
  })

  test('a damaged payload below the mark fails when it is read, and no other does', async () => {
    const disk = new MemoryDisk()
    await ends.marked(disk)
    const after = disk.crash('all')
    flip(after, docstore, frame(after, docstore, 1).payloads + 3)
    const journal = await open(after)
    const state = (await journal.load('docstore')) as unknown as {
      values: { entries(): Iterable<[string, { position: never }]> }
    }
    const read: Record<string, string> = {}
    for (const [key, { position }] of state.values.entries()) {
      try {
        journal.payload('docstore', position)
        read[key] = 'good'
      } catch (error) {
        read[key] = (error as VarveError).code
      }
    }
    expect(read).toEqual({ a1: 'good', b1: 'good', a2: 'VARVE_CORRUPT', b2: 'good', a3: 'good', b3: 'good' })
  })

  test('a reader comes to an end however fast a writer commits beside it', async () => {
    const disk = new MemoryDisk()
    const writer = await write(disk, 1, 3)
    let looks = 0
    const commitMeanwhile = async (): Promise<number> => {
      if (++looks > 5) throw new Error('it looks again and again')
      await put(writer, 'docstore', { more: looks })
      return (await writer.persist())!.number
    }
    const files = await filesOf(disk)
    const recovered = await recover(files, noCommit, {
      heads,
      syncedThrough: 0,
      isNamed: () => false,
      knownElsewhere: commitMeanwhile,
      knownDespiteFault: async () => 0,
    })
    await files.close()
    expect(recovered.torn).toBeUndefined()
    expect(recovered.end.number).toBe(3 + looks)
  })

  test('a file where the directory should be is said to be none', async () => {
    const disk = new MemoryDisk()
    disk.put(directory, Buffer.from('?'))
    const journal = await open(disk)
    await expect(put(journal, 'docstore', { a: 1 }).then(() => journal.persist())).rejects.toMatchObject({
      code: 'VARVE_NOT_A_DIRECTORY',
    })
  })
})

async function bytesOf(disk: MemoryDisk): Promise<Record<string, string>> {
  const paths = (await filesUnder(disk, directory)).filter((path) => !path.includes('/LOCK'))
  return Object.fromEntries(paths.map((path) => [path, Buffer.from(disk.peek(path)).toString('hex')]))
}

/** What no other test holds the journal to: each of these was written for a mutant that lived. */
import { expect, test } from 'vitest'
import type { Disk } from '../../src/disk/disk.ts'
import { MemoryDisk, type Operation } from '../../src/disk/memory-disk.ts'
import { encodeCommit } from '../../src/journal/commit.ts'
import { Home } from '../../src/journal/home.ts'
import { Table } from '../../src/journal/table.ts'
import { Journal } from '../../src/journal/journal.ts'
import type { JournalOptions } from '../../src/journal/journal-options.ts'
import { cut, edit, filesUnder, flip, framesOf, segmentPath } from '../support/damage.ts'
import { seededBytes, seededRandom } from '../support/seeded.ts'
import { contents, put, toyOptions } from '../support/toy-store.ts'
import { Stage } from '../journal/stage.ts'
import { workloads } from '../journal/workloads.ts'

const directory = '/storage'
const snapshots = `${directory}/snapshots`
const commits = segmentPath(directory, 'commits')
const snapping = { limits: { snapshotRowsBytes: 1, catalogCommits: 0 } }
let sessions = 0

function open(disk: MemoryDisk, options: Partial<JournalOptions> = {}): Promise<Journal> {
  return Journal.open(directory, toyOptions({ disk, random: seededBytes(++sessions), ...options }))
}

async function commit(journal: Journal, ...values: unknown[]): Promise<void> {
  for (const value of values) {
    await put(journal, 'docstore', { last: value, [`key ${JSON.stringify(value)}`]: value })
    await journal.persist()
  }
}

async function written(values: unknown[], disk = new MemoryDisk()): Promise<MemoryDisk> {
  const journal = await open(disk, snapping)
  await commit(journal, ...values)
  await journal.close()
  return disk
}

async function read(disk: MemoryDisk): Promise<Record<string, unknown>> {
  const journal = await open(disk)
  const found = await contents(journal, 'docstore')
  await journal.close()
  return found
}

/** The disk, but one sync takes effect only when the gate opens. */
function slowed(disk: MemoryDisk, call: 'sync' | 'syncDirectory', path: string, gate: Promise<void>): Disk {
  const wrap = <T extends object>(target: T, isSlow: (method: string, first: unknown) => boolean): T =>
    new Proxy(target, {
      get: (_, name: string) => {
        const method = (target as Record<string, unknown>)[name]
        if (typeof method !== 'function') return method
        return async (...args: unknown[]): Promise<unknown> => {
          if (isSlow(name, args[0])) await gate
          const answer: unknown = await (method as (...all: unknown[]) => unknown).apply(target, args)
          const isFile = name === 'create' || name === 'openToWrite'
          return isFile ? wrap(answer as object, (inner) => inner === call && args[0] === path) : answer
        }
      },
    })
  return wrap(disk, (name, first) => name === call && first === path)
}

test.each([
  ['a store', 'sync', segmentPath(directory, 'docstore')],
  ['the commit log', 'sync', commits],
  ['a new folder', 'syncDirectory', `${directory}/docstore`],
] as const)('a commit waits for the slowest sync, be it that of %s', async (_, call, path) => {
  const disk = new MemoryDisk()
  let release = (): void => {}
  const gate = new Promise<void>((resolve) => (release = resolve))
  const journal = await Journal.open(directory, toyOptions({ disk: slowed(disk, call, path, gate) }))
  let acknowledged = false
  const committing = commit(journal, 1).then(() => (acknowledged = true))
  await new Promise((resolve) => setTimeout(resolve, 20))
  expect(acknowledged).toBe(false)
  release()
  await committing
  expect(await read(disk.crash('none'))).toEqual({ last: 1, 'key 1': 1 })
})

test('no snapshot is made of a commit that is not synced', async () => {
  const disk = new MemoryDisk()
  const journal = await open(disk, { ...snapping, durability: 'buffered' })
  for (const value of [1, 2, 3]) {
    await commit(journal, value)
    await new Promise((resolve) => setTimeout(resolve, 5))
    expect(await disk.stat(snapshots)).toBeUndefined()
  }
  await journal.close()
  expect(await filesUnder(disk, snapshots)).not.toEqual([])
})

test('what a dead writer had written early is removed, and nothing else', async () => {
  const disk = new MemoryDisk()
  const writer = await open(disk, { limits: { spillBytes: 500, splitBytes: 300 } })
  await commit(writer, 1)
  const named = await filesUnder(disk, `${directory}/docstore`)
  for (let number = 0; number < 5; number++)
    await put(writer, 'docstore', { [`early ${number}`]: number }, 300)
  const after = disk.crash('all')
  const early = (await filesUnder(after, `${directory}/docstore`)).filter((path) => !named.includes(path))
  expect(early).not.toEqual([])
  const next = await open(after)
  await commit(next, 2)
  await next.close()
  const left = await filesUnder(after, `${directory}/docstore`)
  expect(left).toEqual(expect.arrayContaining(named))
  expect(left.filter((path) => early.includes(path))).toEqual([])
  expect(await read(after)).toEqual({ last: 2, 'key 1': 1, 'key 2': 2 })
})

test('a commit whose number leaves a gap is not accepted, though all else fits', async () => {
  const disk = await written([1, 2])
  const home = await Home.open(disk, directory)
  const { hash, parts } = await home!.commit(1)
  const note = { previous: hash, timeMs: 0, kind: 'data', note: {}, names: {}, syncedThrough: 1 } as const
  const forged = encodeCommit({ ...note, number: 3, parts, random: () => {} })
  edit(disk, commits, (bytes) => {
    const second = framesOf(bytes)[1]!
    return Buffer.concat([bytes.subarray(0, second.offset), ...forged.chunks, bytes.subarray(second.end)])
  })
  for (const path of await filesUnder(disk, snapshots)) await disk.unlink(path)
  await expect(open(disk)).rejects.toMatchObject({
    code: 'VARVE_CORRUPT',
    fields: { store: 'commits', commit: 2, fault: 'commit 3 follows commit 1' },
  })
})

test('a log that lost what only the mark behind it knows of is refused', async () => {
  const disk = new MemoryDisk()
  const journal = await open(disk)
  await commit(journal, 1, 2, 3)
  await journal.flush()
  flip(disk, commits, framesOf(disk.peek(commits))[2]!.offset + 50)
  await expect(open(disk.crash('all'))).rejects.toMatchObject({
    code: 'VARVE_CORRUPT',
    fields: { store: 'commits', commit: 3 },
  })
})

test('a segment that a displaced writer finished too late changes nothing', async () => {
  const disk = new MemoryDisk()
  await commit(await open(disk), 1)
  const [displaced, kept] = [disk.image('all'), disk.image('all')]
  await commit(await open(displaced), 'too late')
  const begun = segmentPath(directory, 'commits', 2)
  kept.put(begun, new Uint8Array(0))
  await commit(await open(kept), 'kept')
  expect(await kept.stat(segmentPath(directory, 'commits', 3))).toBeDefined()
  kept.put(begun, displaced.peek(begun))
  expect(await read(kept.crash('all'))).toEqual({ last: 'kept', 'key 1': 1, 'key "kept"': 'kept' })
})

test('a log that lost what only a snapshot knows of is refused', async () => {
  const disk = await written([1, 2, 3])
  cut(disk, commits, framesOf(disk.peek(commits))[1]!.end)
  await expect(open(disk)).rejects.toMatchObject({
    code: 'VARVE_CORRUPT',
    fields: { store: 'commits', commit: 3 },
  })
})

test.each(['docstore', 'journal'])(
  'a snapshot of another history is not believed, that of %s',
  async (subject) => {
    const common = await written([1, 2])
    const [here, there] = [common.snapshot(), common.snapshot()]
    await written(['here'], here)
    await written(['away'], there)
    const path = `${snapshots}/0000000003~${subject}.snap`
    expect(here.peek(path)).not.toEqual(there.peek(path))
    here.put(path, there.peek(path))
    const kept = { last: 'here', 'key 1': 1, 'key 2': 2, 'key "here"': 'here' }
    expect(await read(here.snapshot())).toEqual(kept)
    await written(['more'], here)
    for (const each of await filesUnder(here, snapshots)) await here.unlink(each)
    expect(await read(here)).toEqual({ ...kept, last: 'more', 'key "more"': 'more' })
  },
)

/** Holds every write to what stands in a segment: it may add to it, and repeat it; an erase may make zeros of it. */
class WrittenOnce {
  #before: Uint8Array = new Uint8Array(0)
  readonly #mayErase: boolean

  constructor({ mayErase = false } = {}) {
    this.#mayErase = mayErase
  }

  before(disk: MemoryDisk, { kind, path }: Operation): void {
    if (kind === 'write' && path.endsWith('.log')) this.#before = disk.peek(path)
  }

  after(disk: MemoryDisk, { kind, path, offset }: Operation): void {
    if (kind !== 'write' || !path.endsWith('.log')) return
    const kept = Buffer.from(disk.peek(path)).subarray(0, this.#before.length)
    if (kept.equals(this.#before)) return
    const isZeros = kept.every((byte, at) => byte === 0 || byte === this.#before[at])
    if (!this.#mayErase || path.includes('/commits/') || !isZeros)
      throw new Error(`${path} was written over, from ${offset} on`)
  }

  watch(disk: MemoryDisk): void {
    disk.onOperation = (operation) => this.before(disk, operation)
    disk.afterOperation = (operation) => this.after(disk, operation)
  }
}

test.each(workloads)('no byte is written twice: $name', async (workload) => {
  const once = new WrittenOnce({ mayErase: workload.name.startsWith('an erase') })
  const faults: unknown[] = []
  const stage = new Stage(workload, 1, ({ disk }, when, operation) => {
    try {
      if (operation) once[when === 'before' ? 'before' : 'after'](disk, operation)
    } catch (error) {
      faults.push(error)
    }
  })
  await stage.play()
  expect(faults).toEqual([])
})

test('no byte is written twice: not what a torn session left behind the mark of one that closed', async () => {
  for (let seed = 0; seed < 40; seed++) {
    const disk = await written([1, 2])
    let after: MemoryDisk | undefined
    disk.onOperation = ({ kind, path }) => {
      if (kind === 'sync' && path === commits) after ??= disk.image(seededRandom(seed))
    }
    await commit(await open(disk), 'torn')
    new WrittenOnce().watch(after!)
    const journal = await open(after!)
    await commit(journal, 'next')
    await journal.close()
    expect(await read(after!)).toMatchObject({ last: 'next', 'key 1': 1, 'key 2': 2 })
  }
})

test('no byte is written twice: not what a full disk left of changes that were rolled back', async () => {
  const disk = new MemoryDisk()
  const journal = await open(disk)
  await commit(journal, 1)
  failOnce(disk, 'docstore', 20)
  await put(journal, 'docstore', { dropped: 1 })
  await expect(journal.persist()).rejects.toMatchObject({ code: 'VARVE_DISK_FULL' })
  await journal.rollback()
  await journal.close()
  new WrittenOnce().watch(disk)
  const next = await open(disk)
  await commit(next, 2)
  await next.close()
  expect(await read(disk)).toEqual({ last: 2, 'key 1': 1, 'key 2': 2 })
})

test('commits that the disk had no room for keep their order', async () => {
  const disk = new MemoryDisk()
  const journal = await open(disk)
  await commit(journal, 0)
  failOnce(disk, 'commits', 0)
  await put(journal, 'docstore', { last: 1 })
  const first = journal.persist()
  await put(journal, 'docstore', { last: 2 })
  const settled = await Promise.allSettled([first, journal.persist()])
  expect(settled.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
  await journal.persist()
  expect((await read(disk.crash('all')))['last']).toBe(2)
})

function failOnce(disk: MemoryDisk, folder: string, bytes: number): void {
  disk.onOperation = ({ kind, path }) => {
    if (kind !== 'write' || !path.includes(`/${folder}/`)) return
    disk.onOperation = undefined
    throw Object.assign(new Error('ENOSPC'), { code: 'ENOSPC', syscall: 'write', written: bytes })
  }
}

test.each([['commit' as const], ['buffered' as const]])(
  'a power cut at any time in the first commits leaves no damage, under %s',
  async (durability) => {
    const disk = new MemoryDisk()
    const images: MemoryDisk[] = []
    disk.onOperation = () => {
      for (let seed = 0; seed < 12; seed++) images.push(disk.image(seededRandom(images.length)))
    }
    await disk.makeDirectory(directory)
    const journal = await open(disk, { durability })
    await put(journal, 'docstore', { last: 0 }) // The session begins, so that the persists below form a group.
    const group = [1, 2, 3, 4, 5].map(async (value) => {
      const [, commit] = await Promise.all([put(journal, 'docstore', { last: value }), journal.persist()])
      return commit?.number
    })
    expect(await Promise.all(group)).toEqual([1, 2, 3, 4, 5])
    await journal.flush()
    await commit(journal, 6)
    await journal.close()
    for (const image of images) await read(image)
  },
)

test('a directory that a killed process made outlives the power', async () => {
  const disk = new MemoryDisk()
  await disk.makeDirectory(directory)
  const journal = await open(disk)
  await commit(journal, 1)
  expect(await read(disk.crash('none'))).toEqual({ last: 1, 'key 1': 1 })
})

test('a displaced writer that closes writes nothing', async () => {
  const disk = new MemoryDisk()
  const first = await open(disk)
  await commit(first, 1)
  const second = await open(disk.asProcess({ pid: 2 }), { takeover: true })
  await put(second, 'docstore', { last: 2 })
  const before = disk.peek(commits)
  await first.close()
  expect(disk.peek(commits)).toEqual(before)
})

test('what a killed writer left unsynced is durable before the next seals it', async () => {
  const killed = new MemoryDisk()
  await commit(await open(killed, { durability: 'buffered' }), 1)
  const disk = killed.crash('all')
  let found: Promise<Record<string, unknown>> | undefined
  disk.onOperation = ({ kind, path }) => {
    if (kind === 'write' && path === segmentPath(directory, 'commits', 2)) found ??= read(disk.image('none'))
  }
  await commit(await open(disk), 2)
  expect(await found).toEqual({ last: 1, 'key 1': 1 })
})

test('a writer that was displaced before its first commit does not begin the journal under the next', async () => {
  const disk = new MemoryDisk()
  await disk.makeDirectory(directory)
  const first = await open(disk)
  await put(first, 'docstore', { last: 1 })
  const second = await open(disk.asProcess({ pid: 2 }), { takeover: true })
  await put(second, 'docstore', { last: 2 })
  await expect(first.persist()).rejects.toMatchObject({ code: 'VARVE_DISPLACED' })
  await second.persist()
  expect(await read(disk.crash('none'))).toEqual({ last: 2 })
})

test('a rollback takes a key back over all its values', async () => {
  const journal = await open(new MemoryDisk())
  await commit(journal, 1)
  for (const value of [2, 3, 4]) await put(journal, 'docstore', { last: value })
  await journal.rollback()
  expect(await contents(journal, 'docstore')).toEqual({ last: 1, 'key 1': 1 })
})

test('a table that is thawed keeps what changed meanwhile', () => {
  const codec = {
    shape: () => true,
    toPlain: (value: number) => value,
    fromPlain: (plain: unknown) => plain as number,
  }
  const table = new Table<number>(codec, { entries: undefined })
  table.set('kept', 1)
  table.set('changed', 1)
  table.set('gone', 1)
  table.freeze()
  table.set('changed', 2)
  table.set('new', 2)
  table.delete('gone')
  table.thaw()
  expect([...table.entries()]).toEqual([
    ['kept', 1],
    ['changed', 2],
    ['new', 2],
  ])
})

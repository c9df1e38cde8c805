import { describe, expect, test } from 'vitest'
import { MemoryDisk, type Operation } from '../../src/disk/memory-disk.ts'
import { Journal } from '../../src/journal/journal.ts'
import type { JournalOptions } from '../../src/journal/journal-options.ts'
import { parseSnapshotName } from '../../src/log/names.ts'
import { cut, edit, filesUnder } from '../support/damage.ts'
import { seededBytes } from '../support/seeded.ts'
import { contents, erase, payloadOf, put, remove, toyOptions } from '../support/toy-store.ts'

const directory = '/data/storage'
const snapping = { limits: { snapshotRowsBytes: 1, catalogCommits: 1 } }
let nonce = 0

function open(disk: MemoryDisk, options: Partial<JournalOptions> = {}): Promise<Journal> {
  return Journal.open(directory, toyOptions({ disk, random: seededBytes(++nonce), ...options }))
}

function openPast(disk: MemoryDisk, moment: number): Promise<Journal> {
  return Journal.openPast(directory, toyOptions({ disk, random: seededBytes(++nonce) }), moment)
}

/** The files in which a text stands. */
async function traces(disk: MemoryDisk, text: string): Promise<string[]> {
  const files = await filesUnder(disk, directory)
  return files.filter((path) => Buffer.from(disk.peek(path)).includes(text))
}

/** Three commits over two stores; `secret` is in all of them. */
async function written(
  options: Partial<JournalOptions> = {},
): Promise<{ disk: MemoryDisk; journal: Journal }> {
  const disk = new MemoryDisk()
  const journal = await open(disk, options)
  await put(journal, 'docstore', { plain: 1, secret: 1 })
  await journal.persist()
  await put(journal, 'docstore', { secret: 2, other: 2 })
  await put(journal, 'index_store', { secret: 2 })
  await journal.persist()
  await remove(journal, 'docstore', ['secret'])
  await journal.persist()
  return { disk, journal }
}

/** Of both stores, at which commits. */
async function snapshots(disk: MemoryDisk): Promise<string[]> {
  return (await disk.list(`${directory}/snapshots`))
    .map(parseSnapshotName)
    .flatMap((name) =>
      name?.subject.endsWith('_store') || name?.subject === 'docstore'
        ? [`${name.commit} ${name.subject}`]
        : [],
    )
}

/** Once the last commit of `written` has one. */
async function settledSnapshots(disk: MemoryDisk): Promise<string[]> {
  await expect.poll(() => snapshots(disk)).toEqual(expect.arrayContaining(['3 docstore', '3 index_store']))
  return snapshots(disk)
}

async function expectPast(disk: MemoryDisk, moment: number, held: Record<string, unknown>): Promise<void> {
  const past = await openPast(disk, moment)
  expect(await contents(past, 'docstore')).toEqual(held)
  await past.close()
}

describe('erasing', () => {
  test('leaves no trace of a key, and everything else as it was', async () => {
    const { disk, journal } = await written()
    expect((await traces(disk, 'secret')).length).toBeGreaterThan(0)
    await erase(journal, ['secret'])
    expect(await traces(disk, 'secret')).toEqual([])
    expect(await contents(journal, 'docstore')).toEqual({ plain: 1, other: 2 })
    await put(journal, 'docstore', { later: 3 })
    await journal.persist()
    await journal.close()
    const again = await open(disk)
    expect(await contents(again, 'docstore')).toEqual({ plain: 1, other: 2, later: 3 })
    expect(await contents(again, 'index_store')).toEqual({})
    await again.close()
    expect(await traces(disk, 'secret')).toEqual([])
  })

  test('says so in two commits, and a tag, a number or a date before them still opens', async () => {
    const { disk, journal } = await written()
    const commit = await erase(journal, ['secret'])
    expect(commit).toMatchObject({ number: 4, kind: 'erase', message: 'asked for' })
    expect(await journal.commit(5)).toMatchObject({ kind: 'erase finished' })
    await journal.close()
    const past = await openPast(disk, 2)
    expect(await contents(past, 'docstore')).toEqual({ plain: 1, other: 2 })
    expect(past.erasedBy('secret')).toBe(4)
    expect(past.erasedBy('plain')).toBeUndefined()
    await past.close()
  })

  test('leaves a new snapshot in the place of each that it dropped, while the session goes on', async () => {
    const { disk, journal } = await written(snapping)
    const before = await settledSnapshots(disk)
    await erase(journal, ['secret'])
    await expect.poll(() => snapshots(disk)).toEqual(before)
    expect(await traces(disk, 'secret')).toEqual([])
    await put(journal, 'docstore', { later: 3 })
    await journal.persist()
    await journal.close()
    for (const [moment, held] of [
      [1, { plain: 1 }],
      [2, { plain: 1, other: 2 }],
      [3, { plain: 1, other: 2 }],
    ] as const)
      await expectPast(disk, moment, held)
    const again = await open(disk)
    expect(await contents(again, 'docstore')).toEqual({ plain: 1, other: 2, later: 3 })
    await again.close()
  })

  test('reads the past from the snapshots that were made anew, and nothing of the log', async () => {
    const { disk, journal } = await written(snapping)
    await settledSnapshots(disk)
    await erase(journal, ['secret'])
    await journal.close()
    const spy = disk.asProcess({ pid: 9 })
    const offsets: number[] = []
    const openToRead = spy.openToRead.bind(spy)
    spy.openToRead = async (path) => {
      const file = await openToRead(path)
      if (!path.includes('/docstore/')) return file
      return {
        size: () => file.size(),
        read: (offset, length) => file.read((offsets.push(offset), offset), length),
        readNow: (offset, length) => file.readNow((offsets.push(offset), offset), length),
        close: () => file.close(),
      }
    }
    const past = await openPast(spy, 3)
    await past.load('docstore')
    expect(offsets.filter((offset) => offset > 0)).toEqual([])
    expect(await contents(past, 'docstore')).toEqual({ plain: 1, other: 2 })
    await past.close()
  })

  test('of one thing after another waits for no snapshot that the one before took', async () => {
    const { disk, journal } = await written(snapping)
    const before = await settledSnapshots(disk)
    await Promise.all([erase(journal, ['secret']), erase(journal, ['other'])])
    expect(await traces(disk, 'secret')).toEqual([])
    expect(await traces(disk, 'other')).toEqual([])
    await journal.close()
    expect((await snapshots(disk)).slice(0, before.length)).toEqual(before)
    expect(await traces(disk, 'other')).toEqual([])
    await expectPast(disk, 2, { plain: 1 })
  })

  test('warns where snapshots cannot be made anew, and closing makes them', async () => {
    const warnings: string[] = []
    const { disk, journal } = await written({ ...snapping, onWarning: (warning) => warnings.push(warning) })
    const before = await settledSnapshots(disk)
    disk.onOperation = ({ kind, path }) => {
      if (kind === 'write' && path.endsWith('.snap.new'))
        throw Object.assign(new Error('ENOSPC'), { code: 'ENOSPC' })
    }
    expect(await erase(journal, ['secret'])).toMatchObject({ kind: 'erase' })
    await expect.poll(() => warnings).toHaveLength(1)
    expect(warnings[0]).toMatch(
      /^Snapshots that an erase removed were not made anew \(.*ENOSPC.*\)\. Opening takes longer without them\.$/,
    )
    expect(await snapshots(disk)).toEqual([])
    disk.onOperation = undefined
    await journal.close()
    expect((await snapshots(disk)).slice(0, before.length)).toEqual(before)
  })

  test('drops the snapshots that knew it, and those made later know nothing of it', async () => {
    const { disk, journal } = await written(snapping)
    await journal.close()
    expect((await traces(disk, 'secret')).some((path) => path.endsWith('.snap'))).toBe(true)
    disk.put(`${directory}/snapshots/0000000009~docstore.snap.new`, Buffer.from('half of a secret'))
    const second = await open(disk, snapping)
    await erase(second, ['secret'])
    expect(await traces(disk, 'secret')).toEqual([])
    expect(await traces(disk.image('none'), 'secret')).toEqual([])
    await put(second, 'docstore', { later: 3 })
    await second.persist()
    await second.close()
    expect(await traces(disk, 'secret')).toEqual([])
    const again = await open(disk)
    expect(await contents(again, 'docstore')).toEqual({ plain: 1, other: 2, later: 3 })
    await again.close()
  })

  test('takes what no commit names off the disk, too', async () => {
    const { disk, journal } = await written()
    await put(journal, 'docstore', { secret: 9 }, 400)
    disk.onOperation = ({ kind, path }) => {
      if (kind === 'sync' && path.includes('docstore')) throw Object.assign(new Error('EIO'), { code: 'EIO' })
    }
    await expect(journal.persist()).rejects.toMatchObject({ code: 'VARVE_OUTCOME_UNKNOWN' })
    disk.onOperation = undefined
    await journal.close()
    const left = disk.crash('all')
    const path = `${directory}/commits/0000000001.log`
    cut(left, path, left.peek(path).length - 20) // The commit did not arrive, its part did.
    const next = await open(left)
    await erase(next, ['secret'])
    await next.close()
    expect(await traces(left, 'secret')).toEqual([])
  })

  test('writes as much as the item is long, whatever it stands among', async () => {
    const disk = new MemoryDisk()
    const journal = await open(disk)
    const many = Object.fromEntries(Array.from({ length: 2000 }, (_, number) => [`key ${number}`, number]))
    await put(journal, 'docstore', { ...many, secret: 1 }, 500)
    await journal.persist()
    let bytes = 0
    disk.afterOperation = ({ kind, sizeBytes = 0 }: Operation) => (bytes += kind === 'write' ? sizeBytes : 0)
    await erase(journal, ['secret'])
    expect(bytes).toBeLessThan(4000)
    disk.afterOperation = undefined
    expect(await traces(disk, 'secret')).toEqual([])
    expect(Object.keys(await contents(journal, 'docstore'))).toHaveLength(2000)
    await journal.close()
  })

  test('of a displaced writer overwrites nothing any more', async () => {
    const { disk, journal } = await written()
    const lock = `${directory}/LOCK`
    const path = `${directory}/index_store/0000000001.log`
    const before = disk.peek(path)
    disk.afterOperation = ({ kind, path: written, offset = Infinity }) => {
      const isOverwriting = kind === 'write' && written.includes('/docstore/') && offset < 300
      if (isOverwriting)
        disk.put(
          lock,
          Buffer.from(
            Buffer.from(disk.peek(lock))
              .toString()
              .replace(/[0-9a-f]{32}/, 'f'.repeat(32)),
          ),
        )
    }
    await expect(erase(journal, ['secret'])).rejects.toMatchObject({ code: 'VARVE_DISPLACED' })
    expect(Buffer.from(disk.peek(path)).equals(before)).toBe(true)
    await journal.close()
  })

  test('of nothing writes nothing', async () => {
    const { journal } = await written()
    expect(await erase(journal, ['unknown'])).toBeUndefined()
    expect(await journal.commit(4)).toBeUndefined()
    await journal.close()
  })

  test('comes after what was pending, and can be done again', async () => {
    const { disk, journal } = await written()
    await put(journal, 'docstore', { pending: 1, secret: 3 })
    await erase(journal, ['secret'])
    await put(journal, 'docstore', { secret: 4 })
    await journal.persist()
    expect(await contents(journal, 'docstore')).toEqual({ plain: 1, other: 2, pending: 1, secret: 4 })
    await erase(journal, ['secret', 'plain'])
    await journal.close()
    expect([...(await traces(disk, 'secret')), ...(await traces(disk, 'plain'))]).toEqual([])
    const again = await open(disk)
    expect(await contents(again, 'docstore')).toEqual({ other: 2, pending: 1 })
    await again.close()
  })
})

describe('a reader', () => {
  test('that was open before an erase is told that it was erased, and reads all else', async () => {
    const { disk, journal } = await written()
    await put(journal, 'docstore', { secret: 3 })
    await journal.persist()
    const reader = await open(disk)
    const state = (await reader.load('docstore')) as unknown as {
      values: Map<string, { position: { segment: number; offset: number; length: number; crc: number } }>
    }
    const [secret, other] = ['secret', 'other'].map((key) => state.values.get(key)!.position)
    await erase(journal, ['secret'])
    const error = readingError(reader, secret!)
    expect(error).toMatchObject({ code: 'VARVE_CORRUPT' })
    expect(await reader.explain(error)).toMatchObject({ code: 'VARVE_ERASED', fields: { commit: 5 } })
    expect(reader.payload('docstore', other!)).toEqual(new Uint8Array(payloadOf('other', 2, 10)))
    expect(await contents(reader, 'docstore')).toEqual({ plain: 1, other: 2 })
    await reader.close()
    await journal.close()
  })

  test('that loads a store after an erase that it has not seen skips what was erased', async () => {
    const { disk, journal } = await written()
    const [reader, past] = [await open(disk), await openPast(disk, 2)]
    await erase(journal, ['secret'])
    expect(await contents(reader, 'docstore')).toEqual({ plain: 1, other: 2 })
    expect(await contents(past, 'docstore')).toEqual({ plain: 1, other: 2 })
    await Promise.all([reader.close(), past.close(), journal.close()])
  })

  test('that has not seen an erase learns of it, though there is a snapshot that knows it', async () => {
    const { disk, journal } = await written(snapping)
    const before = await settledSnapshots(disk)
    const [reader, past] = [await open(disk), await openPast(disk, 3)]
    await erase(journal, ['secret'])
    await expect.poll(() => snapshots(disk)).toEqual(before)
    for (const each of [reader, past]) {
      expect(await contents(each, 'docstore')).toEqual({ plain: 1, other: 2 })
      expect(each.erasedBy('secret')).toBe(4)
    }
    await Promise.all([reader.close(), past.close(), journal.close()])
  })

  test('takes up what is erased while it reads it, and the erase', async () => {
    for (let eraseAt = 0; ; eraseAt++) {
      const { disk, journal } = await written()
      const slow = disk.asProcess({ pid: 9 })
      const openToRead = slow.openToRead.bind(slow)
      let erasing: Promise<unknown> | undefined
      let left = Infinity
      slow.openToRead = async (path) => {
        const file = await openToRead(path)
        if (!path.includes('/docstore/')) return file
        const size = async (): Promise<number> => {
          if (left-- === 0) await (erasing = erase(journal, ['secret']))
          return file.size()
        }
        return {
          size,
          read: (...at) => file.read(...at),
          readNow: (...at) => file.readNow(...at),
          close: () => file.close(),
        }
      }
      const reader = await open(slow)
      expect(await contents(reader, 'docstore')).toEqual({ plain: 1, other: 2 })
      await put(journal, 'docstore', { secret: 3, more: 3 })
      await journal.persist()
      left = eraseAt
      await reader.refresh()
      const held = { plain: 1, other: 2, more: 3 }
      expect(await contents(reader, 'docstore')).toEqual(erasing ? held : { ...held, secret: 3 })
      if (erasing) expect((await reader.commit(5))?.kind).toBe('erase')
      await Promise.all([reader.close(), journal.close()])
      if (!erasing) return expect(eraseAt).toBeGreaterThan(1)
    }
  })

  test('takes an erase up like any other commit', async () => {
    const { disk, journal } = await written()
    await put(journal, 'docstore', { secret: 3 })
    await journal.persist()
    const reader = await open(disk)
    expect(await contents(reader, 'docstore')).toEqual({ plain: 1, other: 2, secret: 3 })
    await erase(journal, ['secret'])
    await reader.refresh()
    expect(await contents(reader, 'docstore')).toEqual({ plain: 1, other: 2 })
    await Promise.all([reader.close(), journal.close()])
  })

  test('that opens while something is erased does not take that for a torn commit', async () => {
    const { disk, journal } = await written()
    await put(journal, 'docstore', { secret: 3 })
    await journal.persist() // No mark speaks of it yet.
    const slow = disk.asProcess({ pid: 9 })
    const openToRead = slow.openToRead.bind(slow)
    let erasing: Promise<unknown> | undefined
    slow.openToRead = async (path) => {
      const file = await openToRead(path)
      if (!path.includes('docstore')) return file
      const read = async (offset: number, length: number): Promise<Uint8Array> => {
        await (erasing ??= erase(journal, ['secret']))
        return file.read(offset, length)
      }
      return {
        size: () => file.size(),
        read,
        readNow: (...at) => file.readNow(...at),
        close: () => file.close(),
      }
    }
    const reader = await open(slow)
    expect(erasing).toBeDefined()
    expect(await reader.commit(4)).toMatchObject({ kind: 'data' })
    expect(await contents(reader, 'docstore')).toEqual({ plain: 1, other: 2 })
    await Promise.all([reader.close(), journal.close()])
  })

  test('sees damage that no erase explains as damage', async () => {
    const { disk, journal } = await written()
    await erase(journal, ['secret'])
    await journal.close()
    const path = `${directory}/docstore/0000000001.log`
    edit(disk, path, (bytes) => void bytes.fill(0, bytes.indexOf('other='), bytes.indexOf('other=') + 5))
    const reader = await open(disk)
    await expect(contents(reader, 'docstore')).rejects.toMatchObject({ code: 'VARVE_CORRUPT' })
    await reader.close()
  })
})

function readingError(
  reader: Journal,
  position: { segment: number; offset: number; length: number; crc: number },
): unknown {
  try {
    reader.payload('docstore', position)
  } catch (error) {
    return error
  }
  throw new Error('It could be read.')
}

describe('an erase that was cut short', () => {
  for (const kind of ['write', 'sync', 'unlink'] as const) {
    test(`is completed by the next writer, whichever ${kind} was its last operation`, async () => {
      for (let dieAt = 0; ; dieAt++) {
        const { disk, journal } = await written(snapping)
        await journal.close()
        const writer = await open(disk, snapping)
        let operations = 0
        disk.onOperation = (operation) => {
          if (operation.kind === kind && operations++ >= dieAt)
            throw Object.assign(new Error('EIO: the power is going'), { code: 'EIO' })
        }
        const done = await erase(writer, ['secret']).then(
          () => true,
          () => false,
        )
        const left = disk.crash(dieAt % 2 ? 'all' : 'none')
        const before = await open(left)
        expect(await contents(before, 'docstore')).toEqual({ plain: 1, other: 2 })
        const erases = (await before.commit(4))?.kind === 'erase'
        expect(await contents(before, 'index_store')).toEqual(erases ? {} : { secret: 2 })
        await before.close()
        const next = await open(left)
        await put(next, 'docstore', { later: 1 })
        await next.persist()
        expect(await contents(next, 'docstore')).toEqual({ plain: 1, other: 2, later: 1 })
        await next.close()
        if (erases) expect(await traces(left, 'secret')).toEqual([])
        await expectPast(left, 2, erases ? { plain: 1, other: 2 } : { plain: 1, other: 2, secret: 2 })
        if (done) break
      }
    })
  }

  test('by a full disk can be asked for again', async () => {
    for (let at = 0; ; at++) {
      const { disk, journal } = await written()
      await put(journal, 'docstore', { secret: 3 })
      await journal.persist()
      let operations = 0
      let failed = false
      disk.onOperation = ({ kind }) => {
        if (kind !== 'write' || operations++ !== at) return
        failed = true
        throw Object.assign(new Error('ENOSPC'), { code: 'ENOSPC', syscall: 'write', written: 3 })
      }
      const error: unknown = await erase(journal, ['secret']).then(
        () => undefined,
        (reason: unknown) => reason,
      )
      disk.onOperation = undefined
      if (error) expect(error).toMatchObject({ code: 'VARVE_DISK_FULL' })
      await erase(journal, ['secret'])
      expect(await contents(journal, 'docstore')).toEqual({ plain: 1, other: 2 })
      await journal.close()
      expect(await traces(disk, 'secret')).toEqual([])
      if (!failed) break
    }
  })
})

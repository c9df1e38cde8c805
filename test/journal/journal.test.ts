import { describe, expect, test } from 'vitest'
import type { Disk, WritableFile } from '../../src/disk/disk.ts'
import { MemoryDisk, type Operation } from '../../src/disk/memory-disk.ts'
import type { VarveError } from '../../src/errors.ts'
import { Journal } from '../../src/journal/journal.ts'
import type { JournalOptions } from '../../src/journal/journal-options.ts'
import { filesUnder } from '../support/damage.ts'
import { seededBytes } from '../support/seeded.ts'
import { contents, put, remove, toyOptions } from '../support/toy-store.ts'

const directory = '/data/storage'
const spilling = { limits: { spillBytes: 1000, splitBytes: 600 } }
let nonce = 0

function open(disk: Disk, options: Partial<JournalOptions> = {}): Promise<Journal> {
  return Journal.open(directory, toyOptions({ disk: disk, random: seededBytes(++nonce), ...options }))
}

async function reopened(disk: MemoryDisk, folder = 'docstore'): Promise<Record<string, unknown>> {
  const journal = await open(disk)
  const found = await contents(journal, folder)
  await journal.close()
  return found
}

function count(disk: MemoryDisk, matches: (operation: Operation) => boolean): { readonly value: number } {
  const counter = { value: 0 }
  disk.afterOperation = (operation) => {
    if (matches(operation)) counter.value++
  }
  return counter
}

function failNext(
  disk: MemoryDisk,
  matches: (operation: Operation) => boolean,
  code: string,
  written = 0,
): void {
  disk.onOperation = (operation) => {
    if (!matches(operation)) return
    disk.onOperation = undefined
    throw Object.assign(new Error(`${code}: as the test wants it`), {
      code,
      syscall: operation.kind,
      written,
    })
  }
}

test('units of one commit are one part of each store, however many: also with one that failed among them', async () => {
  const journal = await open(new MemoryDisk())
  for (let number = 0; number < 50; number++)
    await journal.together(async () => {
      await put(journal, 'docstore', { [`k${number}`]: number })
      await put(journal, 'index_store', { [`k${number}`]: number })
    })
  const failing = journal.together(async () => {
    await put(journal, 'docstore', { failed: 1 })
    throw new Error('as the test wants it')
  })
  await expect(failing).rejects.toThrow('as the test wants it')
  await put(journal, 'docstore', { last: 1 })
  await journal.persist()
  const parts = [...journal.log!.catalog.stores].flatMap(([folder, { tail }]) =>
    tail.flatMap(({ commit, parts: named }) => named.map(({ frames }) => [folder, commit, frames])),
  )
  expect(parts).toEqual([
    ['docstore', 1, 51],
    ['index_store', 1, 50],
  ])
  await journal.close()
})

describe('group commit', () => {
  test('32 writers who each persist share few flushes, and each hears of its own commit', async () => {
    const disk = new MemoryDisk({ delay: () => new Promise((resolve) => setImmediate(resolve)) })
    const journal = await open(disk)
    await put(journal, 'docstore', { first: 0 })
    await journal.persist()
    const syncs = count(disk, ({ kind }) => kind === 'sync')
    const commits = await Promise.all(
      Array.from({ length: 32 }, async (_, number) => {
        const [, commit] = await Promise.all([
          put(journal, 'docstore', { [`k${number}`]: number }),
          journal.persist({ message: `${number}` }),
        ])
        return commit
      }),
    )
    expect(syncs.value).toBeLessThanOrEqual(6)
    expect(new Set(commits.map((commit) => commit!.number)).size).toBe(32)
    expect(commits.map((commit) => commit!.message)).toEqual(
      Array.from({ length: 32 }, (_, number) => `${number}`),
    )
    disk.afterOperation = undefined
    expect(Object.keys(await reopened(disk.crash('none')))).toHaveLength(33)
  })

  test('a commit syncs each touched file once', async () => {
    const disk = new MemoryDisk()
    const journal = await open(disk)
    await put(journal, 'docstore', { a: 1 })
    await put(journal, 'index_store', { a: 1 })
    await journal.persist()
    await put(journal, 'docstore', { b: 1 })
    await put(journal, 'index_store', { b: 1 })
    const operations = count(disk, () => true)
    await journal.persist()
    expect(operations.value).toBe(6) // two stores and the commit log: a write and a sync each
  })
})

describe('persist', () => {
  test('answers nothing, and writes nothing, if there is nothing to persist', async () => {
    const disk = new MemoryDisk()
    const journal = await open(disk)
    expect(await journal.persist()).toBeUndefined()
    expect(disk.operations).toBe(0)
    await put(journal, 'docstore', { a: 1 })
    expect(await journal.persist()).toMatchObject({ number: 1, kind: 'data' })
    const { operations } = disk
    expect(await journal.persist()).toBeUndefined()
    expect(disk.operations).toBe(operations)
  })

  test('answers the commit that carries the changes, even if another call wrote it', async () => {
    const journal = await open(new MemoryDisk())
    await put(journal, 'docstore', { a: 1 })
    const [first, second] = await Promise.all([
      journal.persist({ message: 'mine' }),
      journal.persist({ message: 'too late' }),
    ])
    expect(second).toEqual(first)
    expect(first!.message).toBe('mine')
  })

  test('times never go back, and hashes chain', async () => {
    let time = 5000
    const journal = await open(new MemoryDisk(), { clock: () => new Date((time -= 1000)) })
    const commits = []
    for (const key of ['a', 'b', 'c']) {
      await put(journal, 'docstore', { [key]: 1 })
      commits.push(await journal.persist())
    }
    expect(new Set(commits.map((commit) => commit!.time.getTime())).size).toBe(1)
    expect(new Set(commits.map((commit) => commit!.hash)).size).toBe(3)
  })
})

describe('a transaction', () => {
  test('is one commit, after one for what was pending before', async () => {
    const disk = new MemoryDisk()
    const journal = await open(disk)
    await put(journal, 'docstore', { before: 1 })
    const { value, commit } = await journal.transaction({ message: 'both' }, async () => {
      await put(journal, 'docstore', { a: 1 })
      await put(journal, 'index_store', { a: 1 })
      return 'answer'
    })
    expect(value).toBe('answer')
    expect(commit).toMatchObject({ number: 2, message: 'both' })
    const commits = []
    for await (const { number, message } of journal.commits()) commits.push([number, message])
    expect(commits).toEqual([
      [2, 'both'],
      [1, undefined],
    ])
    await journal.close()
    expect(await reopened(disk)).toEqual({ before: 1, a: 1 })
  })

  test('that changes nothing makes no commit', async () => {
    const journal = await open(new MemoryDisk())
    expect(await journal.transaction({}, async () => 7)).toEqual({ value: 7, commit: undefined })
  })

  test('that throws leaves everything as it was, what was pending included', async () => {
    const disk = new MemoryDisk()
    const journal = await open(disk)
    await put(journal, 'docstore', { a: 1, b: 1 })
    await journal.persist()
    await put(journal, 'docstore', { pending: 1 })
    const failing = journal.transaction({}, async () => {
      await put(journal, 'docstore', { a: 2, c: 2 })
      await remove(journal, 'docstore', ['b', 'pending'])
      throw new Error('no')
    })
    await expect(failing).rejects.toThrow('no')
    expect(Object.entries(await contents(journal, 'docstore'))).toEqual([
      ['a', 1],
      ['b', 1],
      ['pending', 1],
    ])
    expect(await journal.persist()).toMatchObject({ number: 2 })
    await journal.close()
    expect(await reopened(disk)).toEqual({ a: 1, b: 1, pending: 1 })
  })

  test('that throws lets nothing through that was begun in it and goes on', async () => {
    const disk = new MemoryDisk()
    const journal = await open(disk)
    await put(journal, 'docstore', { a: 1 })
    await journal.persist()
    let slow: Promise<unknown> | undefined
    const failing = journal.transaction({}, () => {
      slow = new Promise((resume) => setTimeout(resume, 5)).then(() => put(journal, 'docstore', { late: 1 }))
      return Promise.all([slow, Promise.reject(new Error('no'))])
    })
    await expect(failing).rejects.toThrow('no')
    await expect(slow).rejects.toMatchObject({ code: 'VARVE_ROLLED_BACK' })
    expect(journal.hasPendingChanges).toBe(false)
    await put(journal, 'docstore', { b: 1 })
    await journal.persist()
    await journal.close()
    expect(await reopened(disk)).toEqual({ a: 1, b: 1 })
  })

  test('joins the one around it', async () => {
    const journal = await open(new MemoryDisk())
    const { commit } = await journal.transaction({ message: 'outer' }, async () => {
      await put(journal, 'docstore', { a: 1 })
      const inner = await journal.transaction({ message: 'inner' }, () => put(journal, 'docstore', { b: 1 }))
      expect(inner.commit).toBeUndefined()
      await journal
        .transaction({}, async () => {
          await put(journal, 'docstore', { dropped: 1 })
          throw new Error('only this one')
        })
        .catch(() => {})
    })
    expect(commit).toMatchObject({ number: 1, message: 'outer' })
    expect(await contents(journal, 'docstore')).toEqual({ a: 1, b: 1 })
  })

  test('makes other writers wait', async () => {
    const journal = await open(new MemoryDisk())
    await put(journal, 'docstore', { start: 1 })
    await journal.persist()
    let seen: unknown
    const { promise: inside, resolve: entered } = withResolvers()
    const transaction = journal.transaction({}, async () => {
      await put(journal, 'docstore', { a: 1 })
      entered()
      await new Promise((resolve) => setTimeout(resolve, 20))
      seen = await contents(journal, 'docstore')
    })
    await inside
    await put(journal, 'docstore', { other: 1 })
    await transaction
    expect(seen).toEqual({ start: 1, a: 1 })
    expect(await journal.persist()).toMatchObject({ number: 3 })
  })

  test('refuses persist and rollback inside', async () => {
    const journal = await open(new MemoryDisk())
    await journal.transaction({}, async () => {
      await expect(journal.persist()).rejects.toMatchObject({ code: 'VARVE_IN_TRANSACTION' })
      await expect(journal.rollback()).rejects.toMatchObject({ code: 'VARVE_IN_TRANSACTION' })
    })
  })

  test('keeps the changes of an earlier commit that the disk had no room for', async () => {
    const disk = new MemoryDisk({ delay: () => new Promise((resolve) => setImmediate(resolve)) })
    const journal = await open(disk)
    await put(journal, 'docstore', { a: 1 })
    await journal.persist()
    await put(journal, 'docstore', { a: 2, early: 1 })
    failNext(disk, ({ kind }) => kind === 'write', 'ENOSPC')
    const early = journal.persist().catch((error: VarveError) => error.code)
    const failing = journal.transaction({}, async () => {
      await put(journal, 'docstore', { a: 3, dropped: 1 })
      expect(await early).toBe('VARVE_DISK_FULL')
      throw new Error('no')
    })
    await expect(failing).rejects.toThrow('no')
    expect(await contents(journal, 'docstore')).toEqual({ a: 2, early: 1 })
    expect(await journal.persist()).toMatchObject({ number: 2 })
    await journal.close()
    expect(await reopened(disk)).toEqual({ a: 2, early: 1 })
  })

  test('is committed after an earlier commit that the disk had no room for', async () => {
    const disk = new MemoryDisk({ delay: () => new Promise((resolve) => setImmediate(resolve)) })
    const journal = await open(disk)
    await put(journal, 'docstore', { a: 1 })
    await journal.persist()
    await put(journal, 'docstore', { a: 2 })
    failNext(disk, ({ kind }) => kind === 'write', 'ENOSPC')
    const early = journal.persist().catch((error: VarveError) => error.code)
    const { commit } = await journal.transaction({ message: 'later' }, async () => {
      await put(journal, 'docstore', { a: 3 })
      expect(await early).toBe('VARVE_DISK_FULL')
    })
    expect(commit).toMatchObject({ number: 3, message: 'later' })
    await journal.close()
    expect(await reopened(disk)).toEqual({ a: 3 })
  })
})

describe('rollback', () => {
  test('drops everything pending', async () => {
    const disk = new MemoryDisk()
    const journal = await open(disk)
    await put(journal, 'docstore', { a: 1, b: 2 })
    await journal.persist()
    await put(journal, 'docstore', { a: 9, c: 3 })
    await remove(journal, 'docstore', ['b'])
    await journal.rollback()
    expect(Object.entries(await contents(journal, 'docstore'))).toEqual([
      ['a', 1],
      ['b', 2],
    ])
    expect(await journal.persist()).toBeUndefined()
    await put(journal, 'docstore', { d: 4 })
    await journal.persist()
    await journal.close()
    expect(await reopened(disk)).toEqual({ a: 1, b: 2, d: 4 })
  })

  test('removes the segments that were written early', async () => {
    const disk = new MemoryDisk()
    const journal = await open(disk, spilling)
    await put(journal, 'docstore', { a: 1 })
    await journal.persist()
    const before = await filesUnder(disk, directory)
    for (let number = 0; number < 8; number++) await put(journal, 'docstore', { [`k${number}`]: number }, 500)
    expect((await filesUnder(disk, directory)).length).toBeGreaterThan(before.length)
    expect(Object.keys(await contents(journal, 'docstore'))).toHaveLength(9)
    await journal.rollback()
    expect(await filesUnder(disk, directory)).toEqual(before)
    await journal.close()
  })

  test('a write whose change throws leaves nothing behind', async () => {
    const journal = await open(new MemoryDisk())
    await put(journal, 'docstore', { a: 1 })
    const failing = journal.write('docstore', (_, append) => {
      append({ type: 'Put', items: [{ row: ['b', 1] }] })
      throw new Error('no')
    })
    await expect(failing).rejects.toThrow('no')
    expect(await contents(journal, 'docstore')).toEqual({ a: 1 })
  })
})

describe('a full disk', () => {
  const cases: [string, (operation: Operation) => boolean][] = [
    ['a store', ({ kind, path }) => kind === 'write' && path.includes('docstore')],
    ['the commit log', ({ kind, path }) => kind === 'write' && path.includes('commits')],
    ['a new directory', ({ kind, path }) => kind === 'makeDirectory' && path.includes('docstore')],
    ['the manifest', ({ kind, path }) => kind === 'create' && path.includes('varve.json')],
    ['the persist directory', ({ kind, path }) => kind === 'makeDirectory' && path === directory],
    ['the lock', ({ kind, path }) => kind === 'create' && path.includes('LOCK')],
  ]
  test.each(cases)('at %s rejects, loses nothing, and the same call succeeds later', async (_, matches) => {
    const disk = new MemoryDisk()
    const journal = await open(disk)
    await put(journal, 'docstore', { a: 1 }, 700)
    failNext(disk, matches, 'ENOSPC', 20)
    await expect(journal.persist()).rejects.toMatchObject({ code: 'VARVE_DISK_FULL' })
    expect(await contents(journal, 'docstore')).toEqual({ a: 1 })
    expect(await journal.persist()).toMatchObject({ number: 1 })
    await put(journal, 'docstore', { b: 2 })
    expect(await journal.persist()).toMatchObject({ number: 2 })
    await journal.close()
    expect(await reopened(disk)).toEqual({ a: 1, b: 2 })
  })

  test('while changes are written early stops the next write, and no other', async () => {
    const disk = new MemoryDisk()
    const journal = await open(disk, spilling)
    await put(journal, 'docstore', { a: 1 })
    await journal.persist()
    disk.onOperation = ({ kind }) => {
      if (kind === 'write') throw Object.assign(new Error('ENOSPC'), { code: 'ENOSPC', syscall: 'write' })
    }
    const writing = async (): Promise<void> => {
      for (let number = 0; number < 8; number++)
        await put(journal, 'docstore', { [`k${number}`]: number }, 500)
    }
    await expect(writing()).rejects.toMatchObject({ code: 'VARVE_DISK_FULL' })
    const held = await contents(journal, 'docstore')
    disk.onOperation = undefined
    await put(journal, 'docstore', { later: 1 })
    await journal.persist()
    await journal.close()
    expect(await reopened(disk)).toEqual({ ...held, later: 1 })
  })

  test('with room for part of it accepts whole commits only', async () => {
    const disk = new MemoryDisk()
    const journal = await open(disk)
    await put(journal, 'docstore', { a: 1 })
    await journal.persist()
    await put(journal, 'docstore', { b: 1 })
    const first = journal.persist()
    await put(journal, 'docstore', { c: 1 })
    const second = journal.persist()
    failNext(disk, ({ kind, path }) => kind === 'write' && path.includes('commits'), 'ENOSPC', 300)
    const settled = await Promise.allSettled([first, second])
    expect(settled.map(({ status }) => status)).toEqual(['fulfilled', 'rejected'])
    expect(Object.keys(await reopened(disk.snapshot()))).toEqual(['a', 'b'])
    expect(await journal.persist()).toMatchObject({ number: 3 })
    await journal.close()
    expect(Object.keys(await reopened(disk))).toEqual(['a', 'b', 'c'])
  })
})

describe('a disk that fails', () => {
  const cases: [string, (operation: Operation) => boolean][] = [
    ['a write to a store', ({ kind, path }) => kind === 'write' && path.includes('docstore')],
    ['a write to the commit log', ({ kind, path }) => kind === 'write' && path.includes('commits')],
    ['a sync', ({ kind }) => kind === 'sync'],
  ]
  test.each(cases)(
    'at %s leaves the outcome unknown, ends the session, and reopening tells',
    async (_, matches) => {
      const disk = new MemoryDisk()
      const journal = await open(disk)
      await put(journal, 'docstore', { a: 1 })
      await journal.persist()
      await put(journal, 'docstore', { b: 2 })
      failNext(disk, matches, 'EIO')
      await expect(journal.persist()).rejects.toMatchObject({
        code: 'VARVE_OUTCOME_UNKNOWN',
        fields: { commit: 2 },
      })
      const syncs = count(disk, ({ kind }) => kind === 'sync' || kind === 'write')
      await expect(put(journal, 'docstore', { c: 3 })).rejects.toMatchObject({
        code: 'VARVE_OUTCOME_UNKNOWN',
      })
      await expect(journal.persist()).rejects.toMatchObject({ code: 'VARVE_OUTCOME_UNKNOWN' })
      await journal.close()
      expect(syncs.value).toBe(0)
      disk.afterOperation = undefined
      expect([['a'], ['a', 'b']]).toContainEqual(Object.keys(await reopened(disk)))
      expect(await reopened(disk.crash('none'))).toMatchObject({ a: 1 })
    },
  )

  test('at a buffered flush is not taken for durable', async () => {
    const disk = new MemoryDisk()
    const journal = await open(disk, { durability: 'buffered' })
    await put(journal, 'docstore', { a: 1 })
    await journal.persist()
    failNext(disk, ({ kind }) => kind === 'sync', 'EIO')
    await expect(journal.flush()).rejects.toMatchObject({ code: 'VARVE_OUTCOME_UNKNOWN' })
    await expect(journal.flush()).rejects.toMatchObject({ code: 'VARVE_OUTCOME_UNKNOWN' })
  })
})

describe('writers', () => {
  test('the second is refused, and can still read', async () => {
    const disk = new MemoryDisk()
    const first = await open(disk)
    await put(first, 'docstore', { a: 1 })
    await first.persist()
    const second = await open(disk.asProcess({ pid: 2 }))
    await expect(put(second, 'docstore', { b: 1 })).rejects.toMatchObject({ code: 'VARVE_LOCKED' })
    expect(await contents(second, 'docstore')).toEqual({ a: 1 })
    await first.close()
    await put(second, 'docstore', { b: 1 })
    await second.persist()
    expect(await contents(second, 'docstore')).toEqual({ a: 1, b: 1 })
  })

  test('opening takes no lock and writes nothing', async () => {
    const disk = new MemoryDisk()
    const writer = await open(disk)
    await put(writer, 'docstore', { a: 1 })
    await writer.persist()
    await writer.close()
    const { operations } = disk
    const readers = await Promise.all([1, 2, 3].map(() => open(disk)))
    for (const reader of readers) expect(await contents(reader, 'docstore')).toEqual({ a: 1 })
    await Promise.all(readers.map((reader) => reader.refresh()))
    await Promise.all(readers.map((reader) => reader.close()))
    expect(disk.operations).toBe(operations)
  })

  test('readers beside a writer see whole commits only, each once, whenever they look', async () => {
    const disk = new MemoryDisk({ delay: () => new Promise((resolve) => setImmediate(resolve)) })
    const writer = await open(disk)
    await put(writer, 'docstore', { number: 0 })
    await put(writer, 'index_store', { number: 0 })
    await writer.persist()
    const reader = await open(disk.asProcess({ pid: 2 }))
    await reader.load('docstore')
    let writing = true
    const written = (async () => {
      for (let number = 1; number <= 25; number++) {
        await put(writer, 'docstore', { number, [`k${number}`]: number }, 700)
        await put(writer, 'index_store', { number })
        await writer.persist()
      }
      writing = false
    })()
    while (writing) {
      await Promise.all([reader.refresh(), reader.refresh(), reader.load('index_store')])
      const documents = await contents(reader, 'docstore')
      expect((await contents(reader, 'index_store'))['number']).toBe(documents['number'])
      expect(Object.keys(documents)).toHaveLength(1 + (documents['number'] as number))
    }
    await written
    await reader.refresh()
    expect(await contents(reader, 'docstore')).toEqual(await contents(writer, 'docstore'))
  })

  test('a reader is not misled by a segment whose number came back', async () => {
    const disk = new MemoryDisk()
    const first = await open(disk, spilling)
    await put(first, 'docstore', { a: 1 })
    await first.persist()
    for (let number = 0; number < 8; number++)
      await put(first, 'docstore', { [`dropped ${number}`]: number }, 500)
    const reader = await open(disk.asProcess({ pid: 2 }))
    await reader.load('docstore')
    await first.rollback()
    await first.close()
    const second = await open(disk.asProcess({ pid: 3 }), spilling)
    for (let number = 0; number < 8; number++)
      await put(second, 'docstore', { [`kept ${number}`]: number }, 500)
    await second.persist()
    await reader.refresh()
    expect(await contents(reader, 'docstore')).toEqual(await contents(second, 'docstore'))
  })

  test('a follower that saw the segment of the next writer before anything stood in it goes on', async () => {
    const disk = new MemoryDisk()
    const dead = disk.asProcess({ pid: 7 })
    const first = await open(dead)
    await put(first, 'docstore', { a: 1 })
    await first.persist()
    dead.kill()
    const follower = await Journal.follow(directory, toyOptions({ disk }))
    const later = disk.snapshot()
    const second = await open(later)
    await put(second, 'docstore', { b: 2 })
    await second.persist()
    disk.put(`${directory}/commits/0000000002.log`, Buffer.alloc(0))
    await follower.refresh()
    await follower.refresh()
    for (const path of await filesUnder(later, `${directory}/docstore`))
      disk.put(path, Buffer.from(later.peek(path)))
    const path = `${directory}/commits/0000000002.log`
    disk.put(path, Buffer.from(later.peek(path)))
    await follower.refresh()
    expect(await contents(follower, 'docstore')).toEqual({ a: 1, b: 2 })
    await follower.close()
    await second.close()
  })

  test('a displaced writer acknowledges nothing', async () => {
    const disk = new MemoryDisk()
    const first = await open(disk)
    await put(first, 'docstore', { a: 1 })
    await first.persist()
    await put(first, 'docstore', { lost: 1 })
    const second = await open(disk.asProcess({ pid: 2 }), { takeover: true })
    await put(second, 'docstore', { b: 1 })
    await second.persist()
    await expect(first.persist()).rejects.toMatchObject({ code: 'VARVE_DISPLACED' })
    await expect(put(first, 'docstore', { more: 1 })).rejects.toMatchObject({ code: 'VARVE_DISPLACED' })
    await first.close()
    await put(second, 'docstore', { c: 1 })
    await second.persist()
    await second.close()
    expect(await reopened(disk)).toEqual({ a: 1, b: 1, c: 1 })
  })

  test.each([
    ['small', 'a journal', {}],
    ['large', 'a journal', spilling],
    ['small', 'a new directory', {}],
    ['large', 'a new directory', spilling],
  ])(
    'a writer of %s changes in %s that stands still before any operation, and is displaced there, harms nothing',
    async (_, place, options) => {
      for (let stop = 0, ended = false; !ended; stop++) {
        const disk = new MemoryDisk()
        if (place === 'a journal') {
          const zeroth = await open(disk)
          await put(zeroth, 'docstore', { zeroth: 1 })
          await zeroth.persist()
          await zeroth.close()
        }
        const gate = withResolvers()
        const stopped = new StoppingDisk(disk, stop, gate.promise)
        const first = await open(stopped.disk, options)
        stopped.arm()
        const writing = (async () => {
          for (let number = 0; number < 4; number++)
            await put(first, 'docstore', { [`first ${number}`]: number }, 400)
          return first.persist()
        })().catch((error: VarveError) => error)
        ended = (await Promise.race([stopped.reached, writing.then(() => 'done')])) === 'done'

        const second = await open(disk.asProcess({ pid: 2 }), { takeover: true })
        const displaced = await put(second, 'docstore', { 'second 1': 1 }, 2000).catch(
          (error: VarveError) => error,
        )
        if (!displaced) await second.persist()
        gate.resolve()
        const outcome = await writing
        if (displaced) {
          expect(displaced.code).toBe('VARVE_LOCKED') // Who is just taking the lock is never displaced.
          await first.close()
          continue
        }
        await put(second, 'docstore', { 'second 2': 2 })
        await second.persist()
        const kept = await contents(second, 'docstore')
        await first.close()
        await second.close()
        expect(await reopened(disk), `stopped before operation ${stop}`).toEqual(kept)
        if (outcome instanceof Error)
          expect(outcome.code, `stopped before operation ${stop}`).toMatch(
            /VARVE_(DISPLACED|LOCKED|OUTCOME_UNKNOWN)/,
          )
        else expect(Object.keys(kept), `stopped before operation ${stop}`).toContain('first 3')
      }
    },
  )
})

describe('sessions', () => {
  const segments = async (disk: MemoryDisk): Promise<string[]> =>
    (await filesUnder(disk, directory))
      .filter((path) => path.endsWith('.log'))
      .map((path) => path.slice(directory.length + 1))

  test('go on in the same segments after a close in order', async () => {
    const disk = new MemoryDisk()
    for (let session = 0; session < 3; session++) {
      const journal = await open(disk)
      await put(journal, 'docstore', { [`k${session}`]: session })
      await journal.persist()
      await journal.close()
    }
    expect(await segments(disk)).toEqual(['commits/0000000001.log', 'docstore/0000000001.log'])
  })

  test('go on in the same segments though a reader became the writer', async () => {
    const disk = new MemoryDisk()
    const journal = await open(disk)
    await put(journal, 'docstore', { a: 1 })
    await journal.persist()
    await journal.close()
    const reader = await open(disk)
    await reader.refresh()
    await contents(reader, 'docstore')
    await put(reader, 'docstore', { b: 1 })
    await reader.persist()
    await reader.close()
    expect(await segments(disk)).toEqual(['commits/0000000001.log', 'docstore/0000000001.log'])
  })

  test('start new segments after a crash', async () => {
    let disk = new MemoryDisk()
    for (let session = 0; session < 3; session++) {
      const journal = await open(disk)
      await put(journal, 'docstore', { [`k${session}`]: session })
      await journal.persist()
      disk = disk.crash('none')
    }
    expect(await segments(disk)).toEqual(
      [1, 2, 3]
        .flatMap((number) => [`commits/000000000${number}.log`])
        .concat([1, 2, 3].map((number) => `docstore/000000000${number}.log`)),
    )
    expect(await reopened(disk)).toEqual({ k0: 0, k1: 1, k2: 2 })
  })

  test('that write nothing leave nothing', async () => {
    const disk = new MemoryDisk()
    const journal = await open(disk)
    await put(journal, 'docstore', { a: 1 })
    await journal.persist()
    await journal.close()
    const before = Object.fromEntries(
      (await filesUnder(disk, directory)).map((path) => [path, disk.peek(path)]),
    )
    const second = await open(disk)
    await put(second, 'docstore', { dropped: 1 })
    await second.rollback()
    await second.close()
    expect(
      Object.fromEntries((await filesUnder(disk, directory)).map((path) => [path, disk.peek(path)])),
    ).toEqual(before)
  })

  test('close once, however often they are asked to, and say what is lost', async () => {
    const disk = new MemoryDisk()
    const warnings: string[] = []
    const journal = await open(disk, { onWarning: (warning) => warnings.push(warning) })
    await put(journal, 'docstore', { a: 1 })
    await journal.persist()
    await put(journal, 'docstore', { lost: 1 })
    await Promise.all([journal.close(), journal.close()])
    await journal.close()
    expect(warnings).toEqual([expect.stringContaining('pending changes')])
    expect(await reopened(disk)).toEqual({ a: 1 })
    expect((await disk.list(directory)).filter((name) => name.startsWith('LOCK'))).toEqual([])
  })

  test.each([0, 1])('close behind what is being persisted, after %i commits', async (commits) => {
    const disk = new MemoryDisk()
    const journal = await open(disk)
    if (commits > 0) {
      await put(journal, 'docstore', { before: 1 })
      await journal.persist()
    }
    await put(journal, 'docstore', { a: 1 })
    const persisted = journal.persist()
    await journal.close()
    expect(await persisted).toMatchObject({ number: commits + 1 })
    expect(await reopened(disk)).toMatchObject({ a: 1 })
  })

  test('close in a transaction, which commits nothing then', async () => {
    const disk = new MemoryDisk()
    const journal = await open(disk)
    const closing = journal.transaction({}, async () => {
      await put(journal, 'docstore', { a: 1 })
      await journal.close()
    })
    await expect(closing).rejects.toMatchObject({ code: 'VARVE_CLOSED' })
  })

  test('are closed in order on a full disk', async () => {
    const disk = new MemoryDisk()
    const journal = await open(disk, { onWarning: () => {} })
    await put(journal, 'docstore', { a: 1 })
    await journal.persist()
    disk.onOperation = ({ kind }) => {
      if (kind === 'write') throw Object.assign(new Error('ENOSPC'), { code: 'ENOSPC', syscall: 'write' })
    }
    await journal.close()
    disk.onOperation = undefined
    expect(await reopened(disk)).toEqual({ a: 1 })
  })
})

describe('commits', () => {
  async function seen(journal: Journal): Promise<unknown[]> {
    const listed = []
    for await (const commit of journal.commits()) listed.push(commit)
    const found = await Promise.all(listed.map(({ number }) => journal.commit(number)))
    expect(found).toEqual(listed)
    expect(await journal.commit(0)).toBeUndefined()
    expect(await journal.commit(listed.length + 1)).toBeUndefined()
    return listed.map(({ number, message }) => [number, message])
  }

  test('are found by the session that began the journal, by one that goes on, and by readers', async () => {
    const disk = new MemoryDisk()
    const first = await open(disk)
    expect(await seen(first)).toEqual([])
    await put(first, 'docstore', { a: 1 })
    await first.persist({ message: 'one' })
    expect(await seen(first)).toEqual([[1, 'one']])
    const reader = await open(disk)
    expect(await seen(reader)).toEqual([[1, 'one']])
    await first.close()
    const second = await open(disk)
    await put(second, 'docstore', { a: 2 })
    await second.persist({ message: 'two' })
    for (const journal of [second, reader])
      expect(await seen(journal)).toEqual([
        [2, 'two'],
        [1, 'one'],
      ])
    const listing = reader.commits()
    await listing.next()
    await second.close()
    await reader.close()
    await expect(listing.next()).rejects.toMatchObject({ code: 'VARVE_CLOSED' })
  })
})

describe('a journal in memory', () => {
  test('belongs to the directory it is attached to', async () => {
    const disk = new MemoryDisk()
    const journal = Journal.inMemory(toyOptions({ disk }))
    await put(journal, 'docstore', { a: 1 }, 3000)
    expect(await contents(journal, 'docstore')).toEqual({ a: 1 })
    await journal.transaction({}, () => put(journal, 'docstore', { b: 1 }))
    journal.stage('import', { message: 'as it was' })
    await put(journal, 'docstore', { c: 1 })
    journal.attach(directory)
    expect(await journal.persist({ message: 'and then' })).toMatchObject({ number: 2, message: 'and then' })
    const kinds = []
    for await (const { kind, message } of journal.commits()) kinds.push([kind, message])
    expect(kinds).toEqual([
      ['data', 'and then'],
      ['import', 'as it was'],
    ])
    await journal.close()
    expect(await reopened(disk)).toEqual({ a: 1, b: 1, c: 1 })
  })

  test('keeps its staged commit a commit of its own, though the disk was full at first', async () => {
    for (let at = 0; ; at++) {
      const disk = new MemoryDisk()
      const journal = Journal.inMemory(toyOptions({ disk }))
      await put(journal, 'docstore', { a: 1 })
      journal.stage('import', { message: 'as it was' })
      await put(journal, 'docstore', { b: 1 })
      journal.attach(directory)
      let writes = 0
      const isNext = ({ kind, path }: Operation): boolean =>
        kind === 'write' && path.endsWith('.log') && writes++ === at
      failNext(disk, isNext, 'ENOSPC', 30)
      const first = await journal.persist().catch((error: unknown) => error)
      if (writes > at) expect(first).toMatchObject({ code: 'VARVE_DISK_FULL' })
      const last = writes > at ? await journal.persist() : first
      expect(last).toMatchObject({ number: 2, kind: 'data' })
      expect(await journal.commit(1)).toMatchObject({ kind: 'import', message: 'as it was' })
      await journal.close()
      const snapshots = `${directory}/snapshots`
      for (const name of await disk.list(snapshots)) await disk.unlink(`${snapshots}/${name}`)
      expect(await reopened(disk)).toEqual({ a: 1, b: 1 }) // By the whole chain.
      if (writes <= at) return expect(at).toBeGreaterThan(2)
    }
  })

  test('does not overwrite a journal that appeared meanwhile', async () => {
    const disk = new MemoryDisk()
    const journal = await open(disk)
    await put(journal, 'docstore', { mine: 1 })
    const other = await open(disk.asProcess({ pid: 2 }))
    await put(other, 'docstore', { theirs: 1 })
    await other.persist()
    await other.close()
    await expect(journal.persist()).rejects.toMatchObject({ code: 'VARVE_DISPLACED' })
    await journal.close()
    expect(await reopened(disk)).toEqual({ theirs: 1 })
  })
})

function withResolvers(): { promise: Promise<void>; resolve: () => void } {
  let resolve = (): void => {}
  const promise = new Promise<void>((settle) => (resolve = settle))
  return { promise, resolve }
}

/** One process's disk, which stands still before its nth operation until it may go on. */
class StoppingDisk {
  readonly disk: Disk
  readonly reached: Promise<string>
  #armed = false
  #operations = 0
  readonly #stop: number
  readonly #gate: Promise<void>
  #reach = (_: string): void => {}

  constructor(disk: MemoryDisk, stop: number, gate: Promise<void>) {
    this.#stop = stop
    this.#gate = gate
    this.reached = new Promise((resolve) => (this.#reach = resolve))
    this.disk = this.#stopping(disk, async (name, result) =>
      name === 'create' || name === 'openToWrite' ? this.#stopping((await result) as WritableFile) : result,
    )
  }

  /** All that changes something waits, and the look at the lock. */
  #stopping<T extends object>(
    target: T,
    wrap: (name: string, result: unknown) => unknown = (_, result) => result,
  ): T {
    const stops = new Set([
      'list',
      'create',
      'openToWrite',
      'makeDirectory',
      'rename',
      'link',
      'unlink',
      'syncDirectory',
      'readSmallFile',
      'write',
      'sync',
    ])
    return new Proxy(target, {
      get: (_, name: string) => {
        const method = (target as Record<string, unknown>)[name]
        if (typeof method !== 'function') return method
        return (...args: unknown[]) => {
          const call = (): unknown =>
            wrap(name, (method as (...all: unknown[]) => unknown).apply(target, args))
          return stops.has(name) ? this.#turn().then(call) : call()
        }
      },
    })
  }

  /** Counts from here on. */
  arm(): void {
    this.#armed = true
  }

  async #turn(): Promise<void> {
    if (!this.#armed || this.#operations++ < this.#stop) return
    this.#reach('stopped')
    await this.#gate
  }
}

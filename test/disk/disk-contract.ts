/** What every `Disk` does, real or simulated. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Disk } from '../../src/disk/disk.ts'

export interface Place {
  disk: Disk
  /** An empty directory on it, with a true name. */
  root: string
  remove(): Promise<void>
}

export function diskContract(name: string, makePlace: () => Promise<Place>): void {
  describe(`${name} as a disk`, () => {
    let place: Place
    let disk: Disk
    const at = (path: string): string => `${place.root}/${path}`

    beforeEach(async () => {
      place = await makePlace()
      disk = place.disk
    })
    afterEach(() => place.remove())

    test('a created file is empty, and what is written is read back', async () => {
      const file = await disk.create(at('a'))
      expect(await file.size()).toBe(0)
      await file.write([bytes(1, 2, 3)], 0)
      expect(await file.size()).toBe(3)
      expect(await file.read(0, 3)).toEqual(bytes(1, 2, 3))
      expect(file.readNow(0, 3)).toEqual(bytes(1, 2, 3))
      await file.close()
    })

    test('reads give plain Uint8Arrays of their own', async () => {
      await put('a', pattern(20_000))
      const file = await disk.openToRead(at('a'))
      for (const read of [
        await file.read(1, 10),
        file.readNow(1, 10),
        await file.read(0, 20_000),
        file.readNow(0, 20_000),
      ]) {
        expect(Object.getPrototypeOf(read)).toBe(Uint8Array.prototype)
        expect(read.byteOffset).toBe(0)
        read.fill(0)
      }
      expect(await file.read(0, 20_000)).toEqual(pattern(20_000))
      await file.close()
    })

    test.each([
      { offset: 0, length: 0, gives: 0 },
      { offset: 8, length: 2, gives: 2 },
      { offset: 8, length: 9, gives: 2 },
      { offset: 10, length: 1, gives: 0 },
      { offset: 99, length: 5, gives: 0 },
      { offset: 0, length: 2 ** 40, gives: 10 },
      { offset: 99, length: 2 ** 40, gives: 0 },
    ])(
      'of a file of 10 bytes, a read of $length from $offset gives $gives',
      async ({ offset, length, gives }) => {
        await put('a', pattern(10))
        const file = await disk.openToRead(at('a'))
        expect(await file.read(offset, length)).toEqual(pattern(10).slice(offset, offset + gives))
        expect(file.readNow(offset, length)).toEqual(pattern(10).slice(offset, offset + gives))
        await file.close()
      },
    )

    test('chunks are written one after another, however many, empty ones too', async () => {
      const chunks = Array.from({ length: 3000 }, (_, index) => pattern(index % 7, index))
      const whole = Buffer.concat(chunks)
      const file = await disk.create(at('a'))
      await file.write([bytes(9, 9)], 0)
      await file.write(chunks, 2)
      await file.write([], 1)
      await file.write([bytes()], 1)
      await file.write([bytes(), bytes(7), bytes()], 2 + whole.length)
      expect(await file.size()).toBe(3 + whole.length)
      expect(Buffer.from(await file.read(2, whole.length)).equals(whole)).toBe(true)
      expect(await file.read(2 + whole.length, 9)).toEqual(bytes(7))
      await file.close()
    })

    test('a write in the middle changes only those bytes', async () => {
      await put('a', pattern(30_000))
      const file = await disk.openToWrite(at('a'))
      await file.write([bytes(200, 201), bytes(202)], 16_383)
      const expected = pattern(30_000)
      expected.set([200, 201, 202], 16_383)
      expect(await file.read(0, 30_000)).toEqual(expected)
      await file.close()
    })

    test('a write beyond the end leaves zeros between', async () => {
      await put('a', bytes(1))
      const file = await disk.openToWrite(at('a'))
      await file.write([bytes(2)], 20_000)
      expect(await file.size()).toBe(20_001)
      expect(await file.read(0, 3)).toEqual(bytes(1, 0, 0))
      expect(await file.read(19_999, 3)).toEqual(bytes(0, 2))
      await file.close()
    })

    test('the caller may use its buffers again after a write', async () => {
      const file = await disk.create(at('a'))
      const buffer = bytes(1, 2, 3)
      await file.write([buffer], 0)
      buffer.fill(9)
      expect(await file.read(0, 3)).toEqual(bytes(1, 2, 3))
      await file.sync()
      expect(await file.read(0, 3)).toEqual(bytes(1, 2, 3))
      await file.close()
    })

    test('opening to write does not truncate', async () => {
      await put('a', pattern(5))
      const file = await disk.openToWrite(at('a'))
      expect(await file.size()).toBe(5)
      await file.close()
    })

    test('two handles of one file see the same bytes', async () => {
      await put('a', bytes(1))
      const [one, two] = [await disk.openToWrite(at('a')), await disk.openToRead(at('a'))]
      await one.write([bytes(5, 6)], 1)
      expect(await two.read(0, 9)).toEqual(bytes(1, 5, 6))
      expect(await two.size()).toBe(3)
      await Promise.all([one.close(), two.close()])
    })

    test('an open file survives the loss of its name', async () => {
      await put('a', bytes(1))
      await put('b', bytes(2))
      const [a, b] = [await disk.openToWrite(at('a')), await disk.openToRead(at('b'))]
      await disk.rename(at('a'), at('b'))
      await disk.unlink(at('b'))
      await a.write([bytes(3)], 1)
      await a.sync()
      expect(await a.read(0, 9)).toEqual(bytes(1, 3))
      expect(b.readNow(0, 9)).toEqual(bytes(2))
      expect(await disk.list(place.root)).toEqual([])
      await Promise.all([a.close(), b.close()])
    })

    test('a closed file refuses everything but another close', async () => {
      const file = await disk.create(at('a'))
      await file.close()
      await file.close()
      expect(await codeOf(file.read(0, 1))).toBe('EBADF')
      expect(await codeOf(file.size())).toBe('EBADF')
      expect(await codeOf(file.write([bytes(1)], 0))).toBe('EBADF')
      expect(await codeOf(file.sync())).toBe('EBADF')
      expect(() => file.readNow(0, 1)).toThrow('EBADF')
    })

    test('names are listed in order', async () => {
      for (const name of ['b', 'a', 'B', '10', '9', 'ä']) await put(name, bytes())
      await disk.makeDirectory(at('c'))
      expect(await disk.list(place.root)).toEqual(['10', '9', 'B', 'a', 'b', 'c', 'ä'])
    })

    test('stat tells files, directories and nothing apart', async () => {
      await put('a', pattern(7))
      await disk.makeDirectory(at('d'))
      expect(await disk.stat(at('a'))).toMatchObject({
        kind: 'file',
        sizeBytes: 7,
        modifiedMs: expect.any(Number),
      })
      expect(await disk.stat(at('d'))).toMatchObject({ kind: 'directory' })
      expect(await disk.stat(at('none'))).toBeUndefined()
      expect(await disk.stat(at('none/none'))).toBeUndefined()
      expect(await disk.stat(at('a/none'))).toBeUndefined()
    })

    test('makeDirectory makes the missing parents and leaves what is there', async () => {
      await disk.makeDirectory(at('x/y/z'))
      await put('x/y/f', bytes(1))
      await disk.makeDirectory(at('x/y/z'))
      await disk.makeDirectory(at('x/y'))
      expect(await disk.list(at('x/y'))).toEqual(['f', 'z'])
    })

    test('realPath gives two ways to one place one name', async () => {
      await disk.makeDirectory(at('x/y'))
      expect(await disk.realPath(at('x/../x/./y/'))).toBe(at('x/y'))
      expect(await disk.realPath(place.root)).toBe(place.root)
    })

    test('rename replaces a file', async () => {
      await put('a', bytes(1))
      await put('b', bytes(2))
      await disk.rename(at('a'), at('b'))
      expect(await disk.list(place.root)).toEqual(['b'])
      expect(await disk.readSmallFile(at('b'))).toEqual(bytes(1))
    })

    test('rename moves between directories', async () => {
      await disk.makeDirectory(at('d'))
      await put('a', bytes(1))
      await disk.rename(at('a'), at('d/a'))
      expect(await disk.list(place.root)).toEqual(['d'])
      expect(await disk.readSmallFile(at('d/a'))).toEqual(bytes(1))
    })

    test('a link is a second name of the same file, and a rename between the two does nothing', async () => {
      await put('a', bytes(1))
      await disk.link(at('a'), at('b'))
      const file = await disk.openToWrite(at('a'))
      await file.write([bytes(5)], 0)
      await file.close()
      expect(await disk.readSmallFile(at('b'))).toEqual(bytes(5))
      await disk.rename(at('a'), at('b'))
      expect(await disk.list(place.root)).toEqual(['a', 'b'])
      await disk.unlink(at('a'))
      expect(await disk.readSmallFile(at('b'))).toEqual(bytes(5))
    })

    test.each<{ does: string; code: string | string[]; call: () => Promise<unknown> }>([
      { does: 'opening a missing file to read', code: 'ENOENT', call: () => disk.openToRead(at('none')) },
      { does: 'opening a missing file to write', code: 'ENOENT', call: () => disk.openToWrite(at('none')) },
      { does: 'opening a file below a file', code: 'ENOTDIR', call: () => disk.openToRead(at('file/x')) },
      { does: 'opening a directory to write', code: 'EISDIR', call: () => disk.openToWrite(at('directory')) },
      { does: 'reading a directory', code: 'EISDIR', call: () => readOnce(at('directory')) },
      { does: 'creating an existing file', code: 'EEXIST', call: () => disk.create(at('file')) },
      { does: 'creating where a directory is', code: 'EEXIST', call: () => disk.create(at('directory')) },
      { does: 'creating in a missing directory', code: 'ENOENT', call: () => disk.create(at('none/x')) },
      { does: 'creating below a file', code: 'ENOTDIR', call: () => disk.create(at('file/x')) },
      {
        does: 'creating with too long a name',
        code: 'ENAMETOOLONG',
        call: () => disk.create(at('x'.repeat(256))),
      },
      { does: 'listing nothing', code: 'ENOENT', call: () => disk.list(at('none')) },
      { does: 'listing a file', code: 'ENOTDIR', call: () => disk.list(at('file')) },
      { does: 'the real path of nothing', code: 'ENOENT', call: () => disk.realPath(at('none')) },
      {
        does: 'making a directory where a file is',
        code: 'EEXIST',
        call: () => disk.makeDirectory(at('file')),
      },
      {
        does: 'making a directory below a file',
        code: 'ENOTDIR',
        call: () => disk.makeDirectory(at('file/x')),
      },
      { does: 'renaming nothing', code: 'ENOENT', call: () => disk.rename(at('none'), at('x')) },
      { does: 'renaming into nothing', code: 'ENOENT', call: () => disk.rename(at('file'), at('none/x')) },
      {
        does: 'renaming a file over a directory',
        code: 'EISDIR',
        call: () => disk.rename(at('file'), at('directory')),
      },
      {
        does: 'renaming a directory over a file',
        code: 'ENOTDIR',
        call: () => disk.rename(at('directory'), at('file')),
      },
      { does: 'linking nothing', code: 'ENOENT', call: () => disk.link(at('none'), at('x')) },
      {
        does: 'linking to a taken name',
        code: 'EEXIST',
        call: () => disk.link(at('file'), at('directory/in')),
      },
      { does: 'linking to its own name', code: 'EEXIST', call: () => disk.link(at('file'), at('file')) },
      { does: 'unlinking nothing', code: 'ENOENT', call: () => disk.unlink(at('none')) },
      { does: 'unlinking a directory', code: ['EISDIR', 'EPERM'], call: () => disk.unlink(at('directory')) },
      { does: 'syncing a missing directory', code: 'ENOENT', call: () => disk.syncDirectory(at('none')) },
      {
        does: 'reading a small file that is missing',
        code: 'ENOENT',
        call: () => disk.readSmallFile(at('none')),
      },
      {
        does: 'reading a small file that is a directory',
        code: 'EISDIR',
        call: () => disk.readSmallFile(at('directory')),
      },
      {
        does: 'announcing in a missing directory',
        code: ['ENOENT', 'EACCES'],
        call: () => disk.announce(at('none/x')),
      },
    ])('$does rejects with $code and changes nothing', async ({ code, call }) => {
      await put('file', bytes(1))
      await disk.makeDirectory(at('directory'))
      await put('directory/in', bytes(2))
      expect(await codeOf(call())).toBeOneOf([code].flat())
      expect(await disk.list(place.root)).toEqual(['directory', 'file'])
      expect(await disk.readSmallFile(at('file'))).toEqual(bytes(1))
      expect(await disk.list(at('directory'))).toEqual(['in'])
    })

    test('a close waits for what is under way, and that ends as if nothing happened', async () => {
      await put('a', pattern(100_000))
      const file = await disk.openToWrite(at('a'))
      const reads = Array.from({ length: 20 }, () => file.read(0, 100_000))
      const write = file.write([pattern(10)], 100_000)
      await Promise.all([file.close(), file.close()])
      for (const read of reads) expect((await read).length).toBeGreaterThanOrEqual(100_000)
      await write
      expect(await disk.stat(at('a'))).toMatchObject({ sizeBytes: 100_010 })
    })

    test('syncs of a file and of a directory resolve', async () => {
      const file = await disk.create(at('a'))
      await file.write([bytes(1)], 0)
      await file.sync()
      await disk.syncDirectory(place.root)
      await file.close()
      expect(await disk.readSmallFile(at('a'))).toEqual(bytes(1))
    })

    test('an announcement is heard until it is closed', async () => {
      expect(await disk.isAnnounced(at('life'))).toBe(false)
      const announcement = await disk.announce(at('life'))
      expect(await disk.isAnnounced(at('life'))).toBe(true)
      expect(await disk.isAnnounced(at('other'))).toBe(false)
      expect(await codeOf(disk.announce(at('life')))).toBe('EADDRINUSE')
      expect(await disk.isAnnounced(at('life'))).toBe(true)
      await announcement.close()
      await announcement.close()
      expect(await disk.isAnnounced(at('life'))).toBe(false)
      expect(await disk.list(place.root)).toEqual([])
      await (await disk.announce(at('life'))).close()
    })

    test('a file is no announcement', async () => {
      await put('life', bytes(1))
      expect(await disk.isAnnounced(at('life'))).toBe(false)
      expect(await disk.isAnnounced(at('life/x'))).toBe(false)
      expect(await disk.isAnnounced(at('none/x'))).toBe(false)
    })

    test('the same process always runs on the same machine', async () => {
      const machine = await disk.machine()
      expect(machine).toEqual({
        host: expect.any(String),
        bootId: expect.any(String),
        pid: expect.any(Number),
        startedMs: expect.any(Number),
      })
      expect(await disk.machine()).toEqual(machine)
    })

    test('where these tests run is no network file system', async () => {
      expect(await disk.isNetworkFileSystem(place.root)).toBe(false)
      expect(await codeOf(disk.isNetworkFileSystem(at('none')))).toBe('ENOENT')
    })

    async function readOnce(path: string): Promise<void> {
      const file = await disk.openToRead(path)
      try {
        await file.read(0, 1)
      } finally {
        await file.close()
      }
    }

    async function put(path: string, content: Uint8Array): Promise<void> {
      const file = await disk.create(at(path))
      await file.write([content], 0)
      await file.close()
    }
  })
}

export function bytes(...values: number[]): Uint8Array {
  return new Uint8Array(values)
}

/** Bytes that differ from their neighbours and are never zero. */
export function pattern(length: number, seed = 0): Uint8Array {
  const made = new Uint8Array(length)
  for (let index = 0; index < length; index++) made[index] = ((index * 31 + seed) % 251) + 1
  return made
}

export async function codeOf(operation: Promise<unknown>): Promise<string | undefined> {
  try {
    await operation
    return undefined
  } catch (error) {
    return (error as NodeJS.ErrnoException).code
  }
}

import { describe, expect, test } from 'vitest'
import { MemoryDisk, type Fault, type Operation } from '../../src/disk/memory-disk.ts'
import { bytes, codeOf, diskContract, pattern } from './disk-contract.ts'

diskContract('MemoryDisk', async () => {
  const disk = new MemoryDisk()
  await disk.makeDirectory('/work')
  return { disk, root: '/work', remove: async () => {} }
})

diskContract('a process on a MemoryDisk, with delays', async () => {
  const disk = new MemoryDisk({ delay: () => new Promise((resolve) => queueMicrotask(resolve)) }).asProcess({
    pid: 7,
  })
  await disk.makeDirectory('/work')
  return { disk, root: '/work', remove: async () => {} }
})

describe('a power cut', () => {
  test('takes everything that was not synced, if fate is against us', async () => {
    const disk = new MemoryDisk()
    await write(disk, '/a', bytes(1))
    expect(await disk.crash('none').list('/')).toEqual([])
  })

  test('leaves a file only if its name was synced too', async () => {
    const disk = new MemoryDisk()
    await write(disk, '/a', bytes(1), 'sync')
    expect(await disk.image('none').list('/')).toEqual([])
    await disk.syncDirectory('/')
    const image = disk.crash('none')
    expect(image.peek('/a')).toEqual(bytes(1))
  })

  test('leaves an empty file if only its name was synced', async () => {
    const disk = new MemoryDisk()
    await write(disk, '/a', bytes(1))
    await disk.syncDirectory('/')
    expect(disk.crash('none').peek('/a')).toEqual(bytes())
  })

  test('takes a directory whose name was not synced in its parent, with all it holds', async () => {
    const disk = new MemoryDisk()
    await disk.makeDirectory('/d')
    await write(disk, '/d/a', bytes(1), 'sync')
    await disk.syncDirectory('/d')
    expect(await disk.image('none').list('/')).toEqual([])
    await disk.syncDirectory('/')
    expect(disk.crash('none').peek('/d/a')).toEqual(bytes(1))
  })

  test('brings back what was overwritten, renamed and removed', async () => {
    const disk = new MemoryDisk()
    for (const name of ['/a', '/b', '/c']) disk.put(name, bytes(1, 2, 3))
    await write(disk, '/a', bytes(9))
    await disk.rename('/b', '/b2')
    await disk.unlink('/c')
    expect(disk.peek('/a')).toEqual(bytes(9, 2, 3))
    const image = disk.crash('none')
    expect(await image.list('/')).toEqual(['a', 'b', 'c'])
    for (const name of ['/a', '/b', '/c']) expect(image.peek(name)).toEqual(bytes(1, 2, 3))
  })

  test('ends everything: the disk, its open files, its processes, their announcements', async () => {
    const disk = new MemoryDisk()
    const other = disk.asProcess({ pid: 2 })
    const file = await disk.create('/a')
    await other.announce('/life')
    const after = disk.crash('all')
    expect(await codeOf(disk.list('/'))).toBe('ECRASHED')
    expect(await codeOf(other.create('/b'))).toBe('ECRASHED')
    expect(await codeOf(file.write([bytes(1)], 0))).toBe('ECRASHED')
    expect(await codeOf(file.sync())).toBe('ECRASHED')
    expect(() => file.readNow(0, 1)).toThrow('ECRASHED')
    await file.close()
    expect(await after.isAnnounced('/life')).toBe(false)
    expect(await after.list('/')).toEqual(['a', 'life'])
    await after.announce('/life')
  })

  test('starts another boot; the end of a process does not', async () => {
    const disk = new MemoryDisk({ machine: { host: 'h', bootId: 'b', pid: 1 } })
    expect(await disk.image('none').machine()).toMatchObject({ host: 'h', bootId: 'b+', pid: 2 })
    expect(await disk.image('all').machine()).toMatchObject({ host: 'h', bootId: 'b', pid: 2 })
  })

  test('after the end of a process what it had not synced is there, and still not synced', async () => {
    const disk = new MemoryDisk()
    await write(disk, '/a', bytes(1))
    await disk.link('/a', '/b')
    const second = disk.crash('all')
    expect(second.peek('/b')).toEqual(bytes(1))
    await write(second, '/b', bytes(2))
    expect(second.peek('/a')).toEqual(bytes(2))
    expect(await second.image('none').list('/')).toEqual([])
    await second.syncDirectory('/')
    expect(second.crash('none').peek('/a')).toEqual(bytes())
  })

  test('an image changes neither with its original nor the other way round', async () => {
    const disk = new MemoryDisk()
    disk.put('/a', pattern(50_000))
    const image = disk.snapshot()
    await write(disk, '/a', bytes(0, 0))
    await write(image, '/a', bytes(0), 'sync', 40_000)
    expect(disk.peek('/a').subarray(2)).toEqual(pattern(50_000).subarray(2))
    expect(image.peek('/a').subarray(0, 40_000)).toEqual(pattern(50_000).subarray(0, 40_000))
    expect(disk.image('none').peek('/a')).toEqual(pattern(50_000))
  })

  describe('by chance', () => {
    const seed = Math.floor(Math.random() * 2 ** 31)
    console.log(`memory-disk.test.ts: seed ${seed}`)

    test('leaves an unsynced append whole, gone, torn, zero-filled or garbled, and growth apart from data', async () => {
      const disk = new MemoryDisk({ random: randomOf(seed) })
      disk.put('/a', pattern(10))
      await write(disk, '/a', pattern(2000, 7), 'leave', 10)
      const seen = new Set<string>()
      for (let round = 0; round < 2000; round++) {
        const left = disk.image().peek('/a')
        expect(left.subarray(0, 10)).toEqual(pattern(10))
        seen.add(kindOf(left.subarray(10), pattern(2000, 7)))
      }
      expect([...seen].sort()).toEqual(['cut', 'gone', 'other', 'torn', 'whole', 'zeros'])
    })

    test('leaves unsynced writes in any order', async () => {
      const disk = new MemoryDisk({ random: randomOf(seed) })
      disk.put('/a', bytes(0, 0))
      await write(disk, '/a', bytes(1), 'leave', 0)
      await write(disk, '/a', bytes(2), 'leave', 1)
      const seen = countOf(500, () => [...disk.image().peek('/a')].join())
      expect([...seen]).toEqual(expect.arrayContaining(['0,0', '1,0', '0,2', '1,2']))
    })

    test('leaves of what was synced and is overwritten each sector as it was or as written', async () => {
      const disk = new MemoryDisk({ random: randomOf(seed) })
      disk.put('/a', pattern(2048))
      await write(disk, '/a', pattern(3000, 7), 'leave', 0)
      const sectors = new Set<string>()
      for (let round = 0; round < 1000; round++) {
        const left = disk.image().peek('/a')
        for (let at = 0; at < 2048; at += 512) {
          const [was, written] = [pattern(2048), pattern(3000, 7)].map((all) => all.subarray(at, at + 512))
          const sector = left.subarray(at, at + 512)
          const tear = sector.findIndex((byte, index) => byte !== written![index])
          if (tear < 0) sectors.add('written')
          else {
            expect(sector.subarray(tear)).toEqual(was!.subarray(tear))
            sectors.add(tear > 0 ? 'torn' : 'was')
          }
        }
      }
      expect([...sectors].sort()).toEqual(['torn', 'was', 'written'])
    })

    test('never touches what was synced', async () => {
      const disk = new MemoryDisk({ random: randomOf(seed) })
      await write(disk, '/a', pattern(9000), 'sync')
      await disk.syncDirectory('/')
      await write(disk, '/b', pattern(9000))
      for (let round = 0; round < 300; round++)
        expect(Buffer.compare(disk.image().peek('/a'), pattern(9000))).toBe(0)
    })

    test('leaves of a rename the old name, the new one or both, and never a mixture of the files', async () => {
      const disk = new MemoryDisk({ random: randomOf(seed) })
      disk.put('/old', bytes(1))
      disk.put('/new', bytes(2))
      await disk.rename('/old', '/new')
      const seen = countOf(300, () => namesAndBytes(disk.image()))
      expect([...seen].sort()).toEqual(['new=1', 'new=1 old=1', 'new=2 old=1'])
    })

    test('leaves unsynced names or not, each by itself', async () => {
      const disk = new MemoryDisk({ random: randomOf(seed) })
      disk.put('/c', bytes(3))
      await write(disk, '/a', bytes(1), 'sync')
      await disk.link('/a', '/b')
      await disk.unlink('/c')
      const seen = countOf(500, () => namesAndBytes(disk.image()))
      expect([...seen].sort()).toEqual([
        '',
        'a=1',
        'a=1 b=1',
        'a=1 b=1 c=3',
        'a=1 c=3',
        'b=1',
        'b=1 c=3',
        'c=3',
      ])
    })

    test('the same seed gives the same images', async () => {
      const images = async (): Promise<string[]> => {
        const disk = new MemoryDisk({ random: randomOf(seed) })
        await write(disk, '/a', pattern(3000))
        await write(disk, '/b', pattern(3000))
        return Array.from({ length: 50 }, () => namesAndBytes(disk.image()))
      }
      expect(await images()).toEqual(await images())
    })

    test('images of megabytes are cheap', async () => {
      const disk = new MemoryDisk({ random: randomOf(seed) })
      disk.put('/a', pattern(4_000_000))
      await write(disk, '/a', pattern(100_000), 'leave', 4_000_000)
      const start = performance.now()
      for (let round = 0; round < 1000; round++) disk.image()
      expect(performance.now() - start).toBeLessThan(5000)
    })
  })
})

describe('all images of a moment', () => {
  const picturesOf = (disk: MemoryDisk, most: number): string[] =>
    [...disk.images({ most, seed: 3 })].map((image) => namesAndBytes(image.disk))

  test('begin with what was written and what was synced', async () => {
    const disk = new MemoryDisk()
    disk.put('/a', bytes(1))
    await write(disk, '/a', bytes(2))
    const [first, second] = disk.images({ most: 2, seed: 3 })
    expect([first?.name, second?.name]).toEqual(['all', 'none'])
    expect([namesAndBytes(first!.disk), namesAndBytes(second!.disk)]).toEqual(['a=2', 'a=1'])
  })

  test('hold every subset of what was written', async () => {
    const disk = new MemoryDisk()
    disk.put('/a', bytes(0, 0, 0))
    for (const at of [0, 1, 2]) await write(disk, '/a', bytes(1), 'leave', at)
    const pictures = new Set(picturesOf(disk, 10))
    expect([...pictures].sort()).toEqual(
      ['0.0.0', '0.0.1', '0.1.0', '0.1.1', '1.0.0', '1.0.1', '1.1.0', '1.1.1'].map((left) => `a=${left}`),
    )
  })

  test('hold the old name, the new one and both, and growth without data', async () => {
    const disk = new MemoryDisk()
    disk.put('/a', bytes(1))
    disk.put('/old', bytes(5))
    await disk.rename('/old', '/new')
    await write(disk, '/a', bytes(2), 'leave', 1)
    const pictures = new Set(picturesOf(disk, 100))
    for (const names of ['new=5', 'old=5', 'new=5 old=5'])
      for (const left of ['1', '1.0', '1.2']) expect(pictures).toContain(`a=${left} ${names}`)
  })

  test('are left to chance where the combinations are too many, and the same for the same seed', async () => {
    const disk = new MemoryDisk()
    for (const name of ['/a', '/b', '/c', '/old', '/new']) await write(disk, name, pattern(20))
    const names = [...disk.images({ most: 20, seed: 3 })].map(({ name }) => name)
    expect(names.slice(0, 3)).toEqual(['all', 'none', 'chance-0'])
    expect(names).toHaveLength(20)
    expect(picturesOf(disk, 20)).toEqual(picturesOf(disk, 20))
  })

  test('have the same digest if the same is seen, and only then', async () => {
    const disk = new MemoryDisk()
    disk.put('/d/a', bytes(1))
    const twin = disk.snapshot()
    expect(twin.digest()).toBe(disk.digest())
    await write(twin, '/d/a', bytes(2))
    expect(twin.digest()).not.toBe(disk.digest())
    await write(twin, '/d/a', bytes(1))
    expect(twin.digest()).toBe(disk.digest())
    await twin.rename('/d/a', '/d/b')
    expect(twin.digest()).not.toBe(disk.digest())
  })
})

describe('an injected fault', () => {
  test.each<{ fault: Fault; call: (disk: MemoryDisk) => Promise<unknown>; code: string; left: string }>([
    { fault: { what: 'EIO', at: 0 }, call: (disk) => disk.list('/'), code: 'EIO', left: 'a=1' },
    { fault: { what: 'EIO', at: 1 }, call: (disk) => readWhole(disk), code: 'EIO', left: 'a=1' },
    { fault: { what: 'EMFILE', at: 0 }, call: (disk) => readWhole(disk), code: 'EMFILE', left: 'a=1' },
    { fault: { what: 'EMFILE', at: 0 }, call: (disk) => disk.create('/b'), code: 'EMFILE', left: 'a=1' },
    { fault: { what: 'ENOSPC', at: 0 }, call: (disk) => disk.link('/a', '/b'), code: 'ENOSPC', left: 'a=1' },
    { fault: { what: 'EIO', at: 0 }, call: (disk) => disk.rename('/a', '/b'), code: 'EIO', left: 'a=1' },
    {
      fault: { what: 'short write', at: 0 },
      call: (disk) => write(disk, '/a', bytes(7, 8, 9, 9)),
      code: 'EIO',
      left: 'a=7.8',
    },
    {
      fault: { what: 'short write', at: 0, writtenBytes: 3 },
      call: (disk) => write(disk, '/a', bytes(7, 8, 9, 9)),
      code: 'EIO',
      left: 'a=7.8.9',
    },
  ])('$fault.what at $fault.at strikes once: $code', async ({ fault, call, code, left }) => {
    const disk = new MemoryDisk()
    disk.put('/a', bytes(1))
    const struck = disk.inject(fault)
    expect(struck.operation).toBeUndefined()
    expect(await codeOf(call(disk))).toBe(code)
    expect(namesAndBytes(disk)).toBe(left)
    expect(struck.operation).toBeDefined()
    await disk.list('/')
  })

  test('waits for the n-th operation that matches', async () => {
    const disk = new MemoryDisk()
    const struck = disk.inject({ what: 'EIO', at: 1, matches: ({ path }) => path === '/b' })
    await write(disk, '/a', bytes(1))
    expect(await disk.stat('/b')).toBeUndefined()
    expect(await codeOf(disk.create('/b'))).toBe('EIO')
    expect(struck.operation).toMatchObject({ kind: 'create', path: '/b' })
  })

  test('a failed sync drops what it should have written: no later sync makes it durable', async () => {
    const disk = new MemoryDisk()
    disk.put('/a', bytes(1))
    disk.inject({ what: 'failed sync', at: 0 })
    expect(await codeOf(write(disk, '/a', bytes(2), 'sync'))).toBe('EIO')
    await write(disk, '/a', bytes(3), 'sync', 1)
    expect(disk.peek('/a')).toEqual(bytes(2, 3))
    expect(disk.image('none').peek('/a')).toEqual(bytes(1, 3))
  })

  test('a slow sync does not reach what is written meanwhile', async () => {
    const disk = new MemoryDisk()
    disk.put('/a', bytes(0, 0))
    disk.inject({ what: 'slow sync', at: 0, turns: 3 })
    const file = await disk.openToWrite('/a')
    await file.write([bytes(1)], 0)
    const syncing = file.sync()
    await file.write([bytes(2)], 1)
    expect(disk.image('none').peek('/a')).toEqual(bytes(0, 0))
    await syncing
    expect(disk.image('none').peek('/a')).toEqual(bytes(1, 0))
    await file.sync()
    expect(disk.image('none').peek('/a')).toEqual(bytes(1, 2))
  })

  test('a slow sync of a directory does not reach the names that are made meanwhile', async () => {
    const disk = new MemoryDisk({ duringSync: () => new Promise((resume) => setImmediate(resume)) })
    await disk.create('/a')
    const syncing = disk.syncDirectory('/')
    await disk.create('/b')
    await syncing
    expect(await disk.image('none').list('/')).toEqual(['a'])
  })
})

async function readWhole(disk: MemoryDisk): Promise<Uint8Array> {
  const file = await disk.openToRead('/a')
  return file.read(0, await file.size())
}

describe('operations', () => {
  test('are announced before and after, with kind, path and number, and nothing else is', async () => {
    const disk = new MemoryDisk()
    const seen: string[] = []
    disk.onOperation = ({ index, kind, path }) => seen.push(`${index} ${kind} ${path}`)
    disk.afterOperation = ({ index }) => seen.push(`${index} done`)
    await disk.makeDirectory('/d/e')
    const file = await disk.create('/d/a')
    await file.write([bytes(1), bytes(2)], 0)
    await file.sync()
    await disk.link('/d/a', '/d/b')
    await disk.rename('/d/b', '/d/c')
    await disk.unlink('/d/c')
    await disk.syncDirectory('/d')
    await file.read(0, 1)
    await file.close()
    await disk.list('/d')
    await (await disk.openToRead('/d/a')).size()
    expect(seen.filter((line) => !line.endsWith('done'))).toEqual([
      '0 makeDirectory /d',
      '1 makeDirectory /d/e',
      '2 create /d/a',
      '3 write /d/a',
      '4 sync /d/a',
      '5 link /d/b',
      '6 rename /d/c',
      '7 unlink /d/c',
      '8 syncDirectory /d',
    ])
    expect(seen).toHaveLength(18)
    expect(disk.operations).toBe(9)
  })

  test.each<{ kind: Operation['kind']; call: (disk: MemoryDisk) => Promise<unknown> }>([
    { kind: 'create', call: (disk) => disk.create('/b') },
    { kind: 'write', call: (disk) => write(disk, '/a', bytes(9)) },
    { kind: 'sync', call: async (disk) => (await disk.openToWrite('/a')).sync() },
    { kind: 'rename', call: (disk) => disk.rename('/a', '/b') },
    { kind: 'link', call: (disk) => disk.link('/a', '/b') },
    { kind: 'unlink', call: (disk) => disk.unlink('/a') },
    { kind: 'makeDirectory', call: (disk) => disk.makeDirectory('/b') },
    { kind: 'syncDirectory', call: (disk) => disk.syncDirectory('/') },
  ])('an error injected into $kind is its error, and it has not happened', async ({ kind, call }) => {
    const disk = new MemoryDisk()
    disk.put('/a', bytes(1))
    disk.onOperation = (operation) => {
      if (operation.kind === kind) throw Object.assign(new Error('EIO: injected'), { code: 'EIO' })
    }
    expect(await codeOf(call(disk))).toBe('EIO')
    expect(namesAndBytes(disk)).toBe('a=1')
  })

  test('an error injected into a sync leaves the data unsynced', async () => {
    const disk = new MemoryDisk()
    disk.put('/a', bytes(1))
    disk.onOperation = ({ kind }) => {
      if (kind === 'sync') throw Object.assign(new Error('EIO: injected'), { code: 'EIO' })
    }
    expect(await codeOf(write(disk, '/a', bytes(9), 'sync'))).toBe('EIO')
    expect(disk.peek('/a')).toEqual(bytes(9))
    expect(disk.crash('none').peek('/a')).toEqual(bytes(1))
  })

  test('a write can be made to fail after some bytes', async () => {
    const disk = new MemoryDisk()
    disk.onOperation = ({ kind }) => {
      if (kind === 'write') throw Object.assign(new Error('ENOSPC'), { code: 'ENOSPC', written: 2 })
    }
    const file = await disk.create('/a')
    await expect(file.write([bytes(1), bytes(2, 3)], 0)).rejects.toMatchObject({ code: 'ENOSPC', written: 2 })
    expect(disk.peek('/a')).toEqual(bytes(1, 2))
  })

  test('an error after a write is its error, and it has happened', async () => {
    const disk = new MemoryDisk()
    disk.afterOperation = ({ kind }) => {
      if (kind === 'write') throw Object.assign(new Error('EIO'), { code: 'EIO' })
    }
    const file = await disk.create('/a')
    await expect(file.write([bytes(1, 2)], 0)).rejects.toMatchObject({ code: 'EIO', written: 2 })
    expect(disk.peek('/a')).toEqual(bytes(1, 2))
  })

  test.each(['before', 'after'] as const)('the plug can be pulled right %s an operation', async (moment) => {
    const disk = new MemoryDisk()
    let image: MemoryDisk | undefined
    disk[moment === 'before' ? 'onOperation' : 'afterOperation'] = ({ kind }) => {
      if (kind === 'link') image = disk.crash('all')
    }
    disk.put('/a', bytes(1))
    expect(await codeOf(disk.link('/a', '/b'))).toBe('ECRASHED')
    expect(namesAndBytes(image!)).toBe(moment === 'before' ? 'a=1' : 'a=1 b=1')
  })

  test('a plug pulled at a write leaves nothing of it on the old disk either', async () => {
    const disk = new MemoryDisk()
    disk.put('/a', bytes(1))
    const file = await disk.openToWrite('/a')
    disk.onOperation = () => void disk.crash('all')
    expect(await codeOf(file.write([bytes(5)], 0))).toBe('ECRASHED')
    expect(disk.peek('/a')).toEqual(bytes(1))
  })
})

describe('a full disk', () => {
  test('takes what fits and says how much that was', async () => {
    const disk = new MemoryDisk({ capacityBytes: 5 })
    disk.put('/a', bytes(1, 1, 1))
    const file = await disk.create('/b')
    await expect(file.write([bytes(1), bytes(2, 3)], 0)).rejects.toMatchObject({ code: 'ENOSPC', written: 2 })
    expect(disk.peek('/b')).toEqual(bytes(1, 2))
    await expect(file.write([bytes(9)], 2)).rejects.toMatchObject({ code: 'ENOSPC', written: 0 })
    await file.write([bytes(7, 8)], 0)
    await disk.unlink('/a')
    await file.write([bytes(1, 2, 3)], 2)
    expect(disk.peek('/b')).toEqual(bytes(7, 8, 1, 2, 3))
  })
})

describe('several processes', () => {
  test('share the files but have their own pids and announcements', async () => {
    const disk = new MemoryDisk()
    const [one, two] = [disk.asProcess({ pid: 11 }), disk.asProcess({ pid: 12 })]
    await write(one, '/a', bytes(1))
    expect(two.peek('/a')).toEqual(bytes(1))
    expect((await one.machine()).pid).toBe(11)
    expect((await two.machine()).pid).toBe(12)
    await one.announce('/life')
    expect(await two.isAnnounced('/life')).toBe(true)
    expect(await codeOf(two.announce('/life'))).toBe('EADDRINUSE')
  })

  test('a killed one is no longer heard, does nothing more, and leaves its files', async () => {
    const disk = new MemoryDisk()
    const [one, two] = [disk.asProcess({ pid: 11 }), disk.asProcess({ pid: 12 })]
    const file = await one.create('/a')
    await file.write([bytes(1)], 0)
    const life = await one.announce('/life')
    one.kill()
    expect(await codeOf(one.list('/'))).toBe('ECRASHED')
    expect(await codeOf(file.write([bytes(1)], 1))).toBe('ECRASHED')
    expect(await two.isAnnounced('/life')).toBe(false)
    expect(await two.list('/')).toEqual(['a', 'life'])
    await two.announce('/life')
    await life.close()
    expect(await two.isAnnounced('/life')).toBe(true)
  })

  test('one on another machine sees the files but hears nobody', async () => {
    const disk = new MemoryDisk()
    const far = disk.asProcess({ pid: 11, host: 'far', bootId: 'far' })
    await disk.announce('/life')
    expect(await far.list('/')).toEqual(['life'])
    expect(await far.isAnnounced('/life')).toBe(false)
  })
})

async function write(
  disk: MemoryDisk,
  path: string,
  content: Uint8Array,
  then: 'leave' | 'sync' = 'leave',
  offset = 0,
): Promise<void> {
  const file = (await disk.stat(path)) ? await disk.openToWrite(path) : await disk.create(path)
  await file.write([content], offset)
  if (then === 'sync') await file.sync()
  await file.close()
}

/** How an append came out. */
function kindOf(left: Uint8Array, written: Uint8Array): string {
  if (left.length === 0) return 'gone'
  if (left.every((byte, index) => byte === written[index]))
    return left.length === written.length ? 'whole' : 'cut'
  if (left.every((byte) => byte === 0)) return 'zeros'
  const torn = left.findIndex((byte, index) => byte !== written[index])
  return left.subarray(torn).every((byte) => byte === 0) && torn > 0 ? 'torn' : 'other'
}

function countOf(rounds: number, make: () => string): Set<string> {
  return new Set(Array.from({ length: rounds }, make))
}

function namesAndBytes(disk: MemoryDisk): string {
  const known = ['/a', '/b', '/c', '/new', '/old']
  return known
    .flatMap((path) => {
      try {
        return [`${path.slice(1)}=${[...disk.peek(path)].join('.')}`]
      } catch {
        return []
      }
    })
    .join(' ')
}

function randomOf(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

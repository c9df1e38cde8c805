/** The lock's rules, on a simulated disk where every operation can be the last. */
import { describe, expect, test } from 'vitest'
import { MemoryDisk } from '../../src/disk/memory-disk.ts'
import type { VarveError } from '../../src/errors.ts'
import { acquireLock, type Lock, type LockOptions, readLockHolder } from '../../src/log/lock.ts'

const directory = '/storage'

describe('a lock', () => {
  test('is taken, recorded, held and given back without a trace', async () => {
    const disk = await makeDisk({ machine: { host: 'here', bootId: 'b', pid: 42, startedMs: 1000 } })
    const lock = await acquire(disk)
    expect(lock.nonce).toMatch(/^n\d+$/)
    const record = { host: 'here', bootId: 'b', pid: 42, startedMs: 1000, nonce: lock.nonce }
    expect(JSON.parse(text(disk.peek(`${directory}/LOCK`)))).toEqual(record)
    expect(await readLockHolder(disk, directory)).toEqual({ ...record, state: 'living' })
    expect(await names(disk)).toEqual(['LOCK', `LOCK.${lock.nonce}.sock`])
    expect(await lock.stillHeld()).toBe(true)
    await Promise.all([lock.release(), lock.release()])
    expect(await lock.stillHeld()).toBe(false)
    expect(await names(disk)).toEqual([])
    expect(await readLockHolder(disk, directory)).toBeUndefined()
  })

  test('refuses a second writer, naming the first, since when, and the remedies, and leaves no trace of it', async () => {
    const disk = await makeDisk()
    await acquire(disk.asProcess({ pid: 4711, host: 'here', startedMs: Date.UTC(2025, 0, 2) }))
    const before = [await names(disk), disk.operations]
    const error = (await acquire(disk.asProcess({ pid: 2 })).catch((error: unknown) => error)) as VarveError
    expect(error.code).toBe('VARVE_LOCKED')
    expect(error.message).toBe(
      '/storage is being written by process 4711 on here, running since 2025-01-02T00:00:00.000Z. Close it there, or open with ' +
        '{ readOnly: true }. If it is stuck, end it, or take over with { takeover: true } or `varve unlock`.',
    )
    expect(error.fields).toMatchObject({ directory, state: 'living', holder: { pid: 4711, host: 'here' } })
    expect([await names(disk), disk.operations]).toEqual(before)
  })

  test('refuses a second writer of the same process', async () => {
    const disk = await makeDisk()
    const lock = await acquire(disk)
    expect(await codeOf(acquire(disk))).toBe('VARVE_LOCKED')
    expect(await lock.stillHeld()).toBe(true)
  })

  test('of a killed holder is taken at once, and what it left is cleaned up', async () => {
    const disk = await makeDisk()
    const first = disk.asProcess({ pid: 2 })
    await acquire(first)
    first.kill()
    const lock = await acquire(disk)
    expect(await lock.stillHeld()).toBe(true)
    expect(await names(disk)).toEqual(['LOCK', `LOCK.${lock.nonce}.sock`])
  })

  test('survives a power cut as the lock of another boot, never as a damaged one', async () => {
    const disk = await makeDisk()
    await acquire(disk)
    const after = disk.crash('none')
    expect(await readLockHolder(after, directory)).toMatchObject({ state: 'dead' })
    await (await acquire(after)).release()
    expect(await names(after)).toEqual([])
  })

  test.each<{ host: string; bootId: string; alive: boolean; code: string | undefined }>([
    { host: 'h', bootId: 'b', alive: true, code: 'VARVE_LOCKED' },
    { host: 'h', bootId: 'b', alive: false, code: undefined },
    { host: 'container', bootId: 'b', alive: true, code: 'VARVE_LOCKED' },
    { host: 'container', bootId: 'b', alive: false, code: undefined },
    { host: 'h', bootId: 'earlier', alive: true, code: undefined },
    { host: 'h', bootId: 'earlier', alive: false, code: undefined },
  ])(
    'of a holder on $host, boot $bootId, alive: $alive, gives a writer on h, boot b, $code',
    async (holder) => {
      const disk = await makeDisk({ machine: { host: 'h', bootId: 'b' } })
      const first = disk.asProcess({ pid: 2, host: holder.host, bootId: holder.bootId })
      await acquire(first)
      if (!holder.alive) first.kill()
      expect(await codeOf(acquire(disk))).toBe(holder.code)
    },
  )

  test('where boot ids cannot be known is decided by the sign of life', async () => {
    const disk = await makeDisk({ machine: { bootId: '' } })
    const first = disk.asProcess({ pid: 2 })
    await acquire(first)
    expect(await codeOf(acquire(disk))).toBe('VARVE_LOCKED')
    first.kill()
    expect(await codeOf(acquire(disk))).toBeUndefined()
  })

  test('of a living holder is taken over only if the caller says so, and the displaced one then harms nothing', async () => {
    const disk = await makeDisk()
    const first = await acquire(disk.asProcess({ pid: 2 }))
    const second = await acquire(disk.asProcess({ pid: 3 }), { takeover: true })
    expect([await first.stillHeld(), await second.stillHeld()]).toEqual([false, true])
    await first.release()
    expect(await second.stillHeld()).toBe(true)
    expect(await names(disk)).toEqual(['LOCK', `LOCK.${second.nonce}.sock`])
    await second.release()
    expect(await names(disk)).toEqual([])
  })

  test('can be taken over again and again', async () => {
    const disk = await makeDisk()
    const locks: Lock[] = []
    for (let pid = 2; pid < 9; pid++) locks.push(await acquire(disk.asProcess({ pid }), { takeover: true }))
    expect(await Promise.all(locks.map((lock) => lock.stillHeld()))).toEqual(
      locks.map((_, index) => index === 6),
    )
    for (const lock of locks) await lock.release()
    expect(await names(disk)).toEqual([])
  })

  test('is not taken over from whoever came in between', async () => {
    const disk = await makeDisk()
    const [, ...results] = await Promise.allSettled([
      acquire(disk.asProcess({ pid: 2 })),
      ...[3, 4, 5].map((pid) => acquire(disk.asProcess({ pid }), { takeover: true })),
    ])
    const won = results.filter(({ status }) => status === 'fulfilled')
    const holders = await Promise.all(
      won.map((result) => (result as PromiseFulfilledResult<Lock>).value.stillHeld()),
    )
    expect(holders.filter(Boolean).length).toBeLessThanOrEqual(1)
    expect((await readLockHolder(disk, directory))?.state).toBe('living')
  })

  test('is not taken over from whoever takes it while the takeover is under way', async () => {
    const disk = await makeDisk()
    await acquire(disk.asProcess({ pid: 2 }))
    const late = disk.asProcess({ pid: 3 })
    await late.announce(`${directory}/LOCK.late.sock`)
    const record = JSON.stringify({ ...(await late.machine()), nonce: 'late' })
    disk.onOperation = ({ kind }) => kind === 'create' && put(disk, 'LOCK', record)
    const taken = acquire(disk, { takeover: true })
    await expect(taken).rejects.toMatchObject({ code: 'VARVE_LOCKED', fields: { holder: { pid: 3 } } })
    expect(text(disk.peek(`${directory}/LOCK`))).toBe(record)
  })

  test('belongs to whom LOCK names, even if a claimant moved it there', async () => {
    const disk = await makeDisk()
    await withDeadLock(disk)
    const other = disk.asProcess({ pid: 3 })
    await other.announce(`${directory}/LOCK.other.sock`)
    const record = JSON.stringify({ ...(await other.machine()), nonce: 'other' })
    const { nonce } = (await readLockHolder(disk, directory))!
    disk.onOperation = ({ kind }) => kind === 'rename' && put(disk, `LOCK.${nonce}`, record)
    await expect(acquire(disk)).rejects.toMatchObject({
      code: 'VARVE_LOCKED',
      fields: { holder: { pid: 3 } },
    })
    expect(text(disk.peek(`${directory}/LOCK`))).toBe(record)
  })

  test('is not removed if it is displaced while it is released', async () => {
    const disk = await makeDisk()
    const lock = await acquire(disk)
    const record = JSON.stringify({ ...(await disk.machine()), nonce: 'displacer' })
    disk.onOperation = ({ kind }) => kind === 'link' && put(disk, 'LOCK', record)
    await lock.release()
    expect(await names(disk)).toEqual(['LOCK'])
    expect(text(disk.peek(`${directory}/LOCK`))).toBe(record)
  })

  test('of an earlier boot is dead, even if something answers in its name', async () => {
    const disk = await makeDisk()
    await disk.announce(`${directory}/LOCK.old.sock`)
    put(disk, 'LOCK', JSON.stringify({ ...(await disk.machine()), bootId: 'earlier', nonce: 'old' }))
    expect(await readLockHolder(disk, directory)).toMatchObject({ state: 'dead' })
    expect(await codeOf(acquire(disk))).toBeUndefined()
  })

  test('is not held by anyone whose LOCK went away', async () => {
    const disk = await makeDisk()
    const lock = await acquire(disk)
    await disk.unlink(`${directory}/LOCK`)
    expect(await lock.stillHeld()).toBe(false)
    await lock.release()
    expect(await names(disk)).toEqual([])
  })

  test('needs a nonce that is a name and a directory that exists', async () => {
    const disk = await makeDisk()
    for (const nonce of ['', '../x', 'a/b', 'a.b', 'x'.repeat(65)]) {
      await expect(acquire(disk, { nonce: () => nonce })).rejects.toThrow(TypeError)
    }
    expect(await codeOf(acquire(disk, { directory: '/none' }))).toBe('ENOENT')
    expect(await names(disk)).toEqual([])
  })
})

describe('on a network file system', () => {
  test('a lock is taken only if the caller asks for it by name', async () => {
    const disk = await makeDisk({ networkFileSystem: true })
    expect(await codeOf(acquire(disk))).toBe('VARVE_NETWORK_FILE_SYSTEM')
    expect(await names(disk)).toEqual([])
    await (await acquire(disk, { networkFileSystem: true })).release()
    expect(await names(disk)).toEqual([])
  })

  test.each([
    { bootId: 'far', alive: true, state: 'unknown' },
    { bootId: 'far', alive: false, state: 'unknown' },
    { bootId: 'boot', alive: true, state: 'living' },
    { bootId: 'boot', alive: false, state: 'unknown' },
  ])(
    'a holder of boot $bootId, alive: $alive, is $state and displaced by a takeover only',
    async ({ bootId, alive, state }) => {
      const disk = await makeDisk({ networkFileSystem: true })
      const holder = disk.asProcess({ pid: 2, bootId })
      await acquire(holder, { networkFileSystem: true })
      if (!alive) holder.kill()
      await expect(acquire(disk, { networkFileSystem: true })).rejects.toMatchObject({
        code: 'VARVE_LOCKED',
        fields: { state },
      })
      const lock = await acquire(disk, { networkFileSystem: true, takeover: true })
      expect(await lock.stillHeld()).toBe(true)
    },
  )

  test('a takeover also gets past a claimant that stopped half way', async () => {
    const disk = await makeDisk({ networkFileSystem: true })
    const holder = disk.asProcess({ pid: 2, bootId: 'far' })
    await acquire(holder, { networkFileSystem: true })
    const claimant = disk.asProcess({ pid: 3, bootId: 'farther' })
    disk.onOperation = ({ kind, pid }) => {
      if (pid === 3 && kind === 'rename') claimant.kill()
    }
    await acquire(claimant, { networkFileSystem: true, takeover: true }).catch(() => {})
    expect(await names(disk)).toHaveLength(5)
    expect(await codeOf(acquire(disk, { networkFileSystem: true }))).toBe('VARVE_LOCKED')
    expect(await (await acquire(disk, { networkFileSystem: true, takeover: true })).stillHeld()).toBe(true)
  })
})

describe('a damaged LOCK', () => {
  const whole = { host: 'h', bootId: 'b', pid: 1, startedMs: 0, nonce: 'n' }
  test.each([
    '',
    '\0\0\0\0\0\0\0\0',
    '{"host":"h","bootId":"b","pi',
    'null',
    '[]',
    '{}',
    JSON.stringify({ ...whole, nonce: '../../x' }),
    JSON.stringify({ ...whole, nonce: 'n~' }),
    JSON.stringify({ ...whole, pid: '1' }),
    JSON.stringify({ ...whole, startedMs: 1e300 }),
    JSON.stringify({ ...whole, host: 7 }),
  ])('%j is refused with a remedy, and a takeover works', async (content) => {
    const disk = await makeDisk()
    put(disk, 'LOCK', content)
    expect(await readLockHolder(disk, directory)).toBeUndefined()
    await expect(acquire(disk)).rejects.toMatchObject({
      code: 'VARVE_LOCKED',
      message: expect.stringMatching(/\/storage\/LOCK is damaged.*takeover: true/),
    })
    expect(await names(disk)).toEqual(['LOCK'])
    const lock = await acquire(disk, { takeover: true })
    expect(await lock.stillHeld()).toBe(true)
    await lock.release()
    expect(await names(disk)).toEqual([])
  })
})

describe('files beside LOCK', () => {
  test('of dead processes go away with the next lock, those of living ones and of others stay', async () => {
    const disk = await makeDisk()
    await disk.announce(`${directory}/LOCK.alive.sock`)
    const machine = await disk.machine()
    const alive = JSON.stringify({ ...machine, nonce: 'alive' })
    const dead = JSON.stringify({ ...machine, nonce: 'dead' })
    for (const name of [
      'LOCK.alive.new',
      'LOCK.dead.new',
      'LOCK.bak',
      'LOCKED',
      'LOCK.a.b',
      'LOCK.dead.sock',
    ])
      put(disk, name, '')
    for (const name of ['LOCK.mine', 'LOCK.x', 'LOCK.dead.sock.new']) put(disk, name, dead)
    put(disk, 'LOCK.y', alive)
    // Whoever claims our own record is not ours to judge.
    const lock = await acquire(disk, { nonce: () => 'mine' })
    expect(await names(disk)).toEqual(
      `LOCK LOCK.${lock.nonce}.sock LOCK.a.b LOCK.alive.new LOCK.alive.sock LOCK.bak LOCK.mine LOCK.y LOCKED`
        .split(' ')
        .sort(),
    )
  })

  test('that guard each other in a circle are reported', async () => {
    const disk = await makeDisk()
    const record = (nonce: string): string =>
      JSON.stringify({ host: 'h', bootId: 'x', pid: 1, startedMs: 0, nonce })
    put(disk, 'LOCK', record('a'))
    put(disk, 'LOCK.a', record('b'))
    put(disk, 'LOCK.b', record('c'))
    put(disk, 'LOCK.c', record('b'))
    await expect(acquire(disk)).rejects.toMatchObject({
      code: 'VARVE_LOCKED',
      message: expect.stringContaining('circle'),
    })
    expect(await names(disk)).toEqual(['LOCK', 'LOCK.a', 'LOCK.b', 'LOCK.c'])
  })

  test('of a claimant that lives make the next one wait, then say who is in the way', async () => {
    const disk = await makeDisk()
    const dead = disk.asProcess({ pid: 2 })
    const { nonce } = await acquire(dead)
    dead.kill()
    const claimant = disk.asProcess({ pid: 3 })
    await claimant.announce(`${directory}/LOCK.claimant.sock`)
    put(disk, `LOCK.${nonce}`, JSON.stringify({ ...(await claimant.machine()), nonce: 'claimant' }))
    for (const takeover of [false, true]) {
      await expect(acquire(disk, { takeover })).rejects.toMatchObject({
        code: 'VARVE_LOCKED',
        message: expect.stringContaining('just being taken over or closed by process 3'),
      })
    }
    claimant.kill()
    expect(await (await acquire(disk)).stillHeld()).toBe(true)
  })
})

describe('at every operation', () => {
  const scenarios: { name: string; run: (disk: MemoryDisk) => Promise<unknown>; takeover?: boolean }[] = [
    { name: 'taking a free lock', run: (disk) => acquire(disk) },
    { name: 'taking a dead lock', run: async (disk) => acquire(await withDeadLock(disk)) },
    { name: 'taking and releasing', run: async (disk) => (await acquire(disk)).release() },
    {
      name: 'taking a dead lock and releasing',
      run: async (disk) => (await acquire(await withDeadLock(disk))).release(),
    },
    {
      name: 'taking over a living lock',
      takeover: true,
      run: async (disk) => {
        await acquire(disk.asProcess({ pid: 900 }))
        await acquire(disk, { takeover: true })
      },
    },
  ]

  test.each(scenarios)(
    '$name can end in kill, and the next one kill too, and the third still gets the lock',
    async ({ run, takeover }) => {
      let count = 0
      for (const first of await moments(run)) {
        const disk = await makeDisk()
        await endAt(disk, first, () => run(disk.asProcess({ pid: 100 })))
        const second = disk.snapshot()
        for (const kill of await moments((view) => acquire(view, { takeover }), second)) {
          const third = second.snapshot()
          await endAt(third, kill, () => acquire(third.asProcess({ pid: 101 }), { takeover }))
          const lock = await acquire(third.snapshot(), { takeover })
          expect(await lock.stillHeld(), `${first.at} ${first.operation}, ${kill.at} ${kill.operation}`).toBe(
            true,
          )
          count++
        }
        const lock = await acquire(second)
        expect(await names(second)).toEqual(['LOCK', `LOCK.${lock.nonce}.sock`])
        await lock.release()
        expect(await names(second)).toEqual([])
      }
      expect(count).toBeGreaterThan(100)
    },
  )

  test.each(scenarios)('$name can end in a power cut, whatever that leaves', async ({ run }) => {
    const seed = Math.floor(Math.random() * 2 ** 31)
    const random = randomOf(seed)
    for (const moment of await moments(run)) {
      for (let round = 0; round < 40; round++) {
        const disk = await makeDisk()
        const after = (await endAt(disk, moment, () => run(disk), round === 0 ? 'none' : random))!
        const lock = await acquire(after)
        expect(await lock.stillHeld(), `seed ${seed}`).toBe(true)
      }
    }
  })

  test.each(scenarios)(
    '$name can fail with an error, and then another one gets the lock',
    async ({ run }) => {
      for (const { operation, at } of await moments(run)) {
        const disk = await makeDisk()
        const failing = disk.asProcess({ pid: 100 })
        disk[at === 'before' ? 'onOperation' : 'afterOperation'] = ({ index }) => {
          if (index === operation) throw Object.assign(new Error('EIO: injected'), { code: 'EIO' })
        }
        const failed = (await codeOf(run(failing))) !== undefined
        disk.onOperation = disk.afterOperation = undefined
        if (!failed) failing.kill()
        const lock = await acquire(disk, { takeover: true })
        expect(await lock.stillHeld(), `${at} ${operation}`).toBe(true)
      }
    },
  )
})

describe('many writers in any order', () => {
  test.each([{ takeovers: 0 }, { takeovers: 0.2 }])(
    'never hold the lock together, killed at any time, taking over with chance $takeovers',
    { timeout: 60_000 },
    async ({ takeovers }) => {
      const seed = Math.floor(Math.random() * 2 ** 31)
      const random = randomOf(seed)
      const counts = { acquired: 0, locked: 0, killed: 0, displaced: 0 }
      for (let round = 0; round < 150; round++) {
        const disk = await makeDisk({ delay: () => waitTurns(Math.floor(random() * 6)) })
        const holding = new Set<Lock>()
        let displacing = 0
        await Promise.all(Array.from({ length: 8 }, (_, index) => write(index)))
        const quiet = disk.asProcess({ pid: 999 })
        const last = await acquire(quiet)
        expect(await names(disk), `seed ${seed}`).toEqual(['LOCK', `LOCK.${last.nonce}.sock`])

        async function write(index: number): Promise<void> {
          for (let turn = 0; turn < 6; turn++) {
            const process = disk.asProcess({ pid: 10 * index + turn + 1 })
            const takeover = random() < takeovers
            if (takeover) displacing++
            const killTurns = random() < 0.4 ? Math.floor(random() * 150) : Infinity
            let held: Lock | undefined
            let dead = false
            const life = (async () => {
              const lock = await acquire(process, { takeover })
              if (dead) return
              if (takeover || displacing > 0) holding.clear()
              expect([...holding], `seed ${seed}`).toEqual([])
              held = lock
              holding.add(lock)
              counts.acquired++
              await waitTurns(Math.floor(random() * 60))
              if (!(await lock.stillHeld())) {
                counts.displaced++
                expect(takeovers, `seed ${seed}`).toBeGreaterThan(0)
              }
              holding.delete(lock)
              await lock.release()
            })()
            const killed = waitTurns(killTurns).then(() => {
              process.kill()
              dead = true
              if (held) holding.delete(held)
              return 'killed'
            })
            try {
              if ((await Promise.race([life, killed])) === 'killed') {
                counts.killed++
                await life.catch(() => {})
              } else process.kill()
            } catch (error) {
              if ((error as VarveError).code !== 'VARVE_LOCKED') throw error
              counts.locked++
              process.kill()
            }
          }
        }
      }
      console.log(`lock.test.ts: seed ${seed}, ${JSON.stringify(counts)}`)
      expect(Math.min(counts.acquired, counts.locked, counts.killed)).toBeGreaterThan(100)
      if (takeovers > 0) expect(counts.displaced).toBeGreaterThan(10)
    },
  )
})

interface Moment {
  at: 'before' | 'after'
  operation: number
}

/**
 * Every moment before the operations that `run` does, and after those that succeed; some may belong to its
 * preparation.
 */
async function moments(run: (disk: MemoryDisk) => Promise<unknown>, from?: MemoryDisk): Promise<Moment[]> {
  const disk = from?.snapshot() ?? (await makeDisk())
  const found: Moment[] = []
  disk.onOperation = ({ index }) => found.push({ at: 'before', operation: index })
  disk.afterOperation = ({ index }) => found.push({ at: 'after', operation: index })
  await run(disk)
  return found
}

/**
 * Ends every process of the disk at that moment of `run`. The disk stays readable as it was then; its crash
 * image is given if asked for.
 */
async function endAt(
  disk: MemoryDisk,
  { at, operation }: Moment,
  run: () => Promise<unknown>,
  fate?: 'none' | (() => number),
): Promise<MemoryDisk | undefined> {
  let image: MemoryDisk | undefined
  let ended = false
  disk[at === 'before' ? 'onOperation' : 'afterOperation'] = ({ index }) => {
    if (index === operation && !ended) {
      ended = true
      image = disk.crash(fate ?? 'all')
    }
  }
  await run().catch(() => {})
  expect(ended, `${at} ${operation} of ${disk.operations}`).toBe(true)
  return image
}

async function withDeadLock(disk: MemoryDisk): Promise<MemoryDisk> {
  const dead = disk.asProcess({ pid: 800 })
  await acquire(dead)
  dead.kill()
  return disk
}

async function makeDisk(options: ConstructorParameters<typeof MemoryDisk>[0] = {}): Promise<MemoryDisk> {
  const disk = new MemoryDisk(options)
  await disk.makeDirectory(directory)
  await disk.syncDirectory('/')
  return disk
}

let nonces = 0

function acquire(disk: MemoryDisk, options: Partial<LockOptions> = {}): Promise<Lock> {
  return acquireLock({ disk, directory, nonce: () => `n${nonces++}`, ...options })
}

function names(disk: MemoryDisk): Promise<string[]> {
  return disk.list(directory)
}

function put(disk: MemoryDisk, name: string, content: string): void {
  disk.put(`${directory}/${name}`, new TextEncoder().encode(content))
}

function text(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes)
}

async function waitTurns(turns: number): Promise<void> {
  if (turns === Infinity) return new Promise(() => {})
  for (let turn = 0; turn < turns; turn++) await Promise.resolve()
}

async function codeOf(operation: Promise<unknown>): Promise<string | undefined> {
  try {
    await operation
    return undefined
  } catch (error) {
    return (error as VarveError).code
  }
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

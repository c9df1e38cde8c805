/** The lock among real processes on a real disk. */
import { type ChildProcess, fork } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { mkdir, mkdtemp, readdir, readFile, realpath, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { nodeDisk } from '../../src/disk/node-disk.ts'
import { acquireLock, readLockHolder } from '../../src/log/lock.ts'
import type { Outcome, Request } from './lock-child.ts'

describe.each([
  { where: 'a directory', below: '' },
  { where: 'a directory whose path is longer than a socket address', below: 'long-'.repeat(40) },
])('in $where', ({ below }) => {
  let top: string
  let directory: string
  let children: ChildProcess[] = []

  beforeEach(async () => {
    top = await realpath(await mkdtemp(join(tmpdir(), 'varve-lock-')))
    directory = join(top, below)
    await mkdir(directory, { recursive: true })
  })
  afterEach(async () => {
    await Promise.all(children.map(kill))
    children = []
    await rm(top, { recursive: true })
  })

  test('a living holder is named, and gives way when it releases', async () => {
    const child = await start()
    await acquireIn(child)
    const refusal = await acquire().catch((error: unknown) => error)
    expect(refusal).toMatchObject({
      code: 'VARVE_LOCKED',
      message: expect.stringContaining(`process ${child.pid} on `),
    })
    expect(await readLockHolder(nodeDisk, directory)).toMatchObject({ pid: child.pid, state: 'living' })
    await ask(child, { do: 'release' })
    expect(await readdir(directory)).toEqual([])
    await (await acquire()).release()
  })

  test('after kill -9 of the holder the next one gets the lock at once and leaves no trace of the dead', async () => {
    const child = await start()
    await acquireIn(child)
    await kill(child)
    expect(await readLockHolder(nodeDisk, directory)).toMatchObject({ pid: child.pid, state: 'dead' })
    const lock = await acquire()
    expect(await lock.stillHeld()).toBe(true)
    expect(await readdir(directory)).toEqual(['LOCK', `LOCK.${lock.nonce}.sock`])
    await lock.release()
    expect(await readdir(directory)).toEqual([])
  })

  test('a stopped holder is alive; a takeover displaces it, and it harms nothing when it goes on', async () => {
    const child = await start()
    await acquireIn(child)
    child.kill('SIGSTOP')
    await expect(acquire()).rejects.toMatchObject({ code: 'VARVE_LOCKED', fields: { state: 'living' } })
    const lock = await acquire({ takeover: true })
    expect(await lock.stillHeld()).toBe(true)
    child.kill('SIGCONT')
    expect(await ask(child, { do: 'stillHeld' })).toEqual([false])
    await ask(child, { do: 'release' })
    expect(await lock.stillHeld()).toBe(true)
    await lock.release()
    expect(await readdir(directory)).toEqual([])
  })

  test('a process that forgets to release ends nevertheless, and its lock is free', async () => {
    const child = await start()
    await acquireIn(child)
    const ended = new Promise((resolve) => child.once('exit', resolve))
    await ask(child, { do: 'forget' })
    expect(await ended).toBe(0)
    await (await acquire()).release()
  })

  test('of 20 racers for a dead lock exactly one wins', { timeout: 120_000 }, async () => {
    const racers = await Promise.all(Array.from({ length: 5 }, start))
    for (let round = 0; round < 25; round++) {
      await leaveDeadLock(round % 4)
      const outcomes = (await Promise.all(racers.map((racer) => acquireIn(racer, 4)))).flat()
      const winners = outcomes.filter(({ nonce }) => nonce)
      expect(winners, `${JSON.stringify(outcomes)}`).toHaveLength(1)
      expect(new Set(outcomes.map(({ code }) => code)), `${JSON.stringify(outcomes)}`).toEqual(
        new Set([undefined, 'VARVE_LOCKED']),
      )
      expect(JSON.parse(await readFile(join(directory, 'LOCK'), 'utf8'))).toMatchObject({
        nonce: winners[0]!.nonce,
      })
      expect((await Promise.all(racers.map((racer) => ask(racer, { do: 'stillHeld' })))).flat()).toEqual([
        true,
      ])
      await Promise.all(racers.map((racer) => ask(racer, { do: 'release' })))
      expect(await readdir(directory)).toEqual([])
    }
  })

  test('of 12 racers for a free lock exactly one wins, and of 12 that take over a living one, too', async () => {
    const holder = await start()
    const racers = await Promise.all(Array.from({ length: 3 }, start))
    for (let round = 0; round < 10; round++) {
      const takeover = round % 2 === 1
      if (takeover) await acquireIn(holder)
      const outcomes = (await Promise.all(racers.map((racer) => acquireIn(racer, 4, takeover)))).flat()
      // One that starts late may find, and displace, the one that has just won.
      const winners = outcomes.filter(({ nonce }) => nonce)
      if (takeover) expect(winners.length, `${JSON.stringify(outcomes)}`).toBeGreaterThan(0)
      else expect(winners, `${JSON.stringify(outcomes)}`).toHaveLength(1)
      const held = (await Promise.all(racers.map((racer) => ask(racer, { do: 'stillHeld' })))).flat()
      expect(held.filter(Boolean)).toHaveLength(1)
      await Promise.all([holder, ...racers].map((racer) => ask(racer, { do: 'release' })))
      expect(await readdir(directory)).toEqual([])
    }
  })

  test(
    'processes killed at any time leave nothing that the next one cannot take',
    { timeout: 120_000 },
    async () => {
      for (let round = 0; round < 12; round++) {
        const racers = await Promise.all([start(), start()])
        for (const racer of racers) racer.send({ do: 'acquire', directory, times: 3 } satisfies Request)
        await new Promise((resolve) => setTimeout(resolve, Math.random() * 8))
        await Promise.all(racers.map(kill))
        const lock = await acquire()
        expect(await readdir(directory)).toEqual(['LOCK', `LOCK.${lock.nonce}.sock`])
        if (round % 3 === 0) await lock.release()
        else await lock.release().then(() => leaveDeadLock(round % 3))
      }
    },
  )

  function acquire({ takeover = false } = {}): ReturnType<typeof acquireLock> {
    return acquireLock({ disk: nodeDisk, directory, nonce: randomUUID, takeover })
  }

  /** A dead holder, and as many dead claimants, each of whom was about to replace the one before. */
  async function leaveDeadLock(claimants: number): Promise<void> {
    const { host, bootId } = await nodeDisk.machine()
    let name = 'LOCK'
    for (let index = 0; index <= claimants; index++) {
      const nonce = randomUUID()
      await writeFile(join(directory, name), JSON.stringify({ host, bootId, pid: 1, startedMs: 0, nonce }))
      name = `LOCK.${nonce}`
    }
  }

  async function start(): Promise<ChildProcess> {
    const child = fork(join(import.meta.dirname, 'lock-child.ts'), { execArgv: ['--import', 'tsx'] })
    children.push(child)
    await new Promise((resolve) => child.once('message', resolve))
    return child
  }

  async function acquireIn(child: ChildProcess, times = 1, takeover = false): Promise<Outcome[]> {
    const outcomes = (await ask(child, { do: 'acquire', directory, times, takeover })) as Outcome[]
    if (times === 1) expect(outcomes).toEqual([{ nonce: expect.any(String) }])
    return outcomes
  }
})

function ask(child: ChildProcess, request: Request): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const ended = (): void => reject(new Error('the process ended'))
    child.once('exit', ended)
    child.once('message', (answer) => {
      child.off('exit', ended)
      resolve(answer)
    })
    child.send(request)
  })
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = new Promise((resolve) => child.once('exit', resolve))
  child.kill('SIGKILL')
  await ended
}

import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { describe, expect, test, vi } from 'vitest'
import type { VarveError } from '../../src/errors.ts'
import { Turns } from '../../src/journal/turns.ts'

const tick = (ms = 1): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

describe('turns', () => {
  test('follow each other, whoever takes them', async () => {
    const turns = new Turns()
    const log: string[] = []
    const turn = (name: string): Promise<void> =>
      turns.take(async () => {
        log.push(`${name} begins`)
        await tick()
        log.push(`${name} ends`)
      })
    await Promise.all([turn('a'), turn('b'), turn('c')])
    expect(log).toEqual(['a begins', 'a ends', 'b begins', 'b ends', 'c begins', 'c ends'])
  })

  test('wait once each, however many wait', async () => {
    const turns = new Turns()
    const change = vi.spyOn(turns, 'change')
    const order: number[] = []
    const all = Array.from({ length: 100 }, (_, at) =>
      turns.take(async () => {
        await Promise.resolve()
        order.push(at)
      }),
    )
    await Promise.all(all)
    expect(order).toEqual([...all.keys()])
    expect(change).toHaveBeenCalledTimes(99)
  })

  test('are given to who waited in the same turn, and not to those who wait around it', async () => {
    const turns = new Turns()
    const log: string[] = []
    const turn = (name: string): Promise<void> =>
      turns.take(async () => {
        await tick()
        log.push(name)
      })
    const outer = turns.take(async () => {
      await tick(5) // Others come to wait meanwhile.
      await Promise.all([turn('x'), turn('y'), turn('z')])
      log.push('outer')
    })
    await Promise.all([outer, turn('a'), turn('b')])
    expect(log).toEqual(['x', 'y', 'z', 'outer', 'a', 'b'])
  })

  test('let who takes none go on before and behind one who does', async () => {
    const turns = new Turns()
    const log: string[] = []
    const pass = async (name: string): Promise<void> => {
      while (!turns.ready) await turns.change()
      log.push(name)
    }
    const turn = (name: string): Promise<void> =>
      turns.take(async () => {
        await tick()
        log.push(name)
      })
    await Promise.all([turn('a'), pass('p'), pass('q'), turn('b'), pass('r'), turn('c'), pass('s')])
    expect(log).toEqual(['a', 'p', 'q', 'b', 'r', 'c', 's'])
  })

  test('of two journals know nothing of each other, one within the other', async () => {
    const [turns, others] = [new Turns(), new Turns()]
    const seen: boolean[][] = []
    const look = (): unknown => seen.push([turns, others].flatMap(({ inside, ready }) => [inside, ready]))
    await turns.take(async () => {
      look()
      await others.take(async () => {
        look()
        await turns.take(async () => look())
      })
      look()
    })
    look()
    expect(seen).toEqual([
      [true, true, false, true],
      [true, true, true, true],
      [true, true, true, true],
      [true, true, false, true],
      [false, true, false, true],
    ])
  })

  test('nest: a child runs at once, and its siblings follow', async () => {
    const turns = new Turns()
    const log: string[] = []
    await turns.take(async () => {
      await Promise.all(
        ['x', 'y'].map((name) =>
          turns.take(async () => {
            log.push(`${name} begins`)
            await tick()
            log.push(`${name} ends`)
          }),
        ),
      )
      expect(turns.ready).toBe(true)
    })
    expect(log).toEqual(['x begins', 'x ends', 'y begins', 'y ends'])
  })

  test('are ready inside and not outside', async () => {
    const turns = new Turns()
    expect([turns.ready, turns.inside]).toEqual([true, false])
    const running = turns.take(async () => {
      await tick()
      expect([turns.ready, turns.inside]).toEqual([true, true])
    })
    await Promise.resolve()
    expect([turns.ready, turns.inside]).toEqual([false, false])
    await running
    expect(turns.ready).toBe(true)
  })

  test('end when they throw', async () => {
    const turns = new Turns()
    await expect(turns.take(() => Promise.reject(new Error('no')))).rejects.toThrow('no')
    expect(turns.ready).toBe(true)
  })

  test('do not last in a promise nobody awaited', async () => {
    const turns = new Turns()
    let later: Promise<boolean[]> | undefined
    await turns.take(async () => {
      later = tick(5).then(() => [turns.inside, turns.ready])
    })
    expect(await later).toEqual([false, true])
  })

  test('that threw are over for all that was begun in them, also for who waits, and for nobody else', async () => {
    const turns = new Turns()
    const others = new Turns()
    let late: Promise<PromiseSettledResult<unknown>[]> | undefined
    const outside = tick(1).then(() => turns.take(async () => 'done'))
    const failing = turns.take(async () => {
      late = Promise.allSettled([
        tick(5).then(() => turns.ready),
        tick(5).then(() => turns.take(async () => 'late')),
        tick(5).then(() => others.take(async () => turns.ready)),
        turns.take(() => tick(5)),
        turns.take(async () => 'waits'),
      ])
      await tick(2)
      throw new Error('no')
    })
    await expect(failing).rejects.toThrow('no')
    expect(await outside).toBe('done')
    const ends = await late!
    expect(
      ends.map((end) => (end.status === 'rejected' ? (end.reason as VarveError).code : end.value)),
    ).toEqual([...Array<string>(3).fill('VARVE_ROLLED_BACK'), undefined, 'VARVE_ROLLED_BACK'])
    expect(turns.ready).toBe(true)
    expect(await turns.take(async () => 'again')).toBe('again')
  })

  test('are let go when they ended, though each begins where the one before was forgotten', async () => {
    setFlagsFromString('--expose-gc')
    const collectGarbage = runInNewContext('gc') as () => void
    const all: WeakRef<Turns>[] = []
    const isHeld = await new Promise<boolean[]>((done) => {
      const next = (): void => {
        if (all.length === 5) {
          collectGarbage()
          return done(all.map((turns) => turns.deref() !== undefined))
        }
        const turns = new Turns()
        all.push(new WeakRef(turns))
        void turns.take(async () => void setTimeout(next, 1))
      }
      setTimeout(next, 1)
    })
    expect(isHeld.slice(0, 3)).toEqual([false, false, false])
  })
})

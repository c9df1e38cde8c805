/**
 * Whatever happens to the bytes of a journal, opening and reading all of it gives what some commit held, or a
 * `VarveError`: never wrong data, never another error.
 */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { MemoryDisk } from '../src/disk/memory-disk.ts'
import { VarveError } from '../src/errors.ts'
import { Home } from '../src/journal/home.ts'
import { Journal } from '../src/journal/journal.ts'
import { edit, filesUnder } from '../test/support/damage.ts'
import { seededBytes } from '../test/support/seeded.ts'
import { toyOptions } from '../test/support/toy-store.ts'
import { directory, Model, read, step, take } from './support/histories.ts'

const harm = fc.record({
  file: fc.nat(),
  kind: fc.constantFrom('flip', 'zero', 'cut', 'cut', 'garbage', 'swap', 'missing', 'repeat', 'insert'),
  at: fc.double({ min: 0, max: 1, noNaN: true }),
  bytes: fc.uint8Array({ minLength: 1, maxLength: 40 }),
})
type Harm = typeof harm extends fc.Arbitrary<infer T> ? T : never

async function hurt(disk: MemoryDisk, { file, kind, at, bytes }: Harm): Promise<string> {
  const files = (await filesUnder(disk, directory)).filter((path) => !path.includes('LOCK'))
  const path = files[file % files.length]!
  const other = files[(file >> 3) % files.length]!
  if (kind === 'missing') await disk.unlink(path)
  else
    edit(disk, path, (old) => {
      const offset = Math.floor(at * old.length)
      switch (kind) {
        case 'flip':
          old[offset]! ^= 1 << (bytes[0]! & 7)
          return old
        case 'zero':
          return old.fill(0, offset, Math.min(old.length, offset + bytes.length * 9))
        case 'cut':
          return old.subarray(0, offset)
        case 'garbage':
          old.set(bytes.subarray(0, old.length - offset), offset)
          return old
        case 'swap':
          return disk.peek(other)
        case 'repeat':
          return Buffer.concat([old.subarray(0, offset), old.subarray(Math.floor(offset / 2))])
        default:
          return Buffer.concat([old.subarray(0, offset), bytes, old.subarray(offset)])
      }
    })
  return path
}

test('any damage yields a prefix or an error', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { minLength: 5, maxLength: 30 }),
      fc.array(harm, { minLength: 1, maxLength: 3 }),
      fc.boolean(),
      async (steps, harms, marked) => {
        const disk = new MemoryDisk()
        const model = new Model()
        const limits = { segmentBytes: 1500, snapshotRowsBytes: 200 }
        let session = 0
        const open = (): Promise<Journal> =>
          Journal.open(directory, toyOptions({ disk, limits, random: seededBytes(++session) }))
        let journal = await open()
        for (const each of [
          { kind: 'put', folder: 'docstore', key: 'a', value: 0, bytes: 9 } as const,
          { kind: 'persist' } as const,
          ...steps,
        ]) {
          if (await take(journal, each)) model.apply(each)
          if (each.kind === 'reopen') journal = await open()
        }
        if (marked) await journal.flush()
        const after = disk.crash('all')
        for (const each of harms) await hurt(after, each)

        try {
          const home = await Home.open(after, directory)
          const found = home?.catalog.end.number ?? 0
          const reader = await Journal.open(directory, toyOptions({ disk: after }))
          const seen = await read(reader)
          expect(seen).toEqual(model.at(found))
          // One place alone cannot hide more than the last group: each commit's store frames know of the
          // commit before.
          if (harms.length === 1) expect(found).toBeGreaterThanOrEqual(model.commits.length - 2)
        } catch (error) {
          if (!(error instanceof VarveError)) throw error
        }
      },
    ),
    { numRuns: 1500 },
  )
}, 120_000)

import { describe, expect, test } from 'vitest'
import { MemoryDisk } from '../../src/disk/memory-disk.ts'
import { Journal } from '../../src/journal/journal.ts'
import { checkTag, resolveMoment, type Moment } from '../../src/journal/moment.ts'
import type { CommitLog } from '../../src/journal/read-commit.ts'
import { put, toyOptions } from '../support/toy-store.ts'

const directory = '/storage'

/** One commit a second, the first at 00:00:02, after the directory was created. */
async function journalOf(commits: number, disk = new MemoryDisk()): Promise<Journal> {
  const journal = await Journal.open(directory, toyOptions({ disk }))
  for (let value = 1; value <= commits; value++) {
    await put(journal, 'docstore', { a: value })
    await journal.persist()
  }
  return journal
}

async function logOf(commits: number): Promise<CommitLog> {
  return (await journalOf(commits)).log!
}

describe('a moment is', () => {
  test.each<[name: string, moment: Moment, number: number]>([
    ['a number', 3, 3],
    ['a number as text', '3', 3],
    ['0: before the first commit', 0, 0],
    ['HEAD', 'HEAD', 7],
    ['so many commits before HEAD', 'HEAD~2', 5],
    ['the beginning, as many commits before HEAD as there are', 'HEAD~7', 0],
    ['a Date: the last commit until then', new Date('2026-01-01T00:00:04.500Z'), 3],
    ['the very time of a commit', '2026-01-01T00:00:04Z', 3],
    ['a date without a time: its first moment in UTC', '2026-01-01', 0],
    ['a date after the last commit', '2030-01-01', 7],
    ['a date before the first', new Date(0), 0],
  ])('%s', async (_, moment, number) => {
    expect(await resolveMoment(await logOf(7), moment)).toBe(number)
  })

  test('a hash, or as much of its beginning as tells it apart, in any case', async () => {
    const journal = await journalOf(3)
    const { hash } = (await journal.commit(2))!
    for (const prefix of [hash, hash.slice(0, 12), hash.slice(0, 12).toUpperCase()])
      expect(await resolveMoment(journal.log!, prefix)).toBe(2)
  })

  test('a number before a hash that begins with the same digits', async () => {
    const journal = await journalOf(1)
    expect(await resolveMoment(journal.log!, '0001')).toBe(1)
  })

  test('a tag before a hash that begins so', async () => {
    const journal = await journalOf(3)
    const hash = (await journal.commit(1))!.hash.slice(0, 10)
    journal.log!.catalog.tags.set(hash, 3)
    expect(await resolveMoment(journal.log!, hash)).toBe(3)
  })
})

describe('what names no moment says so:', () => {
  test.each<[name: string, moment: unknown, code: string, message: string]>([
    [
      'a number beyond the last commit',
      8,
      'VARVE_NO_SUCH_MOMENT',
      'There is no moment 8: this history has commits 1 to 7, and that is none of them. history.log() lists the commits, history.tags() the tags.',
    ],
    [
      'digits beyond it that begin no hash',
      '0000099',
      'VARVE_NO_SUCH_MOMENT',
      'none has a hash that begins so',
    ],
    ['more than there are', 'HEAD~8', 'VARVE_NO_SUCH_MOMENT', 'There is no moment "HEAD~8"'],
    ['an unknown tag', 'v1', 'VARVE_NO_SUCH_MOMENT', 'there is no such tag'],
    ['an unknown hash', 'ffffffffffff', 'VARVE_NO_SUCH_MOMENT', 'none has a hash that begins so'],
    [
      'a negative number',
      -1,
      'VARVE_BAD_MOMENT',
      '-1 is no number of a commit. Name one by number, HEAD~2, tag',
    ],
    ['a fraction', 1.5, 'VARVE_BAD_MOMENT', '1.5 is no number of a commit.'],
    ['NaN', NaN, 'VARVE_BAD_MOMENT', 'NaN is no number of a commit.'],
    ['a BigInt', 1n, 'VARVE_BAD_MOMENT', '1n is no moment.'],
    ['an invalid Date', new Date(NaN), 'VARVE_BAD_MOMENT', 'Invalid Date is no date.'],
    ['the 40th of a month', '2026-01-40', 'VARVE_BAD_MOMENT', '"2026-01-40" is no date.'],
    ['nothing', undefined, 'VARVE_BAD_MOMENT', 'undefined is no moment.'],
  ])('%s', async (_, moment, code, message) => {
    const resolving = resolveMoment(await logOf(7), moment as Moment)
    await expect(resolving).rejects.toMatchObject({
      code,
      message: expect.stringContaining(message) as string,
    })
  })

  test('the beginning of several hashes, which it names', async () => {
    const journal = await journalOf(400)
    const hashes = new Map<string, number>()
    let twice: [number, number] | undefined
    for await (const { number, hash } of journal.commits()) {
      const prefix = hash.slice(0, 4)
      const other = hashes.get(prefix)
      if (other !== undefined && !/^\d+$/.test(prefix)) twice ??= [number, other]
      hashes.set(prefix, number)
    }
    const [first, second] = twice!
    const prefix = (await journal.commit(first))!.hash.slice(0, 4)
    await expect(resolveMoment(journal.log!, prefix)).rejects.toMatchObject({
      code: 'VARVE_BAD_MOMENT',
      message: expect.stringMatching(
        new RegExp(`begins the hashes of commits .*${first} and ${second}`),
      ) as string,
    })
  })
})

describe('a tag', () => {
  test.each(['v1', 'before the move', 'release-2026', 'beef!', 'Zürich', 'abc'])('may be %j', (name) => {
    expect(() => checkTag(name)).not.toThrow()
  })

  test.each([
    ['17', 'looks like a number'],
    ['HEAD', 'looks like HEAD'],
    ['head~2', 'looks like HEAD'],
    ['beef', 'looks like a hash'],
    ['2026-01-01 release', 'looks like a date'],
    ['', 'is no text'],
    [' v1', 'has spaces around it'],
    ['a\nb', 'cannot be seen'],
    ['\u202ev1', 'cannot be seen'],
    ['\ud800', 'cannot be seen'],
    ['é'.repeat(128), 'is longer than 255 bytes'],
  ])('may not be %j', (name, reason) => {
    expect(() => checkTag(name)).toThrow(
      expect.objectContaining({ code: 'VARVE_BAD_TAG', message: expect.stringContaining(reason) as string }),
    )
  })
})

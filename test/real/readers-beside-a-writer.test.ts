import { mkdtemp, realpath, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { smallShape } from './kill-variants.ts'
import { endChildren, startChild, type Child } from './processes.ts'
import { lastCommit } from './reader.ts'
import type { ReaderOrder } from './reader-child.ts'
import type { WriterOrder } from './writer-child.ts'

const totalMs = process.env['CI'] ? 30_000 : 10_000
const modes = ['persist', 'transactions', 'sessions'] as const
let top: string

beforeEach(async () => (top = await realpath(await mkdtemp(join(tmpdir(), 'varve-readers-')))))
afterEach(async () => {
  await endChildren()
  await rm(top, { recursive: true, force: true })
})

test(
  'ten readers that open in a loop beside a writer see whole commits only, the newest ones, and never go back',
  { timeout: totalMs + 240_000 },
  async () => {
    const [writers, readers] = await Promise.all([
      Promise.all(modes.map(() => startChild('writer-child.ts'))),
      Promise.all(Array.from({ length: 10 }, () => startChild('reader-child.ts'))),
    ])
    for (const [index, mode] of modes.entries()) await readBeside(mode, writers[index]!, readers)
  },
)

async function readBeside(mode: (typeof modes)[number], writer: Child, readers: Child[]): Promise<void> {
  const directory = join(top, mode)
  const common = { directory, shape: smallShape, actor: 'the writer' }
  writer.order({ ...common, seed: 1, durability: 'commit', mode, fromJson: false } satisfies WriterOrder)
  await writer.until('acknowledged')
  for (const [index, reader] of readers.entries()) {
    const forMs = totalMs / modes.length
    reader.order({ ...common, readOnly: index % 2 === 0, forMs } satisfies ReaderOrder)
  }
  await Promise.all(readers.map((reader) => doneOrFailed(reader)))
  await writer.kill()

  const seen = readers.map((reader) => sawInOrder(reader, writer))
  const last = await lastCommit(directory, smallShape)
  expect(Math.max(...writer.numbers('acknowledged'))).toBeLessThanOrEqual(last)
  console.log(`${mode}: ${last} commits, opened ${seen.flat().length} times`)
  for (const own of seen) expect(own.length).toBeGreaterThan(1)
  expect(Math.max(...seen.flat())).toBeLessThanOrEqual(last)
}

async function doneOrFailed(reader: Child): Promise<void> {
  const failed = reader.until('failed').then((report) => {
    throw new Error(`A reader failed: ${JSON.stringify(report)}`)
  })
  await Promise.race([reader.until('done'), failed])
}

/** What a reader saw: each time at least what was acknowledged before it opened, and never less than before. */
function sawInOrder(reader: Child, writer: Child): number[] {
  expect(reader.reports.filter(({ is }) => is === 'warned')).toEqual([])
  const acknowledged = writer.reports.filter((report) => report.is === 'acknowledged')
  let before = 0
  let next = 0
  for (const report of reader.reports) {
    if (report.is !== 'saw') continue
    while (next < acknowledged.length && acknowledged[next]!.atMs < report.openedAtMs)
      before = Math.max(before, acknowledged[next++]!.number)
    expect(report.number).toBeGreaterThanOrEqual(before)
    before = report.number
  }
  return reader.numbers('saw')
}

/** A disk that is really full: a small tmpfs, seen by one process only and gone with it. */
import { execFileSync } from 'node:child_process'
import { mkdtemp, realpath, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Shape } from './contents.ts'
import type { FullDiskOrder } from './full-disk-child.ts'
import { smallShape } from './kill-variants.ts'
import { endChildren, startChild, type Child } from './processes.ts'
import { lastCommit } from './reader.ts'
import type { WriterOrder } from './writer-child.ts'
import { Writer } from './writer.ts'

const factor = process.env['CI'] ? 4 : 1
const seed = Number(process.env['FULL_SEED'] ?? Date.now() % 1_000_000)
const mounting = 'mount -t tmpfs -o size=$1 varve "$0" && shift && exec "$@"'
const without = reasonAgainstMounting()
if (without !== undefined) console.log(`A full tmpfs is not tested here: ${without}`)
let top: string

beforeEach(async () => (top = await realpath(await mkdtemp(join(tmpdir(), 'varve-full-')))))
afterEach(async () => {
  await endChildren()
  await rm(top, { recursive: true, force: true })
})

const large: Shape = { nodes: 160, textBytes: 64 * 1024, idBytes: 12, dimensions: 64, window: 2 }
const converted: Shape = { nodes: 300, textBytes: 200, idBytes: 20, dimensions: 32, window: 20 }

describe.skipIf(without !== undefined)('on a small tmpfs', () => {
  test.each([
    { what: 'small commits', shape: smallShape, fromJson: false, before: 5, times: 40, size: '2m' },
    { what: 'commits that spill', shape: large, fromJson: false, before: 2, times: 6, size: '100m' },
    { what: 'a conversion', shape: converted, fromJson: true, before: 1, times: 12, size: '8m' },
  ])(
    '$what that find it full are refused with VARVE_DISK_FULL, earlier ones stay, and it goes on when there is room',
    { timeout: 60_000 * factor },
    async ({ what, size, ...order }) => {
      console.log(`${what}: repeat with FULL_SEED=${seed} npm test -- test/real/full-disk`)
      const child = await startChild('full-disk-child.ts', [
        'unshare',
        '-rm',
        'sh',
        '-c',
        mounting,
        top,
        size,
      ])
      const times = order.times * factor
      child.order({ ...order, times, top, seed } satisfies FullDiskOrder)
      await done(child)
      const outcomes: Record<string, number> = {}
      for (const report of child.reports)
        if (report.is === 'refused') outcomes[report.what] = (outcomes[report.what] ?? 0) + 1
      console.log(`${what}: ${JSON.stringify(outcomes)}`)
      expect(Object.values(outcomes).reduce((sum, count) => sum + count)).toBe(times)
    },
  )
})

test(
  'a writer that reaches the largest length of a file is refused, and what it had acknowledged stays',
  { timeout: 60_000 },
  async () => {
    const limiting = ['sh', '-c', 'ulimit -f 128 && exec "$@"', 'sh']
    const codes: string[] = []
    for (const mode of ['persist', 'transactions'] as const) {
      const directory = join(top, mode)
      const child = await startChild('writer-child.ts', limiting)
      const common = { directory, shape: smallShape, actor: 'limited', fromJson: false }
      child.order({ ...common, seed, mode, durability: 'commit' } satisfies WriterOrder)
      codes.push((await child.until('failed')).code)
      const writer = await Writer.open(directory, { shape: smallShape, actor: 'unlimited' })
      expect(writer.last).toBeGreaterThanOrEqual(Math.max(...child.numbers('acknowledged')))
      expect(writer.last).toBeLessThanOrEqual(Math.max(...child.numbers('attempted')))
      await writer.commit()
      await writer.expectAll()
      await writer.close()
      expect(await lastCommit(directory, smallShape)).toBe(writer.last)
    }
    console.log(`largest length of a file: ${codes.join(', ')}`)
    for (const code of codes) expect(['VARVE_DISK_FULL', 'VARVE_OUTCOME_UNKNOWN']).toContain(code)
  },
)

async function done(child: Child): Promise<void> {
  const failed = child.until('failed').then((report) => {
    throw new Error(JSON.stringify(report))
  })
  await Promise.race([child.until('done'), failed])
}

function reasonAgainstMounting(): string | undefined {
  try {
    const parameters = ['-rm', 'sh', '-c', mounting, tmpdir(), '1m', 'true']
    execFileSync('unshare', parameters, { stdio: ['ignore', 'ignore', 'pipe'] })
    return undefined
  } catch (error) {
    const { stderr, message } = error as Error & { stderr?: Buffer }
    return stderr?.toString().trim() || message
  }
}

import { expect, test } from 'vitest'
import type { Fault, FaultKind, MemoryDisk } from '../../src/disk/memory-disk.ts'
import { VarveError } from '../../src/errors.ts'
import { contexts } from './context-subject.ts'
import { hold, mustBeTraceless } from './explorer.ts'
import { difference, traceless } from './model.ts'
import { Stage, type Workload } from './stage.ts'
import { workloads } from './workloads.ts'

const faults: Omit<Fault, 'at'>[] = [
  { what: 'EIO' },
  { what: 'EMFILE' },
  { what: 'ENOSPC' },
  { what: 'short write' },
  { what: 'failed sync' },
  { what: 'slow sync', turns: 10 },
]

const chosen = [
  'single commits over two stores',
  'spilled changes, then a commit',
  'spilled changes, then a rollback',
  'buffered commits and a flush',
  'snapshots on the way',
  'one commit over several segments',
  'the same segments after a close in order',
  'transactions, one of which throws',
  'the conversion of a JSON directory',
  'two contexts in one process',
  'an erase, and commits after it',
  'an erase that dies after 12 operations, and the next writer',
].map((name) => workloads.find((workload) => workload.name === name)!)

/** What may be said of each: never that the directory is damaged, or that there is none. */
const codes: { [what in FaultKind]: string[] } = {
  EIO: ['VARVE_IO', 'VARVE_OUTCOME_UNKNOWN'],
  EMFILE: ['VARVE_IO', 'VARVE_OUTCOME_UNKNOWN'],
  ENOSPC: ['VARVE_DISK_FULL'],
  'short write': ['VARVE_IO', 'VARVE_OUTCOME_UNKNOWN'],
  'failed sync': ['VARVE_IO', 'VARVE_OUTCOME_UNKNOWN'],
  'slow sync': [],
}

const table = chosen.flatMap((workload) => faults.map((fault) => ({ name: workload.name, workload, fault })))

test.each(table)(
  '$fault.what at any operation of "$name" loses nothing',
  async ({ workload, fault }) => {
    let struck = 0
    while (await survives(workload, { ...fault, at: struck })) struck++
    const never = fault.what === 'short write' || fault.what === 'slow sync' ? 0 : 1
    expect(struck).toBeGreaterThan(never)
  },
  300_000,
)

/** Answers whether the fault struck. */
async function survives(workload: Workload, fault: Fault): Promise<boolean> {
  const stage = new Stage(workload, 0, () => {})
  await workload.before?.(stage)
  const { disk } = stage
  const struck = disk.inject(fault)
  const error = await workload.run(stage).then(
    () => undefined,
    (reason: unknown) => reason,
  )
  const { operation } = struck
  if (!operation) return false
  const where = `${fault.what} at ${fault.at}: ${operation.kind} ${operation.path}`
  if (error !== undefined) {
    expect(error, where).toBeInstanceOf(VarveError)
    expect(codes[fault.what], `${where}: ${(error as Error).message}`).toContain((error as VarveError).code)
  }
  for (const name of ['all', 'none'] as const) {
    const { expectation } = stage
    const seen = await stage.subject.look(disk.image(name))
    expect(() => hold(seen.commits, { name, expectation }), where).not.toThrow()
    expect(difference(seen, expectation), where).toBeUndefined()
  }
  // What a failed sync has dropped is there for whoever comes next on this machine, and no sync of theirs would write it.
  await stage.restart('all')
  await goOn(stage, where)
  return true
}

async function goOn(stage: Stage, where: string): Promise<void> {
  const writer = await stage.open()
  await writer.put('docstore', { more: 1 }, 300)
  await writer.persist()
  await writer.close()
  const left = stage.disk.image('none')
  const seen = await stage.subject.look(left)
  expect(seen.commits, where).toBe(stage.expectation.cuts.length)
  expect(difference(seen, stage.expectation), where).toBeUndefined()
  await mustBeTraceless(left, traceless(stage.expectation, seen.commits))
}

test.each<FaultKind>(['EIO', 'EMFILE'])(
  '%s at any look of a reader is told, or does not matter, and never hides a commit',
  async (what) => {
    for (const disk of await disksToRead()) {
      const healthy = await contexts.look(disk)
      let told = 0
      for (let at = 0; ; at++) {
        const hurt = disk.snapshot()
        const struck = hurt.inject({ what, at })
        try {
          expect(await contexts.look(hurt)).toEqual(healthy)
        } catch (error) {
          expect(error, `at ${at}: ${struck.operation?.kind} ${struck.operation?.path}`).toMatchObject({
            name: 'VarveError',
            code: 'VARVE_IO',
          })
          if (what === 'EMFILE') expect((error as Error).message).toMatch(/Too many files are open.*ulimit/)
          told++
        }
        if (!struck.operation) break
      }
      expect(told).toBeGreaterThan(5)
    }
  },
  300_000,
)

/** A journal with segments and snapshots, and a directory of JSON. */
async function disksToRead(): Promise<MemoryDisk[]> {
  const disks: MemoryDisk[] = []
  const workload = workloads.find(({ name }) => name === 'the conversion of a JSON directory')!
  const stage = new Stage(workload, 0, ({ disk }) => {
    if (disks.length === 0) disks.push(disk.snapshot())
  })
  await stage.play()
  return [...disks, stage.disk.snapshot()]
}

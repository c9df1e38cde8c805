import { beforeAll, describe, expect, test } from 'vitest'
import type { MemoryDisk } from '../../src/disk/memory-disk.ts'
import { repairDirectory } from '../../src/history/repair.ts'
import type { RepairReport } from '../../src/history/repair-report.ts'
import { verifyDirectory } from '../../src/history/verify.ts'
import { Journal } from '../../src/journal/journal.ts'
import { VarveError } from '../../src/errors.ts'
import { filesUnder } from '../support/damage.ts'
import { damageCases } from './damages.ts'
import {
  append,
  contentsOf,
  directory,
  edit,
  flip,
  nodes,
  Places,
  sampleJournal,
  sampleOptions,
} from './sample-journal.ts'

const target = '/data/repaired'
const limits = { spillBytes: 3000, segmentBytes: 10_000 }

type Contents = Awaited<ReturnType<typeof contentsOf>>

let whole: MemoryDisk
let places: Places
let original: Contents

beforeAll(async () => {
  whole = (await sampleJournal()).disk
  places = await Places.of(whole)
  original = await contentsOf(whole.snapshot(), directory)
})

/** What differs between two journals, as `store key`. */
function differences(before: Contents, after: Contents): string[] {
  const found: string[] = []
  for (const folder of new Set([...before.stores.keys(), ...after.stores.keys()])) {
    const [was, is] = [before.stores.get(folder), after.stores.get(folder)]
    for (const key of new Set([...(was?.keys() ?? []), ...(is?.keys() ?? [])])) {
      if (was?.get(key) !== is?.get(key)) found.push(`${folder} ${key}`)
    }
  }
  return found
}

/** Every difference must be one that the report lets expect. */
function unexplained(report: RepairReport, found: readonly string[]): string[] {
  return found.filter(
    (difference) =>
      !report.lost.some(({ what, store = '', key }) => {
        if (what === 'commits') return true
        if (what === 'item' && key !== undefined && store === 'docstore')
          return difference.endsWith(` ${key}`)
        return difference.startsWith(`${store} `)
      }),
  )
}

async function files(disk: MemoryDisk): Promise<string[]> {
  const paths = await filesUnder(disk, directory)
  return paths.map((path) => `${path} ${Buffer.from(disk.peek(path)).toString('base64')}`)
}

test('an intact journal is carried over whole, with every commit as it was but for its hash', async () => {
  const disk = whole.snapshot()
  const report = await repairDirectory(disk, directory, target, { limits })
  expect(report).toMatchObject({
    from: directory,
    to: target,
    commits: 10,
    items: 91,
    lost: [],
    placeholders: [],
    renumbered: false,
  })
  expect(report.head.after).not.toBe(report.head.before)
  expect(await contentsOf(disk, target)).toEqual(original)
})

describe('after damage to', () => {
  test.each(damageCases)(
    '$name, the new directory opens and holds all but what the report names',
    async ({ damage, loses = [], placeholders = [], commitsAfter = 10 }) => {
      const disk = whole.snapshot()
      await damage(disk, places)
      const before = await files(disk)
      const report = await repairDirectory(disk, directory, target, { limits })
      expect(await files(disk)).toEqual(before)

      expect(report.lost).toMatchObject(loses)
      expect(report.lost).toHaveLength(loses.length)
      expect(report.placeholders).toEqual(placeholders)
      expect(await verifyDirectory(disk, target)).toMatchObject({
        intact: true,
        commits: commitsAfter,
        unnamed: [],
      })

      const repaired = await contentsOf(disk, target)
      expect(unexplained(report, differences(original, repaired))).toEqual([])
      if (loses.length === 0) expect(repaired).toEqual(original)
      const standIns = new Set(
        placeholders.flatMap(([from, to]) => Array.from({ length: to - from + 1 }, (_, at) => from + at)),
      )
      const lostNotes = new Set(
        report.lost.filter(({ what }) => what === 'note').map(({ commits }) => commits[0]),
      )
      for (const commit of repaired.commits) {
        if (standIns.has(commit.number)) expect(commit).toMatchObject({ metadata: { lost: true } })
        else if (!lostNotes.has(commit.number))
          expect(commit).toEqual(original.commits.find(({ number }) => number === commit.number))
      }
    },
  )
})

test('items that are not damaged are all there, payloads too, beside one that is', async () => {
  const disk = whole.snapshot()
  const [frame] = await places.frames(places.part(1, 'docstore'))
  flip(disk, places.path('docstore', 1), frame!.items[1]!.offset)
  await repairDirectory(disk, directory, target)
  expect(differences(original, await contentsOf(disk, target))).toEqual([
    'docstore nodes a2',
    'docstore records a2',
  ])
})

test('a torn end is left out, as opening leaves it out', async () => {
  const { disk } = await sampleJournal({ open: true })
  const { segment, offset } = places.offsets[9]!
  edit(disk, places.path('commits', segment), (bytes) => bytes.subarray(0, offset + 30))
  const report = await repairDirectory(disk, directory, target)
  expect(report).toMatchObject({ commits: 9, lost: [], torn: { bytes: 30 } })
})

test('a repaired journal goes on like any other', async () => {
  const disk = whole.snapshot()
  await repairDirectory(disk, directory, target)
  const journal = await Journal.open(target, sampleOptions(disk))
  await append(journal, 'docstore', nodes(['after']))
  expect(await journal.persist()).toMatchObject({ number: 11 })
  await journal.close()
  expect(await verifyDirectory(disk, target)).toMatchObject({ intact: true, commits: 11 })
})

test("files that are no part of a journal, such as LlamaIndex's, are not copied, and named", async () => {
  const disk = whole.snapshot()
  disk.put(`${directory}/docstore.json`, Buffer.from('{}'))
  const { notCopied } = await repairDirectory(disk, directory, target)
  expect(notCopied).toEqual(['docstore.json'])
  expect(await disk.list(target)).not.toContain('docstore.json')
})

describe('a target is refused', () => {
  test.each([
    ['that is not empty', '/data/full'],
    ['that is a file', '/data/full/file'],
    ['that is the source', directory],
    ['within the source', `${directory}/new`],
    ['beside which an unfinished repair stands', '/data/again'],
  ])('%s', async (_, to) => {
    const disk = whole.snapshot()
    disk.put('/data/full/file', Buffer.from('mine'))
    disk.put('/data/again.unfinished/varve.json', Buffer.from('{}'))
    const before = await files(disk)
    await expect(repairDirectory(disk, directory, to)).rejects.toThrow(VarveError)
    expect(await files(disk)).toEqual(before)
    expect(Buffer.from(disk.peek('/data/full/file')).toString()).toBe('mine')
  })
})

describe('a repair that does not come to its end leaves no journal behind', () => {
  test('when it is stopped', async () => {
    const disk = whole.snapshot()
    const controller = new AbortController()
    const onProgress = ({ phase }: { phase?: string }): void => {
      if (phase === 'writing') controller.abort(new Error('stop'))
    }
    await expect(
      repairDirectory(disk, directory, target, { signal: controller.signal, onProgress }),
    ).rejects.toThrow('stop')
    expect(await disk.stat(target)).toBeUndefined()
    await repairDirectory(disk, directory, target)
    expect(await contentsOf(disk, target)).toEqual(original)
  })

  test('when any operation fails', async () => {
    const counted = whole.snapshot()
    await repairDirectory(counted, directory, target, { limits })
    const operations = counted.operations
    for (let nth = 0; nth < operations; nth += 3) {
      const disk = whole.snapshot()
      disk.onOperation = ({ index }) => {
        if (index === nth)
          throw Object.assign(new Error('ENOSPC: no space left on device, write'), {
            code: 'ENOSPC',
            syscall: 'write',
          })
      }
      const done = await repairDirectory(disk, directory, target, { limits }).catch((error: unknown) => error)
      disk.onOperation = undefined
      if (done instanceof Error) expect(done).toBeInstanceOf(VarveError)
      const isThere = (await disk.stat(target)) !== undefined
      if (isThere) expect(differences(original, await contentsOf(disk, target))).toEqual([])
      expect(isThere || done instanceof VarveError).toBe(true)
    }
  })

  test('when the power goes at any operation', async () => {
    const counted = whole.snapshot()
    await repairDirectory(counted, directory, target, { limits })
    for (let nth = 0; nth <= counted.operations; nth += 5) {
      const disk = whole.snapshot()
      disk.onOperation = ({ index }) => {
        if (index >= nth) throw Object.assign(new Error('EIO: the power is going'), { code: 'EIO' })
      }
      await repairDirectory(disk, directory, target, { limits }).catch(() => {})
      for (const fate of ['none', 'all'] as const) {
        const after = disk.image(fate)
        if (await after.stat(target))
          expect(differences(original, await contentsOf(after, target))).toEqual([])
      }
    }
  })
})

test('no flipped bit anywhere goes unnoticed and changes what is read, and a repair names all that it loses', async () => {
  const stride = 199
  const paths: string[] = []
  for (const folder of [
    'commits',
    'docstore',
    'index_store',
    'graph_store',
    'property_graph_store',
    'vector_store/default',
    'snapshots',
  ]) {
    for (const name of await whole.list(`${directory}/${folder}`))
      if (name.includes('.')) paths.push(`${directory}/${folder}/${name}`)
  }
  let [flips, intact] = [0, 0]
  for (const path of paths) {
    for (let offset = flips % stride; offset < whole.peek(path).length; offset += stride, flips++) {
      const disk = whole.snapshot()
      flip(disk, path, offset)
      const where = `${path} ${offset}`
      const { intact: isIntact, torn } = await verifyDirectory(disk, directory)
      if (isIntact && !torn) {
        intact++
        expect(await contentsOf(disk, directory), where).toEqual(original)
      }
      const report = await repairDirectory(disk, directory, target)
      expect(unexplained(report, differences(original, await contentsOf(disk, target))), where).toEqual([])
    }
  }
  console.log(`${flips} bits flipped, ${intact} of them harmless`)
  expect(flips).toBeGreaterThan(150)
}, 120_000)

import { expect, test, vi } from 'vitest'
import { MemoryDisk } from '../../src/disk/memory-disk.ts'
import { Journal } from '../../src/journal/journal.ts'
import { seededBytes } from '../support/seeded.ts'
import { put, toyOptions } from '../support/toy-store.ts'

const directory = '/data/storage'

test('who comes from far behind lets go of what snapshots hold as it goes', async () => {
  const disk = new MemoryDisk()
  const options = toyOptions({ disk, random: seededBytes(1), limits: { snapshotRowsBytes: 1 } })
  const writer = await Journal.open(directory, options)
  for (let number = 1; number <= 1100; number++) {
    await put(writer, 'docstore', { [`k${number % 50}`]: number })
    await writer.persist()
  }
  await writer.close()
  const reader = await Journal.open(directory, options)
  const replica = (await reader.replica(0))!
  const listings = vi.spyOn(disk, 'list')
  const looks = (): number => listings.mock.calls.filter(([path]) => path.endsWith('snapshots')).length
  const seen: [commit: number, looks: number][] = []
  for await (const { summary, apply } of replica.commits(reader.log!)) {
    await apply()
    if (summary.number % 275 === 0) seen.push([summary.number, looks()])
  }
  expect(seen).toEqual([
    [275, 1],
    [550, 2],
    [825, 3],
    [1100, 4],
  ])
  await reader.close()
})

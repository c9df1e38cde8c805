import { expect, test, vi } from 'vitest'
import { MemoryDisk } from '../../src/disk/memory-disk.ts'
import { Journal } from '../../src/journal/journal.ts'
import { seededBytes } from '../support/seeded.ts'
import { erase, put, toyOptions } from '../support/toy-store.ts'

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

/** Twenty commits of one key each; what is read of the store's log is counted. */
async function twentyCommits() {
  const disk = new MemoryDisk()
  const options = toyOptions({ disk, random: seededBytes(2) })
  const writer = await Journal.open(directory, options)
  for (let number = 1; number <= 20; number++) {
    await put(writer, 'docstore', { [`k${number}`]: number })
    await writer.persist()
  }
  const reads: number[] = []
  const openToRead = disk.openToRead.bind(disk)
  disk.openToRead = async (path) => {
    const file = await openToRead(path)
    if (!path.includes('/docstore/')) return file
    return {
      size: () => file.size(),
      read: (offset, length) => file.read((reads.push(offset), offset), length),
      readNow: (offset, length) => file.readNow((reads.push(offset), offset), length),
      close: () => file.close(),
    }
  }
  const reader = await Journal.open(directory, options)
  const replica = (await reader.replica(0))!
  reads.length = 0 // Opening looks at the tails.
  return { writer, reader, commits: replica.commits(reader.log!), reads }
}

test('what was read ahead for one commit serves those that follow', async () => {
  const { writer, reader, commits, reads } = await twentyCommits()
  let seen = 0
  for await (const { apply, stores } of commits) {
    await apply()
    seen += stores.length
  }
  expect(seen).toBe(20)
  expect(reads.filter((offset) => offset > 0)).toHaveLength(1)
  await Promise.all([reader.close(), writer.close()])
})

test('what was read ahead is read anew once something was erased', async () => {
  const { writer, reader, commits } = await twentyCommits()
  await (await commits.next()).value!.apply()
  await erase(writer, ['k5', 'k7'])
  await reader.refresh()
  const keys: unknown[] = []
  for await (const { apply, stores } of commits) {
    await apply()
    for (const { events } of stores)
      for (const { items } of events) for (const { row } of items) keys.push((row as [string])[0])
  }
  expect(keys).toHaveLength(17)
  expect(keys).not.toContain('k5')
  expect(keys).not.toContain('k7')
  await Promise.all([reader.close(), writer.close()])
})

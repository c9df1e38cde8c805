// What following costs: bytes read, counted by a disk in memory, beside stores of two sizes.
import { expect, test } from 'vitest'
import type { Disk, ReadableFile } from '../../src/disk/disk.ts'
import { MemoryDisk } from '../../src/disk/memory-disk.ts'
import { StorageContext, type Change } from '../../src/index.ts'
import { TextNode } from '../../src/stores/node.ts'
import { directory, FakeWatcher, never, pause, until, write } from './support.ts'

/** Counts what is read through it. */
class Meter {
  bytes = 0
  readonly disk: Disk

  constructor(disk: MemoryDisk) {
    this.disk = new Proxy<Disk>(disk, {
      get: (target, name: keyof Disk) => {
        if (name === 'openToRead') return async (path: string) => this.#metered(await target.openToRead(path))
        if (name === 'readSmallFile') {
          return async (path: string) => this.#count(await target.readSmallFile(path))
        }
        const value: unknown = target[name]
        return typeof value === 'function' ? (value.bind(target) as unknown) : value
      },
    })
  }

  #metered(file: ReadableFile): ReadableFile {
    return {
      size: () => file.size(),
      read: async (offset, length) => this.#count(await file.read(offset, length)),
      readNow: (offset, length) => this.#count(file.readNow(offset, length)),
      close: () => file.close(),
    }
  }

  #count(bytes: Uint8Array): Uint8Array {
    this.bytes += bytes.length
    return bytes
  }
}

const embedding = Array.from({ length: 64 }, (_, at) => at)
const nodeAt = (at: number): TextNode =>
  new TextNode({ id_: `node-${at}`, text: 'some text '.repeat(20), embedding })

/** How many bytes a follower reads for each of some commits of one node, and for a look that finds nothing; whether it is to tell of them or not. */
async function cost(nodes: number, { tells = true } = {}): Promise<{ commits: number[]; idle: number }> {
  const disk = new MemoryDisk()
  const writer = await write(disk)
  const add = async (from: number, to: number): Promise<void> => {
    const some = Array.from({ length: to - from }, (_, at) => nodeAt(from + at))
    await writer.docstore.addDocuments(some)
    await writer.vectorStore.add(some)
    await writer.persist()
  }
  await add(0, nodes)
  const meter = new Meter(disk)
  const watcher = new FakeWatcher()
  const follower = await StorageContext.fromDefaults({
    persistDir: directory,
    disk: meter.disk,
    follow: { poll: never, watch: watcher.watch },
  })
  const told: Change[] = []
  if (tells) follower.on('change', (change) => told.push(change))
  await pause(400)
  const commits: number[] = []
  for (let at = 0; at < 6; at++) {
    const before = meter.bytes
    await add(1_000_000 + at, 1_000_001 + at)
    watcher.hint()
    if (tells) await until(() => told.length > at)
    await until(async () => follower.docstore.documentExists(`node-${1_000_000 + at}`))
    await pause(400)
    commits.push(meter.bytes - before)
  }
  const before = meter.bytes
  watcher.hint()
  await pause(400)
  const idle = meter.bytes - before
  await follower.close()
  await writer.close()
  return { commits, idle }
}

test(
  'a commit costs a follower the size of the commit, however large the store is',
  { timeout: 60_000 },
  async () => {
    const [small, large, silent] = [await cost(20), await cost(4000), await cost(20, { tells: false })]
    expect(small.commits).toEqual(silent.commits) // Being told of it costs no reading.
    for (const { commits, idle } of [small, large]) {
      expect(idle).toBe(0)
      for (const bytes of commits) expect(bytes).toBeGreaterThan(500)
    }
    expect(Math.max(...large.commits)).toBeLessThan(Math.min(...small.commits) * 1.1)
    expect(Math.max(...large.commits)).toBeLessThan(10_000)
  },
)

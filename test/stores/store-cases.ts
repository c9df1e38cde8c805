/** Runs a case on a real context: in memory, and on a disk with a persist and a reopening after every step, from the logs and from snapshots alone. */
import { expect, test } from 'vitest'
import { StorageContext, type StorageContextOptions } from '../../src/context/storage-context.ts'
import { MemoryDisk } from '../../src/disk/memory-disk.ts'
import type { VarveErrorCode } from '../../src/errors.ts'

export interface Stage {
  /** The context as it is now: a new one after each `step`. */
  storage: StorageContext
  /** In memory nothing happens; on disk everything is persisted, closed and opened again. */
  step: () => Promise<void>
}

interface Way {
  name: string
  open: () => Promise<{ storage: StorageContext; next: (storage: StorageContext) => Promise<StorageContext> }>
}

const ways: Way[] = [
  {
    name: 'in memory',
    open: async () => ({ storage: await openStorage({}), next: async (storage) => storage }),
  },
  { name: 'persisted and opened again', open: async () => onDisk((disk) => dropSnapshots(disk)) },
  { name: 'persisted and opened again from a snapshot', open: async () => onDisk((disk) => disk) },
]

export function inEveryWay(name: string, run: (stage: Stage) => Promise<void>): void {
  for (const way of ways) {
    test(`${name} (${way.name})`, async () => {
      const { storage, next } = await way.open()
      const stage: Stage = {
        storage,
        step: async () => {
          stage.storage = await next(stage.storage)
        },
      }
      await run(stage)
      await stage.step()
      await expect(stage.storage.close()).resolves.toBeUndefined()
    })
  }
}

export function openStorage(options: StorageContextOptions): Promise<StorageContext> {
  return StorageContext.fromDefaults({ disk: new MemoryDisk(), onWarning: failOnWarning, ...options })
}

export async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = []
  for await (const item of items) list.push(item)
  return list
}

export async function expectCode(call: Promise<unknown>, code: VarveErrorCode): Promise<void> {
  await expect(call).rejects.toMatchObject({ name: 'VarveError', code })
}

function failOnWarning(warning: string): void {
  throw new Error(`Unexpected warning: ${warning}`)
}

async function onDisk(between: (disk: MemoryDisk) => MemoryDisk | Promise<MemoryDisk>) {
  let disk = new MemoryDisk()
  const open = () => openStorage({ disk, persistDir: '/storage' })
  return {
    storage: await open(),
    next: async (storage: StorageContext) => {
      await storage.persist()
      await storage.close()
      disk = await between(disk)
      return open()
    },
  }
}

async function dropSnapshots(disk: MemoryDisk): Promise<MemoryDisk> {
  const names = await disk.list('/storage/snapshots').catch(() => [])
  for (const name of names) await disk.unlink(`/storage/snapshots/${name}`)
  return disk
}

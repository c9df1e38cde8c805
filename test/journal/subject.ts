/** What workloads are played on: the journal with stores of the simplest kind, or whole contexts. */
import type { MemoryDisk } from '../../src/disk/memory-disk.ts'
import type { JournalOptions } from '../../src/journal/journal-options.ts'
import type { Folder, Seen } from './model.ts'

export interface Subject {
  /** Opens, reads everything, payloads too, and closes. */
  look(disk: MemoryDisk): Promise<Seen>
  open(disk: MemoryDisk, options: Partial<JournalOptions>): Promise<Player>
}

export interface Player {
  put(folder: Folder, entries: Record<string, unknown>, payloadBytes: number): Promise<void>
  remove(folder: Folder, keys: string[]): Promise<void>
  /** These answer the number of the commit that carried it. */
  persist(): Promise<number | undefined>
  transaction(change: () => Promise<void>): Promise<number | undefined>
  /** Erases keys of all stores. */
  erase(keys: readonly string[]): Promise<number | undefined>
  rollback(): Promise<void>
  flush(): Promise<void>
  close(): Promise<void>
}

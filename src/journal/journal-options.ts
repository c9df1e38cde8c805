/** What a journal is opened with: the world it lives in, and how careful it is. */
import type { Disk } from '../disk/disk.ts'
import type { Durability } from './commit-queue.ts'
import type { StoreKind } from './event.ts'
import type { Limits } from './limits.ts'

export interface JournalOptions {
  disk: Disk
  /** What a folder's store is. */
  kindOf: (folder: string) => StoreKind
  durability: Durability
  clock: () => Date
  /** Fills a buffer with random bytes. */
  random: (target: Uint8Array) => void
  onWarning: (warning: string) => void
  networkFileSystem?: boolean
  takeover?: boolean
  /** For tests: sizes at which the journal changes what it does. */
  limits?: Partial<Limits>
}

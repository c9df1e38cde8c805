/** Where a golden directory is made: a disk in memory, a clock and chance that repeat themselves, and what the directory was on the way. */
import { MemoryDisk } from '../../src/disk/memory-disk.ts'
import { SimpleDocumentStore, StorageContext, type StorageContextOptions } from '../../src/index.ts'
import { JournalHandle } from '../../src/journal/handle.ts'
import { Journal } from '../../src/journal/journal.ts'
import type { Limits } from '../../src/journal/limits.ts'
import { kindOf } from '../../src/stores/store-kinds.ts'
import { filesUnder } from '../support/damage.ts'
import { seededBytes } from '../support/seeded.ts'
import { keysOf, readCommits, readValues, type Keys, type Values } from './values.ts'

export const directory = '/storage'

/** From a path below the directory to bytes. */
export type Files = Map<string, Uint8Array>

/** A directory on the way to what it became. */
export interface Moment {
  files: Files
}

export class Stage {
  disk = new MemoryDisk()
  readonly moments: Moment[] = []
  /** What each commit holds. */
  readonly states = new Map<number, { values: Values; keys: Keys }>()
  readonly #random: (target: Uint8Array) => void
  #seconds = 0

  constructor(seed: number) {
    this.#random = seededBytes(seed)
  }

  get #options() {
    const clock = (): Date => new Date(Date.UTC(2026, 0, 1) + 1000 * this.#seconds++)
    return { disk: this.disk, clock, random: this.#random, onWarning: () => {} }
  }

  open(options: Partial<StorageContextOptions> = {}): Promise<StorageContext> {
    return StorageContext.fromDefaults({ persistDir: directory, ...this.#options, ...options })
  }

  /** The same with small limits, which bear on no byte's meaning. */
  async openWithLimits(limits: Partial<Limits>): Promise<StorageContext> {
    const journal = await Journal.open(directory, { ...this.#options, kindOf, durability: 'commit', limits })
    const handle = new JournalHandle(journal, { release: () => Promise.resolve() })
    return StorageContext.fromDefaults({ ...this.#options, docstore: new SimpleDocumentStore(handle) })
  }

  /** Remembers what stands there now, and what it holds. */
  async remember(): Promise<void> {
    this.moments.push({ files: await filesOn(this.disk) })
    const reader = await StorageContext.fromDefaults({
      persistDir: directory,
      readOnly: true,
      disk: this.disk.image('all'),
      onWarning: () => {},
    })
    await this.rememberState(reader, (await readCommits(reader)).length)
    await reader.close()
  }

  /** What a context holds is what this commit will hold. */
  async rememberState(context: StorageContext, commit: number): Promise<void> {
    const keys = await keysOf(context)
    const values: Values = new Map()
    for (const [place, value] of await readValues(context, keys)) {
      if (value instanceof Error) throw value
      values.set(place, value)
    }
    this.states.set(commit, { values, keys })
  }

  /** The process dies; everything it wrote arrived. */
  crash(): void {
    this.disk = this.disk.crash('all')
  }
}

export async function filesOn(disk: MemoryDisk): Promise<Files> {
  const files: Files = new Map()
  for (const path of await filesUnder(disk, directory))
    files.set(path.slice(directory.length + 1), disk.peek(path))
  return files
}

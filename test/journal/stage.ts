/**
 * Where workloads play: a disk that is looked at at every operation, writers on it, and the model that keeps
 * up with what they do.
 */
import { MemoryDisk, type Fate, type Operation } from '../../src/disk/memory-disk.ts'
import { VarveError } from '../../src/errors.ts'
import { makeDirectoryDurable } from '../../src/log/durable-directory.ts'
import type { Journal } from '../../src/journal/journal.ts'
import type { JournalOptions } from '../../src/journal/journal-options.ts'
import { put, remove } from '../support/toy-store.ts'
import { seededBytes } from '../support/seeded.ts'
import { directory, nothing, openJournal, type Change, type Expectation, type Folder } from './model.ts'

export interface Workload {
  name: string
  options?: Partial<JournalOptions>
  run(stage: Stage): Promise<void>
}

type Look = (stage: Stage, when: string, operation: Operation | undefined) => void

const dead = Object.assign(new Error('EIO: the power is going'), { code: 'EIO' })

export class Stage {
  disk: MemoryDisk
  expectation: Expectation = nothing
  /** What an operation fails with. */
  fail: ((operation: Operation) => Error | undefined) | undefined
  readonly #workload: Workload
  readonly #look: Look
  readonly #random: (target: Uint8Array) => void
  #processes = 1
  #changes: Change[] = []

  constructor(workload: Workload, seed: number, look: Look) {
    this.#workload = workload
    this.#look = look
    this.#random = seededBytes(seed)
    this.disk = this.#watched(new MemoryDisk())
  }

  /** The process ends, or the power, and another one finds what is left. What was lost is forgotten. */
  async restart(fate: Fate, recovered: () => Promise<number>): Promise<void> {
    this.disk = this.#watched(this.disk.crash(fate))
    const commits = await recovered()
    const cuts = this.expectation.cuts.slice(0, commits)
    this.#changes = this.#changes.slice(0, cuts.at(-1) ?? 0)
    this.#expect({
      cuts,
      acknowledged: Math.min(this.expectation.acknowledged, commits),
      durable: Math.min(this.expectation.durable, commits),
    })
  }

  /** Runs until so many operations have begun; then it stands still for good. */
  async dieAfter(operations: number, run: () => Promise<void>): Promise<void> {
    const first = this.disk.operations
    this.fail = ({ index }) => (index - first >= operations ? dead : undefined)
    await run().catch(() => {})
    this.fail = undefined
  }

  /** Of the operations that match, the nth fails, counted from 0. */
  failOnce(matches: (operation: Operation) => boolean, nth: number, error: Error): void {
    let seen = 0
    this.fail = (operation) => (matches(operation) && seen++ === nth ? error : undefined)
  }

  /** What the model does not follow, since nothing must come of it. */
  async without(run: () => Promise<void>): Promise<void> {
    const { expectation } = this
    const changes = this.#changes
    this.#changes = changes.slice()
    await run().then(
      () => {
        if (this.expectation.acknowledged > expectation.acknowledged)
          throw new Error('what must not be acknowledged was')
      },
      () => {},
    )
    this.#changes = changes
    this.expectation = expectation
  }

  async makeDirectory(): Promise<void> {
    await makeDirectoryDurable(this.disk, directory)
  }

  async open(options: Partial<JournalOptions> = {}): Promise<Writer> {
    const disk = this.#processes++ === 1 ? this.disk : this.disk.asProcess({ pid: this.#processes })
    const journal = await openJournal(disk, { random: this.#random, ...this.#workload.options, ...options })
    return new Writer(this, journal, options.durability ?? this.#workload.options?.durability ?? 'commit')
  }

  change(...changes: Change[]): void {
    this.#changes.push(...changes)
  }

  get position(): number {
    return this.#changes.length
  }

  /** Forgets the changes from there on. */
  forget(position: number): void {
    this.#changes.length = position
  }

  /** What stands before this position becomes a commit, unless nothing is new. Answers its number. */
  attempt(position = this.position): number {
    const { cuts } = this.expectation
    if ((cuts.at(-1) ?? 0) < position) this.#expect({ cuts: [...cuts, position] })
    return this.expectation.cuts.length
  }

  /** These commits were not made after all: their changes are pending again. */
  withdraw(from: number): void {
    this.#expect({ cuts: this.expectation.cuts.slice(0, from - 1) })
  }

  promise({ acknowledged, durable }: { acknowledged?: number; durable?: number }): void {
    this.#expect({
      acknowledged: Math.max(this.expectation.acknowledged, acknowledged ?? 0),
      durable: Math.max(this.expectation.durable, durable ?? 0),
    })
  }

  #expect(news: Partial<Expectation>): void {
    this.expectation = { ...this.expectation, ...news, changes: this.#changes.slice() }
  }

  #watched(disk: MemoryDisk): MemoryDisk {
    disk.onOperation = (operation) => {
      if (disk !== this.disk) return
      this.#look(this, 'before', operation)
      const error = this.fail?.(operation)
      if (error) throw error
    }
    disk.afterOperation = (operation) => this.#look(this, 'after', operation)
    return disk
  }
}

/** A journal whose every call the model follows. */
export class Writer {
  readonly journal: Journal
  readonly #stage: Stage
  readonly #durability: 'commit' | 'buffered'

  constructor(stage: Stage, journal: Journal, durability: 'commit' | 'buffered') {
    this.#stage = stage
    this.journal = journal
    this.#durability = durability
  }

  async put(folder: Folder, entries: Record<string, unknown>, payloadBytes = 100): Promise<void> {
    this.#stage.change(...Object.entries(entries).map(([key, value]) => ({ folder, key, value })))
    await put(this.journal, folder, entries, payloadBytes)
  }

  async remove(folder: Folder, ...keys: string[]): Promise<void> {
    this.#stage.change(...keys.map((key) => ({ folder, key, value: undefined })))
    await remove(this.journal, folder, keys)
  }

  async persist(): Promise<void> {
    const attempted = this.#stage.attempt()
    try {
      const commit = await this.journal.persist()
      this.#acknowledge(commit?.number ?? 0)
    } catch (error) {
      if (error instanceof VarveError && error.code === 'VARVE_DISK_FULL') this.#stage.withdraw(attempted)
      throw error
    }
  }

  async transaction(change: () => Promise<void>): Promise<void> {
    const start = this.#stage.position
    const { commit } = await this.journal
      .transaction({}, async () => {
        await change()
        this.#stage.attempt(start)
        this.#stage.attempt()
      })
      .catch((error: unknown) => {
        this.#stage.forget(start)
        throw error
      })
    this.#acknowledge(commit?.number ?? 0)
  }

  async rollback(): Promise<void> {
    this.#stage.forget(this.#stage.expectation.cuts.at(-1) ?? 0)
    await this.journal.rollback()
  }

  async flush(): Promise<void> {
    const { acknowledged } = this.#stage.expectation
    await this.journal.flush()
    this.#stage.promise({ durable: acknowledged })
  }

  async close(): Promise<void> {
    const { acknowledged } = this.#stage.expectation
    await this.journal.close()
    this.#stage.promise({ durable: acknowledged })
  }

  #acknowledge(commit: number): void {
    this.#stage.promise(
      this.#durability === 'commit' ? { acknowledged: commit, durable: commit } : { acknowledged: commit },
    )
  }
}

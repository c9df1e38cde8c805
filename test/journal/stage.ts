/**
 * Where workloads play: a disk that is looked at at every operation, writers on it, and the model that keeps
 * up with what they do.
 */
import { MemoryDisk, type Fate, type Operation } from '../../src/disk/memory-disk.ts'
import { VarveError } from '../../src/errors.ts'
import { makeDirectoryDurable } from '../../src/log/durable-directory.ts'
import type { JournalOptions } from '../../src/journal/journal-options.ts'
import { seededBytes, seededRandom } from '../support/seeded.ts'
import {
  cutsUpTo,
  directory,
  erasing,
  finishing,
  isUnfinished,
  nothing,
  type Change,
  type Expectation,
  type Folder,
} from './model.ts'
import type { Player, Subject } from './subject.ts'
import { toys } from './toy-subject.ts'

export interface Workload {
  name: string
  options?: Partial<JournalOptions>
  /** Default: the journal itself, with toy stores. */
  subject?: Subject
  /** What comes first, and is not struck by the faults of which `faults.test.ts` tries all. */
  before?(stage: Stage): Promise<void>
  run(stage: Stage): Promise<void>
}

type Look = (stage: Stage, when: string, operation: Operation | undefined) => void

const dead = Object.assign(new Error('EIO: the power is going'), { code: 'EIO' })

export class Stage {
  disk: MemoryDisk
  expectation: Expectation = nothing
  /** What an operation fails with. */
  fail: ((operation: Operation) => Error | undefined) | undefined
  failures = 0
  readonly #workload: Workload
  readonly #look: Look
  readonly #random: (target: Uint8Array) => void
  #duringSync: (() => Promise<void>) | undefined
  #processes = 1
  #changes: Change[] = []
  #groups = 0

  /** With a seed of 0 every sync is done at once. */
  constructor(workload: Workload, seed: number, look: Look) {
    this.#workload = workload
    this.#look = look
    this.#random = seededBytes(seed)
    this.#duringSync = slowSyncs(seededRandom(seed))
    this.disk = this.#watched(
      new MemoryDisk(seed === 0 ? {} : { duringSync: async () => this.#duringSync?.() }),
    )
  }

  /** All of the workload. */
  async play(): Promise<void> {
    await this.#workload.before?.(this)
    await this.#workload.run(this)
  }

  /** The workload has ended. Images of its disks are fast. */
  end(): void {
    this.#duringSync = undefined
  }

  get subject(): Subject {
    return this.#workload.subject ?? toys
  }

  /** Files that stand there durably before anything happens, and what they hold. */
  found(files: Record<string, Uint8Array>, changes: Change[]): void {
    for (const [path, bytes] of Object.entries(files)) this.disk.put(path, bytes)
    this.#changes.push(...changes)
    this.#expect({ found: changes.length })
  }

  /** The process ends, or the power, and another one finds what is left. What was lost is forgotten. */
  async restart(fate: Fate): Promise<void> {
    this.disk = this.#watched(this.disk.crash(fate))
    const { commits } = await this.subject.look(this.disk)
    const cuts = this.expectation.cuts.slice(0, commits)
    this.#changes = this.#changes.slice(0, cuts.at(-1) ?? this.expectation.found)
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

  /** Another process, unless it is `beside` one that is there. */
  async open(options: Partial<JournalOptions> = {}, beside?: Writer): Promise<Writer> {
    if (!beside && isUnfinished(this.#changes)) {
      this.change(finishing)
      this.attempt()
    }
    const disk =
      beside?.disk ?? (this.#processes++ === 1 ? this.disk : this.disk.asProcess({ pid: this.#processes }))
    const all = { random: this.#random, ...this.#workload.options, ...options }
    return new Writer(this, { disk, player: await this.subject.open(disk, all), durability: all.durability })
  }

  /** Runs what must make groups of several commits: each is one write to the commit log. */
  async grouped(run: () => Promise<unknown>): Promise<void> {
    const before = { commits: this.expectation.cuts.length, groups: this.#groups }
    await run()
    const commits = this.expectation.cuts.length - before.commits
    const groups = this.#groups - before.groups
    if (groups * 2 > commits) throw new Error(`${commits} commits came in ${groups} groups`)
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
    const cuts = cutsUpTo(this.expectation, position)
    if (cuts.length > this.expectation.cuts.length) this.#expect({ cuts })
    return cuts.length
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
      if (operation.kind === 'write' && operation.path.includes('/commits/')) this.#groups++
      const error = this.fail?.(operation)
      if (!error) return
      this.failures++
      throw error
    }
    disk.afterOperation = (operation) => this.#look(this, 'after', operation)
    return disk
  }
}

function isDiskFull(error: unknown): boolean {
  return error instanceof VarveError && error.code === 'VARVE_DISK_FULL'
}

/** Some syncs take as long as a few other operations do, and some as long as many. */
function slowSyncs(random: () => number): () => Promise<void> {
  return async () => {
    const turns = [0, 0, 3, 30, 300][Math.floor(random() * 5)]!
    for (let turn = 0; turn < turns; turn++) await Promise.resolve()
  }
}

interface WriterParts {
  disk: MemoryDisk
  player: Player
  durability: 'commit' | 'buffered' | undefined
}

/** A player whose every call the model follows. */
export class Writer {
  readonly disk: MemoryDisk
  readonly #stage: Stage
  readonly #player: Player
  readonly #durability: 'commit' | 'buffered'

  constructor(stage: Stage, { disk, player, durability = 'commit' }: WriterParts) {
    this.disk = disk
    this.#stage = stage
    this.#player = player
    this.#durability = durability
  }

  async put(folder: Folder, entries: Record<string, unknown>, payloadBytes = 100): Promise<void> {
    this.#stage.change(...Object.entries(entries).map(([key, value]) => ({ folder, key, value })))
    await this.#player.put(folder, entries, payloadBytes)
  }

  async remove(folder: Folder, ...keys: string[]): Promise<void> {
    this.#stage.change(...keys.map((key) => ({ folder, key, value: undefined })))
    await this.#player.remove(folder, keys)
  }

  async persist(): Promise<void> {
    const attempted = this.#stage.attempt()
    try {
      this.#acknowledge(await this.#player.persist())
    } catch (error) {
      if (isDiskFull(error)) this.#stage.withdraw(attempted)
      throw error
    }
  }

  async transaction(change: () => Promise<void>): Promise<void> {
    let start: { position: number; commits: number } | undefined
    let isAttempted = false
    const run = async (): Promise<void> => {
      start = { position: this.#stage.position, commits: this.#stage.expectation.cuts.length }
      await change()
      this.#stage.attempt(start.position)
      this.#stage.attempt()
      isAttempted = true
    }
    try {
      this.#acknowledge(await this.#player.transaction(run))
    } catch (error) {
      if (start && !isAttempted) this.#stage.forget(start.position)
      if (start && isAttempted && isDiskFull(error)) this.#stage.withdraw(start.commits + 1)
      throw error
    }
  }

  async erase(...keys: string[]): Promise<void> {
    this.#stage.attempt()
    this.#stage.change(erasing(keys))
    this.#stage.attempt()
    this.#stage.change(finishing)
    this.#stage.attempt()
    const commit = await this.#player.erase(keys)
    this.#stage.promise({ acknowledged: commit ?? 0, durable: commit ?? 0 })
  }

  async rollback(): Promise<void> {
    this.#stage.forget(this.#stage.expectation.cuts.at(-1) ?? 0)
    await this.#player.rollback()
  }

  async flush(): Promise<void> {
    const { acknowledged } = this.#stage.expectation
    await this.#player.flush()
    this.#stage.promise({ durable: acknowledged })
  }

  async close(): Promise<void> {
    const { acknowledged } = this.#stage.expectation
    await this.#player.close()
    this.#stage.promise({ durable: acknowledged })
  }

  #acknowledge(commit = 0): void {
    this.#stage.promise(
      this.#durability === 'commit' ? { acknowledged: commit, durable: commit } : { acknowledged: commit },
    )
  }
}

/**
 * Commits on their way to disk. Those that wait while a flush runs form one group: their frames are written,
 * then their commit frames, then every touched file is synced, all in parallel, and only then is anyone told.
 *
 * What can go wrong, and what it means:
 *
 * | what fails                 | the group                                | the session                             |
 * |----------------------------|------------------------------------------|-----------------------------------------|
 * | a write, for want of space | is pending again: VARVE_DISK_FULL        | goes on                                 |
 * | any other write, or a sync | VARVE_OUTCOME_UNKNOWN: reopening tells   | is over: a failed sync is never retried |
 * | the lock is another's      | VARVE_DISPLACED: nothing is acknowledged | is over                                 |
 */
import { isDiskFull } from '../disk/disk-errors.ts'
import { VarveError } from '../errors.ts'
import type { EncodedFrame } from '../log/frame.ts'
import { commitHash, type ChainEnd, type LogPlace } from '../log/recovery.ts'
import type { SegmentFiles } from '../log/segment-files.ts'
import { joined } from '../log/segment-writer.ts'
import {
  encodeCommit,
  encodeMark,
  toCommit,
  type Commit,
  type CommitKind,
  type CommitNote,
  type TagChange,
} from './commit.ts'
import type { CommitSummary } from './catalog.ts'
import { LogEnd, unlessFull, type DiskFull, type LogEndOptions, type Opening } from './log-end.ts'
import type { TakenChanges } from './pending.ts'

export type Durability = 'commit' | 'buffered'

export interface CommitRequest {
  kind: CommitKind
  note: CommitNote
  changes: TakenChanges
  names: Record<string, string>
  tag?: TagChange
  /** Made before there was a directory: it stays a commit of its own. */
  staged?: true
}

interface QueuedCommit extends CommitRequest {
  settle: Settle
}

interface Settle {
  resolve: (commit: Commit) => void
  reject: (error: VarveError) => void
}

interface PreparedCommit extends QueuedCommit {
  summary: CommitSummary
  frame: EncodedFrame
  place: LogPlace
  end: ChainEnd
}

export interface CommitQueueOptions extends LogEndOptions {
  files: SegmentFiles
  durability: Durability
  /** The last commit known to be durable. */
  syncedThrough: number
  stillHeld: () => Promise<boolean>
  /**
   * Creates what the first commit of the session needs, and makes durable what a dead writer may have left
   * unsynced.
   */
  prepare: () => Promise<void>
  clock: () => Date
  /** The commits of a group are in the catalog. */
  onCommitted: (commits: readonly CommitSummary[]) => void
  /** A commit that could not be written since the disk was full. Of several, the last is given back first. */
  onReturned: (request: CommitRequest) => void
}

export class CommitQueue {
  /** The last commit known to be durable. */
  syncedThrough: number
  /** Why nothing can be written any more. */
  over: VarveError | undefined
  readonly #options: CommitQueueOptions
  #queue: QueuedCommit[] = []
  /** Groups and marks, one after another: only one at a time may know where the commit log ends. */
  #work: Promise<void> = Promise.resolve()
  readonly #logEnd: LogEnd
  #prepared = false
  /** Written, but not known to be on disk. */
  #unsynced = false
  /** What stands in the commit log behind the commits of this session. */
  #mark: 'nothing' | 'mark' | 'close' | 'no commit yet' = 'no commit yet'

  constructor(options: CommitQueueOptions) {
    this.#options = options
    this.syncedThrough = options.syncedThrough
    this.#logEnd = new LogEnd(options)
  }

  /**
   * Resolves when the commit is durable, or, under `'buffered'`, written. Commits asked for in the same step
   * form one group.
   */
  push(request: CommitRequest): Promise<Commit> {
    return new Promise((resolve, reject) => {
      this.#queue.push({ ...request, settle: { resolve, reject } })
      if (this.#queue.length === 1) void this.#next(() => this.#flushQueue())
    })
  }

  /** Ends the session: nothing can be written any more. */
  fail(cause: unknown): Promise<VarveError> {
    return this.#end(cause)
  }

  /** Resolves when nothing is on its way. */
  async idle(): Promise<void> {
    for (let seen; seen !== this.#work; await seen) seen = this.#work
  }

  /** The directory has what must be there before any segment. */
  async ready(): Promise<void> {
    if (this.#prepared) return
    await this.#next(async () => {
      const full = await this.#getReady()
      if (full) throw full.cause
    })
  }

  /** Makes durable what is written. */
  sync(): Promise<void> {
    return this.#next(() => this.#orEnd(() => this.#sync()))
  }

  /** The same, and leaves a mark that says so. */
  flush(): Promise<void> {
    return this.#next(() => this.#orEnd(() => this.#leaveMark('mark')))
  }

  /** The same, with a mark that says that the session ended in order. A displaced writer leaves none. */
  close(): Promise<void> {
    return this.#next(() =>
      this.#orEnd(async () => ((await this.#options.stillHeld()) ? this.#leaveMark('close') : undefined)),
    )
  }

  #next(work: () => Promise<void>): Promise<void> {
    const done = this.#work.then(work)
    this.#work = done.catch(() => {}) // Whoever asked is told; the next piece of work does not depend on it.
    return done
  }

  async #orEnd(work: () => Promise<void>): Promise<void> {
    if (this.over) throw this.over
    try {
      await work()
    } catch (error) {
      throw await this.#end(error)
    }
  }

  async #sync(): Promise<void> {
    if (!this.#unsynced) return
    await this.#options.writer.sync()
    await this.#requireLock()
    this.#unsynced = false
    this.syncedThrough = this.#options.catalog.end.number
  }

  /**
   * A mark only tells the next session that it may go on in these segments: a full disk is no reason to fail.
   */
  async #leaveMark(mark: 'mark' | 'close'): Promise<void> {
    await this.#sync()
    if (this.#mark === 'no commit yet' || this.#mark === 'close' || this.#mark === mark) return
    const { writer, catalog, random } = this.#options
    const opening = this.#logEnd.opening(this.syncedThrough)
    const frame = encodeMark({ close: mark === 'close', syncedThrough: this.syncedThrough, random })
    if (await this.#logEnd.append(opening, frame.chunks)) return
    const next = { ...opening.next, offset: opening.next.offset + frame.sizeBytes }
    catalog.end = { ...catalog.end, next, closed: mark === 'close' }
    await writer.sync()
    this.#mark = mark
  }

  async #flushQueue(): Promise<void> {
    const group = this.#queue.splice(0)
    try {
      if (group.length) await this.#flushGroup(group)
    } catch (error) {
      const ended = await this.#end(error)
      for (const { settle } of [...group, ...this.#queue.splice(0)]) settle.reject(ended)
    }
  }

  async #flushGroup(group: QueuedCommit[]): Promise<void> {
    if (this.over) throw this.over
    const notReady = await this.#getReady()
    if (notReady) return this.#giveBack(group, notReady)
    const { prepared, opening } = this.#prepare(group)
    const failed =
      (await unlessFull(this.#writeStores(prepared))) ??
      (await this.#logEnd.append(
        opening,
        prepared.flatMap(({ frame }) => frame.chunks),
      ))
    const written = prepared.filter(({ end }) => !failed || end.next.offset <= failed.reached)
    if (written.length) {
      this.#unsynced = true
      if (this.#options.durability === 'commit') await this.#options.writer.sync()
      await this.#requireLock()
      this.#accept(written)
    }
    if (failed) this.#giveBack(prepared.slice(written.length), failed)
  }

  /**
   * What the session goes on from is durable before anything is built on it: a seal must never outlive what
   * it seals.
   */
  async #getReady(): Promise<DiskFull | undefined> {
    if (this.#prepared) return undefined
    await this.#requireLock()
    const full = await unlessFull(this.#options.prepare())
    if (full) return full
    this.syncedThrough = this.#options.catalog.end.number
    this.#prepared = true
    return undefined
  }

  /** Numbers and chains the commits of a group, and gives their frames their places. */
  #prepare(group: QueuedCommit[]): { prepared: PreparedCommit[]; opening: Opening } {
    const { catalog, clock, random } = this.#options
    const { syncedThrough } = this
    const opening = this.#logEnd.opening(syncedThrough)
    let end: ChainEnd = { ...catalog.end, next: opening.next }
    let timeMs = catalog.lastTimeMs
    const prepared = group.map((queued): PreparedCommit => {
      const { kind, note, names, tag } = queued
      const parts = queued.changes.stores.flatMap(({ taken }) => taken.parts)
      timeMs = Math.max(clock().getTime(), timeMs)
      const input = { number: end.number + 1, previous: end.hash, timeMs, kind, note, names, tag, parts }
      const frame = encodeCommit({ syncedThrough, random, ...input })
      const place = end.next
      const next = { ...place, offset: place.offset + frame.sizeBytes }
      end = { number: input.number, hash: commitHash(frame.hashed), next, closed: false }
      // In this order: what a full disk gave back still holds what it was made into before.
      return { ...queued, summary: { hash: end.hash, ...input }, frame, place, end }
    })
    return { prepared, opening }
  }

  /** Also opens the segments for reading, since their payloads are soon read from there. */
  async #writeStores(prepared: PreparedCommit[]): Promise<void> {
    const { writer, files } = this.#options
    const writes = joined(
      prepared.flatMap(({ changes }) => changes.stores.flatMap(({ log, taken }) => log.writes(taken.frames))),
    )
    const settled = await Promise.allSettled(writes.map((write) => writer.write(write)))
    const failures = settled
      .filter((result) => result.status === 'rejected')
      .map(({ reason }) => reason as unknown)
    if (failures.length) throw failures.find((failure) => !isDiskFull(failure)) ?? failures[0]
    await Promise.all(
      prepared.flatMap(({ summary }) =>
        summary.parts.map(({ folder, segment }) => files.open(folder, segment)),
      ),
    )
  }

  #accept(written: PreparedCommit[]): void {
    const { catalog, durability, onCommitted } = this.#options
    const synced = durability === 'commit'
    for (const { summary, end, place, changes } of written) {
      catalog.apply(summary, end, place)
      for (const { log, taken } of changes.stores) log.written(taken.frames)
    }
    if (synced) this.syncedThrough = catalog.end.number
    this.#unsynced = !synced
    this.#mark = 'nothing'
    onCommitted(written.map(({ summary }) => summary))
    for (const { summary, settle } of written) settle.resolve(toCommit(summary))
  }

  /** A full disk: everything that waits goes back to the pending changes, the last first. */
  #giveBack(kept: QueuedCommit[], { cause }: DiskFull): void {
    const waiting = [...kept, ...this.#queue.splice(0)]
    for (const request of waiting.toReversed()) this.#options.onReturned(request)
    const error = new VarveError('VARVE_DISK_FULL', 'The disk is full; nothing of this commit was written.', {
      cause,
    })
    for (const { settle } of waiting) settle.reject(error)
  }

  async #requireLock(): Promise<void> {
    if (!(await this.#options.stillHeld())) throw displaced()
  }

  /**
   * Whatever went wrong, for a displaced writer that is the reason: the next one removes what it had not
   * committed.
   */
  async #end(cause: unknown): Promise<VarveError> {
    if (this.over) return this.over
    const held = await this.#options.stillHeld().catch(() => true)
    this.over ??= held ? this.#failure(cause) : displaced()
    return this.over
  }

  #failure(cause: unknown): VarveError {
    if (cause instanceof VarveError) return cause
    const commit = this.#options.catalog.end.number + 1
    const reason = String((cause as Error)?.message ?? cause)
    return new VarveError(
      'VARVE_OUTCOME_UNKNOWN',
      `Writing commit ${commit} failed (${reason}); it may be on disk or not.`,
      { commit, cause },
    )
  }
}

export function displaced(): VarveError {
  return new VarveError('VARVE_DISPLACED', 'Another process has taken over the writing of this directory.')
}

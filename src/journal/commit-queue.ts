/**
 * Commits on their way to disk. Those that wait while a flush runs form one group: their frames are written, then their commit frames, then every touched
 * file is synced, all in parallel, and only then is anyone told.
 *
 * What can go wrong, and what it means:
 *
 * | what fails                         | the group                                  | the session                            |
 * |------------------------------------|--------------------------------------------|----------------------------------------|
 * | a write, for want of space         | is pending again: VARVE_DISK_FULL          | goes on; the commit log in a new segment |
 * | any other write, or a sync         | VARVE_OUTCOME_UNKNOWN: reopening tells     | is over: a failed sync is never retried |
 * | the lock is another's afterwards   | VARVE_DISPLACED: nothing is acknowledged   | is over                                |
 */
import { VarveError } from '../errors.ts'
import type { EncodedFrame } from '../log/frame.ts'
import { commitsFolder } from '../log/names.ts'
import { commitHash, type ChainEnd, type LogPlace } from '../log/recovery.ts'
import { maxSegmentBytes, segmentHeaderBytes } from '../log/segment.ts'
import type { SegmentFiles } from '../log/segment-files.ts'
import type { SegmentWriter } from '../log/segment-writer.ts'
import { encodeCommit, encodeMark, encodeSeal, toCommit, type Commit, type CommitKind, type CommitNote } from './commit.ts'
import type { Catalog, CommitSummary } from './catalog.ts'
import type { TakenChanges } from './pending.ts'

export type Durability = 'commit' | 'buffered'

export interface CommitRequest {
  kind: CommitKind
  note: CommitNote
  changes: TakenChanges
  names: Record<string, string>
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

export interface CommitQueueOptions {
  files: SegmentFiles
  writer: SegmentWriter
  catalog: Catalog
  durability: Durability
  /** Set when the commit log must go on in a new segment, the first being numbered so. */
  newSegment: number | undefined
  stillHeld: () => Promise<boolean>
  /** Creates what the first commit of the session needs. */
  prepare: () => Promise<void>
  clock: () => Date
  random: (target: Uint8Array) => void
  /** The commits of a group are in the catalog; durable only if `synced`. */
  onCommitted: (commits: readonly CommitSummary[], synced: boolean) => void
  /** Changes that come back since the disk was full. */
  onReturned: (changes: TakenChanges) => void
}

const fullCodes = new Set(['ENOSPC', 'EDQUOT'])

export class CommitQueue {
  /** The last commit known to be durable. */
  syncedThrough: number
  /** Why nothing can be written any more. */
  over: VarveError | undefined
  readonly #options: CommitQueueOptions
  #queue: QueuedCommit[] = []
  #running: Promise<void> | undefined
  #newSegment: number | undefined
  #prepared = false
  /** Written, but not known to be on disk. */
  #unsynced = false
  /** Something stands in the commit log that no mark covers. */
  #unmarked = false

  constructor(options: CommitQueueOptions) {
    this.#options = options
    this.syncedThrough = options.catalog.end.number
    this.#newSegment = options.newSegment
  }

  /** Resolves when the commit is durable, or, under `'buffered'`, written. */
  push(request: CommitRequest): Promise<Commit> {
    return new Promise((resolve, reject) => {
      this.#queue.push({ ...request, settle: { resolve, reject } })
      this.#running ??= this.#run().finally(() => (this.#running = undefined))
    })
  }

  /** Ends the session: nothing can be written any more. */
  fail(cause: unknown): VarveError {
    return this.#end(cause)
  }

  /** Resolves when nothing is on its way. */
  async idle(): Promise<void> {
    while (this.#running) await this.#running
  }

  /** Makes durable what is written, and leaves a mark that says so. */
  async flush({ close = false } = {}): Promise<void> {
    await this.idle()
    if (this.over) throw this.over
    const { writer, catalog, random } = this.#options
    try {
      if (this.#unsynced) await writer.sync()
      this.#unsynced = false
      await this.#requireLock()
      this.syncedThrough = catalog.end.number
      if (!this.#unmarked) return
      const mark = encodeMark({ close, syncedThrough: this.syncedThrough, random })
      await writer.write({ folder: commitsFolder, ...catalog.end.next, chunks: mark.chunks })
      catalog.end = { ...catalog.end, next: { ...catalog.end.next, offset: catalog.end.next.offset + mark.sizeBytes } }
      await writer.sync()
      this.#unmarked = false
    } catch (error) {
      throw this.#end(error)
    }
  }

  async #run(): Promise<void> {
    await Promise.resolve() // Commits asked for in the same step form one group.
    while (this.#queue.length) {
      const group = this.#queue
      this.#queue = []
      try {
        await this.#flushGroup(group)
      } catch (error) {
        const ended = this.#end(error)
        for (const { settle } of [...group, ...this.#queue.splice(0)]) settle.reject(ended)
      }
    }
  }

  async #flushGroup(group: QueuedCommit[]): Promise<void> {
    if (this.over) throw this.over
    const { writer } = this.#options
    const { prepared, seal } = this.#prepare(group)
    const failed = await this.#write(prepared, seal)
    const written = failed ? prepared.slice(0, failed.commits) : prepared
    if (written.length) {
      const synced = this.#options.durability === 'commit'
      if (synced) await writer.sync()
      else this.#unsynced = true
      await this.#requireLock()
      this.#accept(written, synced)
    }
    if (failed) this.#giveBack(prepared.slice(failed.commits), failed.cause)
  }

  /** Numbers and chains the commits of a group, and gives their frames their places. */
  #prepare(group: QueuedCommit[]): { prepared: PreparedCommit[]; seal: EncodedFrame | undefined } {
    const { catalog, clock, random } = this.#options
    const { syncedThrough } = this
    let { end } = catalog
    if (this.#newSegment === undefined && end.next.offset > maxSegmentBytes) this.#newSegment = end.next.segment + 1
    let seal: EncodedFrame | undefined
    if (this.#newSegment !== undefined) {
      if (end.number > 0 || this.#newSegment > 1)
        seal = encodeSeal({ segment: end.next.segment, length: end.next.offset, number: end.number, hash: end.hash }, { syncedThrough, random })
      end = { ...end, next: { segment: this.#newSegment, offset: segmentHeaderBytes + (seal?.sizeBytes ?? 0) } }
    }
    const prepared = group.map((queued): PreparedCommit => {
      const { kind, note, names } = queued
      const parts = queued.changes.stores.flatMap(({ taken }) => taken.parts)
      const timeMs = Math.max(clock().getTime(), catalog.lastTimeMs)
      const input = { number: end.number + 1, previous: end.hash, timeMs, kind, note, names, parts }
      const frame = encodeCommit({ ...input, syncedThrough, random })
      const place = end.next
      end = { number: input.number, hash: commitHash(frame.hashed), next: { ...place, offset: place.offset + frame.sizeBytes } }
      return { ...queued, summary: { ...input, hash: end.hash }, frame, place, end }
    })
    return { prepared, seal }
  }

  /** Store frames first, so that a commit frame that can be read never names bytes that are not there. Answers what a full disk kept out. */
  async #write(prepared: PreparedCommit[], seal: EncodedFrame | undefined): Promise<{ commits: number; cause: unknown } | undefined> {
    const { writer } = this.#options
    try {
      if (!this.#prepared) await this.#options.prepare()
      this.#prepared = true
      await this.#writeStores(prepared)
    } catch (error) {
      if (!isFull(error)) throw error
      return { commits: 0, cause: error }
    }
    const first = prepared[0]!.place
    const start = seal ? segmentHeaderBytes : first.offset
    const chunks = [...(seal?.chunks ?? []), ...prepared.flatMap(({ frame }) => frame.chunks)]
    try {
      await writer.write({ folder: commitsFolder, segment: first.segment, offset: start, chunks })
      this.#newSegment = undefined
    } catch (error) {
      if (!isFull(error)) throw error
      const reached = (start === segmentHeaderBytes ? 0 : start) + ((error as { written?: number }).written ?? 0)
      this.#newSegment = first.segment + 1
      return { commits: prepared.filter(({ end }) => end.next.offset <= reached).length, cause: error }
    }
    return undefined
  }

  /** Also opens the segments for reading, since their payloads are soon read from there. */
  async #writeStores(prepared: PreparedCommit[]): Promise<void> {
    const { writer, files } = this.#options
    const writes = joined(prepared.flatMap(({ changes }) => changes.stores.flatMap(({ log, taken }) => log.writes(taken.frames))))
    const settled = await Promise.allSettled(writes.map((write) => writer.write(write)))
    const failures = settled.filter((result) => result.status === 'rejected').map(({ reason }) => reason as unknown)
    if (failures.length) throw failures.find((failure) => !isFull(failure)) ?? failures[0]
    await Promise.all(prepared.flatMap(({ summary }) => summary.parts.map(({ folder, segment }) => files.open(folder, segment))))
  }

  #accept(written: PreparedCommit[], synced: boolean): void {
    const { catalog, onCommitted } = this.#options
    for (const { summary, end, place, changes } of written) {
      catalog.apply(summary, end, place)
      for (const { log, taken } of changes.stores) log.written(taken.frames)
    }
    if (synced) this.syncedThrough = catalog.end.number
    this.#unmarked = true
    onCommitted(
      written.map(({ summary }) => summary),
      synced,
    )
    for (const { summary, settle } of written) settle.resolve(toCommit(summary))
  }

  /** A full disk: everything that waits goes back to the pending changes, the last first. */
  #giveBack(kept: PreparedCommit[], cause: unknown): void {
    const waiting = [...kept, ...this.#queue.splice(0)]
    for (const { changes } of waiting.toReversed()) this.#options.onReturned(changes)
    const error = new VarveError('VARVE_DISK_FULL', 'The disk is full; nothing of this commit was written.', { cause })
    for (const { settle } of waiting) settle.reject(error)
  }

  async #requireLock(): Promise<void> {
    if (await this.#options.stillHeld()) return
    throw new VarveError('VARVE_DISPLACED', 'Another process has taken over the writing of this directory.')
  }

  #end(cause: unknown): VarveError {
    if (this.over) return this.over
    const commit = this.#options.catalog.end.number + 1
    this.over =
      cause instanceof VarveError
        ? cause
        : new VarveError('VARVE_OUTCOME_UNKNOWN', `Writing commit ${commit} failed (${String((cause as Error)?.message ?? cause)}); it may be on disk or not.`, {
            commit,
            cause,
          })
    return this.over
  }
}

function isFull(error: unknown): boolean {
  return fullCodes.has((error as NodeJS.ErrnoException)?.code ?? '')
}

/** Writes of several commits that follow each other in one segment, as one write. */
function joined<W extends { folder: string; segment: number; offset: number; chunks: Uint8Array[] }>(writes: W[]): W[] {
  const result: W[] = []
  const ends = new Map<string, { write: W; end: number }>()
  for (const write of writes) {
    const key = `${write.folder}/${write.segment}`
    const last = ends.get(key)
    const size = write.chunks.reduce((sum, chunk) => sum + chunk.length, 0)
    if (last?.end === write.offset) {
      last.write.chunks.push(...write.chunks)
      last.end += size
    } else {
      result.push(write)
      ends.set(key, { write, end: write.offset + size })
    }
  }
  return result
}

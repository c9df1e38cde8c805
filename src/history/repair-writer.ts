/** Writes commits that were read elsewhere into a new directory, one after another, with flat memory. */
import type { Disk } from '../disk/disk.ts'
import type { CommitRequest } from '../journal/commit-queue.ts'
import type { Commit, CommitKind, CommitNote } from '../journal/commit.ts'
import type { FoldedStore } from '../journal/folded-store.ts'
import { defaultLimits, type Limits } from '../journal/limits.ts'
import { beginSession, lockDirectory, type Session } from '../journal/session.ts'
import { makeDirectoryDurable } from '../log/durable-directory.ts'
import { encodeFrame, type FrameItem } from '../log/frame.ts'
import type { StoreLog } from '../log/store-log.ts'

export interface WriterOptions {
  clock: () => Date
  random: (target: Uint8Array) => void
  limits: Partial<Limits> | undefined
}

export interface CommitToWrite {
  timeMs: number
  kind: CommitKind
  note: CommitNote
  names: Record<string, string>
}

export class RepairWriter {
  bytes = 0
  readonly #session: Session
  readonly #random: WriterOptions['random']
  readonly #spillBytes: number
  readonly #logs = new Map<string, StoreLog>()
  readonly #time: { now: Date | undefined }
  #pendingBytes = 0

  private constructor(session: Session, { random, limits }: WriterOptions, time: { now: Date | undefined }) {
    this.#session = session
    this.#random = random
    this.#spillBytes = limits?.spillBytes ?? defaultLimits.spillBytes
    this.#time = time
  }

  /** Begins a journal; nothing may stand in the directory. */
  static async begin(disk: Disk, directory: string, options: WriterOptions): Promise<RepairWriter> {
    const time: { now: Date | undefined } = { now: undefined }
    const session = {
      disk,
      kindOf: noKind,
      durability: 'buffered' as const,
      clock: () => time.now ?? options.clock(),
      random: options.random,
      onWarning: () => {},
      onCommitted: () => {},
      onReturned: () => {},
      limits: { ...defaultLimits, ...options.limits },
    }
    await makeDirectoryDurable(disk, directory)
    const lock = await lockDirectory(session, directory)
    try {
      return new RepairWriter(await beginSession(directory, lock, session), options, time)
    } catch (error) {
      await lock.release()
      throw error
    }
  }

  /** An event with the items that are left of it, rows and payloads as they were. */
  async add(folder: string, event: { flags: number; head: Uint8Array; items: FrameItem[] }): Promise<void> {
    const log = this.#logs.get(folder) ?? this.#session.startLog(folder)
    this.#logs.set(folder, log)
    const frame = encodeFrame({
      ...event,
      syncedThrough: this.#session.queue.syncedThrough,
      random: this.#random,
    })
    log.place(frame, { spill: this.#pendingBytes > this.#spillBytes })
    this.#pendingBytes += frame.sizeBytes
    this.bytes += frame.sizeBytes
    if (this.#pendingBytes > this.#spillBytes) await this.#spill(log)
  }

  /** Everything added since the last one is this commit, which may be empty. */
  async commit({ timeMs, ...commit }: CommitToWrite): Promise<Commit> {
    const stores: CommitRequest['changes']['stores'] = []
    for (const log of this.#logs.values()) {
      if (log.pending) stores.push({ store: noStore, log, taken: log.takeParts(), undo: [] })
    }
    this.#time.now = new Date(timeMs)
    const written = this.#session.queue.push({ ...commit, changes: { stores, bytes: this.#pendingBytes } })
    this.#pendingBytes = 0
    return written
  }

  /** Syncs all of it, and leaves the mark that the session ended in order. */
  async finish(): Promise<void> {
    await this.#session.queue.close()
  }

  /** Gives up the files and the lock, whether it is finished or not. */
  async close(): Promise<void> {
    await this.#session.queue.idle()
    await this.#session.writer.close()
    await this.#session.files.close()
    await this.#session.lock.release()
  }

  async #spill(log: StoreLog): Promise<void> {
    await this.#session.queue.ready()
    const frames = log.spillable()
    for (const write of log.writes(frames)) await this.#session.writer.write(write)
    log.written(frames)
  }
}

/** Commits are written as bytes: nothing is folded, and nothing is given back. */
const noStore = undefined as unknown as FoldedStore

function noKind(): never {
  throw new TypeError('A repair folds nothing.')
}

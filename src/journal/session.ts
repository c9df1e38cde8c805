/**
 * A writing session: from taking the lock to leaving a mark. It goes on in the segments that stand there only
 * if the session before ended in order; else it starts new ones, so that nobody's bytes, dead or displaced,
 * are ever written over.
 */
import { syncName } from '../log/durable-directory.ts'
import { acquireLock, type Lock } from '../log/lock.ts'
import { commitsFolder, erasuresFolder } from '../log/names.ts'
import { noCommit } from '../log/recovery.ts'
import { segmentHeaderBytes } from '../log/segment.ts'
import { SegmentFiles } from '../log/segment-files.ts'
import { storeFolders } from '../log/store-folders.ts'
import { SegmentWriter } from '../log/segment-writer.ts'
import { StoreLog } from '../log/store-log.ts'
import { Catalog } from './catalog.ts'
import { CommitQueue, displaced, type CommitQueueOptions } from './commit-queue.ts'
import type { Home } from './home.ts'
import { Ledger } from './ledger.ts'
import { journalIdBytes, newManifest, placeManifest, readManifest } from './manifest.ts'
import type { JournalOptions } from './journal-options.ts'
import type { Limits } from './limits.ts'

export interface Session {
  readonly lock: Lock
  readonly files: SegmentFiles
  readonly writer: SegmentWriter
  readonly catalog: Catalog
  readonly queue: CommitQueue
  /** Where the log of a store goes on. */
  startLog(folder: string): StoreLog
  /** What it erases. */
  readonly ledger: Ledger
  /** An erase took snapshots that were not made anew yet. */
  lacksSnapshots: boolean
}

export type SessionOptions = JournalOptions &
  Pick<CommitQueueOptions, 'onCommitted' | 'onReturned'> & { limits: Limits }

export async function lockDirectory(
  { disk, random, networkFileSystem, takeover }: JournalOptions,
  directory: string,
): Promise<Lock> {
  const nonce = (): string => {
    const bytes = new Uint8Array(16)
    random(bytes)
    return Buffer.from(bytes).toString('hex')
  }
  return acquireLock({
    disk,
    directory,
    nonce,
    networkFileSystem: networkFileSystem ?? false,
    takeover: takeover ?? false,
  })
}

/** Continues the journal that stands there. Everything committed must be folded by now. */
export async function continueSession(home: Home, lock: Lock, options: SessionOptions): Promise<Session> {
  const { files, catalog, syncedThrough } = home
  // Who was displaced may be alive, and still have the end of these segments for its own.
  const inOrder = catalog.end.closed && home.torn === undefined && !options.takeover
  const highest = await clearFolders(files, catalog, lock)
  const ends = await lastSegments(files, catalog)
  const commits = await files.numbers(commitsFolder)
  return makeSession({
    files,
    catalog,
    lock,
    options,
    syncedThrough,
    newSegment: inOrder ? undefined : Math.max(0, ...commits) + 1,
    prepare: async (writer) => {
      await adoptUnsynced(writer, catalog, { syncedThrough, commits })
      if (!inOrder) await writer.sync() // A seal must not outlive what it seals.
    },
    startLog: (folder) => {
      const last = ends.get(folder)
      const start = { highest: highest.get(folder) ?? 0, segmentBytes: options.limits.segmentBytes }
      return new StoreLog(
        folder,
        inOrder && last?.whole && catalog.isCurrent(folder)
          ? { ...start, segment: last.segment, end: last.end }
          : start,
      )
    },
  })
}

/**
 * A writer that was killed, or whose sync failed, may have written what the disk lacks. Read back it counts as committed, since
 * this machine lives on; but before anything is built on it, it must be durable: its commits, and the end of
 * the commit log, closing mark included.
 */
async function adoptUnsynced(
  writer: SegmentWriter,
  catalog: Catalog,
  { syncedThrough, commits }: { syncedThrough: number; commits: number[] },
): Promise<void> {
  const first = syncedThrough > 0 ? catalog.placeOf(syncedThrough) : noCommit.next
  const last = catalog.end.next
  for (const segment of commits)
    if (segment >= first.segment && segment <= last.segment)
      await writer.adopt(commitsFolder, segment, {
        from: segment === first.segment ? first.offset : segmentHeaderBytes,
        ...(segment === last.segment && { to: last.offset }),
      })
  for (const [folder, { tail }] of catalog.stores) {
    for (const { commit, parts } of tail)
      if (commit > syncedThrough)
        for (const { segment, from, to } of parts) await writer.adopt(folder, segment, { from, to })
  }
}

/**
 * Begins a journal where none is. What stands there was never committed; segments of the commit log stay, since
 * their writer may live, and the new one is sealed to nothing of them.
 */
export async function beginSession(directory: string, lock: Lock, options: SessionOptions): Promise<Session> {
  const { disk, random, clock } = options
  const known = await readManifest(disk, directory)
  const manifest = known ?? newManifest(uuid(random), clock())
  const files = new SegmentFiles({ disk, directory, journalId: journalIdBytes(manifest) })
  const catalog = new Catalog()
  const highest = await clearFolders(files, catalog, lock)
  const commits = await files.numbers(commitsFolder)
  return makeSession({
    files,
    catalog,
    lock,
    options,
    syncedThrough: 0,
    newSegment: Math.max(0, ...commits) + 1,
    prepare: async () => {
      await syncName(disk, directory)
      if (!known && !(await placeManifest(disk, directory, manifest))) throw displaced()
    },
    startLog: (folder) =>
      new StoreLog(folder, { highest: highest.get(folder) ?? 0, segmentBytes: options.limits.segmentBytes }),
  })
}

/** Gives everything back; a session that is well leaves its closing mark after `lastly`. */
export async function endSession(
  session: Session,
  lastly: (session: Session) => Promise<void>,
): Promise<void> {
  try {
    if (session.queue.over) return
    await session.queue.sync()
    await lastly(session)
    await session.queue.close()
  } finally {
    await session.writer.close()
    await session.files.close()
    await session.lock.release()
  }
}

interface SessionParts {
  files: SegmentFiles
  catalog: Catalog
  lock: Lock
  options: SessionOptions
  syncedThrough: number
  newSegment: number | undefined
  startLog: Session['startLog']
  prepare: (writer: SegmentWriter) => Promise<void>
}

function makeSession({ files, catalog, lock, options, startLog, prepare, ...place }: SessionParts): Session {
  const { random, clock, durability, onCommitted, onReturned } = options
  const id = new Uint8Array(16)
  random(id)
  const writer = new SegmentWriter(files, id)
  const stillHeld = (): Promise<boolean> => lock.stillHeld()
  const queue = new CommitQueue({
    ...place,
    files,
    writer,
    catalog,
    durability,
    segmentBytes: options.limits.segmentBytes,
    stillHeld,
    prepare: () => prepare(writer),
    clock,
    random,
    onCommitted,
    onReturned,
  })
  const ledger = new Ledger({
    startLog: () => startLog(erasuresFolder),
    syncedThrough: () => queue.syncedThrough,
    splitBytes: options.limits.splitBytes,
    random,
  })
  return { lock, files, writer, catalog, queue, startLog, ledger, lacksSnapshots: false }
}

/**
 * Removes segments that no commit names: pending changes of a writer that died. Answers the highest number
 * each folder has had. A file that belongs to another journal is not ours to remove. Whoever takes over
 * afterwards gives no number that was seen here: removing one late, after standing still, harms nobody.
 */
async function clearFolders(files: SegmentFiles, catalog: Catalog, lock: Lock): Promise<Map<string, number>> {
  const highest = new Map<string, number>()
  for (const folder of await storeFolders(files)) {
    const named = catalog.stores.get(folder)?.segments
    const numbers = await files.numbers(folder)
    if (!(await lock.stillHeld())) throw displaced()
    for (const segment of numbers) {
      highest.set(folder, Math.max(segment, highest.get(folder) ?? 0))
      const { fault } = await files.glance(folder, segment, async () => {})
      if (named?.has(segment) || fault?.kind === 'foreign') continue
      await files.remove(folder, segment)
    }
  }
  return highest
}

async function lastSegments(
  files: SegmentFiles,
  catalog: Catalog,
): Promise<Map<string, { segment: number; end: number; whole: boolean }>> {
  const ends = new Map<string, { segment: number; end: number; whole: boolean }>()
  for (const [folder, { segments }] of catalog.stores) {
    const segment = Math.max(...segments.keys())
    const end = segments.get(segment)!
    const size = (await files.disk.stat(files.path(folder, segment)))?.sizeBytes
    ends.set(folder, { segment, end, whole: size === end })
  }
  return ends
}

function uuid(random: (target: Uint8Array) => void): string {
  const bytes = new Uint8Array(16)
  random(bytes)
  bytes[6] = (bytes[6]! & 0x0f) | 0x40 // RFC 9562, version 4
  bytes[8] = (bytes[8]! & 0x3f) | 0x80
  return Buffer.from(bytes)
    .toString('hex')
    .replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}

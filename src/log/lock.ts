/**
 * One writer at a time: LOCK has at most one holder, a dead one is replaced by exactly one claimant, a living
 * one only if the caller says so. Judges by signs of life, never by age or pid; knows nothing of what the
 * holder writes. Errors of the disk pass through.
 */
import type { Announcement, Disk } from '../disk/disk.ts'
import { VarveError } from '../errors.ts'
import { Claim } from './lock-claim.ts'
import { findLockRecord, isNonce, lifeName, lockName, type LockRecord } from './lock-record.ts'
import { type HolderState, LockSite, removeOwnLock } from './lock-site.ts'

export type { HolderState } from './lock-site.ts'

export interface LockOptions {
  disk: Disk
  /** It must exist. */
  directory: string
  /** A name that was never used before: 1 to 64 letters, digits, `_` or `-`. */
  nonce: () => string
  /** Allows a network file system, where nobody is known to be dead. */
  networkFileSystem?: boolean | undefined
  /** Displaces the holder found at the start, alive or not; not one that comes in between. */
  takeover?: boolean | undefined
}

export interface Lock {
  readonly nonce: string
  /** Reads LOCK again: false once another process has displaced this one. */
  stillHeld(): Promise<boolean>
  /** Gives LOCK back if it is still held. Called again, it gives the same promise. */
  release(): Promise<void>
}

export interface LockHolder extends LockRecord {
  state: HolderState
}

export async function acquireLock(options: LockOptions): Promise<Lock> {
  const { disk, directory, takeover = false } = options
  const network = await disk.isNetworkFileSystem(directory)
  if (network && !options.networkFileSystem) throw networkError(directory)
  const nonce = options.nonce()
  if (!isNonce(nonce))
    throw new TypeError(`A nonce is 1 to 64 letters, digits, _ or -, not ${String(nonce)}.`)
  const machine = await disk.machine()
  const site = new LockSite(disk, directory, machine.bootId, network)
  const claim = new Claim(site, { ...machine, nonce }, takeover)
  // A claimant that will be refused leaves no trace.
  await claim.checkHolder()
  // The sign of life comes before any name that others judge by it.
  const life = await disk.announce(site.path(lifeName(nonce)))
  try {
    await claim.take()
    return new HeldLock(site, nonce, life)
  } catch (error) {
    await claim.abandon()
    await life.close().catch(() => {})
    throw error
  }
}

/** Who holds the lock, for messages; `undefined` if nobody does or the record is damaged. */
export async function readLockHolder(disk: Disk, directory: string): Promise<LockHolder | undefined> {
  const found = await findLockRecord(disk, directory, lockName)
  if (!found?.record) return undefined
  const { bootId } = await disk.machine()
  const site = new LockSite(disk, directory, bootId, await disk.isNetworkFileSystem(directory))
  return { ...found.record, state: await site.stateOf(found) }
}

class HeldLock implements Lock {
  readonly nonce: string
  readonly #site: LockSite
  readonly #life: Announcement
  #released: Promise<void> | undefined

  constructor(site: LockSite, nonce: string, life: Announcement) {
    this.nonce = nonce
    this.#site = site
    this.#life = life
  }

  async stillHeld(): Promise<boolean> {
    if (this.#released) return false
    return (await this.#site.find(lockName))?.identity === this.nonce
  }

  release(): Promise<void> {
    this.#released ??= this.#release()
    return this.#released
  }

  async #release(): Promise<void> {
    try {
      await removeOwnLock(this.#site, this.nonce)
    } finally {
      await this.#life.close()
    }
  }
}

function networkError(directory: string): VarveError {
  const fact = `${directory} is on a network file system, where other writers cannot be seen.`
  return new VarveError('VARVE_NETWORK_FILE_SYSTEM', fact, { directory })
}

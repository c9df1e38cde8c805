/**
 * One writer at a time: LOCK has at most one holder, a dead one is replaced by exactly one claimant, a living one only if the caller
 * says so. Judges by signs of life, never by age or pid; knows nothing of what the holder writes. Errors of the disk pass through.
 */
import type { Announcement, Disk } from '../disk/disk.ts'
import { VarveError } from '../errors.ts'
import {
  claimName,
  encodeLockRecord,
  findLockRecord,
  type FoundRecord,
  guardName,
  isNonce,
  lifeName,
  lockName,
  type LockRecord,
  parseLockName,
} from './lock-record.ts'

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

/** `unknown`: on a network file system, or a damaged record. */
export type HolderState = 'living' | 'dead' | 'unknown'

export interface LockHolder extends LockRecord {
  state: HolderState
}

/** How often a claimant looks again while others replace a record: each look is a few system calls. */
const patience = 50

export async function acquireLock(options: LockOptions): Promise<Lock> {
  const { disk, directory, takeover = false } = options
  const network = await disk.isNetworkFileSystem(directory)
  if (network && !options.networkFileSystem) throw networkError(directory)
  const nonce = options.nonce()
  if (!isNonce(nonce)) throw new TypeError(`A lock's nonce is 1 to 64 letters, digits, _ or -, but not ${JSON.stringify(nonce)}.`)
  const machine = await disk.machine()
  const site = new Site(disk, directory, machine.bootId, network)
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
  const site = new Site(disk, directory, bootId, await disk.isNetworkFileSystem(directory))
  return { ...found.record, state: await site.stateOf(found) }
}

/** The directory as one process sees it. */
class Site {
  readonly disk: Disk
  readonly directory: string
  readonly network: boolean
  readonly #bootId: string

  constructor(disk: Disk, directory: string, bootId: string, network: boolean) {
    this.disk = disk
    this.directory = directory
    this.network = network
    this.#bootId = bootId
  }

  path(name: string): string {
    return `${this.directory}/${name}`
  }

  find(name: string): Promise<FoundRecord | undefined> {
    return findLockRecord(this.disk, this.directory, name)
  }

  /** Own record under a second name; false if the name is taken. */
  async link(from: string, to: string): Promise<boolean> {
    return succeeds(this.disk.link(this.path(from), this.path(to)), 'EEXIST')
  }

  /** False if `from` is no longer there. */
  async rename(from: string, to: string): Promise<boolean> {
    return succeeds(this.disk.rename(this.path(from), this.path(to)), 'ENOENT')
  }

  async remove(name: string): Promise<void> {
    await succeeds(this.disk.unlink(this.path(name)), 'ENOENT')
  }

  async stateOf({ record }: FoundRecord): Promise<HolderState> {
    if (!record) return 'unknown'
    const elsewhere = record.bootId !== this.#bootId && record.bootId !== '' && this.#bootId !== ''
    if (elsewhere) return this.network ? 'unknown' : 'dead'
    if (await this.hasLife(record.nonce)) return 'living'
    return this.network ? 'unknown' : 'dead'
  }

  hasLife(nonce: string): Promise<boolean> {
    return this.disk.isAnnounced(this.path(lifeName(nonce)))
  }
}

/**
 * One attempt to become the holder. A record is replaced only by the owner of its guard, who looked again after it got the guard: a nonce
 * never comes back, so what was still there then can only be replaced by that owner. The rename that replaces the record takes the
 * guard's name away in the same instant. A guard is itself a record, and a dead owner's is replaced the same way.
 */
class Claim {
  readonly #site: Site
  readonly #own: LockRecord
  readonly #takeover: boolean
  /** Names that hold our own record, apart from LOCK. */
  readonly #names = new Set<string>()
  /** Once living is living as long as this attempt lasts: a stopped process takes only so many questions. */
  readonly #living = new Set<string>()
  /** Whom a takeover may displace. */
  #target: string | undefined
  #inTheWay: FoundRecord | undefined

  constructor(site: Site, own: LockRecord, takeover: boolean) {
    this.#site = site
    this.#own = own
    this.#takeover = takeover
  }

  async checkHolder(): Promise<void> {
    const holder = await this.#site.find(lockName)
    if (holder) await this.#mustBeReplaceable(holder)
  }

  async take(): Promise<void> {
    await this.#writeRecord()
    for (let attempt = 0; !(await this.#tryOnce()); attempt++) {
      if (attempt === patience) throw busyError(this.#site.directory, this.#inTheWay)
    }
    await this.#dropNames()
    await this.#site.disk.syncDirectory(this.#site.directory)
    if (!this.#site.network) await this.#cleanUp()
  }

  /** Leaves nothing that speaks for us; what cannot be removed is that of a dead process as soon as the sign of life ends. */
  async abandon(): Promise<void> {
    await this.#dropNames().catch(() => {})
    await removeOwnLock(this.#site, this.#own.nonce).catch(() => {})
  }

  /** Synced, so that a power cut leaves a LOCK of another boot and not an empty one that nobody can judge. */
  async #writeRecord(): Promise<void> {
    const name = claimName(this.#own.nonce)
    const file = await this.#site.disk.create(this.#site.path(name))
    this.#names.add(name)
    try {
      await file.write([encodeLockRecord(this.#own)], 0)
      await file.sync()
    } finally {
      await file.close()
    }
  }

  async #tryOnce(): Promise<boolean> {
    if (!(await this.#site.link(claimName(this.#own.nonce), lockName))) {
      const holder = await this.#site.find(lockName)
      if (!holder) return false
      if (!this.#isOwn(holder)) {
        await this.#mustBeReplaceable(holder)
        if (!(await this.#takeGuard(lockName, holder.identity, []))) return false
        if (!(await this.#moveGuard(holder.identity, lockName))) return false
      }
    }
    // Only what LOCK says counts: a claimant that was displaced, while stopped, may have moved another's record there.
    const holder = await this.#site.find(lockName)
    return holder !== undefined && this.#isOwn(holder)
  }

  /** True if we own the guard of the record and, looking after that, still found the record under its name. */
  async #takeGuard(name: string, identity: string, chain: readonly string[]): Promise<boolean> {
    const guard = guardName(identity)
    if (chain.includes(guard)) throw circularError(this.#site.directory, chain)
    if (await this.#site.link(claimName(this.#own.nonce), guard)) {
      this.#names.add(guard)
    } else {
      const owner = await this.#site.find(guard)
      if (!owner) return false
      if (!this.#isOwn(owner)) {
        if (!(await this.#mayReplaceGuard(owner))) return false
        if (!(await this.#takeGuard(guard, owner.identity, [...chain, guard]))) return false
        if (!(await this.#moveGuard(owner.identity, guard))) return false
        this.#names.add(guard)
      }
    }
    if ((await this.#site.find(name))?.identity === identity) return true
    await this.#dropName(guard)
    return false
  }

  async #moveGuard(identity: string, to: string): Promise<boolean> {
    const guard = guardName(identity)
    const moved = await this.#site.rename(guard, to)
    this.#names.delete(guard)
    return moved
  }

  async #mustBeReplaceable(holder: FoundRecord): Promise<void> {
    this.#target ??= holder.identity
    const state = await this.#stateOf(holder)
    if (state === 'dead' || (this.#takeover && holder.identity === this.#target)) return
    throw lockedError(this.#site, holder, state)
  }

  /** A living owner is at it this very moment and is never displaced: between its look and its rename that could not be seen. */
  async #mayReplaceGuard(owner: FoundRecord): Promise<boolean> {
    const state = await this.#stateOf(owner)
    if (state === 'dead' || (state === 'unknown' && this.#takeover)) return true
    this.#inTheWay = owner
    return false
  }

  async #stateOf(found: FoundRecord): Promise<HolderState> {
    if (this.#living.has(found.identity)) return 'living'
    const state = await this.#site.stateOf(found)
    if (state === 'living') this.#living.add(found.identity)
    return state
  }

  #isOwn({ record }: FoundRecord): boolean {
    return record?.nonce === this.#own.nonce
  }

  async #dropNames(): Promise<void> {
    for (const name of this.#names) await this.#dropName(name)
  }

  async #dropName(name: string): Promise<void> {
    this.#names.delete(name)
    const found = await this.#site.find(name)
    // Only on a network file system can it be another's by now. Our claim may be half written.
    if (found && (this.#isOwn(found) || name === claimName(this.#own.nonce))) await this.#site.remove(name)
  }

  /**
   * What dead processes left. With LOCK in our hands no other record's guard matters any more: its claimant looks at LOCK again before it
   * does anything with it. So a guard that goes away under a claimant is harmless, and failing to clean up is, too.
   */
  async #cleanUp(): Promise<void> {
    const { disk, directory } = this.#site
    const names = await disk.list(directory).catch(() => [])
    for (const name of names) {
      if (await this.#isLeftover(name).catch(() => false)) await this.#site.remove(name).catch(() => {})
    }
  }

  async #isLeftover(name: string): Promise<boolean> {
    const parsed = parseLockName(name)
    if (!parsed) return false
    const nonce = parsed.identity.replace('~', '')
    if (nonce === this.#own.nonce) return false
    if (parsed.kind === 'unborn') return !(await this.#site.disk.isAnnounced(this.#site.path(name)))
    // A claim may be half written, but its owner lives since before it was created.
    if (parsed.kind !== 'guard') return !(await this.#site.hasLife(nonce))
    const owner = await this.#site.find(name)
    return owner !== undefined && (await this.#site.stateOf(owner)) === 'dead'
  }
}

class HeldLock implements Lock {
  readonly nonce: string
  readonly #site: Site
  readonly #life: Announcement
  #released: Promise<void> | undefined

  constructor(site: Site, nonce: string, life: Announcement) {
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

/**
 * Removes LOCK if it is still ours. The guard, a second name of our own record, keeps others from replacing LOCK between the look and the
 * removal; if another has the guard already, LOCK is left to it, and without our sign of life to anyone.
 */
async function removeOwnLock(site: Site, nonce: string): Promise<void> {
  if ((await site.find(lockName))?.identity !== nonce) return
  const guard = guardName(nonce)
  try {
    if (!(await site.link(lockName, guard))) return
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return
    throw error
  }
  // The link may have caught the record of one that displaced us just before.
  if ((await site.find(lockName))?.identity === nonce) await site.remove(lockName)
  await site.remove(guard)
}

async function succeeds(operation: Promise<void>, otherwise: string): Promise<boolean> {
  try {
    await operation
    return true
  } catch (error) {
    if (hasCode(error, otherwise)) return false
    throw error
  }
}

function hasCode(error: unknown, code: string): boolean {
  return (error as NodeJS.ErrnoException).code === code
}

// --- Errors ----------------------------------------------------------------------------------------------------------------------

function networkError(directory: string): VarveError {
  return new VarveError('VARVE_NETWORK_FILE_SYSTEM', `${directory} is on a network file system, where other writers cannot be seen.`, {
    directory,
  })
}

function lockedError({ directory, network }: Site, { record }: FoundRecord, state: HolderState): VarveError {
  if (!record) {
    return new VarveError('VARVE_LOCKED', `${directory}/${lockName} is damaged, so it cannot be told who writes there.`, {
      remedy: 'If no other process does, take over with { takeover: true } or `varve unlock`. Reading needs no lock: { readOnly: true }.',
      directory,
      state,
    })
  }
  const remedy =
    network && state === 'unknown'
      ? 'Close it there, or open with { readOnly: true }. On a network file system it cannot be seen whether it still runs: ' +
        'if it does not, take over with { takeover: true } or `varve unlock`.'
      : 'Close it there, or open with { readOnly: true }. If it is stuck, end it, or take over with { takeover: true } or `varve unlock`.'
  const fact = `${directory} is being written by ${describe(record)}.`
  return new VarveError('VARVE_LOCKED', fact, { remedy, directory, holder: record, state })
}

function busyError(directory: string, inTheWay: FoundRecord | undefined): VarveError {
  const who = inTheWay?.record ? describe(inTheWay.record) : 'another process'
  return new VarveError('VARVE_LOCKED', `${directory} is just being taken over or closed by ${who}.`, {
    remedy: 'Try again; if it is stuck, end it. Reading needs no lock: { readOnly: true }.',
    directory,
    holder: inTheWay?.record,
  })
}

function circularError(directory: string, chain: readonly string[]): VarveError {
  return new VarveError('VARVE_LOCKED', `The files ${chain.join(', ')} in ${directory} guard each other in a circle.`, {
    remedy: 'If no process writes there, delete LOCK and all files whose name starts with LOCK.',
    directory,
  })
}

function describe({ pid, host, startedMs }: LockRecord): string {
  return `process ${pid} on ${host}, running since ${new Date(startedMs).toISOString()}`
}

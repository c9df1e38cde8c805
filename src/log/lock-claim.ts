/**
 * How LOCK changes hands: a dead holder is replaced by exactly one claimant, a living one only by a takeover.
 * Knows nothing of what a holder does with the lock.
 */
import { VarveError } from '../errors.ts'
import {
  claimName,
  encodeLockRecord,
  type FoundRecord,
  guardName,
  lockName,
  type LockRecord,
  parseLockName,
} from './lock-record.ts'
import { type HolderState, type LockSite, removeOwnLock } from './lock-site.ts'

/** How often a claimant looks again while others replace a record: each look is a few system calls. */
const patience = 50

/**
 * One attempt to become the holder. A record is replaced only by the owner of its guard, who looked again
 * after it got the guard: a nonce never comes back, so what was still there then can only be replaced by that
 * owner. The rename that replaces the record takes the guard's name away in the same instant. A guard is
 * itself a record, and a dead owner's is replaced the same way.
 */
export class Claim {
  readonly #site: LockSite
  readonly #own: LockRecord
  readonly #takeover: boolean
  /** Names that hold our own record, apart from LOCK. */
  readonly #names = new Set<string>()
  /** Once living is living as long as this attempt lasts: a stopped process takes only so many questions. */
  readonly #living = new Set<string>()
  /** Whom a takeover may displace. */
  #target: string | undefined
  #inTheWay: FoundRecord | undefined

  constructor(site: LockSite, own: LockRecord, takeover: boolean) {
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

  /**
   * Leaves nothing that speaks for us; what cannot be removed is that of a dead process as soon as the sign
   * of life ends.
   */
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
    // Only what LOCK says counts: a claimant that was displaced, while stopped, may have moved another's
    // record there.
    const holder = await this.#site.find(lockName)
    return holder !== undefined && this.#isOwn(holder)
  }

  /**
   * True if we own the guard of the record and, looking after that, still found the record under its name.
   */
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

  /**
   * A living owner is at it this very moment and is never displaced: between its look and its rename that
   * could not be seen.
   */
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
   * What dead processes left. With LOCK in our hands no other record's guard matters any more: its claimant
   * looks at LOCK again before it does anything with it. So a guard that goes away under a claimant is
   * harmless, and failing to clean up is, too.
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

function lockedError(
  { directory, network }: LockSite,
  { record }: FoundRecord,
  state: HolderState,
): VarveError {
  const takeover = 'take over with { takeover: true } or `varve unlock`.'
  if (!record) {
    const fact = `${directory}/${lockName} is damaged, so it cannot be told who writes there.`
    const remedy = `If no other process does, ${takeover} Reading needs no lock: { readOnly: true }.`
    return new VarveError('VARVE_LOCKED', fact, { remedy, directory, state })
  }
  const stuck =
    network && state === 'unknown'
      ? 'On a network file system it cannot be seen whether it still runs: if it does not,'
      : 'If it is stuck, end it, or'
  return new VarveError('VARVE_LOCKED', `${directory} is being written by ${describe(record)}.`, {
    remedy: `Close it there, or open with { readOnly: true }. ${stuck} ${takeover}`,
    directory,
    holder: record,
    state,
  })
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
  return new VarveError(
    'VARVE_LOCKED',
    `The files ${chain.join(', ')} in ${directory} guard each other in a circle.`,
    {
      remedy: 'If no process writes there, delete LOCK and all files whose name starts with LOCK.',
      directory,
    },
  )
}

function describe({ pid, host, startedMs }: LockRecord): string {
  return `process ${pid} on ${host}, running since ${new Date(startedMs).toISOString()}`
}

/**
 * The files of one lock as one process sees them: linking, moving and removing names where others do the
 * same, and who lives. Decides nothing about who may hold it.
 */
import type { Disk } from '../disk/disk.ts'
import { findLockRecord, type FoundRecord, guardName, lifeName, lockName } from './lock-record.ts'

/** `unknown`: on a network file system, or a damaged record. */
export type HolderState = 'living' | 'dead' | 'unknown'

export class LockSite {
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
 * Removes LOCK if it is still ours. The guard, a second name of our own record, keeps others from replacing
 * LOCK between the look and the removal; if another has the guard already, LOCK is left to it, and without
 * our sign of life to anyone.
 */
export async function removeOwnLock(site: LockSite, nonce: string): Promise<void> {
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

/**
 * What a LOCK file says and what the files beside it are called. Reads anything, believes only what is whole.
 *
 *     LOCK               the record of who writes
 *     LOCK.<nonce>       guard: whoever created it, and nobody else, may replace the record with that nonce
 *     LOCK.<nonce>.new   a claimant's own record, before it has one of the names above
 *     LOCK.<nonce>.sock  the sign of life of the record's process
 */
import { createHash } from 'node:crypto'
import type { Disk } from '../disk/disk.ts'

const decoder = new TextDecoder()

export interface LockRecord {
  host: string
  bootId: string
  pid: number
  startedMs: number
  nonce: string
}

/** A record as found under a name. */
export interface FoundRecord {
  /** What its guard is named after. */
  identity: string
  /** Missing if the file is damaged. */
  record: LockRecord | undefined
}

export const lockName = 'LOCK'

export function guardName(identity: string): string {
  return `${lockName}.${identity}`
}

export function claimName(nonce: string): string {
  return `${lockName}.${nonce}.new`
}

export function lifeName(nonce: string): string {
  return `${lockName}.${nonce}.sock`
}

/** What a name beside LOCK is; `unborn` is a sign of life that was never finished. */
export function parseLockName(
  name: string,
): { kind: 'guard' | 'claim' | 'life' | 'unborn'; identity: string } | undefined {
  const match = /^LOCK\.([A-Za-z0-9_-]{1,64}~?)(\.new|\.sock|\.sock\.new)?$/.exec(name)
  if (!match) return undefined
  const kinds = { '.new': 'claim', '.sock': 'life', '.sock.new': 'unborn' } as const
  return { kind: kinds[match[2] as keyof typeof kinds] ?? 'guard', identity: match[1]! }
}

export function isNonce(nonce: unknown): nonce is string {
  return typeof nonce === 'string' && /^[A-Za-z0-9_-]{1,64}$/.test(nonce)
}

export function encodeLockRecord({ host, bootId, pid, startedMs, nonce }: LockRecord): Uint8Array {
  return new TextEncoder().encode(`${JSON.stringify({ host, bootId, pid, startedMs, nonce })}\n`)
}

function parseLockRecord(bytes: Uint8Array): LockRecord | undefined {
  try {
    const { host, bootId, pid, startedMs, nonce } = JSON.parse(decoder.decode(bytes)) as Record<
      string,
      unknown
    >
    if (typeof host !== 'string' || typeof bootId !== 'string' || !isNonce(nonce)) return undefined
    if (!Number.isSafeInteger(pid) || !isTime(startedMs)) return undefined
    return { host, bootId, pid: pid as number, startedMs, nonce }
  } catch {
    return undefined
  }
}

/** `undefined` if nothing has that name. */
export async function findLockRecord(
  disk: Disk,
  directory: string,
  name: string,
): Promise<FoundRecord | undefined> {
  let bytes: Uint8Array
  try {
    bytes = await disk.readSmallFile(`${directory}/${name}`)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
  const record = parseLockRecord(bytes)
  if (!record)
    return { identity: `damaged-${createHash('sha256').update(bytes).digest('hex').slice(0, 32)}`, record }
  // A holder that closes guards its record with that same record: to replace this guard takes another guard
  // than itself.
  return { identity: name === guardName(record.nonce) ? `${record.nonce}~` : record.nonce, record }
}

function isTime(value: unknown): value is number {
  return typeof value === 'number' && Math.abs(value) <= 8.64e15
}

/** `varve unlock`: exit code 0 if nobody holds the lock afterwards, 1 if somebody living does. */
import type { Disk } from '../disk/disk.ts'
import { namingErrors } from '../disk/disk-errors.ts'
import { VarveError } from '../errors.ts'
import { readLockHolder, type LockHolder } from '../log/lock.ts'
import { findLockRecord, lockName } from '../log/lock-record.ts'
import { displaceWriter } from './displace-writer.ts'
import { plainText, toJson } from './plain-text.ts'
import type { ExitCode } from './exit-code.ts'
import type { Terminal } from './terminal.ts'

export interface UnlockCommandOptions {
  force?: boolean
  json?: boolean
  terminal: Terminal
}

interface Unlocking {
  /** Who has it, or had it; `null`: nobody, or nobody knows. */
  holder: LockHolder | null
  wasLocked: boolean
  unlocked: boolean
}

export async function unlockCommand(
  disk: Disk,
  directory: string,
  { force = false, json = false, terminal }: UnlockCommandOptions,
): Promise<ExitCode> {
  const wasLocked = await hasLock(disk, directory)
  const holder = wasLocked ? ((await readLockHolder(disk, directory)) ?? null) : null
  const unlocked = !wasLocked || holder?.state === 'dead' || force
  const unlocking = { holder, wasLocked, unlocked }
  if (!json && wasLocked) terminal.print(holderText(directory, holder))
  if (wasLocked && unlocked) await displaceWriter(disk, directory, { mayLive: holder?.state !== 'dead' })
  if (json) terminal.print(toJson({ directory, ...unlocking, holder: holder && plainHolder(holder) }, 2))
  else terminal.print(outcomeText(plainText(directory), unlocking, terminal))
  return unlocked ? 0 : 1
}

async function hasLock(disk: Disk, directory: string): Promise<boolean> {
  const status = await namingErrors(directory, () => disk.stat(directory))
  if (!status)
    throw new VarveError('VARVE_NOT_FOUND', `There is no directory ${directory}.`, {
      remedy: 'Check the path.',
      directory,
    })
  if (status.kind !== 'directory')
    throw new VarveError('VARVE_NOT_A_DIRECTORY', `${directory} is not a directory.`, { directory })
  return namingErrors(directory, async () => (await findLockRecord(disk, directory, lockName)) !== undefined)
}

function plainHolder({ pid, host, startedMs, state }: LockHolder): Record<string, unknown> {
  return { pid, host, started: new Date(startedMs).toISOString(), state }
}

function holderText(directory: string, holder: LockHolder | null): string {
  if (!holder) return `The lock of ${plainText(directory)} is damaged, so it cannot be told who holds it.`
  const { pid, host, startedMs, state } = holder
  const who = `Process ${pid} on ${plainText(host)}, running since ${new Date(startedMs).toISOString()},`
  if (state === 'living') return `${who} holds the lock, and lives.`
  if (state === 'dead') return `${who} held the lock, and is dead.`
  return `${who} holds the lock; on a network file system it cannot be seen whether it lives.`
}

function outcomeText(
  name: string,
  { wasLocked, unlocked }: Unlocking,
  { style }: Pick<Terminal, 'style'>,
): string {
  if (!wasLocked) return `Nobody is writing in ${name}.`
  if (unlocked) return style('green', `${name} is unlocked.`)
  return 'If it is stuck, end it, or take the lock away: varve unlock --force. What it has not persisted is then lost to it.'
}

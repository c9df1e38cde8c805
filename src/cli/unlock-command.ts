/** `varve unlock`: exit code 0 if nobody holds the lock afterwards, 1 if somebody living does. */
import type { Disk } from '../disk/disk.ts'
import { namingErrors } from '../disk/disk-errors.ts'
import { VarveError } from '../errors.ts'
import { readLockHolder, type LockHolder } from '../log/lock.ts'
import { findLockRecord, lockName } from '../log/lock-record.ts'
import { displaceWriter } from './displace-writer.ts'
import { plainText } from './plain-text.ts'
import type { ExitCode } from './exit-code.ts'
import type { Terminal } from './terminal.ts'

export interface UnlockCommandOptions {
  force?: boolean
  terminal: Terminal
}

export async function unlockCommand(
  disk: Disk,
  directory: string,
  { force = false, terminal }: UnlockCommandOptions,
): Promise<ExitCode> {
  const name = plainText(directory)
  if (!(await hasLock(disk, directory))) {
    terminal.print(`Nobody is writing in ${name}.`)
    return 0
  }
  const holder = await readLockHolder(disk, directory)
  terminal.print(
    holder ? holderText(holder) : `The lock of ${name} is damaged, so it cannot be told who holds it.`,
  )
  if (holder?.state !== 'dead' && !force) {
    terminal.print(
      'If it is stuck, end it, or take the lock away: varve unlock --force. What it has not persisted is then lost to it.',
    )
    return 1
  }
  await displaceWriter(disk, directory, { mayLive: holder?.state !== 'dead' })
  terminal.print(terminal.style('green', `${name} is unlocked.`))
  return 0
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
  return (await findLockRecord(disk, directory, lockName)) !== undefined
}

function holderText({ pid, host, startedMs, state }: LockHolder): string {
  const who = `Process ${pid} on ${plainText(host)}, running since ${new Date(startedMs).toISOString()},`
  if (state === 'living') return `${who} holds the lock, and lives.`
  if (state === 'dead') return `${who} held the lock, and is dead.`
  return `${who} holds the lock; on a network file system it cannot be seen whether it lives.`
}

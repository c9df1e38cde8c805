/** A directory that comes into being in one step: it is written beside its place under another name, until all of it is there. */
import type { Disk } from '../disk/disk.ts'
import { namingErrors } from '../disk/disk-errors.ts'
import { VarveError } from '../errors.ts'
import { syncName } from './durable-directory.ts'
import { joinPath, parentOf } from './names.ts'

/**
 * Answers the directory to write in, which need not exist. Throws `VARVE_NOT_STORAGE` if it or the target holds anything, `VARVE_BAD_OPTION` for a target inside the
 * source, if there is one.
 */
export async function claimTarget(disk: Disk, from: string | undefined, to: string): Promise<string> {
  await checkTarget(disk, from, to)
  const unfinished = `${trimmed(to)}.unfinished`
  if ((await namingErrors(to, () => filesIn(disk, unfinished))).length > 0)
    throw new VarveError('VARVE_NOT_STORAGE', `${unfinished} holds what another call has not finished.`, {
      remedy: 'If none is running, delete it.',
      directory: unfinished,
    })
  return unfinished
}

async function checkTarget(disk: Disk, from: string | undefined, to: string): Promise<void> {
  const target = trimmed(to)
  await namingErrors(to, async () => {
    if (from !== undefined && (await disk.stat(from))) await mustBeElsewhere(disk, from, target)
    const status = await disk.stat(target)
    const names = status?.kind === 'directory' ? await disk.list(target) : []
    if ((status && status.kind !== 'directory') || names.length > 0)
      throw new VarveError('VARVE_NOT_STORAGE', `${to} is there already, and not empty.`, {
        remedy: 'Give the path of a new or empty directory.',
        directory: to,
      })
  })
}

/** The target comes into being in one step. */
export async function settleTarget(disk: Disk, unfinished: string, to: string): Promise<void> {
  const target = trimmed(to)
  await disk.rename(unfinished, target)
  await syncName(disk, target)
}

/** Removes what was written so far; empty folders stay, and are in nobody's way. */
export async function removeFiles(disk: Disk, unfinished: string): Promise<void> {
  for (const path of await filesIn(disk, unfinished)) await disk.unlink(path).catch(() => {})
}

async function mustBeElsewhere(disk: Disk, from: string, target: string): Promise<void> {
  const source = await disk.realPath(from)
  let standing = target
  while (!(await disk.stat(standing)) && standing !== parentOf(standing)) standing = parentOf(standing)
  const place = await disk.realPath(standing)
  const isInside = place === source || place.startsWith(`${source}/`)
  if (!isInside) return
  throw new VarveError('VARVE_BAD_OPTION', `${target} lies in ${from}, which is not to be changed.`, {
    remedy: 'Give a directory outside of it.',
    from,
    to: target,
  })
}

async function filesIn(disk: Disk, directory: string): Promise<string[]> {
  const status = await disk.stat(directory)
  if (!status) return []
  if (status.kind !== 'directory') return [directory]
  const found: string[] = []
  for (const name of await disk.list(directory))
    found.push(...(await filesIn(disk, joinPath(directory, name))))
  return found
}

function trimmed(path: string): string {
  return path.replace(/(?<=.)\/+$/, '')
}

/** Small files of text that a command is given, or is to write: checkpoints, proofs, keys. */
import process from 'node:process'
import type { Disk } from '../disk/disk.ts'
import { asVarveError, namingErrors } from '../disk/disk-errors.ts'
import { VarveError } from '../errors.ts'
import { createFile, replaceFile } from '../log/durable-file.ts'
import { parentOf } from '../log/names.ts'

/** Throws `VARVE_NOT_FOUND`, `VARVE_PERMISSION`, `VARVE_IO`; `VARVE_BAD_PROOF` for what is no text. */
export async function readText(disk: Disk, path: string): Promise<string> {
  const text = await readTextIfThere(disk, path)
  if (text !== undefined) return text
  throw new VarveError('VARVE_NOT_FOUND', `There is no file ${path}.`, { remedy: 'Check the path.', path })
}

export async function readTextIfThere(disk: Disk, path: string): Promise<string | undefined> {
  const bytes = await disk.readSmallFile(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw asVarveError(error, path)
    return undefined
  })
  if (!bytes) return undefined
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch (cause) {
    throw new VarveError('VARVE_BAD_PROOF', `${path} is no text.`, { path, cause })
  }
}

/** Replaces what stands there. */
export async function writeText(disk: Disk, path: string, text: string): Promise<void> {
  await namingErrors(path, () => replaceFile(disk, path, text))
}

/** For nobody but this user, and never in the place of another one. */
export async function createSecret(disk: Disk, path: string, text: string): Promise<void> {
  const umask = process.umask(0o077)
  try {
    await createFile(disk, path, text)
    await disk.syncDirectory(parentOf(path))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw asVarveError(error, path)
    throw new VarveError('VARVE_BAD_OPTION', `${path} is there already.`, {
      remedy: 'Give the path of a new file: a key that was replaced would be lost.',
      path,
      cause: error,
    })
  } finally {
    process.umask(umask)
  }
}

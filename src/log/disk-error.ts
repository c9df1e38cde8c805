/** What an operating system's error means to a user. */
import { VarveError } from '../errors.ts'
import { isDiskFull } from './segment-writer.ts'

/** Rejects with a `VarveError` where the disk gave an error of its own. */
export async function namingErrors<T>(path: string, work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (cause) {
    throw toVarveError(cause, path)
  }
}

function toVarveError(cause: unknown, path: string): unknown {
  const { code, syscall } = cause as NodeJS.ErrnoException
  if (cause instanceof VarveError || code === undefined || syscall === undefined) return cause
  if (isDiskFull(cause))
    return new VarveError('VARVE_DISK_FULL', `The disk of ${path} is full; nothing was changed.`, {
      path,
      cause,
    })
  switch (code) {
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return new VarveError('VARVE_PERMISSION', `${path} cannot be used (${code}).`, { path, cause })
    case 'ENOTDIR':
    case 'EEXIST':
      return new VarveError('VARVE_NOT_A_DIRECTORY', `${path} is not a directory.`, { path, cause })
    default:
      return new VarveError('VARVE_IO', `${path} cannot be read or written (${code}).`, { path, cause })
  }
}

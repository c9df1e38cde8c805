/** What the operating system says, as what a user can act on. */
import { VarveError } from '../errors.ts'

/** No room: on the disk, in a quota, or in the largest file it can have. */
const fullCodes = new Set(['ENOSPC', 'EDQUOT', 'EFBIG'])

export function isDiskFull(error: unknown): boolean {
  return fullCodes.has((error as NodeJS.ErrnoException | undefined)?.code ?? '')
}

/** Rejects with a `VarveError` where the disk gives `work` an error of its own. */
export async function namingErrors<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw asVarveError(error, path)
  }
}

/** Errors of the disk become a `VarveError`; others stay as they are. */
export function asVarveError(error: unknown, path: string): unknown {
  const code = (error as NodeJS.ErrnoException)?.code
  if (error instanceof VarveError || code === undefined || !/^E[A-Z]+$/.test(code)) return error
  if (isDiskFull(error))
    return new VarveError('VARVE_DISK_FULL', `The disk of ${path} is full.`, { path, cause: error })
  switch (code) {
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return new VarveError('VARVE_PERMISSION', `This user may not do that in ${path} (${code}).`, {
        path,
        cause: error,
      })
    case 'EEXIST':
    case 'ENOTDIR':
      return new VarveError('VARVE_NOT_A_DIRECTORY', `${path} is not a directory.`, { path, cause: error })
    case 'ELOOP':
    case 'ENAMETOOLONG':
      return new VarveError('VARVE_NOT_A_DIRECTORY', `${path} leads to no directory (${code}).`, {
        path,
        cause: error,
      })
    case 'EMFILE':
    case 'ENFILE':
      return new VarveError('VARVE_IO', `Too many files are open to open ${path} (${code}).`, {
        path,
        cause: error,
        remedy: 'Close what this process does not need, or raise its limit (ulimit -n), and open again.',
      })
    default:
      return new VarveError('VARVE_IO', `Reading or writing ${path} failed (${(error as Error).message}).`, {
        path,
        cause: error,
      })
  }
}

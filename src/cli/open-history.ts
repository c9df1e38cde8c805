/** How a command comes to the history of a directory. */
import { StorageContext } from '../context/storage-context.ts'
import { namingErrors } from '../disk/disk-errors.ts'
import type { Disk } from '../disk/disk.ts'
import { VarveError } from '../errors.ts'
import { findJournal } from '../history/journal-place.ts'
import { Home } from '../journal/home.ts'
import { resolveMoment } from '../journal/moment.ts'
import type { Terminal } from './terminal.ts'

/** Reads the log of a directory; `undefined`: begun, and nothing committed yet. Takes no lock. */
export async function readLog<T>(
  disk: Disk,
  directory: string,
  use: (home: Home) => Promise<T>,
): Promise<T | undefined> {
  return namingErrors(directory, async () => {
    await findJournal(disk, directory)
    const home = await Home.open(disk, directory)
    try {
      return home && (await use(home))
    } finally {
      await home?.files.close()
    }
  })
}

/** The same, of a log that must hold something. */
export async function readHistory<T>(
  disk: Disk,
  directory: string,
  use: (home: Home) => Promise<T>,
): Promise<T> {
  const answer = await readLog(disk, directory, async (home) => ({ of: await use(home) }))
  if (answer) return answer.of
  throw new VarveError('VARVE_NO_SUCH_MOMENT', `Nothing was ever committed in ${directory}.`, { directory })
}

/** The directory as it was at a moment. Throws what `resolveMoment` does. */
export async function readPast<T>(
  disk: Disk,
  directory: string,
  moment: string,
  use: (past: Home) => Promise<T>,
): Promise<T> {
  return readHistory(disk, directory, async (home) => use(await home.at(await resolveMoment(home, moment))))
}

/** A context of a directory, for questions that need its stores, or to write there. */
export async function withStorage<T>(
  disk: Disk,
  directory: string,
  { terminal, readOnly }: { terminal: Terminal; readOnly: boolean },
  use: (storage: StorageContext) => Promise<T>,
): Promise<T> {
  await findJournal(disk, directory)
  const onWarning = (warning: string): void => terminal.complain(warning)
  const storage = await StorageContext.fromDefaults({ persistDir: directory, disk, readOnly, onWarning })
  try {
    return await use(storage)
  } finally {
    await storage.close()
  }
}

/** Writes every good commit of a directory to a new one, and says exactly what could not be carried over. The old one is not changed. */
import type { Disk } from '../disk/disk.ts'
import { namingErrors } from '../disk/disk-errors.ts'
import { randomFill } from '../disk/node-random.ts'
import { VarveError } from '../errors.ts'
import type { Limits } from '../journal/limits.ts'
import { lockName, parseLockName } from '../log/lock-record.ts'
import { commitsFolder, manifestName, snapshotsFolder } from '../log/names.ts'
import { claimTarget, removeFiles, settleTarget } from '../log/new-directory.ts'
import { storeFolders } from '../log/store-folders.ts'
import { carryCommits } from './carry-commits.ts'
import { findJournal, type JournalPlace } from './journal-place.ts'
import type { Inspection, InspectionOptions } from './inspection.ts'
import type { RepairReport } from './repair-report.ts'
import { RepairWriter } from './repair-writer.ts'
import type { SegmentReader } from './segment-reader.ts'
import { verifyDirectory, withInspection } from './verify.ts'

export interface RepairOptions extends InspectionOptions {
  clock?: () => Date
  random?: (target: Uint8Array) => void
  /** For tests. */
  limits?: Partial<Limits>
}

/**
 * Every commit keeps its number, message, actor, time, kind, metadata and events, without the items that are damaged; the chain is a new one, so hashes
 * differ. The target comes into being in one step, when all is written, read back and durable. Throws `VARVE_NOT_STORAGE` for a target that is not
 * empty, and what `verifyDirectory` throws.
 */
export async function repairDirectory(
  disk: Disk,
  from: string,
  to: string,
  options: RepairOptions = {},
): Promise<RepairReport> {
  const place = await findJournal(disk, from)
  const unfinished = await claimTarget(disk, from, to)
  return withInspection(place, options, async (inspection, reader) => {
    if (inspection.commits.length === 0)
      throw new VarveError('VARVE_CORRUPT', `No commit of ${from} can be read; nothing was written.`, {
        path: from,
      })
    return namingErrors(to, async () => {
      try {
        const report = await write({ disk, place, inspection, reader, unfinished }, options)
        await settleTarget(disk, unfinished, to)
        return { ...report, from, to }
      } catch (error) {
        await removeFiles(disk, unfinished)
        throw error
      }
    })
  })
}

interface Work {
  disk: Disk
  place: JournalPlace
  inspection: Inspection
  reader: SegmentReader
  unfinished: string
}

async function write(
  { disk, place, inspection, reader, unfinished }: Work,
  { clock = () => new Date(), random = randomFill, limits, ...options }: RepairOptions,
): Promise<Omit<RepairReport, 'from' | 'to'>> {
  const writer = await RepairWriter.begin(disk, unfinished, { clock, random, limits })
  try {
    const carried = await carryCommits({ inspection, reader, writer }, options)
    await writer.finish()
    await writer.close()
    const after = await readBack(disk, unfinished, options)
    const before = Buffer.from(inspection.commits.at(-1)!.hash).toString('hex')
    return {
      ...carried,
      bytes: writer.bytes,
      torn: inspection.torn,
      notCopied: await otherFiles(place, inspection),
      head: { before, after },
      damages: inspection.damages.all,
    }
  } finally {
    await writer.close()
  }
}

/** Answers the hash of the new head. */
async function readBack(disk: Disk, directory: string, options: InspectionOptions): Promise<string> {
  const { onProgress } = options
  const report = await verifyDirectory(disk, directory, {
    ...options,
    onProgress: (progress) => onProgress?.({ ...progress, phase: 'reading back' }),
  })
  if (report.intact && report.head && !report.torn) return report.head.hash
  const [fault] = report.damages
  throw new VarveError('VARVE_IO', `What was written to ${directory} did not read back as written.`, {
    remedy: 'Check the disk, or repair to another one.',
    directory,
    fault,
  })
}

/** What no journal has in its directory. */
async function otherFiles({ files }: JournalPlace, { stores }: Inspection): Promise<string[]> {
  const folders = [...stores.keys()]
  for (const folder of await storeFolders(files))
    if ((await files.numbers(folder)).length > 0) folders.push(folder)
  const ours = new Set([
    commitsFolder,
    snapshotsFolder,
    lockName,
    ...folders.map((folder) => folder.split('/')[0]),
  ])
  const names = await files.disk.list(files.directory)
  return names.filter((name) => !ours.has(name) && !name.startsWith(manifestName) && !parseLockName(name))
}

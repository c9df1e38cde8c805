/** Reads every byte of a directory and says what holds, what is damaged and where, and what follows from it. */
import type { Disk } from '../disk/disk.ts'
import { namingErrors } from '../disk/disk-errors.ts'
import { Home } from '../journal/home.ts'
import { readLockHolder } from '../log/lock.ts'
import { holdAgainst, type Anchor } from './anchor.ts'
import { Inspection, type InspectionOptions } from './inspection.ts'
import { findJournal, type JournalPlace } from './journal-place.ts'
import { SegmentReader } from './segment-reader.ts'
import { unnamedBytes } from './unnamed-bytes.ts'
import type { VerifyReport } from './verify-report.ts'

export interface VerifyOptions extends InspectionOptions {
  /** What was kept elsewhere: how far does it anchor this history? */
  against?: Anchor
}

/**
 * Takes no lock and writes nothing; a writer may be at work. Throws, without a verdict, `VARVE_NOT_FOUND`, `VARVE_NOT_A_DIRECTORY`, `VARVE_NEWER`,
 * `VARVE_PERMISSION`, `VARVE_IO`; `VARVE_CORRUPT` where nothing at all can be read; and the signal's reason.
 */
export async function verifyDirectory(
  disk: Disk,
  directory: string,
  { against, ...options }: VerifyOptions = {},
): Promise<VerifyReport> {
  for (let known = 0; ;) {
    const place = await findJournal(disk, directory)
    const report = await withInspection(place, options, async (inspection) => ({
      ...(await toReport(place, inspection)),
      ...(against && { anchor: holdAgainst(inspection.commits, against) }),
    }))
    if (report.intact) return report
    const last = await lastErasure(disk, directory)
    if (last <= Math.max(known, place.files.erasures.through)) return report
    known = last // What was taken for damage may be what a writer erased meanwhile.
  }
}

/** The last commit that erased anything, as a reader sees it; 0: none, or nothing can be read. */
async function lastErasure(disk: Disk, directory: string): Promise<number> {
  const home = await Home.open(disk, directory).catch(() => undefined)
  await home?.files.close()
  return home?.files.erasures.through ?? 0
}

/** Inspects a journal, and closes its files afterwards. */
export async function withInspection<T>(
  place: JournalPlace,
  options: InspectionOptions,
  use: (inspection: Inspection, reader: SegmentReader) => Promise<T>,
): Promise<T> {
  const reader = new SegmentReader(place.files)
  try {
    return await namingErrors(place.files.directory, async () =>
      use(await new Inspection(reader, options).run(place), reader),
    )
  } finally {
    await reader.closeAll()
  }
}

async function toReport({ files, manifest }: JournalPlace, inspection: Inspection): Promise<VerifyReport> {
  const { commits, damages, stores, snapshots, torn, logSegments } = inspection
  const holder = await readLockHolder(files.disk, files.directory)
  const last = commits.at(-1)
  return {
    directory: files.directory,
    intact: damages.all.length === 0,
    journal: manifest && { id: manifest.id, created: manifest.created },
    head: last && {
      number: last.number,
      hash: Buffer.from(last.hash).toString('hex'),
      time: new Date(last.timeMs).toISOString(),
    },
    commits: commits.length,
    stores: [...stores.values()].toSorted((a, b) => (a.folder < b.folder ? -1 : 1)),
    bytes: inspection.bytes,
    damages: damages.all,
    torn,
    unnamed: await unnamedBytes(files, { commits, logSegments }),
    snapshots,
    erasures: inspection.erasures,
    writer: holder && { pid: holder.pid, host: holder.host, state: holder.state },
  }
}

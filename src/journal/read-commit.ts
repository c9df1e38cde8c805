/** Reads commits back from the commit log: by their number, or by their place. */
import { VarveError } from '../errors.ts'
import { FrameReader, isFault, type ReadFrame } from '../log/frame-reader.ts'
import { commitsFolder } from '../log/names.ts'
import { commitHash, type LogPlace } from '../log/recovery.ts'
import type { SegmentFiles } from '../log/segment-files.ts'
import type { Catalog, CommitSummary } from './catalog.ts'
import { decodeCommit } from './commit.ts'

/** Where the commits of a journal are: what a reader and a session both know. */
export interface CommitLog {
  readonly files: SegmentFiles
  readonly catalog: Catalog
}

/** Commit `number` as it was written. It must be in the catalog. */
export async function readCommit({ files, catalog }: CommitLog, number: number): Promise<CommitSummary> {
  const [segment, offset] = catalog.offsets.slice((number - 1) * 2, number * 2)
  const frame = await frameAt(files, { segment: segment!, offset: offset! })
  return { ...decodeCommit(frame, segment!), hash: commitHash(frame.hashed) }
}

/** The frame at a place where a commit was accepted. */
export async function frameAt(files: SegmentFiles, { segment, offset }: LogPlace): Promise<ReadFrame> {
  const file = await files.open(commitsFolder, segment)
  const frame = await new FrameReader(file).read(offset, await file.size())
  if (!isFault(frame)) return frame
  throw new VarveError(
    'VARVE_CORRUPT',
    `Damaged: ${files.path(commitsFolder, segment)}, offset ${offset}: ${frame.fault}.`,
    {
      store: commitsFolder,
      segment,
      offset,
    },
  )
}

/** The hashes of a journal's commits, in one pass over its commit log: what proofs are made of. Takes no lock, writes nothing, works beside a writer. */
import type { Disk } from '../disk/disk.ts'
import { asVarveError } from '../disk/disk-errors.ts'
import { VarveError } from '../errors.ts'
import { commitsFolder, joinPath, segmentName } from '../log/names.ts'
import type { Manifest } from '../journal/manifest.ts'
import { findJournal } from './journal-place.ts'
import { surveyJournal, type JournalSurvey } from './journal-survey.ts'
import { SegmentReader } from './segment-reader.ts'

export interface CommitHashes {
  manifest: Manifest | undefined
  /** Of commits 1, 2, 3 …, as far as nothing is damaged. */
  hashes: Uint8Array[]
  /** The last commit that is known to be durable: no crash can take it back. */
  durable: number
  /** Why there are no more. */
  damage: VarveError | undefined
}

/** Throws `VARVE_NOT_FOUND`, `VARVE_NOT_A_DIRECTORY`, `VARVE_NEWER`, `VARVE_PERMISSION`, `VARVE_IO`, `VARVE_CORRUPT` where nothing can be read. */
export async function readCommitHashes(
  disk: Disk,
  directory: string,
  signal?: AbortSignal,
): Promise<CommitHashes> {
  const { files, manifest } = await findJournal(disk, directory)
  const reader = new SegmentReader(files)
  try {
    const survey = await surveyJournal(reader, signal)
    const damage = firstDamage(survey, directory)
    const whole = damage ? survey.commits.filter(({ number }) => number < damage.at) : survey.commits
    const hashes = whole.map(({ hash }) => hash)
    return { manifest, hashes, durable: Math.min(survey.syncedThrough, hashes.length), damage: damage?.error }
  } catch (error) {
    throw asVarveError(error, directory)
  } finally {
    await reader.closeAll()
  }
}

/** What a user said of a commit stands outside of its hash. */
function firstDamage(
  { faults }: JournalSurvey,
  directory: string,
): { at: number; error: VarveError } | undefined {
  const first = faults.find(({ noteOf }) => noteOf === undefined)
  if (!first) return undefined
  const { at, segment, offset, fault } = first
  const path = joinPath(directory, commitsFolder, segmentName(segment))
  const fact = `${path} is damaged at offset ${offset} (${fault}): hashes from commit ${at} on cannot be known.`
  const error = new VarveError('VARVE_CORRUPT', fact, { store: commitsFolder, segment, offset, commit: at })
  return { at, error }
}

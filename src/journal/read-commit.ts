/** Reads commits back from the commit log: one by its number or place, or many in one pass. */
import { VarveError } from '../errors.ts'
import { FrameReader, isFault, type ReadFrame } from '../log/frame-reader.ts'
import { commitsFolder } from '../log/names.ts'
import { commitHash, type ChainEnd, type LogPlace } from '../log/recovery.ts'
import type { SegmentFiles } from '../log/segment-files.ts'
import type { Catalog, CommitSummary } from './catalog.ts'
import { decodeCommit } from './commit.ts'

/** Where the commits of a journal are: what a reader and a session both know. */
export interface CommitLog {
  readonly files: SegmentFiles
  readonly catalog: Catalog
}

/** A commit with its place in the chain. */
export interface PlacedCommit {
  summary: CommitSummary
  place: LogPlace
  end: ChainEnd
}

/** Commit `number` as it was written. It must be in the catalog. */
export async function readCommit(log: CommitLog, number: number): Promise<CommitSummary> {
  return summaryOf(await frameOf(log, number), log.catalog.placeOf(number))
}

/** Its hash, whatever it says: of one that names thousands of parts that is much quicker. */
export async function hashOfCommit(log: CommitLog, number: number): Promise<Uint8Array> {
  return commitHash((await frameOf(log, number)).hashed)
}

function frameOf({ files, catalog }: CommitLog, number: number): Promise<ReadFrame> {
  const place = catalog.placeOf(number)
  const next = number < catalog.end.number ? catalog.placeOf(number + 1) : catalog.end.next
  return frameAt(files, place, next.segment === place.segment ? next.offset : undefined)
}

/**
 * The commits from one number to another, both of them counted: in one pass, a large read at a time. All must
 * be in the catalog.
 */
export async function* readCommits(log: CommitLog, from: number, to: number): AsyncGenerator<PlacedCommit> {
  for await (const { number, place, frame } of commitFrames(log, from, to)) {
    const summary = summaryOf(frame, place)
    const next = { ...place, offset: place.offset + frame.sizeBytes }
    yield { summary, place, end: { number, hash: summary.hash, next, closed: false } }
  }
}

/** The hashes of all commits, which is quicker than reading what they say. */
export async function* commitHashes(log: CommitLog): AsyncGenerator<{ number: number; hash: string }> {
  for await (const { number, frame } of commitFrames(log, 1, log.catalog.end.number))
    yield { number, hash: Buffer.from(commitHash(frame.hashed)).toString('hex') }
}

async function* commitFrames(
  { files, catalog }: CommitLog,
  from: number,
  to: number,
): AsyncGenerator<{ number: number; place: LogPlace; frame: ReadFrame }> {
  let reader: { segment: number; frames: FrameReader; sizeBytes: number } | undefined
  for (let number = from; number <= to; number++) {
    const place = catalog.placeOf(number)
    if (reader?.segment !== place.segment) {
      const file = await files.open(commitsFolder, place.segment)
      reader = { segment: place.segment, frames: new FrameReader(file), sizeBytes: await file.size() }
    }
    const read = reader.frames.read(place.offset, reader.sizeBytes)
    const frame = read instanceof Promise ? await read : read
    if (isFault(frame)) throw damaged(files, place, frame.fault)
    yield { number, place, frame }
  }
}

/** Commits of one pass: at first few, since somebody waits for the last one. */
const firstRunCommits = 4
const longestRunCommits = 128

/** The same, the last first. */
export async function* readCommitsBackwards(
  log: CommitLog,
  from: number,
  to: number,
): AsyncGenerator<PlacedCommit> {
  let length = firstRunCommits
  for (let last = to; last >= from;) {
    const first = Math.max(from, last - length + 1)
    const run: PlacedCommit[] = []
    for await (const commit of readCommits(log, first, last)) run.push(commit)
    yield* run.toReversed()
    last = first - 1
    length = Math.min(length * 2, longestRunCommits)
  }
}

/** The frame at a place where a commit was accepted. Nothing is read from `limit` on, at or before which it ends. */
export async function frameAt(files: SegmentFiles, place: LogPlace, limit?: number): Promise<ReadFrame> {
  const file = await files.open(commitsFolder, place.segment)
  const frame = await new FrameReader(file).read(place.offset, limit ?? (await file.size()))
  if (isFault(frame)) throw damaged(files, place, frame.fault)
  return frame
}

function summaryOf(frame: ReadFrame, { segment }: LogPlace): CommitSummary {
  return { hash: commitHash(frame.hashed), ...decodeCommit(frame, segment) }
}

function damaged(files: SegmentFiles, { segment, offset }: LogPlace, fault: string): VarveError {
  return new VarveError(
    'VARVE_CORRUPT',
    `Damaged: ${files.path(commitsFolder, segment)}, offset ${offset}: ${fault}.`,
    {
      store: commitsFolder,
      segment,
      offset,
    },
  )
}

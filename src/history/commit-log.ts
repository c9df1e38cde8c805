/** Reads the segments of the commit log frame by frame, past any damage. Which of the frames belong to the chain is `commit-chain`'s question. */
import { VarveError } from '../errors.ts'
import { decodeCommit, heads, type DecodedCommit } from '../journal/commit.ts'
import { frameFlags } from '../log/frame.ts'
import { commitsFolder } from '../log/names.ts'
import { commitHash, type Seal } from '../log/recovery.ts'
import { segmentHeaderBytes, type SegmentFault } from '../log/segment.ts'
import { isLost, nextHeader, scanFrame, toReadFrame, type ScannedFrame } from './frame-scan.ts'
import type { SegmentReader } from './segment-reader.ts'
import type { SteadyFile } from './steady-file.ts'

export interface LogCommit extends DecodedCommit {
  hash: Uint8Array
  segment: number
  offset: number
  /** The hash covers number, parts and all; what a user said of the commit stands outside, and is damaged. */
  noteFault: string | undefined
  noteLost: boolean
}

export type LogEntry = { offset: number; end: number } & (
  | { kind: 'commit'; commit: LogCommit }
  | { kind: 'mark' | 'seal' }
  | { kind: 'fault'; fault: string }
)

export interface LogSegment {
  number: number
  sizeBytes: number
  headerFault: SegmentFault | undefined
  seal: Seal | undefined
  entries: LogEntry[]
  /** The highest `syncedThrough` that any good header names. */
  syncedThrough: number
}

/** Every segment that stands in the commit log's folder, ascending. Throws `VARVE_NEWER`. */
export async function readCommitLog(
  reader: SegmentReader,
  signal: AbortSignal | undefined,
): Promise<LogSegment[]> {
  const segments: LogSegment[] = []
  for (const number of await reader.files.numbers(commitsFolder)) {
    signal?.throwIfAborted()
    const { file, fault: headerFault } = await reader.open(commitsFolder, number)
    if (file) segments.push(await readSegment(file, { number, headerFault }))
    else segments.push({ number, sizeBytes: 0, headerFault, seal: undefined, entries: [], syncedThrough: 0 })
  }
  return segments
}

async function readSegment(
  file: SteadyFile,
  { number, headerFault }: Pick<LogSegment, 'number' | 'headerFault'>,
): Promise<LogSegment> {
  const sizeBytes = await file.size()
  const segment: LogSegment = {
    number,
    sizeBytes,
    headerFault,
    seal: undefined,
    entries: [],
    syncedThrough: 0,
  }
  for (let offset = segmentHeaderBytes; offset < sizeBytes;) {
    const scanned = await scanFrame(file, offset, sizeBytes)
    segment.syncedThrough = Math.max(segment.syncedThrough, scanned.syncedThrough ?? 0)
    if (!isLost(scanned)) {
      const entry = toEntry(scanned, segment)
      segment.entries.push(entry)
      offset = entry.end
      continue
    }
    const end = await endOfFault(file, { offset, sizeBytes: scanned.sizeBytes, limit: sizeBytes })
    const failed = file.failedWithin(offset, end)
    const fault = failed ? `${scanned.fault} (the disk cannot read it)` : scanned.fault
    segment.entries.push({ kind: 'fault', offset, end, fault })
    offset = end
  }
  return segment
}

async function endOfFault(
  file: SteadyFile,
  { offset, sizeBytes, limit }: { offset: number; sizeBytes: number | undefined; limit: number },
): Promise<number> {
  if (sizeBytes !== undefined && offset + sizeBytes <= limit) return offset + sizeBytes
  return (await nextHeader(file, offset + 8, limit))?.offset ?? limit
}

function toEntry(frame: ScannedFrame, segment: LogSegment): LogEntry {
  const place = { offset: frame.offset, end: frame.offset + frame.sizeBytes }
  try {
    if (frame.flags & frameFlags.mark) return { kind: 'mark', ...place }
    if (frame.flags & frameFlags.seal) {
      if (frame.offset === segmentHeaderBytes) segment.seal = heads.seal(toReadFrame(frame), segment.number)
      return { kind: 'seal', ...place }
    }
    return { kind: 'commit', commit: toCommit(frame, segment.number), ...place }
  } catch (error) {
    if (!(error instanceof VarveError) || error.code !== 'VARVE_CORRUPT') throw error
    return { kind: 'fault', fault: error.message.split('. ')[0]!, ...place }
  }
}

function toCommit(frame: ScannedFrame, segment: number): LogCommit {
  const note = frame.items[0]
  const isGood = note === undefined || note.whole
  const decoded = decodeCommit(toReadFrame(isGood ? frame : { ...frame, items: [] }), segment)
  return Object.assign(decoded, {
    hash: commitHash(frame.hashed),
    segment,
    offset: frame.offset,
    noteFault: note?.fault,
    noteLost: !isGood,
  })
}

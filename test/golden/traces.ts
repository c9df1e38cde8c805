/**
 * When a commit may be missing without an error: if the damage hit its bytes, and nothing that is left intact knows that it was durable. Then the directory looks as a
 * crash before its sync leaves it, and nobody can tell.
 */
import { crc32 } from 'node:zlib'
import { MemoryDisk } from '../../src/disk/memory-disk.ts'
import { decodeCommit } from '../../src/journal/commit.ts'
import { FrameReader, isFault } from '../../src/log/frame-reader.ts'
import { headerBytes } from '../../src/log/frame.ts'
import { parseSegmentName, parseSnapshotName, segmentName } from '../../src/log/names.ts'
import { segmentHeaderBytes } from '../../src/log/segment.ts'
import { framesOf } from '../support/damage.ts'
import type { Files } from './stage.ts'

interface Range {
  path: string
  from: number
  to: number
}

export interface Traces {
  /** Of commit n at n - 1: its frame and its parts. */
  commits: Range[][]
  /** What knows of commits: frame headers, and snapshots as a whole. */
  knowing: (Range & { syncedThrough: number })[]
}

export async function tracesIn(files: Files): Promise<Traces> {
  const traces: Traces = { commits: [], knowing: [] }
  for (const [path, bytes] of files) {
    const commit = parseSnapshotName(path.replace('snapshots/', ''))?.commit
    if (commit !== undefined) traces.knowing.push({ path, from: 0, to: bytes.length, syncedThrough: commit })
    if (path.endsWith('.log')) await traceSegment(traces, path, bytes)
  }
  return traces
}

async function traceSegment(traces: Traces, path: string, bytes: Uint8Array): Promise<void> {
  const disk = new MemoryDisk()
  disk.put(path, bytes)
  const reader = new FrameReader(await disk.openToRead(path))
  for (const { offset, end } of framesOf(bytes)) {
    const frame = await reader.read(offset, end)
    if (isFault(frame)) continue
    traces.knowing.push({
      path,
      from: offset,
      to: offset + headerBytes - 4,
      syncedThrough: frame.syncedThrough,
    })
    if (!path.startsWith('commits/') || frame.flags !== 0) continue
    const { number, parts } = decodeCommit(frame, parseSegmentName(path.slice('commits/'.length))!)
    const ranges = parts.map(({ folder, segment, from, to }) => ({
      path: `${folder}/${segmentName(segment)}`,
      from,
      to,
    }))
    traces.commits[number - 1] = [{ path, from: offset, to: end }, ...ranges]
  }
}

/** Whether these files may be taken for those of a crash after which `left` commits stand. */
export function mayEndAt(left: number, { commits, knowing }: Traces, golden: Files, files: Files): boolean {
  const isIntact = ({ path, from, to }: Range): boolean => {
    const [before, after] = [golden.get(path)!, files.get(path)]
    return after !== undefined && Buffer.from(before).subarray(from, to).equals(after.subarray(from, to))
  }
  // A segment's own header belongs to the commit that began it.
  const isHit = (range: Range): boolean =>
    !isIntact(range.from === segmentHeaderBytes ? { ...range, from: 0 } : range)
  if (knowing.some((range) => range.syncedThrough > left && isIntact(range))) return false
  return commits[left]!.some(isHit) && !isMisplaced(golden, files)
}

/** Whether anything of the first commit that is missing still stands in the commit log: then a writer must be told. */
export function isSomethingLeft(left: number, { commits }: Traces, files: Files): boolean {
  const { path, from } = commits[left]![0]!
  return (files.get(path)?.length ?? 0) > from
}

/** A crash leaves no segment in the place of another. */
function isMisplaced(golden: Files, files: Files): boolean {
  return [...files].some(([path, bytes]) => {
    const own = golden.get(path)
    if (!path.endsWith('.log') || !own || !isWholeHeader(bytes)) return false
    return !Buffer.from(own).subarray(0, segmentHeaderBytes).equals(bytes.subarray(0, segmentHeaderBytes))
  })
}

function isWholeHeader(bytes: Uint8Array): boolean {
  if (bytes.length < segmentHeaderBytes) return false
  const header = Buffer.from(bytes.subarray(0, segmentHeaderBytes))
  return (
    header.toString('latin1', 0, 8) === 'VARVESEG' &&
    crc32(header.subarray(0, 60)) === header.readUInt32LE(60)
  )
}

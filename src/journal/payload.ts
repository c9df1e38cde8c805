/**
 * Fetches payloads by position: one positional read and one check each, or one read for many that stand close
 * together.
 */
import { crc32 } from 'node:zlib'
import { VarveError } from '../errors.ts'
import type { SegmentFiles } from '../log/segment-files.ts'
import type { Position } from './event.ts'

/** Read over rather than start another read. */
const gapBytes = 4 * 1024
const runBytes = 4 * 1024 * 1024

function readPayload(files: SegmentFiles, folder: string, position: Position): Uint8Array {
  const { segment, offset, length, crc } = position
  const payload = files.opened(folder, segment)?.readNow(offset, length)
  if (payload?.length === length && crc32(payload) === crc) return payload
  throw new VarveError(
    'VARVE_CORRUPT',
    `Damaged: ${files.path(folder, segment)}, offset ${offset}: a payload cannot be read.`,
    {
      store: folder,
      ...position,
    },
  )
}

interface PayloadSource {
  files: SegmentFiles | undefined
  folder: string
  /** What is not on disk yet. */
  pending: (position: Position) => Uint8Array | undefined
}

export function readPayloads(
  positions: readonly Position[],
  { files, folder, pending }: PayloadSource,
): Uint8Array[] {
  const answers: Uint8Array[] = []
  for (let at = 0; at < positions.length;) {
    const held = pending(positions[at]!)
    if (held) {
      answers.push(held)
      at++
      continue
    }
    if (!files) throw new TypeError(`Nothing of ${folder} stands at ${JSON.stringify(positions[at])}.`)
    const end = runEnd(positions, at, pending)
    answers.push(...readRun(files, folder, positions.slice(at, end)))
    at = end
  }
  return answers
}

/** The first position after `from` that does not follow closely in the same segment. */
function runEnd(positions: readonly Position[], from: number, pending: PayloadSource['pending']): number {
  const { segment, offset: start } = positions[from]!
  let reached = start + positions[from]!.length
  let end = from + 1
  for (; end < positions.length; end++) {
    const next = positions[end]!
    const follows = next.segment === segment && next.offset >= reached && next.offset - reached <= gapBytes
    if (!follows || next.offset + next.length - start > runBytes || pending(next)) break
    reached = next.offset + next.length
  }
  return end
}

function readRun(files: SegmentFiles, folder: string, run: readonly Position[]): Uint8Array[] {
  const first = run[0]!
  const last = run.at(-1)!
  if (run.length === 1) return [readPayload(files, folder, first)]
  const bytes = files
    .opened(folder, first.segment)
    ?.readNow(first.offset, last.offset + last.length - first.offset)
  return run.map((position) => {
    const start = position.offset - first.offset
    const payload = bytes?.subarray(start, start + position.length)
    // A single read of its own says what is wrong with it.
    return payload?.length === position.length && crc32(payload) === position.crc
      ? payload
      : readPayload(files, folder, position)
  })
}

/** A part: the frames of one segment that a commit names. Nothing outside a part exists. */
import { createHash } from 'node:crypto'
import { FrameReader, isFault, type ReadFrame } from './frame-reader.ts'
import type { SegmentFiles } from './segment-files.ts'
import { VarveError } from '../errors.ts'
import type { ReadableFile } from '../disk/disk.ts'

export interface Part {
  folder: string
  segment: number
  /** Byte offsets in the segment: the first frame's start, and the end of the last. */
  from: number
  to: number
  frames: number
  /** SHA-256 over header, head and table of its frames. */
  digest: Uint8Array
}

/**
 * For parts that are read one after another: what was read ahead for one serves the next of its store. All of
 * them must be written before the first is read.
 */
export class ReadAhead {
  /** By folder. */
  readonly #readers = new Map<string, { file: ReadableFile; frames: FrameReader; sizeBytes: number }>()

  async in(
    files: SegmentFiles,
    { folder, segment }: Pick<Part, 'folder' | 'segment'>,
  ): Promise<{ frames: FrameReader; sizeBytes: number }> {
    const file = await files.open(folder, segment)
    const known = this.#readers.get(folder)
    if (known?.file === file) return known
    const frames = new FrameReader(file, files.erasures.in(folder, segment))
    const reader = { file, frames, sizeBytes: await file.size() }
    this.#readers.set(folder, reader)
    return reader
  }
}

/**
 * Yields a part's frames and then holds them against count and digest. Throws `VARVE_CORRUPT` naming store,
 * segment, offset and item; with `payloads: true` every byte is checked, else header, head, table and rows.
 */
export async function* readPart(
  files: SegmentFiles,
  part: Part,
  ahead: ReadAhead,
  options: { payloads?: boolean } = {},
): AsyncGenerator<ReadFrame> {
  const { frames: reader, sizeBytes } = await ahead.in(files, part)
  const digest = createHash('sha256')
  const end = Math.min(part.to, sizeBytes)
  let offset = part.from
  let frames = 0
  while (offset < part.to) {
    const frame = await reader.read(offset, sizeBytes, options)
    if (isFault(frame)) throw damaged(files, part, frame)
    if (offset + frame.sizeBytes > end) throw damaged(files, part, { offset, fault: 'it is cut off' })
    digest.update(frame.hashed)
    frames++
    offset += frame.sizeBytes
    yield frame
  }
  if (frames !== part.frames)
    throw damaged(files, part, {
      offset: part.to,
      fault: `it has ${frames} frames instead of ${part.frames}`,
    })
  if (!digest.digest().equals(part.digest))
    throw damaged(files, part, { offset: part.from, fault: 'it is not what the commit saw' })
}

/** Reads every byte of a part. */
export async function verifyPart(files: SegmentFiles, part: Part, ahead: ReadAhead): Promise<void> {
  for await (const _ of readPart(files, part, ahead, { payloads: true })) continue
}

function damaged(
  files: SegmentFiles,
  part: Part,
  { offset, fault, item }: { offset: number; fault: string; item?: number },
): VarveError {
  const place = `${files.path(part.folder, part.segment)}, offset ${offset}${item === undefined ? '' : `, item ${item}`}`
  return new VarveError('VARVE_CORRUPT', `Damaged: ${place}: ${fault}.`, {
    store: part.folder,
    segment: part.segment,
    offset,
    item,
    fault,
  })
}

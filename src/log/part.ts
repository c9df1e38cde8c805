/** A part: the frames of one segment that a commit names. Nothing outside a part exists. */
import { createHash, hash, type Hash } from 'node:crypto'
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

export function isSamePart(a: Part, b: Part): boolean {
  const isSamePlace = a.folder === b.folder && a.segment === b.segment && a.from === b.from && a.to === b.to
  return isSamePlace && a.frames === b.frames && Buffer.compare(a.digest, b.digest) === 0
}

/** Most parts are one frame, and to hash that in one call costs half of what a `Hash` does. */
export class PartDigest {
  #first: Uint8Array | undefined
  #hash: Hash | undefined

  add(hashed: Uint8Array): void {
    if (this.#hash) this.#hash.update(hashed)
    else if (this.#first) this.#hash = createHash('sha256').update(this.#first).update(hashed)
    else this.#first = hashed
  }

  /** To be asked once, after all frames. */
  digest(): Uint8Array {
    return this.#hash?.digest() ?? hash('sha256', this.#first ?? new Uint8Array(0), 'buffer')
  }

  meets(digest: Uint8Array): boolean {
    return Buffer.compare(this.digest(), digest) === 0
  }
}

/**
 * For parts that are read one after another: what was read ahead for one serves the next of its store. All of
 * them must be written before the first is read.
 */
export class ReadAhead {
  /** By folder. */
  readonly #readers = new Map<string, AheadInFile>()

  async in(files: SegmentFiles, { folder, segment }: Pick<Part, 'folder' | 'segment'>): Promise<AheadInFile> {
    const known = this.held(files, { folder, segment })
    if (known) return known
    const file = await files.open(folder, segment)
    const frames = new FrameReader(file, files.erasures.in(folder, segment))
    const { through: erasedThrough } = files.erasures
    const reader = { file, frames, erasedThrough, sizeBytes: await file.size() }
    this.#readers.set(folder, reader)
    return reader
  }

  /** The same without a turn of the event loop, where the last part of the store was in this segment, too. */
  held(files: SegmentFiles, { folder, segment }: Pick<Part, 'folder' | 'segment'>): AheadInFile | undefined {
    const known = this.#readers.get(folder)
    const isSame = known?.erasedThrough === files.erasures.through // What was read before an erase may hold what it erased.
    return isSame && known.file === files.opened(folder, segment) ? known : undefined
  }
}

interface AheadInFile {
  file: ReadableFile
  frames: FrameReader
  erasedThrough: number
  sizeBytes: number
}

/**
 * Yields a part's frames and then holds them against count and digest. Throws `VARVE_CORRUPT` naming store,
 * segment, offset and item; with `payloads: true` every byte is checked, else header, head, table and rows.
 */
export async function* readPart(
  files: SegmentFiles,
  part: Part,
  { ahead, ...options }: { payloads?: boolean; ahead?: ReadAhead } = {},
): AsyncGenerator<ReadFrame> {
  const { frames: reader, sizeBytes } =
    ahead?.held(files, part) ?? (await (ahead ?? new ReadAhead()).in(files, part))
  const digest = new PartDigest()
  const end = Math.min(part.to, sizeBytes)
  // Without others to read after it, nothing is read beyond its end.
  const limit = ahead ? sizeBytes : end
  let offset = part.from
  let frames = 0
  while (offset < part.to) {
    const read = reader.read(offset, limit, options)
    const frame = read instanceof Promise ? await read : read
    if (isFault(frame)) throw damaged(files, part, frame)
    if (offset + frame.sizeBytes > end) throw damaged(files, part, { offset, fault: 'it is cut off' })
    digest.add(frame.hashed)
    frames++
    offset += frame.sizeBytes
    yield frame
  }
  if (frames !== part.frames)
    throw damaged(files, part, {
      offset: part.to,
      fault: `it has ${frames} frames instead of ${part.frames}`,
    })
  if (!digest.meets(part.digest))
    throw damaged(files, part, { offset: part.from, fault: 'it is not what the commit saw' })
}

/** Reads every byte of a part. */
export async function verifyPart(files: SegmentFiles, part: Part, ahead: ReadAhead): Promise<void> {
  for await (const _ of readPart(files, part, { payloads: true, ahead })) continue
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

/**
 * Where the commit log goes on: behind its last frame, or in a new segment that begins with a seal of what stands
 * before. Whatever a full disk leaves there is never written over.
 */
import { isDiskFull } from '../disk/disk-errors.ts'
import type { EncodedFrame } from '../log/frame.ts'
import { commitsFolder } from '../log/names.ts'
import type { LogPlace } from '../log/recovery.ts'
import { segmentHeaderBytes } from '../log/segment.ts'
import type { SegmentWriter } from '../log/segment-writer.ts'
import type { Catalog } from './catalog.ts'
import { encodeSeal } from './commit.ts'

export interface LogEndOptions {
  writer: SegmentWriter
  catalog: Catalog
  /** Set when the commit log must go on in a new segment, the first being numbered so. */
  newSegment: number | undefined
  /** The commit log starts a new segment beyond this. */
  segmentBytes: number
  random: (target: Uint8Array) => void
}

/** Where the next frames go; in a new segment, behind a seal, unless it is the first. */
export interface Opening {
  next: LogPlace
  isNew: boolean
  seal: EncodedFrame | undefined
}

export interface DiskFull {
  cause: unknown
  /** How far the commit log was written nevertheless. */
  reached: number
}

export class LogEnd {
  readonly #options: LogEndOptions
  #newSegment: number | undefined

  constructor(options: LogEndOptions) {
    this.#options = options
    this.#newSegment = options.newSegment
  }

  opening(syncedThrough: number): Opening {
    const { catalog, random, segmentBytes } = this.#options
    const { number, hash, next } = catalog.end
    if (this.#newSegment === undefined && next.offset > segmentBytes) this.#newSegment = next.segment + 1
    if (this.#newSegment === undefined) return { next, isNew: false, seal: undefined }
    const first = { segment: this.#newSegment, offset: segmentHeaderBytes }
    if (this.#newSegment === 1) return { next: first, isNew: true, seal: undefined }
    const seal = encodeSeal(
      { segment: next.segment, length: next.offset, number, hash },
      { syncedThrough, random },
    )
    return { next: { ...first, offset: first.offset + seal.sizeBytes }, isNew: true, seal }
  }

  /**
   * Writes frames, or answers how far a full disk let it come. The log then goes on in a new segment; but a new
   * segment without its whole seal has told nobody anything, and is removed.
   */
  async append({ next, isNew, seal }: Opening, chunks: Uint8Array[]): Promise<DiskFull | undefined> {
    const { writer, catalog } = this.#options
    const offset = isNew ? segmentHeaderBytes : next.offset
    try {
      await writer.write({
        folder: commitsFolder,
        segment: next.segment,
        offset,
        chunks: [...(seal?.chunks ?? []), ...chunks],
      })
      this.#newSegment = undefined
      return undefined
    } catch (cause) {
      if (!isDiskFull(cause)) throw cause
      const reached = (isNew ? 0 : offset) + ((cause as { written?: number }).written ?? 0)
      if (isNew && reached < next.offset) await writer.remove(commitsFolder, next.segment)
      else {
        if (isNew) catalog.end = { ...catalog.end, next, closed: false }
        this.#newSegment = next.segment + 1
      }
      return { cause, reached }
    }
  }
}

/** Work that writes nothing to the commit log. */
export async function unlessFull(work: Promise<void>): Promise<DiskFull | undefined> {
  try {
    await work
    return undefined
  } catch (cause) {
    if (isDiskFull(cause)) return { cause, reached: 0 }
    throw cause
  }
}

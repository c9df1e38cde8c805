/** Reads every byte of a part, goes on behind damage where the format allows, and says whether what it found is what the commit saw. */
import type { ErasedAt } from '../log/erasures.ts'
import { PartDigest, type Part } from '../log/part.ts'
import { isLost, nextHeader, scanFrame, type LostFrame, type ScannedFrame } from './frame-scan.ts'
import { nameItem } from './item-key.ts'
import type { SegmentReader } from './segment-reader.ts'
import type { SteadyFile } from './steady-file.ts'

export interface PartFault {
  offset: number
  fault: string
  /** One item is bad; the others of its frame are not. */
  item?: DamagedItem
  /** So many frames are lost, with so many items where that can be told. */
  frames?: number
  items?: number
}

export interface DamagedItem {
  /** Its place in its frame. */
  at: number
  /** What it is called, where that can be read. */
  named: { event?: string; key?: string }
  /** Row and payload are what was written. */
  isWhole: boolean
  /** The row can be read, so that it can be folded. */
  hasRow: boolean
}

export interface PartScan {
  /** The frames that are there are those the commit saw, as far as anything can tell. */
  trusted: boolean
  /** Nothing of the part can be read since its segment is missing, is another one, or ends before it. */
  noBytes: boolean
  faults: PartFault[]
}

/** Hands on every frame whose items can be told apart. Before the end nobody knows whether they are to be trusted. */
export async function scanPart(
  reader: SegmentReader,
  part: Part,
  onFrame: (frame: ScannedFrame) => void | Promise<void>,
): Promise<PartScan> {
  const { file, fault } = await reader.open(part.folder, part.segment)
  if (!file) return lostPart(part, fault?.fault ?? 'it is missing')
  const end = await file.sizeWithin(part.to)
  if (end <= part.from) return lostPart(part, `it ends after ${end} bytes`)
  const erasedAt = reader.files.erasures.in(part.folder, part.segment)
  return new PartWalk({ file, erasedAt }, part, end).run(onFrame)
}

class PartWalk {
  readonly #file: SteadyFile
  readonly #erasedAt: ErasedAt
  readonly #part: Part
  readonly #limit: number
  readonly #faults: PartFault[] = []
  readonly #digest = new PartDigest()
  #good = 0
  #lost = 0

  constructor({ file, erasedAt }: { file: SteadyFile; erasedAt: ErasedAt }, part: Part, limit: number) {
    this.#file = file
    this.#erasedAt = erasedAt
    this.#part = part
    this.#limit = limit
  }

  async run(onFrame: (frame: ScannedFrame) => void | Promise<void>): Promise<PartScan> {
    const { to } = this.#part
    for (let offset = this.#part.from; offset < to;) {
      const scanned = await scanFrame(this.#file, offset, this.#limit, this.#erasedAt)
      if (isLost(scanned)) {
        offset = await this.#skip(scanned)
        continue
      }
      this.#take(scanned)
      await onFrame(scanned)
      offset += scanned.sizeBytes
    }
    const mismatch = this.#mismatch()
    if (mismatch) this.#faults.push({ ...mismatch, frames: this.#good + this.#lost })
    return { trusted: !mismatch, noBytes: false, faults: this.#faults }
  }

  #take(frame: ScannedFrame): void {
    this.#good++
    this.#digest.add(frame.hashed)
    for (const [at, scanned] of frame.items.entries()) {
      const { fault, offset, length } = scanned
      if (fault === undefined) continue
      const failed = this.#file.failedWithin(offset, offset + length)
      const named = nameItem(this.#part.folder, frame, scanned)
      const item = { at, named, isWhole: scanned.whole, hasRow: scanned.row !== undefined }
      this.#faults.push({ offset: frame.offset, item, fault: failed ? unreadable(fault) : fault })
    }
  }

  /** Where to go on behind a frame that is lost. */
  async #skip(lost: LostFrame): Promise<number> {
    const { offset, sizeBytes, items } = lost
    const end = offset + (sizeBytes ?? 8)
    const fault = this.#file.failedWithin(offset, end) ? unreadable(lost.fault) : lost.fault
    const isWhole = sizeBytes !== undefined && end <= this.#limit
    const next = isWhole ? end : ((await this.#resume(offset + 8)) ?? this.#part.to)
    const frames = isWhole ? 1 : next < this.#part.to ? await this.#framesBefore(next) : this.#remaining
    this.#lost += frames
    this.#faults.push({ offset, fault, frames, ...(isWhole && items !== undefined ? { items } : {}) })
    return next
  }

  get #remaining(): number {
    return Math.max(1, this.#part.frames - this.#good - this.#lost)
  }

  /** How many frames were lost, if all from here on are there. */
  async #framesBefore(next: number): Promise<number> {
    return Math.max(1, this.#remaining - ((await this.#runFrom(next)) ?? 0))
  }

  /**
   * The next frame of the part behind bytes that say nothing. What looks like a header may stand in somebody's payload: it counts only if frame
   * follows frame from there to the very end of the part, and not too many.
   */
  async #resume(from: number): Promise<number | undefined> {
    for (let at = from; ;) {
      const found = await nextHeader(this.#file, at, this.#limit)
      if (!found) return undefined
      const run = await this.#runFrom(found.offset)
      if (run !== undefined && run < this.#remaining) return found.offset
      at = found.offset + 8
    }
  }

  async #runFrom(start: number): Promise<number | undefined> {
    let frames = 0
    let offset = start
    while (offset < this.#part.to) {
      const found = await nextHeader(this.#file, offset, Math.min(this.#limit, offset + 40))
      if (!found || ++frames > this.#part.frames) return undefined
      offset += found.sizeBytes
    }
    return offset === this.#part.to ? frames : undefined
  }

  #mismatch(): PartFault | undefined {
    const { from, to, frames, digest } = this.#part
    const found = this.#good + this.#lost
    if (found !== frames) return { offset: to, fault: `it has ${found} frames instead of ${frames}` }
    if (this.#lost > 0 || this.#digest.meets(digest)) return undefined
    return { offset: from, fault: 'it is not what the commit saw' }
  }
}

function lostPart(part: Part, fault: string): PartScan {
  return { trusted: false, noBytes: true, faults: [{ offset: part.from, fault, frames: part.frames }] }
}

function unreadable(fault: string): string {
  return `${fault} (the disk cannot read it)`
}

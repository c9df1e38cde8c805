/**
 * Gives the frames of one store their places, before they are written, and keeps those that are not written
 * yet. It decides where bytes go; `segment-writer` puts them there.
 *
 * Invariants: no byte is given away twice, except to the same frame; within a segment, the frames of a part
 * follow each other without a gap.
 */
import type { EncodedFrame } from './frame.ts'
import { PartDigest, type Part } from './part.ts'
import { segmentHeaderBytes } from './segment.ts'
import type { SegmentWrite } from './segment-writer.ts'

export interface PlacedFrame {
  segment: number
  offset: number
  frame: EncodedFrame
}

interface OpenPart {
  segment: number
  from: number
  to: number
  frames: number
  last: Hashed | undefined
}

/** What hashes cover of a frame, and of those before it: a mark costs nothing, however many there are. */
interface Hashed {
  bytes: Uint8Array
  before: Hashed | undefined
}

export interface TakenParts {
  parts: Part[]
  /** Frames that must be written before the commit. */
  frames: PlacedFrame[]
  open: OpenPart[]
  spills: number[]
}

/** Where a rollback returns to, and what stands before it. */
export interface StoreLogMark {
  segment: number
  end: number
  parts: OpenPart[]
  /** The next frame was to begin a part of its own. */
  split: boolean
}

export interface StoreLogStart {
  /** Goes on at `end` of this segment; without it, in a new one. */
  segment?: number
  end?: number
  /** The highest segment number that was ever seen. */
  highest: number
  /** A frame that would go beyond this starts a new segment. */
  segmentBytes: number
}

export class StoreLog {
  readonly folder: string
  /** The segment frames go to now, and where the next one starts. */
  #segment: number
  #end: number
  #highest: number
  #parts: OpenPart[] = []
  /** Placed, in order, not known to be written, and of no commit yet. */
  #pending: PlacedFrame[] = []
  /** The same, of commits that are on their way. */
  #claimed: PlacedFrame[] = []
  /** Segments that hold nothing but pending changes. They are written early, and removed by a rollback. */
  #spills = new Set<number>()
  /** How far into each segment a write was attempted. */
  readonly #attempted = new Map<number, number>()
  /** The next frame begins a part of its own. */
  #split = false
  readonly #segmentBytes: number

  constructor(folder: string, { segment, end, highest, segmentBytes }: StoreLogStart) {
    this.folder = folder
    this.#segmentBytes = segmentBytes
    this.#segment = segment ?? highest + 1
    this.#end = end ?? segmentHeaderBytes
    this.#highest = Math.max(highest, this.#segment)
  }

  get pending(): boolean {
    return this.#parts.length > 0
  }

  /** Gives a frame its place. `spill`: in a segment that may be written before the commit. */
  place(frame: EncodedFrame, { spill }: { spill: boolean }): PlacedFrame {
    const full = this.#end > segmentHeaderBytes && this.#end + frame.sizeBytes > this.#segmentBytes
    if (full || (spill && !this.#spills.has(this.#segment))) this.#startSegment({ spill })
    let part = this.#parts.at(-1)
    if (this.#split || part?.segment !== this.#segment || part.to !== this.#end) {
      part = { segment: this.#segment, from: this.#end, to: this.#end, frames: 0, last: undefined }
      this.#parts.push(part)
      this.#split = false
    }
    const placed = { segment: this.#segment, offset: this.#end, frame }
    this.#end += frame.sizeBytes
    part.to = this.#end
    part.frames++
    part.last = { bytes: new Uint8Array(frame.hashed), before: part.last } // A copy: the frame may be written early, and forgotten.
    this.#pending.push(placed)
    return placed
  }

  /**
   * Closes the open parts, or those before a mark that splits: what a commit names. `reopen` takes it back.
   */
  takeParts(through?: StoreLogMark): TakenParts {
    const open = this.#parts.splice(0, through?.parts.length ?? this.#parts.length)
    const frames = through ? this.#pending.filter((placed) => before(placed, through)) : this.#pending
    const spills = open.map(({ segment }) => segment).filter((segment) => this.#spills.delete(segment))
    this.#claimed = [...this.#claimed, ...frames]
    this.#pending = through ? without(this.#pending, frames) : []
    return { open, frames, spills, parts: open.map((part) => closed(this.folder, part)) }
  }

  /** The commit was not written after all: its parts are pending again, before those of later changes. */
  reopen({ open, frames, spills }: TakenParts): void {
    this.#parts = [...open, ...this.#parts]
    this.#claimed = without(this.#claimed, frames)
    this.#pending = [...frames, ...this.#pending]
    for (const segment of spills) this.#spills.add(segment)
  }

  /** `split`: what stands before can be taken by itself. */
  mark({ split = false } = {}): StoreLogMark {
    this.#split ||= split
    return { segment: this.#segment, end: this.#end, parts: copies(this.#parts), split: this.#split }
  }

  /** The mark, when parts from before it have come back since. */
  reopenMark(mark: StoreLogMark, { open }: TakenParts): StoreLogMark {
    return { ...mark, parts: [...copies(open), ...mark.parts] }
  }

  /**
   * Forgets what was placed after the mark, and answers the segments that hold nothing else. Frames from
   * before the mark must not have been handed to a commit in between.
   */
  rollback(mark: StoreLogMark | undefined): number[] {
    const kept = new Set(mark?.parts.map((part) => part.segment))
    const removed = [...this.#spills].filter((segment) => !kept.has(segment))
    for (const segment of removed) this.#spills.delete(segment)
    const first = mark ?? this.#beginning()
    this.#parts = mark ? mark.parts : []
    this.#split = mark?.split ?? false
    this.#pending = this.#pending.filter((placed) => before(placed, first))
    this.#segment = first.segment
    this.#end = first.end
    if ((this.#attempted.get(this.#segment) ?? 0) > this.#end || removed.includes(this.#segment))
      this.#startSegment({ spill: false })
    return removed
  }

  /** Pending frames that may be written before their commit: the last of them, which are few. */
  spillable(): PlacedFrame[] {
    const isBefore = ({ segment }: PlacedFrame): boolean => !this.#spills.has(segment)
    return this.#pending.slice(this.#pending.findLastIndex(isBefore) + 1)
  }

  /** The writes that bring these frames to disk, those that follow each other as one. */
  writes(frames: readonly PlacedFrame[]): SegmentWrite[] {
    const writes: SegmentWrite[] = []
    let end = -1
    for (const { segment, offset, frame } of frames) {
      const last = writes.at(-1)
      if (last?.segment === segment && end === offset) last.chunks.push(...frame.chunks)
      else writes.push({ folder: this.folder, segment, offset, chunks: [...frame.chunks] })
      end = offset + frame.sizeBytes
      this.#attempted.set(segment, Math.max(end, this.#attempted.get(segment) ?? 0))
    }
    return writes
  }

  /** These frames can be read from the file from now on. */
  written(frames: readonly PlacedFrame[]): void {
    this.#claimed = without(this.#claimed, frames)
    this.#pending = without(this.#pending, frames)
  }

  /** A payload that is not on disk yet. */
  payload(segment: number, offset: number): Uint8Array | undefined {
    for (const frames of [this.#pending, this.#claimed]) {
      const placed = search(frames, (candidate) => candidate.segment - segment || candidate.offset - offset)
      const within = offset - (placed?.offset ?? 0)
      if (placed?.segment !== segment || within >= placed.frame.sizeBytes) continue
      const payload = search(placed.frame.payloads, (place) => place.offset - within)
      if (payload?.offset === within) return payload.bytes
    }
    return undefined
  }

  #startSegment({ spill }: { spill: boolean }): void {
    this.#segment = ++this.#highest
    this.#end = segmentHeaderBytes
    if (spill) this.#spills.add(this.#segment)
  }

  /** Where the pending changes begin. */
  #beginning(): { segment: number; end: number } {
    const first = this.#parts[0]
    return first ? { segment: first.segment, end: first.from } : { segment: this.#segment, end: this.#end }
  }
}

function copies(parts: readonly OpenPart[]): OpenPart[] {
  return parts.map((part) => ({ ...part }))
}

function closed(folder: string, { last, ...part }: OpenPart): Part {
  const hashed: Uint8Array[] = []
  for (let frame = last; frame; frame = frame.before) hashed.push(frame.bytes)
  const digest = new PartDigest()
  for (const bytes of hashed.reverse()) digest.add(bytes)
  return { folder, digest: digest.digest(), ...part }
}

/** The frames, which it may change. Those that go stand together, mostly at the end: whoever writes early asks at each change. */
function without(frames: PlacedFrame[], gone: readonly PlacedFrame[]): PlacedFrame[] {
  const [first] = gone
  if (!first) return frames
  const at = frames.lastIndexOf(first)
  if (at >= 0 && frames[at + gone.length - 1] === gone.at(-1)) {
    frames.splice(at, gone.length)
    return frames
  }
  const set = new Set(gone)
  return frames.filter((placed) => !set.has(placed))
}

function before(placed: PlacedFrame, { segment, end }: { segment: number; end: number }): boolean {
  return placed.segment < segment || (placed.segment === segment && placed.offset < end)
}

/** The last element that does not lie beyond what is looked for. */
function search<T>(sorted: readonly T[], compare: (element: T) => number): T | undefined {
  let low = 0
  let high = sorted.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (compare(sorted[middle]!) <= 0) low = middle + 1
    else high = middle
  }
  return sorted[low - 1]
}

/**
 * Which commits count. Recovery trusts the commit log only, never guesses, and writes nothing:
 *
 * 1. It follows the chain of commits through the segments of the commit log, each new segment being sealed to the one before.
 * 2. It collects the highest `syncedThrough` that any frame names: so far, everything was durable once.
 * 3. What lies above is read byte by byte; the first commit that does not verify, and what follows it, is torn and dropped.
 * 4. A fault at or below is corrupt, and refused.
 */
import { createHash } from 'node:crypto'
import { VarveError } from '../errors.ts'
import { frameFlags } from './frame.ts'
import { FrameReader, framesBeyond, isFault, type FrameFault, type ReadFrame } from './frame-reader.ts'
import { commitsFolder } from './names.ts'
import { verifyPart, type Part } from './part.ts'
import { segmentHeaderBytes } from './segment.ts'
import type { SegmentFiles } from './segment-files.ts'

export interface LogPlace {
  segment: number
  offset: number
}

/** A commit that is accepted, and where the next frame of the commit log begins. */
export interface ChainEnd {
  number: number
  hash: Uint8Array
  next: LogPlace
}

/** What a commit frame says of itself, decoded by the layer above. */
export interface CommitLink {
  number: number
  previous: Uint8Array
  parts: Part[]
}

/** Where the commit log's segment before this one ends, and with which commit. */
export interface Seal {
  segment: number
  length: number
  number: number
  hash: Uint8Array
}

export interface FoundCommit extends CommitLink {
  hash: Uint8Array
  place: LogPlace
  end: ChainEnd
  frame: ReadFrame
}

export interface Heads {
  commit(frame: ReadFrame): CommitLink
  seal(frame: ReadFrame): Seal
}

export interface Recovered {
  commits: FoundCommit[]
  end: ChainEnd
  /** Everything up to here is durable. */
  syncedThrough: number
  /** The last session ended in order, and nothing stands behind its mark: its segments may be continued. */
  closed: boolean
  /** What was dropped as torn. */
  torn?: { commits: number; bytes: number; fault: string }
}

export const noCommit: ChainEnd = { number: 0, hash: new Uint8Array(32), next: { segment: 1, offset: segmentHeaderBytes } }

/** SHA-256(0x00, header, head, table): the leaf hash of RFC 6962. */
export function commitHash(hashed: Uint8Array): Uint8Array {
  return createHash('sha256').update(Uint8Array.of(0)).update(hashed).digest()
}

interface Options {
  heads: Heads
  /** The highest commit that something outside the commit log knows of, given what the walk found: a snapshot, the tail of a store's log. */
  knownElsewhere: (commits: readonly FoundCommit[]) => Promise<number>
}

/**
 * Finds the commits after `from`. Throws `VARVE_CORRUPT` for damage to what was durable. A writer may be at work meanwhile: what it made
 * durable after the walk had passed is no damage, so a verdict stands only on evidence that was there before the walk began.
 */
export async function recover(files: SegmentFiles, from: ChainEnd, { heads, knownElsewhere }: Options): Promise<Recovered> {
  for (let proven = 0; ; ) {
    const walk = await new Walk(files, from, heads).run()
    const last = walk.commits.at(-1)?.number ?? from.number
    if (proven > last) throw corruptLog(files, walk, { last, promised: proven })
    const syncedThrough = Math.max(walk.syncedThrough, from.number)
    proven = Math.max(syncedThrough, await knownElsewhere(walk.commits))
    if (proven > last) continue
    const kept = await verifiedCommits(files, walk.commits, syncedThrough)
    const end = kept.commits.at(-1)?.end ?? (walk.commits.length ? from : walk.end)
    if (proven > end.number) throw corruptLog(files, walk, { last: end.number, promised: proven })
    return { commits: kept.commits, end, syncedThrough, ...ending(walk, { end, fault: kept.fault, dropped: walk.commits.length - kept.commits.length }) }
  }
}

function ending(
  walk: Walk,
  { end, fault: partFault, dropped }: { end: ChainEnd; fault: string | undefined; dropped: number },
): Pick<Recovered, 'closed' | 'torn'> {
  const fault = partFault ?? (walk.fault?.end ? undefined : walk.fault?.fault)
  if (fault === undefined) return { closed: walk.closed }
  return { closed: false, torn: { commits: dropped, bytes: walk.bytes - end.next.offset, fault } }
}

async function verifiedCommits(
  files: SegmentFiles,
  commits: FoundCommit[],
  syncedThrough: number,
): Promise<{ commits: FoundCommit[]; fault?: string }> {
  for (const [index, commit] of commits.entries()) {
    if (commit.number <= syncedThrough) continue
    const fault = await commitFault(files, commit)
    if (fault !== undefined) return { commits: commits.slice(0, index), fault }
  }
  return { commits }
}

/** Commits above `syncedThrough` may lack any of their bytes: each is read and held against its digest. */
async function commitFault(files: SegmentFiles, commit: FoundCommit): Promise<string | undefined> {
  const log = await files.open(commitsFolder, commit.place.segment)
  const whole = await new FrameReader(log).read(commit.place.offset, commit.place.offset + commit.frame.sizeBytes, { payloads: true })
  if (isFault(whole)) return whole.fault
  try {
    for (const part of commit.parts) await verifyPart(files, part)
    return undefined
  } catch (error) {
    if (error instanceof VarveError && error.code === 'VARVE_CORRUPT') return error.message
    throw error
  }
}

function corruptLog(files: SegmentFiles, walk: Walk, { last, promised }: { last: number; promised: number }): VarveError {
  const { segment } = walk.at
  const { offset, fault } = walk.fault ?? { offset: walk.at.offset, fault: 'the file ends here' }
  return new VarveError(
    'VARVE_CORRUPT',
    `The commit log ${files.path(commitsFolder, segment)} is damaged at offset ${offset} (${fault}): commits ${last + 1} to ${promised} were durable and cannot be read.`,
    { store: commitsFolder, segment, offset, commit: last + 1, fault },
  )
}

interface Successor {
  segment: number
  seal: Seal
  frame: ReadFrame
}

/** One pass over the commit log. */
class Walk {
  readonly commits: FoundCommit[] = []
  syncedThrough = 0
  closed = false
  fault: (FrameFault & { segment: number }) | undefined
  at: LogPlace
  /** The length of the segment the walk ended in. */
  bytes = 0
  readonly #files: SegmentFiles
  readonly #heads: Heads
  readonly #from: ChainEnd
  /** Where the chain ends, marks and seals included. */
  end: ChainEnd

  constructor(files: SegmentFiles, from: ChainEnd, heads: Heads) {
    this.#files = files
    this.#heads = heads
    this.#from = from
    this.end = from
    this.at = from.next
  }

  async run(): Promise<this> {
    for (;;) {
      await this.#segment()
      const next = await this.#successor()
      if (!next) return this
      this.#follow(next)
    }
  }

  /** Takes every good frame of the segment, from where the walk stands. */
  async #segment(): Promise<void> {
    const file = await this.#files.open(commitsFolder, this.at.segment)
    const reader = new FrameReader(file)
    this.bytes = await file.size()
    this.fault = undefined
    for (;;) {
      const frame = await reader.read(this.at.offset, this.bytes)
      const fault = isFault(frame) ? frame : this.#take(frame)
      if (fault) {
        this.fault = { ...fault, segment: this.at.segment }
        break
      }
    }
    if (this.fault?.end) return
    this.closed = false
    for await (const frame of framesBeyond(file, this.at.offset + 8, this.bytes)) this.#noteMark(frame)
  }

  #take(frame: ReadFrame): FrameFault | undefined {
    const end = this.at.offset + frame.sizeBytes
    if (frame.flags & (frameFlags.mark | frameFlags.seal)) {
      this.closed = (frame.flags & frameFlags.close) !== 0
    } else {
      const link = this.#heads.commit(frame)
      if (link.number !== this.end.number + 1) return { offset: frame.offset, fault: `commit ${link.number} follows commit ${this.end.number}` }
      if (!Buffer.from(link.previous).equals(this.end.hash)) return { offset: frame.offset, fault: 'it does not follow from the commit before' }
      const hash = commitHash(frame.hashed)
      const next = { segment: this.at.segment, offset: end }
      this.end = { number: link.number, hash, next }
      this.commits.push({ ...link, hash, place: this.at, end: this.end, frame })
      this.closed = false
    }
    this.#noteMark(frame)
    this.at = { segment: this.at.segment, offset: end }
    this.end = { ...this.end, next: this.at }
    const last = this.commits.at(-1)
    if (last) last.end = this.end
    return undefined
  }

  #noteMark(frame: ReadFrame): void {
    this.syncedThrough = Math.max(this.syncedThrough, frame.syncedThrough)
  }

  /** The segment sealed to this one: of several, the highest, since whoever takes over starts above all that stand there. */
  async #successor(): Promise<Successor | undefined> {
    const numbers = await this.#files.numbers(commitsFolder)
    for (const segment of numbers.filter((number) => number > this.at.segment).reverse()) {
      if ((await this.#files.fault(commitsFolder, segment)) !== undefined) continue
      const file = await this.#files.open(commitsFolder, segment)
      const frame = await new FrameReader(file).read(segmentHeaderBytes, await file.size())
      if (isFault(frame) || !(frame.flags & frameFlags.seal)) continue
      const seal = this.#heads.seal(frame)
      if (seal.segment === this.at.segment) return { segment, seal, frame }
    }
    return undefined
  }

  /** What stands beyond the sealed length is a dead or displaced writer's. */
  #follow({ segment, seal, frame }: Successor): void {
    while ((this.commits.at(-1)?.number ?? 0) > seal.number) this.commits.pop()
    const last = this.commits.at(-1)
    const { number, hash } = last ?? this.#from
    if (this.at.offset < seal.length || number !== seal.number || !Buffer.from(hash).equals(seal.hash)) throw this.#brokenSeal(seal)
    this.#noteMark(frame)
    this.at = { segment, offset: segmentHeaderBytes + frame.sizeBytes }
    this.end = { number, hash, next: this.at }
    if (last) last.end = this.end
    this.closed = false
  }

  #brokenSeal(seal: Seal): VarveError {
    const { offset, fault } = this.fault ?? { offset: this.at.offset, fault: 'the file ends here' }
    return new VarveError(
      'VARVE_CORRUPT',
      `The commit log ${this.#files.path(commitsFolder, seal.segment)} is damaged at offset ${offset} (${fault}): it held commits up to ${seal.number} and ${seal.length} bytes when it was sealed.`,
      { store: commitsFolder, segment: seal.segment, offset, commit: seal.number, fault },
    )
  }
}

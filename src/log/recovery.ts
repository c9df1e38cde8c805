/**
 * Which commits count. Recovery trusts the commit log only, never guesses, and writes nothing:
 *
 * 1. It follows the chain of commits through the segments of the commit log, each new segment being sealed
 *    to the one before. The chain ends at the first frame that is not good, or does not follow, or at a seal
 *    that does not fit what was found.
 * 2. It collects the highest `syncedThrough` that any frame names, also those behind the chain's end: so far,
 *    everything was durable once.
 * 3. What lies above is read byte by byte; the first commit that does not verify, and what follows it, is
 *    torn and dropped.
 * 4. A chain that ends below is corrupt, and refused.
 */
import { createHash } from 'node:crypto'
import type { ReadableFile } from '../disk/disk.ts'
import { VarveError } from '../errors.ts'
import { frameFlags } from './frame.ts'
import { FrameReader, marksBeyond, isFault, type FrameFault, type ReadFrame } from './frame-reader.ts'
import { commitsFolder } from './names.ts'
import { ReadAhead, verifyPart, type Part } from './part.ts'
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
  /** The mark right before `next` says that a session ended in order. */
  closed: boolean
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
  before: ChainEnd
  end: ChainEnd
  frame: ReadFrame
}

export interface Heads {
  commit(frame: ReadFrame, segment: number): CommitLink
  seal(frame: ReadFrame, segment: number): Seal
}

export interface Recovered {
  commits: FoundCommit[]
  end: ChainEnd
  /** Everything up to here is known to be durable. */
  syncedThrough: number
  /** What was dropped as torn. */
  torn?: { commits: number; bytes: number; fault: string }
}

export const noCommit: ChainEnd = {
  number: 0,
  hash: new Uint8Array(32),
  next: { segment: 1, offset: segmentHeaderBytes },
  closed: false,
}

/** SHA-256(0x00, header, head, table): the leaf hash of RFC 6962. */
export function commitHash(hashed: Uint8Array): Uint8Array {
  return createHash('sha256').update(Uint8Array.of(0)).update(hashed).digest()
}

interface Options {
  heads: Heads
  /** What is known to be durable before anything is read. */
  syncedThrough: number
  /**
   * The highest commit that something outside the commit log knows of, given what the walk found: a snapshot,
   * the tail of a store's log. `isWhole`: nothing stands behind the last of them.
   */
  knownElsewhere: (commits: readonly FoundCommit[], isWhole: boolean) => Promise<number>
  /** The last commit that a snapshot was made of, of these on, the first of which does not verify. */
  knownDespiteFault: (commits: readonly FoundCommit[]) => Promise<number>
  /** Whether a commit that was accepted before names a segment. */
  isNamed: (folder: string, segment: number) => boolean
}

/**
 * Finds the commits after `from`. Throws `VARVE_CORRUPT` for damage to what was durable. A writer may be at
 * work meanwhile: what it made durable after the walk had passed is no damage, so a verdict stands only on
 * evidence that was there before the walk began. What stands outside the commit log is asked once: a writer is
 * always further than whoever looks there last.
 */
export async function recover(files: SegmentFiles, from: ChainEnd, options: Options): Promise<Recovered> {
  let known: number | undefined
  for (let proven = options.syncedThrough; ;) {
    const walk = await new Walk(files, from, options.heads).run()
    const last = walk.end.number
    if (proven > last) throw corruptLog(files, walk, { last, promised: proven })
    known ??= await options.knownElsewhere(walk.commits, walk.fault?.end === true)
    proven = Math.max(proven, walk.syncedThrough, known)
    if (proven > last) continue
    const kept = await verifiedCommits(files, walk.commits, {
      syncedThrough: proven,
      isNamed: options.isNamed,
    })
    if (kept.fault !== undefined) {
      const despite = await options.knownDespiteFault(walk.commits.slice(kept.commits.length))
      if (despite > 0) {
        proven = despite
        continue
      }
    }
    // A writer may have erased what was being read: its commit is there by now, and promises what comes before.
    if (kept.fault !== undefined && (await new Walk(files, from, options.heads).run()).syncedThrough > proven)
      continue
    const end = kept.commits.at(-1)?.end ?? walk.start
    const fault = kept.fault ?? (walk.fault?.end ? undefined : walk.fault?.fault)
    const found = { commits: kept.commits, end, syncedThrough: proven }
    if (fault === undefined) return found
    return {
      ...found,
      torn: { commits: walk.commits.length - kept.commits.length, bytes: walk.bytesBehind(end.next), fault },
    }
  }
}

async function verifiedCommits(
  files: SegmentFiles,
  commits: FoundCommit[],
  { syncedThrough, isNamed }: Pick<Options, 'syncedThrough' | 'isNamed'>,
): Promise<{ commits: FoundCommit[]; fault?: string }> {
  const durable = commits.filter(({ number }) => number <= syncedThrough).flatMap(({ parts }) => parts)
  const paths = new Set(durable.map(({ folder, segment }) => files.path(folder, segment)))
  const isDurable = ({ folder, segment }: Part): boolean =>
    isNamed(folder, segment) || paths.has(files.path(folder, segment))
  const ahead = new ReadAhead()
  for (const [index, commit] of commits.entries()) {
    if (commit.number <= syncedThrough) continue
    const fault = await commitFault(files, commit, { isDurable, ahead })
    if (fault !== undefined) return { commits: commits.slice(0, index), fault }
  }
  return { commits }
}

/** Commits above `syncedThrough` may lack any of their bytes: each is read and held against its digest. */
async function commitFault(
  files: SegmentFiles,
  { place: { segment, offset }, parts }: FoundCommit,
  { isDurable, ahead }: { isDurable: (part: Part) => boolean; ahead: ReadAhead },
): Promise<string | undefined> {
  const { frames, sizeBytes } = await ahead.in(files, { folder: commitsFolder, segment })
  const whole = await frames.read(offset, sizeBytes, { payloads: true })
  if (isFault(whole)) return whole.fault
  for (const part of parts) {
    const fault = await partFault(() => verifyPart(files, part, ahead), isDurable(part))
    if (fault !== undefined) return fault
  }
  return undefined
}

/**
 * A crash may take what was never synced, but neither the header of a segment that durable commits name, nor
 * does it put another segment in the place of one.
 */
async function partFault(verify: () => Promise<void>, isDurable: boolean): Promise<string | undefined> {
  try {
    await verify()
    return undefined
  } catch (error) {
    if (!(error instanceof VarveError) || error.code !== 'VARVE_CORRUPT') throw error
    const { kind } = error.fields
    if (kind === 'foreign' || (kind !== undefined && isDurable)) throw error
    return error.message
  }
}

function corruptLog(
  files: SegmentFiles,
  walk: Walk,
  { last, promised }: { last: number; promised: number },
): VarveError {
  const { segment, offset: end } = walk.end.next
  const { offset, fault } = walk.fault ?? { offset: end, fault: 'the file ends here' }
  return new VarveError(
    'VARVE_CORRUPT',
    `The commit log ${files.path(commitsFolder, segment)} is damaged at offset ${offset} (${fault}): commits ${last + 1} to ${promised} were durable and cannot be read.`,
    { store: commitsFolder, segment, offset, commit: last + 1, fault },
  )
}

/** A reader has seen commits of a writer that was then displaced, and that the next one did not take over. */
function replaced(files: SegmentFiles, { number, next: { segment } }: ChainEnd, from: number): VarveError {
  return new VarveError(
    'VARVE_CORRUPT',
    `${files.directory} holds another history than before: a writer went on from commit ${from}.`,
    {
      remedy: 'Close this context and open again.',
      store: commitsFolder,
      segment,
      commit: Math.min(number, from + 1),
      replaced: true,
    },
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
  fault: FrameFault | undefined
  /** Where the chain stood before the first of the commits. */
  start: ChainEnd
  /** Where the chain ends. */
  end: ChainEnd
  readonly #files: SegmentFiles
  readonly #heads: Heads
  readonly #lengths = new Map<number, number>()

  constructor(files: SegmentFiles, from: ChainEnd, heads: Heads) {
    this.#files = files
    this.#heads = heads
    this.start = from
    this.end = from
  }

  async run(): Promise<this> {
    do await this.#segment()
    while (await this.#follow())
    await this.#noteMarksBeyond()
    return this
  }

  /** How many bytes of the segments that were read stand behind a place. */
  bytesBehind({ segment, offset }: LogPlace): number {
    let bytes = 0
    for (const [number, length] of this.#lengths) {
      if (number === segment) bytes += Math.max(0, length - offset)
      if (number > segment) bytes += length
    }
    return bytes
  }

  /** Takes every good frame of the segment, from where the walk stands. */
  async #segment(): Promise<void> {
    const { segment } = this.end.next
    const file = await this.#files
      .open(commitsFolder, segment)
      .catch((error: unknown) => this.#noSegment(error))
    if (!file) return
    const reader = new FrameReader(file)
    const length = await file.size()
    this.#lengths.set(segment, length)
    this.fault = undefined
    while (!this.fault) {
      const frame = await reader.read(this.end.next.offset, length)
      this.fault = isFault(frame) ? frame : this.#take(frame)
    }
    if (this.fault.end) return
    for await (const mark of marksBeyond(file, this.end.next.offset, length)) this.#noteMark(mark)
  }

  /** A crash may take a segment that was never synced, but put no other in its place. */
  async #noSegment(error: unknown): Promise<undefined> {
    if (
      !(error instanceof VarveError) ||
      error.code !== 'VARVE_CORRUPT' ||
      error.fields['kind'] === 'foreign'
    )
      throw error
    this.fault = { offset: 0, fault: String(error.fields['fault']) }
    await this.#files.glanceAtDamaged(commitsFolder, this.end.next.segment, async (file) => {
      for await (const mark of marksBeyond(file, 0, await file.size())) this.#noteMark(mark)
    })
  }

  #take(frame: ReadFrame): FrameFault | undefined {
    const { number, hash, next: place } = this.end
    const next = { segment: place.segment, offset: place.offset + frame.sizeBytes }
    if (frame.flags & (frameFlags.mark | frameFlags.seal)) {
      this.#moveTo({ number, hash, next, closed: (frame.flags & frameFlags.close) !== 0 })
    } else {
      const link = this.#heads.commit(frame, place.segment)
      if (link.number !== number + 1)
        return { offset: frame.offset, fault: `commit ${link.number} follows commit ${number}` }
      if (!Buffer.from(link.previous).equals(hash))
        return { offset: frame.offset, fault: 'it does not follow from the commit before' }
      const end = { number: link.number, hash: commitHash(frame.hashed), next, closed: false }
      this.commits.push({ hash: end.hash, place, before: this.end, end, frame, ...link })
      this.#moveTo(end)
    }
    this.#noteMark(frame.syncedThrough)
    return undefined
  }

  /** Marks and seals belong to the commit before them. */
  #moveTo(end: ChainEnd): void {
    this.end = end
    const last = this.commits.at(-1)
    if (last) last.end = end
    else this.start = end
  }

  /** What later segments know, though the chain does not reach them. */
  async #noteMarksBeyond(): Promise<void> {
    for (const segment of await this.#laterSegments()) {
      await this.#glance(segment, async (file) => {
        for await (const mark of marksBeyond(file, segmentHeaderBytes, await file.size()))
          this.#noteMark(mark)
      })
    }
  }

  async #laterSegments(): Promise<number[]> {
    const numbers = await this.#files.numbers(commitsFolder)
    return numbers.filter((number) => number > this.end.next.segment)
  }

  /** `undefined` for a segment that a crash left without a header; another one in its place is refused. */
  async #glance<T>(segment: number, look: (file: ReadableFile) => Promise<T>): Promise<T | undefined> {
    const { seen, fault } = await this.#files.glance(commitsFolder, segment, look)
    if (fault?.kind === 'foreign') throw this.#files.unusable(commitsFolder, segment, fault)
    return seen
  }

  /**
   * The segment sealed to this one: of several, the highest, since whoever takes over starts above all that
   * stand there.
   */
  async #successor(): Promise<Successor | undefined> {
    for (const segment of (await this.#laterSegments()).toReversed()) {
      const frame = await this.#glance(segment, async (file) =>
        new FrameReader(file).read(segmentHeaderBytes, await file.size()),
      )
      if (!frame || isFault(frame) || !(frame.flags & frameFlags.seal)) continue
      const seal = this.#heads.seal(frame, segment)
      if (seal.segment === this.end.next.segment) return { segment, seal, frame }
    }
    return undefined
  }

  /**
   * Goes on in the next segment, if there is one. What stands beyond the sealed length is a dead or displaced
   * writer's.
   */
  async #follow(): Promise<boolean> {
    const successor = await this.#successor()
    if (!successor) return false
    const { segment, seal, frame } = successor
    const reached = this.end.next.offset
    this.#cutBack(seal)
    const { number, hash } = this.end
    if (reached < seal.length || number !== seal.number) {
      const fault = `commit ${seal.number} and ${seal.length} bytes stood here when segment ${segment} was begun`
      if (!this.fault || this.fault.end) this.fault = { offset: reached, fault }
      return false
    }
    this.#moveTo({
      number,
      hash,
      next: { segment, offset: segmentHeaderBytes + frame.sizeBytes },
      closed: false,
    })
    this.#noteMark(frame.syncedThrough)
    return true
  }

  /** Drops commits that whoever wrote the seal did not have. */
  #cutBack({ number, hash }: Seal): void {
    const foreign = (end: ChainEnd): boolean =>
      end.number > number || (end.number === number && !Buffer.from(end.hash).equals(hash))
    while (this.commits.length && foreign(this.commits.at(-1)!.end)) this.end = this.commits.pop()!.before
    if (this.commits.length === 0 && foreign(this.start)) throw replaced(this.#files, this.start, number)
  }

  #noteMark(syncedThrough: number): void {
    this.syncedThrough = Math.max(this.syncedThrough, syncedThrough)
  }
}

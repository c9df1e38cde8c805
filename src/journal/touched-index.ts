/**
 * Which frames of a store were about what, as hashes of the texts that stand in their rows: so that whoever looks for one key
 * reads the frames that can be about it, and no others. A frame may be there for nothing, never missing. It is a snapshot of its own, beside the store's,
 * and as all of them a cache.
 *
 * Its one section, u32 each: the commit after which it begins; the number of frames, and of those that can be about anything; of each frame its commit,
 * segment and offset, in the order of the log; the places in this list of those that can be about anything, ascending; then pairs of such a place and a hash,
 * ascending by hash and then by place.
 */
import type { FoldedStore } from './folded-store.ts'
import { readEvents, type FramePlace } from './read-events.ts'
import { hashOfCommit, type CommitLog } from './read-commit.ts'
import { listSnapshots, readSnapshot, type Sections } from './snapshot.ts'
import { partsBetween } from './store-source.ts'
import { hashText, isSame } from './table-base.ts'

const section = 'frames'
const fixedWords = 3
const frameWords = 3

/** No store's folder has such a name. */
export function touchedSubject(folder: string): string {
  return `${folder}=touched`
}

export function isTouchedSubject(subject: string): boolean {
  return subject.endsWith('=touched')
}

/** Of the commits after one of them up to another: read from the log, since pending changes do not know their commit yet. */
export async function touchedSections(
  log: CommitLog,
  store: Pick<FoldedStore, 'folder' | 'kind'>,
  { after, to }: { after: number; to: number },
): Promise<Sections> {
  const texts = new TouchedTexts()
  const parts = await partsBetween(log, store.folder, { from: after + 1, to })
  for await (const { event, place } of readEvents(store, log.files, parts)) {
    texts.begin(place)
    for (const { row } of event.items) texts.add(row)
  }
  return texts.toSections(after)
}

/** Collects them, in the order of the log. */
export class TouchedTexts {
  readonly #frames: FramePlace[] = []
  /** Pairs of a frame's place in the list and a hash, repeats among them. */
  #pairs = new Uint32Array(1024)
  #words = 0
  readonly #anything = new Set<number>()

  begin({ commit, segment, offset }: FramePlace): void {
    this.#frames.push({ commit, segment, offset })
  }

  /** Of the last frame that began. */
  add(row: unknown): void {
    const frame = this.#frames.length - 1
    let isAboutTexts = false
    for (const text of Array.isArray(row) ? row : []) {
      if (typeof text !== 'string') continue
      isAboutTexts = true
      if (this.#words === this.#pairs.length) {
        const larger = new Uint32Array(this.#words * 2)
        larger.set(this.#pairs)
        this.#pairs = larger
      }
      this.#pairs[this.#words++] = frame
      this.#pairs[this.#words++] = hashText(text)
    }
    if (!isAboutTexts) this.#anything.add(frame)
  }

  toSections(after: number): Sections {
    const first = firstIndex(this.#frames.length, (at) => this.#frames[at]!.commit > after)
    const frames = this.#frames.slice(first)
    const anything = Array.from(this.#anything, (frame) => frame - first).filter((frame) => frame >= 0)
    const pairs = this.#sortedPairs(first)
    const pairsStart = fixedWords + frames.length * frameWords + anything.length
    const words = new Uint32Array(pairsStart + pairs.length)
    words.set([after, frames.length, anything.length])
    for (const [at, { commit, segment, offset }] of frames.entries())
      words.set([commit, segment, offset], fixedWords + at * frameWords)
    words.set(anything, pairsStart - anything.length)
    words.set(pairs, pairsStart)
    return new Map([[section, new Uint8Array(words.buffer)]])
  }

  #sortedPairs(first: number): Uint32Array {
    const start = firstIndex(this.#words / 2, (pair) => this.#pairs[pair * 2]! >= first) * 2
    const pairs = this.#pairs.slice(start, this.#words)
    new BigUint64Array(pairs.buffer).sort() // Little endian: the hash is the upper half.
    let kept = 0
    for (let at = 0; at < pairs.length; at += 2) {
      const [frame, hash] = [pairs[at]! - first, pairs[at + 1]!]
      if (kept > 0 && frame === pairs[kept - 2] && hash === pairs[kept - 1]) continue
      pairs[kept++] = frame
      pairs[kept++] = hash
    }
    return pairs.subarray(0, kept)
  }
}

/** What the frames of the commits after one of them were about. Frames are named by their place in the list. */
export class TouchedFrames {
  readonly after: number
  readonly count: number
  readonly #frames: Uint32Array
  readonly #anything: Uint32Array
  readonly #pairs: Uint32Array

  private constructor(words: Uint32Array) {
    const [after = 0, count = 0, anything = 0] = words
    const framesEnd = fixedWords + count * frameWords
    this.after = after
    this.count = count
    this.#frames = words.subarray(fixedWords, framesEnd)
    this.#anything = words.subarray(framesEnd, framesEnd + anything)
    this.#pairs = words.subarray(framesEnd + anything)
  }

  /** `undefined`: a miss. */
  static from(sections: ReadonlyMap<string, Uint8Array> | undefined): TouchedFrames | undefined {
    const bytes = sections?.get(section)
    if (!bytes || bytes.length < fixedWords * 4 || bytes.length % 4 !== 0) return undefined
    const words = new Uint32Array(new Uint8Array(bytes).buffer)
    const pairs = words.length - fixedWords - words[1]! * frameWords - words[2]!
    return pairs >= 0 && pairs % 2 === 0 ? new TouchedFrames(words) : undefined
  }

  place(frame: number): FramePlace {
    const [commit = 0, segment = 0, offset = 0] = this.#frames.subarray(frame * frameWords)
    return { commit, segment, offset }
  }

  /** The first frame of a commit above a number; `count`: there is none. */
  firstAfter(commit: number): number {
    return firstIndex(this.count, (frame) => this.#frames[frame * frameWords]! > commit)
  }

  /** Those that can be about a text. */
  *framesWith(text: string): Generator<number> {
    yield* this.#anything
    const [hash, pairs] = [hashText(text), this.#pairs]
    const first = firstIndex(pairs.length / 2, (pair) => pairs[pair * 2 + 1]! >= hash)
    for (let at = first * 2; pairs[at + 1] === hash; at += 2) yield pairs[at]!
  }

  /** Whether it lacks nothing of what another holds, which begins where it does. */
  covers(other: TouchedFrames): boolean {
    if (!isSame(this.#frames, other.#frames)) return false
    if (isSame(this.#anything, other.#anything) && isSame(this.#pairs, other.#pairs)) return true
    const own = new Set(bigWords(this.#pairs))
    return (
      other.#anything.every((frame) => this.#anything.includes(frame)) &&
      bigWords(other.#pairs).every((pair) => own.has(pair))
    )
  }
}

/** As a copy, since they may stand at a multiple of 4 only. */
function bigWords(words: Uint32Array): BigUint64Array {
  return new BigUint64Array(words.slice().buffer)
}

/** By bisection: what holds for one holds for all that follow. */
function firstIndex(length: number, holds: (at: number) => boolean): number {
  let [from, to] = [0, length]
  while (from < to) {
    const middle = (from + to) >>> 1
    if (holds(middle)) to = middle
    else from = middle + 1
  }
  return from
}

/** Lists, each with the last commit that it knows. */
export interface TouchedInterval {
  touched: TouchedFrames
  to: number
}

/** Those that are there, in order, as far as they speak of commits from one number to another. */
export async function touchedIntervals(
  log: CommitLog,
  folder: string,
  { from, to: last }: { from: number; to: number },
): Promise<TouchedInterval[]> {
  const { disk, directory, journalId } = log.files
  const subject = touchedSubject(folder)
  const names = (await listSnapshots(disk, directory)).toReversed()
  const own = names.filter(
    ({ subject: of, commit }) => of === subject && commit >= from && commit <= log.catalog.end.number,
  )
  const intervals: TouchedInterval[] = []
  for (const { commit: to } of own) {
    const found = await readSnapshot(disk, directory, { journalId, subject, commit: to })
    const touched = TouchedFrames.from(found?.sections)
    const isOurs = touched && Buffer.from(found!.hash).equals(await hashOfCommit(log, to))
    if (isOurs && touched.after < last) intervals.push({ touched, to })
    if (to >= last) break
  }
  return intervals
}

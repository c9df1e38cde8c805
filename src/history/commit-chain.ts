/**
 * Puts the commits of a log in their order, past any damage: which follow from which, where the chain is broken, and which commits are
 * missing there. Where nothing is damaged it finds what recovery finds.
 */
import type { Seal } from '../log/recovery.ts'
import { noCommit } from '../log/recovery.ts'
import type { LogCommit, LogEntry, LogSegment } from './commit-log.ts'

export interface ChainFault {
  segment: number
  offset: number
  fault: string
  /** The commit that was expected there: recovery comes no further. 0: it does not begin. */
  at: number
  /** Commits that are missing because of it, first and last. */
  lost?: [from: number, to: number]
  /** The commit is there, and so is its place in the chain; only its note is lost. */
  noteOf?: number
}

export interface CommitChain {
  /** Ascending; with gaps where commits are lost. */
  commits: LogCommit[]
  faults: ChainFault[]
  /** The segments that belong to it, with the end of what counts in each. */
  segments: Map<number, number>
  /** The highest `syncedThrough` in any segment, whether it belongs to the chain or not. */
  syncedThrough: number
}

export function linkCommits(log: readonly LogSegment[]): CommitChain {
  const linking = new Linking(log)
  return linking.run()
}

class Linking {
  readonly #log: Map<number, LogSegment>
  readonly #commits: LogCommit[] = []
  readonly #faults: ChainFault[] = []
  /** The last commit that is there, or is accounted for as lost. */
  #last: { number: number; hash: Uint8Array } = noCommit
  readonly #segments = new Map<number, number>()
  /** Faults that may be what is left of commits that are missing; known with the next good one. */
  #open: ChainFault[] = []

  constructor(log: readonly LogSegment[]) {
    this.#log = new Map(log.map((segment) => [segment.number, segment]))
  }

  run(): CommitChain {
    for (let number: number | undefined = 1; number !== undefined;) {
      const successor = this.#successor(number)
      this.#takeSegment(number, successor?.seal)
      number = successor?.number ?? this.#unsealedSuccessor(number)
    }
    this.#faults.push(...this.#open, ...this.#foreign())
    const syncedThrough = Math.max(0, ...Array.from(this.#log.values(), (segment) => segment.syncedThrough))
    return { commits: this.#commits, faults: this.#faults, segments: this.#segments, syncedThrough }
  }

  /** No crash leaves a segment in the place of another: recovery refuses it wherever it stands. */
  #foreign(): ChainFault[] {
    return [...this.#log.values()].flatMap(({ number, headerFault }) =>
      headerFault?.kind === 'foreign' && !this.#segments.has(number)
        ? [{ segment: number, offset: 0, fault: headerFault.fault, at: 0 }]
        : [],
    )
  }

  /** Of several segments sealed to this one, the highest: whoever takes over starts above all that stand there. */
  #successor(number: number): LogSegment | undefined {
    const sealed = [...this.#log.values()].filter(
      ({ seal, number: own }) => seal?.segment === number && own > number,
    )
    return sealed.at(-1)
  }

  /** Where a seal cannot be read, or the segment that was sealed is missing. */
  #unsealedSuccessor(number: number): number | undefined {
    const later = [...this.#log.values()].find((segment) => {
      const isNext = segment.seal
        ? !this.#log.has(segment.seal.segment) && segment.seal.segment > number
        : true
      return segment.number > number && isNext && segment.entries.some(({ kind }) => kind === 'commit')
    })
    if (later?.seal && later.seal.segment > number) {
      const at = this.#last.number + 1
      this.#open.push({ segment: later.seal.segment, offset: 0, fault: 'it is missing', at })
    }
    return later?.number
  }

  #takeSegment(number: number, seal: Seal | undefined): void {
    const segment = this.#log.get(number)
    const place = { segment: number, at: this.#last.number + 1 }
    if (!segment) this.#open.push({ ...place, offset: 0, fault: 'it is missing' })
    else if (segment.headerFault) this.#open.push({ ...place, offset: 0, fault: segment.headerFault.fault })
    const entries = segment?.entries.filter(({ offset }) => !seal || offset < seal.length) ?? []
    for (const entry of entries) this.#take(entry, number, seal)
    const end = Math.min(segment?.sizeBytes ?? 0, seal?.length ?? Infinity)
    this.#segments.set(number, end)
    if (seal) this.#meetSeal(seal, { segment: number, offset: end })
  }

  #take(entry: LogEntry, segment: number, seal: Seal | undefined): void {
    const { offset } = entry
    if (entry.kind === 'fault')
      this.#open.push({ segment, offset, fault: entry.fault, at: this.#last.number + 1 })
    if (entry.kind !== 'commit' || (seal && entry.commit.number > seal.number)) return
    const { commit } = entry
    this.#dropDisplaced(commit)
    const at = this.#last.number + 1
    if (commit.number < at) {
      this.#open.push({ segment, offset, fault: `commit ${commit.number} stands there a second time`, at })
      return
    }
    if (commit.number > at) {
      const fault = `commit ${commit.number} follows commit ${at - 1}`
      this.#lose([at, commit.number - 1], { segment, offset, fault, at })
    } else if (!Buffer.from(commit.previous).equals(this.#last.hash)) {
      const fault = 'it does not follow from the commit before'
      this.#faults.push({ segment, offset, fault, at })
    }
    this.#settle()
    this.#commits.push(commit)
    this.#last = commit
    if (commit.noteFault === undefined) return
    this.#faults.push({ segment, offset, fault: commit.noteFault, at: commit.number, noteOf: commit.number })
  }

  /** Without a seal that can be read, a later segment shows by its first commit where it went on. */
  #dropDisplaced({ number, previous, segment }: LogCommit): void {
    const before = this.#commits.findLastIndex((commit) => commit.number === number - 1)
    const next = this.#commits[before + 1]
    if (before < 0 || !next || next.segment >= segment) return
    if (!Buffer.from(this.#commits[before]!.hash).equals(previous)) return
    this.#commits.length = before + 1
    this.#last = this.#commits[before]!
  }

  #meetSeal({ number, length, hash }: Seal, place: { segment: number; offset: number }): void {
    const last = this.#last
    const at = last.number + 1
    if (last.number < number) {
      const fault = `commit ${number} and ${length} bytes stood here when the next segment was begun`
      this.#lose([at, number], { ...place, fault, at })
      this.#last = { number, hash }
    } else if (!Buffer.from(last.hash).equals(hash)) {
      this.#faults.push({
        ...place,
        fault: 'its last commit is not the one that the next segment follows',
        at,
      })
    } else if (place.offset < length) {
      this.#open.push({ ...place, fault: `it has ${place.offset} bytes where ${length} were sealed`, at })
    }
    this.#settle()
  }

  /** Commits are missing: for what stands there instead, or, where nothing does, for the place where they should be. */
  #lose(lost: [number, number], here: ChainFault): void {
    const count = lost[1] - lost[0] + 1
    if (this.#open.length === 0) this.#open.push(here)
    for (const [index, fault] of this.#open.entries()) {
      if (this.#open.length === count) fault.lost = [lost[0] + index, lost[0] + index]
      else if (index === 0) fault.lost = lost
    }
  }

  #settle(): void {
    this.#faults.push(...this.#open)
    this.#open = []
  }
}

/** Holds each snapshot against the replay of what it is a cache of. */
import { isDeepStrictEqual } from 'node:util'
import { Catalog, type CommittedParts } from '../journal/catalog.ts'
import { decode } from '../journal/codec.ts'
import type { StoreKind } from '../journal/event.ts'
import { catalogSubject, readSnapshot, type Sections } from '../journal/snapshot.ts'
import { isTouchedSubject, touchedSubject } from '../journal/touched-index.ts'
import { noCommit } from '../log/recovery.ts'
import { joinPath, snapshotName, snapshotsFolder } from '../log/names.ts'
import { isSamePart } from '../log/part.ts'
import type { SegmentFiles } from '../log/segment-files.ts'
import type { LogCommit } from './commit-log.ts'
import type { ScannedFrame } from './frame-scan.ts'
import type { SnapshotFile } from './journal-survey.ts'
import { StoreReplay } from './store-replay.ts'
import type { VerifiedSnapshot } from './verify-report.ts'

/** So many are read ahead: those that were written at one time are met at one time. */
const readAhead = 3

type ReadSnapshot = { hash: Uint8Array; sections: Sections } | undefined

export class SnapshotCheck {
  readonly found: VerifiedSnapshot[] = []
  readonly #files: SegmentFiles
  readonly #kindOf: (folder: string) => StoreKind
  readonly #waiting: SnapshotFile[]
  /** Of the next of them, on their way while the commits before them are applied. */
  readonly #ahead: Promise<ReadSnapshot>[] = []
  /** The one that is being applied. */
  #commit = 1
  /** By subject, the last commit of which there is one. */
  readonly #last: ReadonlyMap<string, number>
  /** By subject, too; `undefined` for what has no snapshot. */
  readonly #replays = new Map<string, StoreReplay | undefined>()
  /** `undefined` once a commit is missing. */
  #catalog: Catalog | undefined = new Catalog()

  constructor(
    files: SegmentFiles,
    snapshots: readonly SnapshotFile[],
    kindOf: (folder: string) => StoreKind,
  ) {
    this.#files = files
    this.#kindOf = kindOf
    this.#waiting = snapshots.toSorted((a, b) => a.commit - b.commit)
    this.#last = new Map(this.#waiting.map(({ subject, commit }) => [subject, commit]))
    this.#readAhead()
  }

  apply(folder: string, segment: number, frame: ScannedFrame): void {
    this.#replayOf(folder)?.apply(segment, frame, this.#commit)
  }

  /** This store cannot be replayed from here on. */
  giveUp(folder: string): void {
    this.#replayOf(folder)?.giveUp()
  }

  /** Nor can any, or the catalog, since commits are lost. */
  giveUpAll(): void {
    this.#catalog = undefined
    for (const replay of this.#replays.values()) replay?.giveUp()
  }

  /** All of this commit is applied. */
  async commitDone(commit: LogCommit): Promise<void> {
    const { segment, offset, number, hash } = commit
    this.#commit = number + 1
    this.#catalog?.apply(commit, { ...noCommit, number, hash }, { segment, offset })
    while (this.#waiting[0] && this.#waiting[0].commit <= number)
      await this.#checkNext(this.#waiting[0].commit === number ? commit : undefined)
  }

  /** Those of commits that are not there. */
  async finish(): Promise<void> {
    while (this.#waiting.length > 0) await this.#checkNext(undefined)
  }

  async #checkNext(at: LogCommit | undefined): Promise<void> {
    const { disk, directory } = this.#files
    const { commit, subject } = this.#waiting.shift()!
    const path = joinPath(snapshotsFolder, snapshotName(commit, subject))
    const read = await this.#ahead.shift()
    this.#readAhead()
    const isGone = !read && !(await disk.stat(joinPath(directory, path)))
    if (isGone) return // A writer has a newer one.
    this.found.push({ path, commit, subject, state: this.#stateOrUnreadable(subject, read, at) })
  }

  #readAhead(): void {
    while (this.#ahead.length < Math.min(readAhead, this.#waiting.length))
      this.#ahead.push(this.#read(this.#waiting[this.#ahead.length]!))
  }

  #read({ commit, subject }: SnapshotFile): Promise<ReadSnapshot> {
    const { disk, directory, journalId } = this.#files
    return readSnapshot(disk, directory, { journalId, subject, commit })
  }

  #stateOrUnreadable(
    subject: string,
    read: ReadSnapshot,
    at: LogCommit | undefined,
  ): VerifiedSnapshot['state'] {
    try {
      return this.#stateOf(subject, read, at)
    } catch {
      return 'unreadable' // It meets its checksum but not its own form: as good as none.
    }
  }

  #stateOf(subject: string, read: ReadSnapshot, at: LogCommit | undefined): VerifiedSnapshot['state'] {
    if (!read) return 'unreadable'
    if (!at) return 'not compared'
    if (!Buffer.from(read.hash).equals(at.hash)) return 'other history'
    if (subject === catalogSubject) return this.#catalogState(read.sections)
    const replay = this.#replays.get(subject)
    if (!replay) return 'not compared'
    if (isTouchedSubject(subject)) return replay.touchedOf(read.sections)
    if (!replay.canBeCompared) return 'not compared'
    if (this.#isSpoiled(subject, at.number)) return 'outdated'
    return replay.stateOf(read.sections)
  }

  /** Readers ignore what was made before an erase; it is removed before the erase comes to its end. */
  #isSpoiled(subject: string, commit: number): boolean {
    const { erasures } = this.#files
    return erasures.spoils(subject, commit, erasures.unfinished)
  }

  #catalogState(sections: Sections): VerifiedSnapshot['state'] {
    const section = sections.get(catalogSubject)
    if (!section) return 'unreadable'
    if (!this.#catalog) return 'not compared'
    const catalog = Catalog.fromPlain(decode(section))
    if (!catalog) return 'unreadable'
    return isSameCatalog(catalog, this.#catalog) ? 'equal' : 'differs'
  }

  #replayOf(folder: string): StoreReplay | undefined {
    if (!this.#replays.has(folder)) {
      const last = {
        state: this.#last.get(folder) ?? 0,
        touched: this.#last.get(touchedSubject(folder)) ?? 0,
      }
      const isAsked = last.state > 0 || last.touched > 0
      const replay = isAsked ? new StoreReplay(folder, this.#kindOf, last) : undefined
      if (!this.#catalog) replay?.giveUp()
      this.#replays.set(folder, replay).set(touchedSubject(folder), replay)
    }
    return this.#replays.get(folder)
  }
}

function isSameCatalog(snapshot: Catalog, replayed: Catalog): boolean {
  const isSamePlace = (offset: number, at: number): boolean => offset === replayed.offsets[at]
  if (snapshot.offsets.length !== replayed.offsets.length || !snapshot.offsets.every(isSamePlace))
    return false
  if (snapshot.stores.size !== replayed.stores.size) return false
  if (!isDeepStrictEqual(snapshot.tags, replayed.tags)) return false
  return [...snapshot.stores].every(([folder, { name, segments, snapshot: through, tail }]) => {
    const entry = replayed.stores.get(folder)
    if (!entry || name !== entry.name) return false
    const ends = (all: ReadonlyMap<number, number>): string =>
      JSON.stringify([...all].toSorted(([a], [b]) => a - b))
    const later = entry.tail.filter(({ commit }) => commit > through)
    return ends(segments) === ends(entry.segments) && isSameTail(tail, later)
  })
}

function isSameTail(snapshot: readonly CommittedParts[], replayed: readonly CommittedParts[]): boolean {
  if (snapshot.length !== replayed.length) return false
  return snapshot.every(({ commit, parts }, index) => {
    const other = replayed[index]!
    if (commit !== other.commit || parts.length !== other.parts.length) return false
    return parts.every((part, at) => isSamePart(part, other.parts[at]!))
  })
}

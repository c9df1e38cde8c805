/** Holds each snapshot against the replay of what it is a cache of. */
import { isDeepStrictEqual } from 'node:util'
import { Catalog, type CommittedParts } from '../journal/catalog.ts'
import { decode, tryDecode } from '../journal/codec.ts'
import type { StoreKind, StoreState } from '../journal/event.ts'
import { toEvent } from '../journal/fold.ts'
import { catalogSubject, readSnapshot, type Sections } from '../journal/snapshot.ts'
import type { Table } from '../journal/table.ts'
import { TouchedFrames, TouchedTexts, touchedSubject } from '../journal/touched-index.ts'
import { TableBase } from '../journal/table-base.ts'
import { noCommit } from '../log/recovery.ts'
import { joinPath, snapshotName, snapshotsFolder } from '../log/names.ts'
import type { SegmentFiles } from '../log/segment-files.ts'
import type { LogCommit } from './commit-log.ts'
import { toReadFrame, type ScannedFrame } from './frame-scan.ts'
import type { SnapshotFile } from './journal-survey.ts'
import type { VerifiedSnapshot } from './verify-report.ts'

interface Replay {
  kind: StoreKind
  state: StoreState
}

type ReadSnapshot = { hash: Uint8Array; sections: Sections } | undefined

export class SnapshotCheck {
  readonly found: VerifiedSnapshot[] = []
  readonly #files: SegmentFiles
  readonly #kindOf: (folder: string) => StoreKind
  readonly #waiting: SnapshotFile[]
  /** The one that is being applied. */
  #commit = 1
  /** States of stores that have snapshots; `undefined` once one of their rows is damaged. */
  readonly #replays = new Map<string, Replay | undefined>()
  /** `undefined` once a commit is missing. */
  #catalog: Catalog | undefined = new Catalog()
  /** What the rows of stores say that have lists of it; `undefined` once a part is not what its commit saw. */
  readonly #touched = new Map<string, TouchedTexts | undefined>()

  constructor(
    files: SegmentFiles,
    snapshots: readonly SnapshotFile[],
    kindOf: (folder: string) => StoreKind,
  ) {
    this.#files = files
    this.#kindOf = kindOf
    this.#waiting = snapshots.toSorted((a, b) => a.commit - b.commit)
  }

  apply(folder: string, segment: number, frame: ScannedFrame): void {
    this.#noteTexts(folder, segment, frame)
    if (!this.#waiting.some(({ subject }) => subject === folder)) return
    if (!this.#replays.has(folder)) this.#replays.set(folder, this.#fresh(folder))
    const replay = this.#replays.get(folder)
    if (!replay) return
    try {
      const place = { store: folder, segment, offset: frame.offset, commit: this.#commit }
      if (frame.items.every(({ row, erased }) => row !== undefined || erased))
        return replay.kind.evolve(replay.state, toEvent(replay.kind, toReadFrame(frame), place))
    } catch {
      // Only a hostile hand writes what meets its checksums and is no event: there is nothing to compare with.
    }
    this.giveUp(folder)
  }

  /** This store cannot be replayed from here on. */
  giveUp(folder: string): void {
    this.#replays.set(folder, undefined)
    this.#touched.set(folder, undefined)
  }

  /** Nor can any, or the catalog, since commits are lost. */
  giveUpAll(): void {
    this.#catalog = undefined
    for (const { subject } of this.#waiting) this.giveUp(subject)
  }

  /** All of this commit is applied. */
  async commitDone(commit: LogCommit): Promise<void> {
    const { segment, offset, number, hash } = commit
    this.#commit = number + 1
    this.#catalog?.apply(commit, { ...noCommit, number, hash }, { segment, offset })
    while (this.#waiting[0] && this.#waiting[0].commit <= number) {
      const snapshot = this.#waiting.shift()!
      await this.#check(snapshot, snapshot.commit === number ? commit : undefined)
    }
  }

  /** Those of commits that are not there. */
  async finish(): Promise<void> {
    for (const snapshot of this.#waiting.splice(0)) await this.#check(snapshot, undefined)
  }

  async #check({ commit, subject }: SnapshotFile, at: LogCommit | undefined): Promise<void> {
    const { disk, directory, journalId } = this.#files
    const path = joinPath(snapshotsFolder, snapshotName(commit, subject))
    const read = await readSnapshot(disk, directory, { journalId, subject, commit }).catch(() => undefined)
    const isGone = !read && !(await disk.stat(joinPath(directory, path)))
    if (isGone) return // A writer has a newer one.
    this.found.push({ path, commit, subject, state: this.#stateOrUnreadable(subject, read, at) })
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
    for (const folder of this.#touched.keys())
      if (subject === touchedSubject(folder)) return this.#touchedState(folder, read.sections)
    const replay = this.#replays.get(subject)
    if (!replay) return 'not compared'
    if (this.#isSpoiled(subject, at.number)) return 'outdated'
    const names = Object.keys(replay.state)
    if (names.some((name) => !read.sections.has(name))) return 'unreadable'
    const isEqual = names.every((name) => isSameTable(replay.state[name]!, read.sections.get(name)!))
    return isEqual ? 'equal' : 'differs'
  }

  /** Readers ignore what was made before an erase; it is removed before the erase comes to its end. */
  #isSpoiled(subject: string, commit: number): boolean {
    const { erasures } = this.#files
    return erasures.spoils(subject, commit) && erasures.unfinished.size > 0
  }

  #catalogState(sections: Sections): VerifiedSnapshot['state'] {
    const section = sections.get(catalogSubject)
    if (!section) return 'unreadable'
    if (!this.#catalog) return 'not compared'
    const catalog = Catalog.fromPlain(decode(section))
    if (!catalog) return 'unreadable'
    return isSameCatalog(catalog, this.#catalog) ? 'equal' : 'differs'
  }

  /** What is missing is what matters: what is there for nothing costs time only. */
  #touchedState(folder: string, sections: Sections): VerifiedSnapshot['state'] {
    const touched = TouchedFrames.from(sections)
    if (!touched) return 'unreadable'
    const texts = this.#touched.get(folder)
    if (!texts || !this.#catalog) return 'not compared'
    return touched.covers(TouchedFrames.from(texts.toSections(touched.after))!) ? 'equal' : 'differs'
  }

  #noteTexts(folder: string, segment: number, frame: ScannedFrame): void {
    if (!this.#waiting.some(({ subject }) => subject === touchedSubject(folder))) return
    if (!this.#touched.has(folder)) this.#touched.set(folder, new TouchedTexts())
    const texts = this.#touched.get(folder)
    texts?.begin({ commit: this.#commit, segment, offset: frame.offset })
    for (const { row } of frame.items) if (row) texts?.add(tryDecode(row))
  }

  #fresh(folder: string): Replay | undefined {
    const kind = this.#kindOf(folder)
    return { kind, state: kind.initialState({ entries: undefined }) }
  }
}

/** The same keys with the same values in the same order; the numbers of that order depend on what was rolled back. */
function isSameTable(table: Table<unknown>, section: Uint8Array): boolean {
  const frozen = table.freeze()
  frozen.fill(() => false)
  const bytes = frozen.build()
  table.settle(bytes) // For the next snapshot, only what changes until then is made anew.
  if (Buffer.from(section.buffer, section.byteOffset, section.byteLength).equals(bytes)) return true
  const [replayed, snapshot] = [new TableBase(bytes), new TableBase(section)]
  if (snapshot.count !== replayed.count) return false
  for (let at = 0; at < replayed.count; at++) {
    if (snapshot.key(at) !== replayed.key(at)) return false
    if (!Buffer.from(snapshot.valueBytes(at)).equals(replayed.valueBytes(at))) return false
  }
  return true
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
    return ends(segments) === ends(entry.segments) && plainTail(tail) === plainTail(later)
  })
}

function plainTail(tail: readonly CommittedParts[]): string {
  return JSON.stringify(
    tail.map(({ commit, parts }) => [
      commit,
      parts.map((part) => ({ ...part, digest: Buffer.from(part.digest).toString('hex') })),
    ]),
  )
}

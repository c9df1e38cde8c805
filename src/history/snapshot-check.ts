/** Holds snapshots, the oldest first, against the replay of what they are caches of. */
import { readSnapshot, type Sections, type SnapshotName } from '../journal/snapshot.ts'
import { joinPath, snapshotName, snapshotsFolder } from '../log/names.ts'
import type { SegmentFiles } from '../log/segment-files.ts'
import type { VerifiedSnapshot } from './verify-report.ts'

/** So many are read ahead: those that were written at one time are met at one time. */
const readAhead = 3

export interface AskedSnapshot extends SnapshotName {
  /** Of the commit that it was made of; `undefined`: that is not there. */
  hash: Uint8Array | undefined
  /** A commit before that is lost. */
  isBehindLoss: boolean
}

type ReadSnapshot = { hash: Uint8Array; sections: Sections } | undefined

/** Says what a snapshot is, as far as the commits until then are applied. Whatever it throws shows that it is none. */
type Judge = (asked: AskedSnapshot, sections: Sections) => VerifiedSnapshot['state']

export class SnapshotCheck {
  readonly found: VerifiedSnapshot[] = []
  readonly #files: SegmentFiles
  readonly #judge: Judge
  readonly #waiting: AskedSnapshot[]
  /** Of the next of them, on their way while the commits before them are applied. */
  readonly #ahead: Promise<ReadSnapshot>[] = []

  /** `snapshots`: ascending. */
  constructor(files: SegmentFiles, snapshots: readonly AskedSnapshot[], judge: Judge) {
    this.#files = files
    this.#judge = judge
    this.#waiting = [...snapshots]
    this.#readAhead()
  }

  /** Some are to be checked before this commit is applied. */
  isDue(commit: number): boolean {
    const [next] = this.#waiting
    return next !== undefined && next.commit < commit
  }

  /** All commits before this one are applied. */
  async before(commit: number): Promise<void> {
    while (this.isDue(commit)) await this.#checkNext()
  }

  async #checkNext(): Promise<void> {
    const { disk, directory } = this.#files
    const asked = this.#waiting.shift()!
    const { commit, subject } = asked
    const path = joinPath(snapshotsFolder, snapshotName(commit, subject))
    const read = await this.#ahead.shift()
    this.#readAhead()
    const isGone = !read && !(await disk.stat(joinPath(directory, path)))
    if (isGone) return // A writer has a newer one.
    this.found.push({ path, commit, subject, state: this.#stateOf(asked, read) })
  }

  #readAhead(): void {
    while (this.#ahead.length < Math.min(readAhead, this.#waiting.length)) {
      const reading = this.#read(this.#waiting[this.#ahead.length]!)
      reading.catch(() => undefined) // Whoever comes to it is told.
      this.#ahead.push(reading)
    }
  }

  #read({ commit, subject }: SnapshotName): Promise<ReadSnapshot> {
    const { disk, directory, journalId } = this.#files
    return readSnapshot(disk, directory, { journalId, subject, commit })
  }

  #stateOf(asked: AskedSnapshot, read: ReadSnapshot): VerifiedSnapshot['state'] {
    if (!read) return 'unreadable'
    if (!asked.hash) return 'not compared'
    if (!Buffer.from(read.hash).equals(asked.hash)) return 'other history'
    if (asked.isBehindLoss) return 'not compared'
    try {
      return this.#judge(asked, read.sections)
    } catch {
      return 'unreadable' // It meets its checksum but not its own form: as good as none.
    }
  }
}

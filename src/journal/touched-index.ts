/**
 * What the events of a store since its last snapshot were about, as hashes of the texts that stand in their rows: so that whoever looks for one key
 * need not read the commits that cannot have touched it. A hash may be there for nothing, never missing. It is a snapshot of its own, beside the store's, and as all of
 * them a cache.
 *
 * Its one section: u32 each: the commit after which it begins, 1 if anything may be touched, then the hashes, ascending.
 */
import { emptyIfMissing } from '../log/segment-files.ts'
import { joinPath, parseSnapshotName, snapshotsFolder } from '../log/names.ts'
import type { StoredEvent } from './event.ts'
import { readCommit, type CommitLog } from './read-commit.ts'
import { readSnapshot } from './snapshot.ts'
import { hashText } from './table-base.ts'

const section = 'touched'

/** No store's folder has such a name. */
export function touchedSubject(folder: string): string {
  return `${folder}=${section}`
}

export function isTouchedSubject(subject: string): boolean {
  return subject.endsWith(`=${section}`)
}

export class TouchedTexts {
  #hashes = new Set<number>()
  #isAnything = false

  add({ items }: Pick<StoredEvent, 'items'>): void {
    for (const { row } of items) {
      const texts = textsOf(row)
      if (texts.length === 0) this.#isAnything = true
      for (const text of texts) this.#hashes.add(hashText(text))
    }
  }

  /** Empties it, and answers what it held. */
  take(): TouchedTexts {
    const taken = new TouchedTexts()
    ;[taken.#hashes, this.#hashes] = [this.#hashes, taken.#hashes]
    ;[taken.#isAnything, this.#isAnything] = [this.#isAnything, false]
    return taken
  }

  giveBack(taken: TouchedTexts): void {
    for (const hash of taken.#hashes) this.#hashes.add(hash)
    this.#isAnything ||= taken.#isAnything
  }

  toSections(after: number): Map<string, Uint8Array> {
    const words = Uint32Array.of(after, Number(this.#isAnything))
    const hashes = Uint32Array.from(this.#hashes).sort()
    const bytes = new Uint8Array(8 + hashes.byteLength)
    bytes.set(new Uint8Array(words.buffer), 0)
    bytes.set(new Uint8Array(hashes.buffer), 8)
    return new Map([[section, bytes]])
  }
}

/** What some commits of a store can have been about. */
export interface TouchedInterval {
  /** The commit before the first of them. */
  after: number
  /** The last of them. */
  to: number
  mayTouch: (text: string) => boolean
}

interface ReadTouched {
  after: number
  holds: (hash: number) => boolean
}

/** `undefined`: a miss. */
export function readTouched(sections: ReadonlyMap<string, Uint8Array> | undefined): ReadTouched | undefined {
  const bytes = sections?.get(section)
  if (!bytes || bytes.length < 8 || bytes.length % 4 !== 0) return undefined
  const words = new Uint32Array(new Uint8Array(bytes).buffer)
  const hashes = words.subarray(2)
  return { after: words[0]!, holds: (hash) => words[1] === 1 || includes(hashes, hash) }
}

function includes(ascending: Uint32Array, hash: number): boolean {
  let [from, to] = [0, ascending.length]
  while (from < to) {
    const middle = (from + to) >>> 1
    if (ascending[middle]! < hash) from = middle + 1
    else to = middle
  }
  return ascending[from] === hash
}

/** The texts by which an item can be found; none: it can be about anything. */
export function textsOf(row: unknown): string[] {
  return Array.isArray(row) ? row.filter((cell) => typeof cell === 'string') : []
}

/** Those that are known, in order. */
export async function touchedIntervals(log: CommitLog, folder: string): Promise<TouchedInterval[]> {
  const { disk, directory, journalId } = log.files
  const subject = touchedSubject(folder)
  const files = await disk.list(joinPath(directory, snapshotsFolder)).catch(emptyIfMissing)
  const names = files.map(parseSnapshotName).filter((name) => name !== undefined)
  const own = names.filter((name) => name.subject === subject && name.commit <= log.catalog.end.number)
  const intervals = await Promise.all(
    own.map(async ({ commit: to }): Promise<TouchedInterval | undefined> => {
      const found = await readSnapshot(disk, directory, { journalId, subject, commit: to })
      const touched = readTouched(found?.sections)
      const isOurs = touched && Buffer.from(found!.hash).equals((await readCommit(log, to)).hash)
      if (!isOurs) return undefined
      return { after: touched.after, to, mayTouch: (text) => touched.holds(hashText(text)) }
    }),
  )
  return intervals.filter((interval) => interval !== undefined)
}

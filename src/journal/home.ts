/**
 * One persist directory as a reader sees it: its manifest, its files, and the catalog of accepted commits. It
 * takes no lock and writes nothing, so any number of processes may have one.
 */
import type { Disk } from '../disk/disk.ts'
import { VarveError } from '../errors.ts'
import { marksBeyond } from '../log/frame-reader.ts'
import { commitsFolder, erasuresFolder, joinPath, manifestName, parseSegmentName } from '../log/names.ts'
import { commitHash, recover, type FoundCommit, type Recovered } from '../log/recovery.ts'
import { segmentHeaderBytes } from '../log/segment.ts'
import { SegmentFiles } from '../log/segment-files.ts'
import { storeFolders } from '../log/store-folders.ts'
import { Catalog, committedIn, type CommitSummary } from './catalog.ts'
import { tryDecode } from './codec.ts'
import { decodeCommit, heads } from './commit.ts'
import { readErasures } from './erasure-events.ts'
import { journalIdBytes, readManifest, type Manifest } from './manifest.ts'
import { frameAt, readCommit, readCommits, type PlacedCommit } from './read-commit.ts'
import {
  catalogSubject,
  listSnapshots,
  readSnapshot,
  snapshottedAfter,
  type SnapshotName,
} from './snapshot.ts'
import { storeSource, type StoreSource } from './store-source.ts'

const commitsPerTrim = 250

export interface NewCommits {
  commits: PlacedCommit[]
  /** The numbers of those that erased something. */
  erasing: ReadonlySet<number>
  /** Takes up those up to a number; without one, all. */
  take(through?: number): void
}

export class Home {
  readonly directory: string
  readonly manifest: Manifest
  /** A follower turns to other ones when they were replaced by files that go on with the same history. */
  files: SegmentFiles
  catalog: Catalog
  /** The last commit known to be durable: the others are, too, as far as this machine lives on. */
  syncedThrough: number
  /** What the last look at the commit log dropped. */
  torn: Recovered['torn']

  /** The directory as it was at a moment: it stays there. */
  readonly isPast: boolean
  /** The last commit when the tails were trimmed. */
  #trimmedAt = 0

  private constructor(
    files: SegmentFiles,
    manifest: Manifest,
    catalog: Catalog,
    { syncedThrough, torn }: Pick<Recovered, 'syncedThrough' | 'torn'>,
    isPast = false,
  ) {
    this.directory = files.directory
    this.manifest = manifest
    this.files = files
    this.catalog = catalog
    this.syncedThrough = syncedThrough
    this.torn = torn
    this.isPast = isPast
  }

  /**
   * `undefined`: no journal, or one whose first commit never became durable. Throws `VARVE_NEWER`,
   * `VARVE_CORRUPT`.
   */
  static async open(disk: Disk, directory: string): Promise<Home | undefined> {
    const manifest = await readManifest(disk, directory)
    if (!manifest) return mustBeEmpty(disk, directory)
    const files = new SegmentFiles({ disk, directory, journalId: journalIdBytes(manifest) })
    try {
      const snapshots = await listSnapshots(disk, directory)
      const catalog = await newestCatalog(files, snapshots)
      const recovered = await look(files, catalog, { snapshots, syncedThrough: catalog.end.number })
      for (const found of recovered.commits) catalog.apply(summarize(found), found.end, found.place)
      if (catalog.end.number === 0) {
        await files.close()
        return undefined
      }
      catalog.end = recovered.end
      const tell = await readErasures(files, catalog.stores.get(erasuresFolder)?.tail ?? [])
      tell(files.erasures)
      adoptSnapshots(catalog, snapshots)
      return new Home(files, manifest, catalog, recovered)
    } catch (error) {
      await files.close()
      throw error
    }
  }

  /**
   * The same directory as it was when commit `number` was its last, 0: before the first: from the newest
   * catalog that was written until then, and the commits after it. It takes over the files.
   */
  async at(number: number): Promise<Home> {
    const { files, manifest, syncedThrough } = this
    const snapshots = (await listSnapshots(files.disk, files.directory)).filter(
      ({ commit }) => commit <= number,
    )
    const isNow = number === this.catalog.end.number
    const catalog = isNow ? this.catalog.copy() : await newestCatalog(files, snapshots)
    for await (const { summary, place, end } of readCommits(this, catalog.end.number + 1, number))
      catalog.apply(summary, end, place)
    adoptSnapshots(catalog, snapshots)
    return new Home(files, manifest, catalog, { syncedThrough }, true)
  }

  /**
   * Commits accepted since the last look, which the catalog does not take up yet; what they erased is erased for all who read these files. `follows`: whoever asks again and
   * again asks the tails of store logs only about what cannot be read; that the log was cut back shows by the last known commit.
   */
  async refresh({ follows = false } = {}): Promise<NewCommits> {
    if (this.isPast) return { commits: [], erasing: new Set(), take: () => {} }
    const recovered = await look(this.files, this.catalog, {
      snapshots: [],
      syncedThrough: this.syncedThrough,
      asksTails: !follows,
    })
    const commits = recovered.commits.map((found) => ({
      summary: summarize(found),
      end: found.end,
      place: found.place,
    }))
    for (const { summary } of commits)
      for (const part of summary.parts) await this.files.open(part.folder, part.segment)
    const { erasures } = this.files
    const tell = await readErasures(
      this.files,
      committedIn(
        erasuresFolder,
        commits.map(({ summary }) => summary),
      ),
    )
    tell(erasures)
    const numbers = commits.map(({ summary }) => summary.number)
    const take = (through = Infinity): void => {
      for (const { summary, end, place } of commits)
        if (summary.number > this.catalog.end.number && summary.number <= through)
          this.catalog.apply(summary, end, place)
      if (through < (numbers.at(-1) ?? 0)) return
      this.catalog.end = recovered.end
      this.syncedThrough = recovered.syncedThrough
      this.torn = recovered.torn
    }
    return { commits, erasing: new Set(numbers.filter((number) => erasures.has(number))), take }
  }

  source(folder: string): StoreSource {
    return storeSource(this, folder)
  }

  /** Looks for newer snapshots every so many commits: whoever follows for long would keep a part of every commit in the tails. */
  async trimTails(): Promise<void> {
    const { number } = this.catalog.end
    if (number - this.#trimmedAt < commitsPerTrim) return
    this.#trimmedAt = number
    adoptSnapshots(this.catalog, await listSnapshots(this.files.disk, this.directory))
  }

  /** Commit `number` as it was written. */
  commit(number: number): Promise<CommitSummary> {
    return readCommit(this, number)
  }

  /** Reads, and reads again if what is damaged there may have been erased meanwhile. */
  async despiteErasures<T>(read: () => Promise<T>): Promise<T> {
    const { through } = this.files.erasures
    try {
      return await read()
    } catch (error) {
      if (!(error instanceof VarveError) || error.code !== 'VARVE_CORRUPT') throw error
      await this.learnErasures()
      if (this.files.erasures.through === through) throw error // Of the same files others may have learned it.
      return this.despiteErasures(read)
    }
  }

  /**
   * What was erased since this was opened, whatever moment it shows: bytes are overwritten for everyone. Answers whether there was
   * anything.
   */
  async learnErasures(): Promise<boolean> {
    const { disk, erasures } = this.files
    const now = await Home.open(disk, this.directory)
    if (!now) return false
    await now.files.close()
    if (now.manifest.id !== this.manifest.id || now.files.erasures.through <= erasures.through) return false
    this.files.erasures = now.files.erasures
    return true
  }
}

function summarize(found: FoundCommit): CommitSummary {
  return { hash: found.hash, ...decodeCommit(found.frame, found.place.segment) }
}

/**
 * The manifest is durable before any segment is written, so without it there are no commits, or it was lost.
 */
async function mustBeEmpty(disk: Disk, directory: string): Promise<undefined> {
  const folder = joinPath(directory, commitsFolder)
  const names = (await disk.stat(folder))?.kind === 'directory' ? await disk.list(folder) : []
  if (!names.some((name) => parseSegmentName(name) !== undefined)) return undefined
  const path = joinPath(directory, manifestName)
  throw new VarveError('VARVE_CORRUPT', `${path} is missing, but there are commits beside it.`, {
    path,
    fault: 'missing',
  })
}

async function newestCatalog(files: SegmentFiles, snapshots: readonly SnapshotName[]): Promise<Catalog> {
  for (const { commit, subject } of snapshots) {
    if (subject !== catalogSubject) continue
    const found = await readSnapshot(files.disk, files.directory, {
      journalId: files.journalId,
      subject,
      commit,
    })
    const section = found?.sections.get(catalogSubject)
    if (!found || !section) continue
    const catalog = Catalog.fromPlain(tryDecode(section))
    if (catalog && (await standsInLog(files, catalog))) return catalog
  }
  return new Catalog()
}

/**
 * The commit that a catalog ends with must be in the log, at its place. A log that is too short for it is
 * recovery's to judge.
 */
async function standsInLog(files: SegmentFiles, catalog: Catalog): Promise<boolean> {
  try {
    const frame = await frameAt(files, catalog.placeOf(catalog.end.number))
    return Buffer.from(commitHash(frame.hashed)).equals(catalog.end.hash)
  } catch (error) {
    if (error instanceof VarveError && error.code === 'VARVE_CORRUPT') return false
    throw error
  }
}

/** Store snapshots that a catalog made from the log does not know of. */
function adoptSnapshots(catalog: Catalog, snapshots: readonly SnapshotName[]): void {
  for (const { commit, subject } of snapshots.toReversed()) {
    const entry = subject === erasuresFolder ? undefined : catalog.stores.get(subject)
    if (!entry || commit <= entry.snapshot || commit > catalog.end.number) continue
    entry.snapshot = commit
    entry.tail = entry.tail.filter((committed) => committed.commit > commit)
  }
}

async function look(
  files: SegmentFiles,
  catalog: Catalog,
  {
    snapshots,
    syncedThrough,
    asksTails = true,
  }: { snapshots: readonly SnapshotName[]; syncedThrough: number; asksTails?: boolean },
): Promise<Recovered> {
  return recover(files, catalog.end, {
    heads,
    syncedThrough,
    isNamed: (folder, segment) => catalog.stores.get(folder)?.segments.has(segment) ?? false,
    knownElsewhere: async (commits, isWhole) => {
      if (isWhole && !asksTails) return 0
      const last = commits.at(-1)?.number ?? catalog.end.number
      return Math.max(
        await snapshottedAfter(files, last, { snapshots }),
        await knownToTails(files, catalog, commits),
      )
    },
    knownDespiteFault: async (commits) =>
      snapshottedAfter(files, commits[0]!.number - 1, {
        snapshots: await listSnapshots(files.disk, files.directory),
        commits,
      }),
  })
}

/**
 * What stands behind the accepted bytes of each store, or in a store that no commit names, was never
 * committed, but it may know of a commit that was.
 */
async function knownToTails(
  files: SegmentFiles,
  catalog: Catalog,
  commits: readonly FoundCommit[],
): Promise<number> {
  const ends = new Map<string, { segment: number; end: number }>()
  const note = (folder: string, segment: number, end: number): void => {
    const known = ends.get(folder)
    if (!known || segment > known.segment || (segment === known.segment && end > known.end))
      ends.set(folder, { segment, end })
  }
  for (const folder of await storeFolders(files)) note(folder, 1, segmentHeaderBytes)
  for (const [folder, { segments }] of catalog.stores)
    for (const [segment, end] of segments) note(folder, segment, end)
  for (const { parts } of commits) for (const { folder, segment, to } of parts) note(folder, segment, to)
  const known = await Promise.all(
    [...ends].map(([folder, { segment, end }]) => knownToTail(files, folder, segment, end)),
  )
  return Math.max(0, ...known)
}

async function knownToTail(
  files: SegmentFiles,
  folder: string,
  segment: number,
  end: number,
): Promise<number> {
  let known = 0
  for (const number of await files.numbers(folder)) {
    if (number < segment) continue
    await files.glance(folder, number, async (file) => {
      const from = number === segment ? end : segmentHeaderBytes
      for await (const mark of marksBeyond(file, from, await file.size())) known = Math.max(known, mark)
    })
  }
  return known
}

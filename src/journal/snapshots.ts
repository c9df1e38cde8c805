/**
 * When snapshots are made, and how: from states that are held on to at the moment of a commit, in slices off
 * the hot path, only once that commit is durable. A snapshot that cannot be written is a warning, never an
 * error: losing all of them loses nothing.
 */
import { joinPath, snapshotName, snapshotsFolder } from '../log/names.ts'
import type { SegmentFiles } from '../log/segment-files.ts'
import { encode } from './codec.ts'
import type { Commit } from './commit.ts'
import type { Fold } from './fold.ts'
import type { FoldedStore } from './folded-store.ts'
import type { Limits } from './limits.ts'
import { hashOfCommit } from './read-commit.ts'
import { missingSnapshots, remadeSnapshots } from './remade-snapshots.ts'
import type { Session } from './session.ts'
import { catalogSubject, encodeSnapshot, listSnapshots, type Sections } from './snapshot.ts'
import { superfluous } from './snapshot-thinning.ts'
import { builtInSlices, type FrozenTable, type Table } from './table.ts'
import { touchedSections, touchedSubject } from './touched-index.ts'

/** States that are held on to. */
export interface DueSnapshots {
  stores: {
    store: FoldedStore
    rowsBytes: number
    tables: [name: string, frozen: FrozenTable, table: Table<unknown>][]
  }[]
  thaw: () => void
}

export class Snapshots {
  readonly #onWarning: (warning: string) => void
  readonly #limits: Limits
  #running: Promise<void> = Promise.resolve()
  #held = false
  #pausing = false
  #catalogAt = 0

  constructor(onWarning: (warning: string) => void, limits: Limits) {
    this.#onWarning = onWarning
    this.#limits = limits
  }

  /**
   * Holds on to the states of those stores that have folded more since their snapshot than an eighth of it: whoever opens the past
   * folds no more than that, and what the present has grown by pays for it.
   */
  freeze(fold: Fold, { least = this.#limits.snapshotRowsBytes } = {}): DueSnapshots | undefined {
    if (this.#held) return undefined
    const due = [...fold.stores()].filter(
      ({ rowsBytes, snapshotBytes, unread }) =>
        !unread && rowsBytes > 0 && rowsBytes >= least && rowsBytes > snapshotBytes / 8,
    )
    if (due.length === 0) return undefined
    this.#held = true
    const stores = due.map((store) => {
      const { rowsBytes } = store
      store.rowsBytes = 0
      const tables = Object.entries(store.state).map(
        ([name, table]) => [name, table.freeze(), table] as [string, FrozenTable, Table<unknown>],
      )
      return { store, tables, rowsBytes }
    })
    return {
      stores,
      thaw: () => {
        for (const { store, tables, rowsBytes } of stores) {
          for (const [, , table] of tables) table.thaw()
          store.rowsBytes += rowsBytes
        }
        this.#held = false
      },
    }
  }

  /** Writes them in the background. */
  write(due: DueSnapshots | undefined, session: Session, commit: Pick<Commit, 'number' | 'hash'>): void {
    if (!due) return
    this.#running = this.#running
      .then(() => this.#write(due, session, commit))
      .catch((error: Error) => {
        due.thaw()
        this.#onWarning(
          `No snapshot of commit ${commit.number} was written (${error.message}). Opening takes longer until the next one.`,
        )
      })
  }

  /** Of the present, in which nothing may be pending. */
  writeDue(fold: Fold, session: Session, policy: { least?: number } = {}): void {
    const { number, hash } = session.catalog.end
    this.write(this.freeze(fold, policy), session, { number, hash: Buffer.from(hash).toString('hex') })
  }

  /** Makes anew, in the background, what an erase took. Nothing may be held on to, and nothing is meanwhile. */
  remake(fold: Fold, session: Session): void {
    if (!session.lacksSnapshots) return
    this.#held = true
    this.#running = this.#running
      .then(() => this.#remake(fold, session))
      .catch((error: Error) =>
        this.#onWarning(
          `Snapshots that an erase removed were not made anew (${error.message}). Opening takes longer without them.`,
        ),
      )
      .finally(() => (this.#held = false))
  }

  /** Resolves when nothing is being written; what an erase took may then not be made anew yet. */
  async pause(): Promise<void> {
    this.#pausing = true
    await this.idle()
    this.#pausing = false
  }

  async idle(): Promise<void> {
    for (let seen; seen !== this.#running; await seen) seen = this.#running
  }

  /**
   * What is due at the end of a session, whatever its size: the next one opens faster. Nothing may be
   * pending.
   */
  async atClose(fold: Fold, session: Session): Promise<void> {
    const { catalog } = session
    if (catalog.end.number === 0) return
    this.remake(fold, session)
    await this.idle()
    this.writeDue(fold, session, { least: 1 })
    await this.idle()
    if (catalog.end.number - this.#catalogAt > this.#limits.catalogCommits)
      await this.#writeCatalog(session).catch((error: Error) => this.#onWarning(error.message))
  }

  async #write(
    due: DueSnapshots,
    session: Session,
    { number, hash }: Pick<Commit, 'number' | 'hash'>,
  ): Promise<void> {
    if (session.queue.syncedThrough < number) return due.thaw()
    const { files, catalog } = session
    for (const { store, tables } of due.stores) {
      const sections: Sections = new Map()
      for (const [name, frozen] of tables) sections.set(name, await builtInSlices(frozen))
      const touched = await touchedSections(session, store, { after: store.snapshot, to: number })
      const { folder } = store
      await writeStore(
        files,
        { folder, commit: number, hash: Buffer.from(hash, 'hex') },
        { sections, touched },
      )
      store.snapshot = number
      store.snapshotBytes = 0
      for (const [name, , table] of tables) {
        const bytes = sections.get(name)!
        table.settle(bytes)
        store.snapshotBytes += bytes.length
      }
      const entry = catalog.store(store.folder)
      entry.snapshot = number
      entry.tail = entry.tail.filter(({ commit }) => commit > number)
    }
    this.#held = false
    await this.#writeCatalog(session)
  }

  async #remake(fold: Fold, session: Session): Promise<void> {
    for (const [folder, commits] of await missingSnapshots(session))
      if (!(await this.#remakeStore(fold, session, folder, commits))) return
    session.lacksSnapshots = false
  }

  /** `false`: it was paused, or another writer has taken over. */
  async #remakeStore(fold: Fold, session: Session, folder: string, commits: number[]): Promise<boolean> {
    const { files, catalog, lock } = session
    for await (const { commit, sections, touched, rowsBytes } of remadeSnapshots(
      session,
      fold.empty(folder),
      commits,
    )) {
      if (this.#pausing || !(await lock.stillHeld())) return false
      const hash = await hashOfCommit(session, commit)
      await writeStore(files, { folder, commit, hash }, { sections, touched })
      const store = fold.store(folder)
      if (store?.snapshot !== 0 || commit !== catalog.stores.get(folder)?.snapshot) continue
      store.snapshot = commit
      for (const { length } of sections.values()) store.snapshotBytes += length
      store.rowsBytes -= rowsBytes
    }
    return true
  }

  async #writeCatalog({ files, catalog, queue }: Session): Promise<void> {
    const { number, hash } = catalog.end
    if (queue.syncedThrough < number) return
    const id = { journalId: files.journalId, subject: catalogSubject, commit: number, hash }
    await writeFile(
      files,
      snapshotName(number, catalogSubject),
      encodeSnapshot(id, new Map([[catalogSubject, encode(catalog.toPlain())]])),
    )
    this.#catalogAt = number
    await removeSuperfluous(files)
  }
}

/** A store's snapshot, and beside it what its frames were about. */
async function writeStore(
  files: SegmentFiles,
  { folder, ...at }: { folder: string; commit: number; hash: Uint8Array },
  { sections, touched }: { sections: Sections; touched: Sections },
): Promise<void> {
  const { journalId } = files
  const write = (subject: string, held: Sections): Promise<void> =>
    writeFile(files, snapshotName(at.commit, subject), encodeSnapshot({ journalId, subject, ...at }, held))
  await Promise.all([write(folder, sections), write(touchedSubject(folder), touched)])
}

async function writeFile(
  { disk, directory }: SegmentFiles,
  name: string,
  chunks: Uint8Array[],
): Promise<void> {
  const folder = joinPath(directory, snapshotsFolder)
  await disk.makeDirectory(folder)
  const temporary = joinPath(folder, `${name}.new`)
  await disk.unlink(temporary).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error
  })
  const file = await disk.create(temporary)
  try {
    await file.write(chunks, 0)
  } finally {
    await file.close()
  }
  await disk.rename(temporary, joinPath(folder, name))
}

async function removeSuperfluous({ disk, directory }: SegmentFiles): Promise<void> {
  for (const { commit, subject } of superfluous(await listSnapshots(disk, directory)))
    await disk.unlink(joinPath(directory, snapshotsFolder, snapshotName(commit, subject)))
}

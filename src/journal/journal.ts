/**
 * The commit log and the store logs of one persist directory, as one thing: states that are loaded when asked
 * for, changes that are pending until a commit, and commits. Without a directory everything is in memory, in
 * the same way, until one is given. It is generic in the stores: it knows events, not nodes.
 */
import { contextClosed, VarveError } from '../errors.ts'
import { namingErrors } from '../disk/disk-errors.ts'
import { erasuresFolder } from '../log/names.ts'
import { StoreLog } from '../log/store-log.ts'
import { toCommit, type Commit, type CommitKind, type CommitNote, type TagChange } from './commit.ts'
import type { CommitRequest } from './commit-queue.ts'
import { EarlyWrites } from './early-writes.ts'
import { erased, erasedAt } from './erased.ts'
import { commitErasure, finishErasures, type ErasurePlan } from './erasing.ts'
import type { EventInput, Position, StoreState } from './event.ts'
import { Fold } from './fold.ts'
import type { FoldedStore } from './folded-store.ts'
import type { Onlooker, Reset } from './following.ts'
import { Home } from './home.ts'
import type { JournalOptions } from './journal-options.ts'
import { defaultLimits, type Limits } from './limits.ts'
import { resolveMoment, type Moment } from './moment.ts'
import { Outbox } from './outbox.ts'
import { readPayloads } from './payload.ts'
import { Pending, type PendingMark } from './pending.ts'
import { readCommit, type CommitLog } from './read-commit.ts'
import type { Replica } from './replica.ts'
import { Residence } from './residence.ts'
import type { Session } from './session.ts'
import { Snapshots } from './snapshots.ts'
import { Turns } from './turns.ts'

export class Journal {
  readonly #options: JournalOptions
  readonly #limits: Limits
  readonly #fold: Fold
  readonly #turns = new Turns()
  readonly #residence: Residence
  readonly #pending: Pending
  readonly #early: EarlyWrites
  readonly #snapshots: Snapshots
  readonly #outbox: Outbox
  #closing: Promise<void> | undefined
  /** Commits that are not on their way yet. */
  readonly #sending = new Set<Promise<unknown>>()

  private constructor(
    options: JournalOptions,
    directory: string | undefined,
    home: Home | undefined,
    { follows = false } = {},
  ) {
    const limits = { ...defaultLimits, ...options.limits }
    this.#options = options
    this.#limits = limits
    this.#fold = new Fold(options.kindOf)
    this.#snapshots = new Snapshots(options.onWarning, limits)
    this.#residence = new Residence(
      {
        ...options,
        limits,
        follows,
        fold: this.#fold,
        hasPendingChanges: () => this.hasPendingChanges,
        onReplaced: () => {
          this.#outbox.dropStaged()
          this.#pending.clear()
        },
        onCommitted: (commits) => this.#outbox.committed(commits),
        onReturned: (request) => this.#outbox.returned(request),
      },
      directory,
      home,
    )
    const session = (): Session | undefined => this.#residence.session
    this.#pending = new Pending({
      startLog: (folder) =>
        session()?.startLog(folder) ??
        new StoreLog(folder, { highest: 0, segmentBytes: limits.segmentBytes }),
      syncedThrough: () => this.syncedThrough,
      random: options.random,
      canSpill: () => session() !== undefined && !this.#outbox.hasStaged,
      limits,
    })
    this.#outbox = new Outbox(this.#pending, this.#fold, this.#snapshots)
    this.#early = new EarlyWrites({ session, logs: () => this.#pending.logs(), onWarning: options.onWarning })
  }

  /** A journal in memory, until `attach` gives it a directory. */
  static inMemory(options: JournalOptions): Journal {
    return new Journal(options, undefined, undefined)
  }

  /** The journal of a directory; where none is, the first commit creates one. Writes nothing. */
  static async open(directory: string, options: JournalOptions): Promise<Journal> {
    const home = await namingErrors(directory, () => Home.open(options.disk, directory))
    return new Journal(options, directory, home)
  }

  /**
   * The journal of a directory, for reading only, with everything loaded; the directory may come later. Each `refresh()` brings it up to what stands there, whoever's
   * history that is by now, and keeps what it has where it throws.
   */
  static async follow(directory: string, options: JournalOptions): Promise<Journal> {
    const journal = new Journal(options, directory, undefined, { follows: true })
    await journal.refresh()
    return journal
  }

  /**
   * The journal of a directory as it was at a moment, for reading only. It shares nothing with any other.
   * Throws what `resolveMoment` does, and `VARVE_NO_SUCH_MOMENT` where nothing was ever committed.
   */
  static async openPast(directory: string, options: JournalOptions, moment: Moment): Promise<Journal> {
    return namingErrors(directory, async () => {
      const home = await Home.open(options.disk, directory)
      if (!home) throw noHistory(directory)
      try {
        return new Journal(options, directory, await home.at(await resolveMoment(home, moment)))
      } catch (error) {
        await home.files.close()
        throw error
      }
    })
  }

  get directory(): string | undefined {
    return this.#residence.directory
  }

  /** Some commit stands in the directory. */
  get exists(): boolean {
    return this.#residence.log !== undefined
  }

  /** Within a transaction of this journal. */
  get inTurn(): boolean {
    return this.#turns.inside
  }

  get hasStagedCommits(): boolean {
    return this.#outbox.hasStaged
  }

  /** The last commit that this process has seen made durable; 0 where it writes nothing. */
  get syncedThrough(): number {
    return this.#residence.session?.queue.syncedThrough ?? 0
  }

  /** What it was opened with. */
  get options(): JournalOptions {
    return this.#options
  }

  get hasPendingChanges(): boolean {
    return !this.#pending.empty
  }

  /** The folders of all stores that hold or held anything, with their true names where those differ. */
  folders(): Map<string, string | undefined> {
    const folders = new Map<string, string | undefined>()
    for (const [folder, { name }] of this.#residence.catalog?.stores ?? [])
      if (folder !== erasuresFolder) folders.set(folder, name)
    for (const log of this.#pending.logs())
      folders.set(log.folder, this.#outbox.nameOf(log.folder) ?? folders.get(log.folder))
    return folders
  }

  /** Gives a folder its true name, where that is not the folder's own. */
  name(folder: string, name: string): void {
    if (this.#residence.catalog?.stores.get(folder)?.name === undefined) this.#outbox.name(folder, name)
  }

  /** The state of a store, loaded on first use. It is the live one: read it, and then forget it. */
  async load(folder: string): Promise<StoreState> {
    return (await this.#store(folder)).state
  }

  /** The state of a store that is loaded. */
  loaded(folder: string): StoreState | undefined {
    return this.#fold.store(folder)?.state
  }

  /**
   * The same to look at and no more, of which only what is looked at is read. Whoever does may meet `UnusableSnapshot`, and must `load` the store
   * then.
   */
  look(folder: string): StoreState | Promise<StoreState> {
    return this.#fold.seen(folder)?.state ?? this.#look(folder)
  }

  /** The bytes at a position: pending ones from memory, others by one read and one check. */
  payload(folder: string, position: Position): Uint8Array {
    return this.payloads(folder, [position])[0]!
  }

  /** The same for many; those that stand close together are read at once. */
  payloads(folder: string, positions: readonly Position[]): Uint8Array[] {
    const files = this.#residence.log?.files
    const log = this.#pending.log(folder)
    const pending = (position: Position): Uint8Array | undefined =>
      position.length === 0 ? new Uint8Array(0) : log?.payload(position.segment, position.offset)
    return readPayloads(positions, { files, folder, pending })
  }

  /**
   * Runs `change`, which reads the store's state and appends events, in one synchronous step: at once if this
   * context may write now, else when it may. Whatever it throws, it leaves nothing behind.
   */
  async write<T>(
    folder: string,
    change: (state: StoreState, append: (event: EventInput) => void) => T,
  ): Promise<T> {
    const store = this.#fold.store(folder)
    const isNow = store && this.#turns.ready && this.#residence.canWrite && !this.#early.isDiskFull
    const answer = isNow ? this.#step(store, change) : await this.#stepLater(folder, change)
    if (this.#mustSpill) await this.#spill()
    return answer
  }

  /** Runs changes as one unit: if `change` throws, everything is as before. It does not commit. */
  async together<T>(change: () => Promise<T>, folders: readonly string[] = []): Promise<T> {
    await this.#residence.ready()
    await Promise.all(folders.map((folder) => this.#store(folder)))
    return this.#turns.take(() => this.#unit(change, { split: false }))
  }

  /**
   * Everything that `change` does is one commit, or nothing. What was pending before becomes a commit of its
   * own in the same flush. Nested transactions join the outermost. Answers what `change` answers, and the
   * commit, if there was anything to commit.
   */
  async transaction<T>(
    note: CommitNote,
    change: () => Promise<T>,
    kind: CommitKind = 'data',
  ): Promise<{ value: T; commit: Commit | undefined }> {
    if (this.#turns.inside || this.directory === undefined)
      return { value: await this.together(change), commit: undefined }
    await this.#residence.ready()
    const { value, sent } = await this.#turns.take(() =>
      this.#unit(
        async (begin) => {
          const answer = await change()
          return {
            value: answer,
            sent: await this.#commit(() => [
              ...this.#outbox.take('data', {}, begin),
              ...this.#outbox.take(kind, note),
            ]),
          }
        },
        { split: true },
      ),
    )
    return { value, commit: await sent?.last }
  }

  /**
   * Resolves when everything changed before the call is durable, with the commit that carried it;
   * `undefined`, and nothing written, if there was nothing. Throws `VARVE_IN_TRANSACTION` inside a
   * transaction.
   */
  async persist(note: CommitNote = {}, kind: CommitKind = 'data'): Promise<Commit | undefined> {
    if (this.#turns.inside) throw inTransaction('persist()')
    while (!this.#turns.ready) await this.#turns.change()
    this.#residence.mustGoOn()
    if (this.#pending.empty && !this.#outbox.hasStaged) return this.#outbox.last
    return (await this.#commit(() => this.#outbox.take(kind, note)))?.last ?? this.#outbox.last
  }

  /** A commit of its own that gives a tag to a commit, or takes it away. What is pending stays so. */
  async tag(tag: TagChange, note: CommitNote): Promise<Commit> {
    if (this.#turns.inside) throw inTransaction('tag()')
    if (!this.exists) throw noHistory(this.directory)
    while (!this.#turns.ready) await this.#turns.change()
    const changes = { stores: [], bytes: 0 }
    return (await this.#commit(() => [{ kind: 'tag', note, changes, names: {}, tag }]))!.last
  }

  /**
   * Erases what `find` names: in one commit, after one of what is pending; then their bytes are overwritten. Resolves when that is done and
   * a second commit says so. `undefined`: there was nothing to erase.
   */
  async erase(
    note: CommitNote,
    find: (log: CommitLog) => Promise<ErasurePlan | undefined>,
  ): Promise<Commit | undefined> {
    if (this.#turns.inside) throw inTransaction('erase()')
    const isEmpty = !this.exists && this.#pending.empty && !this.#outbox.hasStaged
    if (this.directory === undefined || isEmpty) throw noHistory(this.directory)
    await this.#residence.ready()
    return this.#naming(() =>
      this.#turns.take(async () => {
        await (
          await this.#commit(() => this.#outbox.take('data', {}))
        )?.last
        await this.#snapshots.pause()
        const session = this.#residence.session!
        try {
          return await this.#erase(session, note, find)
        } finally {
          this.#snapshots.remake(this.#fold, session)
        }
      }),
    )
  }

  async #erase(
    session: Session,
    note: CommitNote,
    find: (log: CommitLog) => Promise<ErasurePlan | undefined>,
  ): Promise<Commit | undefined> {
    await finishErasures(session)
    const plan = await find(session)
    if (!plan) return undefined
    const commit = await commitErasure(session, plan, {
      note,
      fold: this.#fold,
      pending: this.#pending,
      outbox: this.#outbox,
      random: this.#options.random,
      rollback: () => this.#rollback(),
    })
    await finishErasures(session)
    return commit
  }

  /** The commit, later than what is shown here, that erased an id. */
  erasedBy(id: string): number | undefined {
    const { log } = this.#residence
    const commit = log?.files.erasures.commitOfId(id)
    return commit !== undefined && commit > log!.catalog.end.number ? commit : undefined
  }

  /** An error as it is after a look at the commits that were not seen yet: what cannot be read may have been erased. */
  async explain(error: unknown): Promise<unknown> {
    const { log } = this.#residence
    if (!log || !(error instanceof VarveError) || error.code !== 'VARVE_CORRUPT') return error
    const { store, segment, offset, item } = error.fields as {
      store?: string
      segment?: number
      offset?: number
      item?: number
    }
    if (store === undefined || segment === undefined || offset === undefined) return error
    await this.#residence.learnErasures().catch(() => false)
    const { files } = this.#residence.log ?? log // A follower turns to other files meanwhile.
    const commit = await erasedAt(files, { folder: store, segment, offset, item })
    return commit === undefined ? error : erased({ commit, cause: error })
  }

  /** Makes what is pending a commit, which is written before any other once there is a directory. */
  stage(kind: CommitKind, note: CommitNote): void {
    this.#outbox.stage(kind, note)
  }

  /** Drops everything pending. */
  async rollback(): Promise<void> {
    if (this.#turns.inside) throw inTransaction('rollback()')
    while (!this.#turns.ready) await this.#turns.change()
    await this.#rollback()
  }

  /** Gives a journal in memory its directory. A journal must not stand there. */
  attach(directory: string): void {
    this.#residence.settle(directory)
  }

  /** Takes that back as long as nothing began there; false if something did. */
  detach(): boolean {
    return this.#residence.unsettle()
  }

  /** Under `'buffered'`: makes everything written durable. */
  async flush(): Promise<void> {
    await this.#naming(async () => this.#residence.session?.queue.flush())
  }

  /** Takes up what others have committed since. A writer has nothing to take up. */
  refresh(): Promise<void> {
    return this.#residence.refresh()
  }

  /** What is committed, where that stands; `undefined`: nothing. */
  get log(): CommitLog | undefined {
    return this.#residence.log
  }

  /** Of one that follows: how it last came to another history than it had. */
  get reset(): Reset | undefined {
    return this.#residence.reset
  }

  /** Of one that follows: who is told of all that it takes up from now on. */
  tell(onlooker: Onlooker): void {
    this.#residence.tell(onlooker)
  }

  /** The states of the past, by themselves; `undefined`: nothing is committed. */
  replica(number: number): Promise<Replica | undefined> {
    return this.#naming(() => this.#residence.replica(number))
  }

  /** A commit by its number. */
  async commit(number: number): Promise<Commit | undefined> {
    const { log } = this.#residence
    if (!log || number < 1 || number > log.catalog.end.number) return undefined
    return toCommit(await this.#naming(() => readCommit(log, number)))
  }

  /** All commits, the newest first. A reader takes up those of others before. */
  async *commits(): AsyncGenerator<Commit> {
    await this.refresh()
    const last = this.#residence.catalog?.end.number ?? 0
    for (let number = last; number > 0; number--) {
      const commit = await this.commit(number)
      if (!commit) throw contextClosed()
      yield commit
    }
  }

  /** Ends the session. Persists nothing: what is pending is lost, and said so. */
  close(): Promise<void> {
    this.#closing ??= this.#naming(() => this.#close()).finally(() => (this.#closing = undefined))
    return this.#closing
  }

  async #close(): Promise<void> {
    // What was asked to be persisted before is, but for a commit that waits for the very turn that closes.
    if (!this.#turns.inside) await Promise.allSettled(this.#sending)
    await this.#residence.forbidSessions()
    await this.#fold.settled()
    await this.#fold.closeSnapshots()
    const { session, directory } = this.#residence
    await session?.queue.idle()
    if (this.hasPendingChanges && directory !== undefined) {
      this.#options.onWarning(
        `Closed ${directory} with pending changes; they are lost. Call persist() before close().`,
      )
      await this.#rollback()
    }
    await session?.queue.idle()
    await this.#early.work
    await this.#snapshots.idle()
    await this.#residence.leave((ending) => this.#snapshots.atClose(this.#fold, ending))
  }

  #naming<T>(work: () => Promise<T>): Promise<T> {
    return namingErrors(this.directory ?? 'memory', work)
  }

  get #mustSpill(): boolean {
    return this.#pending.bytes > this.#limits.spillBytes && this.directory !== undefined
  }

  #step<T>(store: FoldedStore, change: (state: StoreState, append: (event: EventInput) => void) => T): T {
    const mark = this.#pending.mark()
    try {
      return change(store.state, (event) => this.#pending.append(store, event))
    } catch (error) {
      this.#early.remove(this.#pending.rollback(mark))
      throw error
    } finally {
      this.#pending.release(mark)
    }
  }

  /** Where `change` begins can be returned to; `split`: and what was pending before can be taken by itself. */
  async #unit<T>(change: (begin: PendingMark) => Promise<T>, { split }: { split: boolean }): Promise<T> {
    const begin = this.#pending.mark({ split })
    try {
      return await change(begin)
    } catch (error) {
      await this.#rollback(begin)
      throw error
    } finally {
      this.#pending.release(begin)
    }
  }

  async #stepLater<T>(
    folder: string,
    change: (state: StoreState, append: (event: EventInput) => void) => T,
  ): Promise<T> {
    await this.#residence.ready()
    const store = await this.#store(folder)
    if (this.#early.isDiskFull) await this.#spill({ insist: true })
    while (!this.#turns.ready) await this.#turns.change()
    this.#residence.mustGoOn()
    return this.#step(this.#fold.store(folder) ?? store, change)
  }

  async #store(folder: string): Promise<FoldedStore> {
    this.#residence.mustBeOpen()
    return (
      this.#fold.store(folder) ?? this.#loading(() => this.#fold.load(folder, this.#residence.source(folder)))
    )
  }

  async #look(folder: string): Promise<StoreState> {
    this.#residence.mustBeOpen()
    const store = await this.#loading(() => this.#fold.look(folder, this.#residence.source(folder)))
    return store.state
  }

  /** A row that cannot be read may have been erased since. */
  #loading(load: () => Promise<FoldedStore>): Promise<FoldedStore> {
    return this.#naming(async () => {
      try {
        return await load()
      } catch (error) {
        const isDamaged = error instanceof VarveError && error.code === 'VARVE_CORRUPT'
        if (!isDamaged || !(await this.#residence.learnErasures())) throw error
        return load()
      }
    })
  }

  /** Sends commits on their way; see `Outbox.send`. */
  async #commit(take: () => CommitRequest[]): Promise<{ last: Promise<Commit> } | undefined> {
    const sent = this.#send(take)
    this.#sending.add(sent)
    try {
      return await sent
    } finally {
      this.#sending.delete(sent)
    }
  }

  async #send(take: () => CommitRequest[]): Promise<{ last: Promise<Commit> } | undefined> {
    if (!this.#residence.session) await this.#residence.ready({ create: true })
    // What is being written early is not written a second time.
    while (!this.#turns.ready || this.#early.work) await (this.#early.work ?? this.#turns.change())
    const { session } = this.#residence
    if (!session) throw new TypeError('A journal in memory needs a directory to persist to.')
    this.#residence.mustGoOn()
    return this.#outbox.send(session, take)
  }

  async #rollback(mark?: PendingMark): Promise<void> {
    this.#early.remove(this.#pending.rollback(mark))
    await this.#early.work
  }

  /** Keeps memory flat. */
  async #spill({ insist = false } = {}): Promise<void> {
    // A first bulk load needs the directory before its commit. If it cannot be had, persist() says why, and
    // nothing is lost until then.
    await this.#residence.ready({ create: true }).catch(() => {})
    await this.#early.write({ insist })
  }
}

export function noHistory(directory: string | undefined): VarveError {
  const fact = `Nothing was ever committed in ${directory ?? 'memory'}: it has no past.`
  return new VarveError('VARVE_NO_SUCH_MOMENT', fact, { directory, remedy: 'Call persist() first.' })
}

function inTransaction(call: string): VarveError {
  return new VarveError('VARVE_IN_TRANSACTION', `${call} was called inside a transaction.`)
}

/**
 * The commit log and the store logs of one persist directory, as one thing: states that are loaded when asked
 * for, changes that are pending until a commit, and commits. Without a directory everything is in memory, in
 * the same way, until one is given. It is generic in the stores: it knows events, not nodes.
 */
import { VarveError } from '../errors.ts'
import { namingErrors } from '../disk/disk-errors.ts'
import { makeDirectoryDurable } from '../log/durable-directory.ts'
import type { Lock } from '../log/lock.ts'
import { isDiskFull } from '../log/segment-writer.ts'
import { StoreLog } from '../log/store-log.ts'
import { toCommit, type Commit, type CommitKind, type CommitNote } from './commit.ts'
import type { CommitSummary } from './catalog.ts'
import type { CommitRequest } from './commit-queue.ts'
import type { EventInput, Position, StoreState } from './event.ts'
import { applyEvent, Fold, readEvents, type FoldedStore } from './fold.ts'
import { readPayload, readPayloads } from './payload.ts'
import { Home } from './home.ts'
import type { JournalOptions } from './journal-options.ts'
import { defaultLimits, type Limits } from './limits.ts'
import { Pending, type PendingMark } from './pending.ts'
import { beginSession, continueSession, lockDirectory, type Session } from './session.ts'
import { Snapshots } from './snapshots.ts'
import { Turns } from './turns.ts'

export class Journal {
  readonly #options: JournalOptions
  readonly #fold: Fold
  readonly #turns = new Turns()
  readonly #pending: Pending
  readonly #snapshots: Snapshots
  /** True names of folders that no commit has named yet. */
  readonly #names = new Map<string, string>()
  #directory: string | undefined
  #home: Home | undefined
  #session: Session | undefined
  #starting: Promise<Session | undefined> | undefined
  /** Commits that are made but wait for a directory. */
  #staged: CommitRequest[] = []
  #last: Promise<Commit> | undefined
  /** As seen when a change was last made without a session. */
  #directoryMissing = false
  /** The disk was full when pending changes should have been written early. */
  #spillFailed = false
  /** Early writes and removals, one after another. */
  #fileWork: Promise<void> | undefined
  #refreshing: Promise<void> | undefined
  #closing: Promise<void> | undefined
  /** No session may start any more: its lock would outlive everyone who could release it. */
  #isClosed = false
  readonly #limits: Limits

  private constructor(options: JournalOptions, directory: string | undefined, home: Home | undefined) {
    this.#options = options
    this.#directory = directory
    this.#home = home
    this.#fold = new Fold(options.kindOf)
    this.#limits = { ...defaultLimits, ...options.limits }
    this.#snapshots = new Snapshots(options.onWarning, this.#limits)
    this.#pending = new Pending({
      startLog: (folder) =>
        this.#session?.startLog(folder) ??
        new StoreLog(folder, { highest: 0, segmentBytes: this.#limits.segmentBytes }),
      syncedThrough: () => this.#session?.queue.syncedThrough ?? 0,
      random: options.random,
      canSpill: () => this.#session !== undefined && this.#staged.length === 0,
      limits: this.#limits,
    })
  }

  /** A journal in memory, until `attach` gives it a directory. */
  static inMemory(options: JournalOptions): Journal {
    return new Journal(options, undefined, undefined)
  }

  /** The journal of a directory; where none is, the first commit creates one. Writes nothing. */
  static async open(directory: string, options: JournalOptions): Promise<Journal> {
    return new Journal(options, directory, await namingErrors(directory, Home.open(options.disk, directory)))
  }

  get directory(): string | undefined {
    return this.#directory
  }

  /** Some commit stands in the directory. */
  get exists(): boolean {
    return this.#home !== undefined || this.#session !== undefined
  }

  /** Within a transaction of this journal. */
  get inTurn(): boolean {
    return this.#turns.inside
  }

  get hasStagedCommits(): boolean {
    return this.#staged.length > 0
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
    for (const [folder, { name }] of this.#catalog?.stores ?? []) folders.set(folder, name)
    for (const log of this.#pending.logs())
      folders.set(log.folder, this.#names.get(log.folder) ?? folders.get(log.folder))
    return folders
  }

  /** Gives a folder its true name, where that is not the folder's own. */
  name(folder: string, name: string): void {
    if (this.#catalog?.stores.get(folder)?.name === undefined) this.#names.set(folder, name)
  }

  /** The state of a store, loaded on first use. It is the live one: read it, and then forget it. */
  async load(folder: string): Promise<StoreState> {
    return (await this.#store(folder)).state
  }

  /** The state of a store that is loaded. */
  loaded(folder: string): StoreState | undefined {
    return this.#fold.store(folder)?.state
  }

  /** The bytes at a position: pending ones from memory, others by one read and one check. */
  payload(folder: string, position: Position): Uint8Array {
    if (position.length === 0) return new Uint8Array(0)
    const pending = this.#pending.log(folder)?.payload(position.segment, position.offset)
    if (pending) return pending
    const files = this.#session?.files ?? this.#home?.files
    if (!files) throw new TypeError(`Nothing of ${folder} stands at ${JSON.stringify(position)}.`)
    return readPayload(files, folder, position)
  }

  /** The same for many; those that stand close together are read at once. */
  payloads(folder: string, positions: readonly Position[]): Uint8Array[] {
    const files = this.#session?.files ?? this.#home?.files
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
    if (!store || !this.#turns.ready || !this.#canWrite) return this.#writeLater(folder, change)
    const answer = this.#step(store, change)
    if (this.#mustSpill) await this.#spill()
    return answer
  }

  /** Runs changes as one unit: if `change` throws, everything is as before. It does not commit. */
  async together<T>(change: () => Promise<T>, folders: readonly string[] = []): Promise<T> {
    await this.#ready()
    await Promise.all(folders.map((folder) => this.#store(folder)))
    return this.#turns.take(() => this.#unit(change))
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
    if (this.#turns.inside || this.#directory === undefined)
      return { value: await this.together(change), commit: undefined }
    await this.#ready()
    const { value, sent } = await this.#turns.take(() =>
      this.#unit(async (begin) => {
        const answer = await change()
        return {
          value: answer,
          sent: await this.#commit(() => [...this.#take('data', {}, begin), ...this.#take(kind, note)]),
        }
      }),
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
    if (this.#session?.queue.over) throw this.#session.queue.over
    if (this.#pending.empty && this.#staged.length === 0) return this.#last
    return (await this.#commit(() => this.#take(kind, note)))?.last ?? this.#last
  }

  /** Makes what is pending a commit, which is written before any other once there is a directory. */
  stage(kind: CommitKind, note: CommitNote): void {
    this.#staged.push(...this.#take(kind, note).map((request) => ({ ...request, staged: true as const })))
  }

  /** Drops everything pending. */
  async rollback(): Promise<void> {
    if (this.#turns.inside) throw inTransaction('rollback()')
    while (!this.#turns.ready) await this.#turns.change()
    await this.#rollback()
  }

  /** Gives a journal in memory its directory. A journal must not stand there. */
  attach(directory: string): void {
    if (this.#directory !== undefined) throw new TypeError(`This journal belongs to ${this.#directory}.`)
    this.#directory = directory
  }

  /** Under `'buffered'`: makes everything written durable. */
  async flush(): Promise<void> {
    await this.#naming(this.#session?.queue.flush())
  }

  /** Takes up what others have committed since. A writer has nothing to take up. */
  async refresh(): Promise<void> {
    if (this.#session || this.#starting || !this.#pending.empty) return
    this.#refreshing ??= this.#naming(this.#refresh()).finally(() => (this.#refreshing = undefined))
    return this.#refreshing
  }

  async #refresh(): Promise<void> {
    if (this.#home) return this.#takeUp(this.#home)
    if (this.#directory === undefined) return
    const appeared = await Home.open(this.#options.disk, this.#directory)
    if (appeared && this.#pending.empty) this.#startOver(appeared)
    else await appeared?.files.close() // A change was made meanwhile: its commit will say what is in its way.
  }

  /** A commit by its number. */
  async commit(number: number): Promise<Commit | undefined> {
    if (!this.#home || number < 1 || number > this.#home.catalog.end.number) return undefined
    return toCommit(await this.#naming(this.#home.commit(number)))
  }

  /** All commits, the newest first. */
  async *commits(): AsyncGenerator<Commit> {
    const home =
      this.#directory === undefined
        ? undefined
        : await this.#naming(Home.open(this.#options.disk, this.#directory))
    try {
      for (let number = home?.catalog.end.number ?? 0; number > 0; number--)
        yield toCommit(await this.#naming(home!.commit(number)))
    } finally {
      await home?.files.close()
    }
  }

  /** Ends the session. Persists nothing: what is pending is lost, and said so. */
  close(): Promise<void> {
    this.#isClosed = true
    this.#closing ??= this.#naming(this.#close()).finally(() => (this.#closing = undefined))
    return this.#closing
  }

  async #close(): Promise<void> {
    await this.#starting?.catch(() => {})
    await this.#fold.settled()
    await this.#session?.queue.idle()
    if (!this.#pending.empty && this.#directory !== undefined) {
      this.#options.onWarning(
        `Closed ${this.#directory} with pending changes; they are lost. Call persist() before close().`,
      )
      await this.#rollback()
    }
    try {
      if (this.#session) await this.#endSession(this.#session)
    } finally {
      const home = this.#home
      this.#home = undefined
      this.#session = undefined
      await home?.files.close()
    }
  }

  #naming<T>(work: T | Promise<T>): Promise<T> {
    return namingErrors(this.#directory ?? 'memory', Promise.resolve(work))
  }

  get #catalog() {
    return this.#session?.catalog ?? this.#home?.catalog
  }

  /** A session runs and all is well with it, or there is no directory yet that one could run in. */
  get #canWrite(): boolean {
    if (this.#session) return this.#session.queue.over === undefined && !this.#spillFailed
    return this.#directory === undefined || this.#directoryMissing
  }

  get #mustSpill(): boolean {
    return this.#pending.bytes > this.#limits.spillBytes && this.#directory !== undefined
  }

  #step<T>(store: FoldedStore, change: (state: StoreState, append: (event: EventInput) => void) => T): T {
    const mark = this.#pending.mark()
    try {
      return change(store.state, (event) => this.#pending.append(store, event))
    } catch (error) {
      this.#removeSegments(this.#pending.rollback(mark))
      throw error
    } finally {
      this.#pending.release(mark)
    }
  }

  /** Where `change` begins can be returned to, and what was pending before can be taken by itself. */
  async #unit<T>(change: (begin: PendingMark) => Promise<T>): Promise<T> {
    const begin = this.#pending.mark({ split: true })
    try {
      return await change(begin)
    } catch (error) {
      await this.#rollback(begin)
      throw error
    } finally {
      this.#pending.release(begin)
    }
  }

  async #writeLater<T>(
    folder: string,
    change: (state: StoreState, append: (event: EventInput) => void) => T,
  ): Promise<T> {
    await this.#ready()
    const store = await this.#store(folder)
    if (this.#spillFailed) await this.#spill({ insist: true })
    while (!this.#turns.ready) await this.#turns.change()
    if (this.#session?.queue.over) throw this.#session.queue.over
    const answer = this.#step(this.#fold.store(folder) ?? store, change)
    if (this.#mustSpill) await this.#spill()
    return answer
  }

  async #store(folder: string): Promise<FoldedStore> {
    if (this.#isClosed) throw closedError()
    return (
      this.#fold.store(folder) ??
      this.#naming(
        this.#fold.load(
          folder,
          this.#session && this.#home === undefined ? undefined : this.#home?.source(folder),
        ),
      )
    )
  }

  /** Starts the session, if there is a directory to write in; with `create`, makes one. */
  async #ready({ create = false } = {}): Promise<void> {
    if (this.#session?.queue.over) throw this.#session.queue.over
    if (this.#session || this.#directory === undefined) return
    const { disk } = this.#options
    this.#directoryMissing = !create && (await this.#naming(disk.stat(this.#directory))) === undefined
    if (this.#isClosed) throw closedError()
    if (this.#directoryMissing) return
    this.#starting ??= this.#naming(this.#start(this.#directory, create)).finally(
      () => (this.#starting = undefined),
    )
    await this.#starting
  }

  async #start(directory: string, create: boolean): Promise<Session | undefined> {
    const { disk } = this.#options
    await this.#refreshing?.catch(() => {}) // Whoever asked for it is told.
    if (create && !this.#home) await makeDirectoryDurable(disk, directory)
    const lock = await lockDirectory(this.#options, directory)
    try {
      if (this.#isClosed) throw closedError()
      this.#session = await this.#startLocked(directory, lock)
      return this.#session
    } catch (error) {
      await lock.release()
      throw error
    }
  }

  async #startLocked(directory: string, lock: Lock): Promise<Session> {
    const { disk } = this.#options
    const options = {
      ...this.#options,
      limits: this.#limits,
      onCommitted: (commits: readonly CommitSummary[], synced: boolean) => this.#committed(commits, synced),
      onReturned: (request: CommitRequest) => this.#returned(request),
    }
    if (this.#home) await this.#takeUp(this.#home)
    else {
      const appeared = await Home.open(disk, directory)
      if (appeared && !this.#pending.empty) {
        await appeared.files.close()
        throw new VarveError(
          'VARVE_DISPLACED',
          `Another process created a journal in ${directory} since this context was opened.`,
          { directory },
        )
      }
      if (appeared) this.#startOver(appeared)
    }
    if (!this.#home) return beginSession(directory, lock, options)
    const { torn } = this.#home
    if (torn && torn.bytes > 0)
      this.#options.onWarning(
        `The last writer of ${directory} did not end in order: ${torn.commits} unfinished commits and ${torn.bytes} bytes were dropped (${torn.fault}). None of them was acknowledged.`,
      )
    return continueSession(this.#home, lock, options)
  }

  /**
   * Forgets what was loaded or staged: another process's journal stands there now. Nothing may be pending.
   */
  #startOver(home: Home): void {
    this.#home = home
    this.#directoryMissing = false
    this.#staged = []
    this.#fold.clear()
    this.#pending.clear()
  }

  /** Folds what others have committed, in one step. */
  async #takeUp(home: Home): Promise<void> {
    const { commits, take } = await home.refresh()
    const steps = new Map<FoldedStore, (() => void)[]>()
    // A store that is loaded meanwhile has still to take them up, too.
    while ((await this.#fold.settled(), [...this.#fold.stores()].some((store) => !steps.has(store)))) {
      for (const store of this.#fold.stores())
        if (!steps.has(store)) steps.set(store, await foldingSteps(home, store, commits))
    }
    for (const step of [...steps.values()].flat()) step()
    take()
  }

  /** What is pending as a commit, or what stood before a unit began; none if there is nothing. */
  #take(kind: CommitKind, note: CommitNote, through?: PendingMark): CommitRequest[] {
    const changes = this.#pending.take(through)
    if (changes.stores.length === 0) return []
    const names: Record<string, string> = {}
    for (const { log } of changes.stores) {
      const name = this.#names.get(log.folder)
      if (name !== undefined) names[log.folder] = name
    }
    return [{ kind, note, changes, names }]
  }

  /**
   * Sends commits on their way, those staged before first, and answers the promise of the last; in an object,
   * so that it is not awaited yet.
   */
  async #commit(take: () => CommitRequest[]): Promise<{ last: Promise<Commit> } | undefined> {
    if (!this.#session) await this.#ready({ create: true })
    // What is being written early is not written a second time.
    while (!this.#turns.ready || this.#fileWork) await (this.#fileWork ?? this.#turns.change())
    const session = this.#session
    if (!session) throw new TypeError('A journal in memory needs a directory to persist to.')
    if (session.queue.over) throw session.queue.over
    const all = [...this.#staged.splice(0), ...take()]
    if (all.length === 0) return undefined
    const last = all
      .map((request, index) => this.#enqueue(request, session, { isLast: index === all.length - 1 }))
      .at(-1)!
    return { last }
  }

  /**
   * The states are those of the last commit exactly when nothing is pending: the moment for a snapshot to
   * hold on to them.
   */
  #enqueue(request: CommitRequest, session: Session, { isLast }: { isLast: boolean }): Promise<Commit> {
    const due = isLast && this.#pending.empty ? this.#snapshots.freeze(this.#fold) : undefined
    const commit = session.queue.push(request)
    this.#last = commit
    const settled = (done?: Commit): void => {
      if (this.#last === commit) this.#last = undefined
      if (done) this.#snapshots.write(due, session, done)
      else due?.thaw()
    }
    commit.then(settled, () => settled())
    return commit
  }

  #committed(commits: readonly CommitSummary[], _synced: boolean): void {
    for (const { names } of commits) for (const folder of Object.keys(names)) this.#names.delete(folder)
  }

  #returned(request: CommitRequest): void {
    if (request.staged) this.#staged.unshift(request)
    else this.#pending.reopen(request.changes)
  }

  async #rollback(mark?: PendingMark): Promise<void> {
    this.#removeSegments(this.#pending.rollback(mark))
    await this.#fileWork
  }

  #removeSegments(segments: { folder: string; segment: number }[]): void {
    const session = this.#session
    if (!session || segments.length === 0) return
    // A displaced writer leaves them to the next one, whose they may be by now.
    const remove = async (): Promise<void> => {
      if (!(await session.lock.stillHeld())) return
      for (const { folder, segment } of segments) await session.writer.remove(folder, segment)
    }
    this.#inOrder(remove).catch((error: Error) =>
      this.#options.onWarning(`A file of dropped changes stays until the next session (${error.message}).`),
    )
  }

  /**
   * Writes what may be written before its commit, so that memory stays flat. A full disk is an error only for
   * who insists: nothing is lost yet.
   */
  async #spill({ insist = false } = {}): Promise<void> {
    // A first bulk load needs the directory before its commit. If it cannot be had, persist() says why, and
    // nothing is lost until then.
    await this.#ready({ create: true }).catch(() => {})
    await this.#inOrder(async () => {
      const session = this.#session
      if (!session) return
      try {
        await session.queue.ready()
        await Promise.all(this.#pending.logs().map((log) => spillLog(session, log)))
        this.#spillFailed = false
      } catch (cause) {
        if (!isDiskFull(cause)) throw await session.queue.fail(cause)
        this.#spillFailed = true
      }
    })
    if (insist && this.#spillFailed)
      throw new VarveError(
        'VARVE_DISK_FULL',
        'The disk is full, and so is the room for pending changes; nothing was changed.',
      )
  }

  #inOrder(work: () => Promise<void>): Promise<void> {
    const done = (this.#fileWork ?? Promise.resolve()).then(work)
    const settled = done
      .catch(() => {}) // Whoever asked is told; the next piece of work does not depend on it.
      .then(() => {
        if (this.#fileWork === settled) this.#fileWork = undefined
      })
    this.#fileWork = settled
    return done
  }

  async #endSession(session: Session): Promise<void> {
    try {
      await session.queue.idle()
      await this.#fileWork
      await this.#snapshots.idle()
      if (session.queue.over) return
      await session.queue.sync()
      await this.#snapshots.atClose(this.#fold, session)
      await session.queue.close()
    } finally {
      await session.writer.close()
      await session.files.close()
      await session.lock.release()
    }
  }
}

/** What remains to be done to bring a store up to these commits. */
async function foldingSteps(
  home: Home,
  store: FoldedStore,
  commits: readonly CommitSummary[],
): Promise<(() => void)[]> {
  const steps: (() => void)[] = []
  const parts = commits.map(({ number, parts: all }) => ({
    commit: number,
    parts: all.filter((part) => part.folder === store.folder),
  }))
  for await (const { event, rowsBytes } of readEvents(home.files, parts))
    steps.push(() => applyEvent(store, event, rowsBytes))
  return steps
}

async function spillLog(session: Session, log: StoreLog): Promise<void> {
  const frames = log.spillable()
  for (const write of log.writes(frames)) await session.writer.write(write)
  for (const segment of new Set(frames.map((placed) => placed.segment)))
    await session.files.open(log.folder, segment)
  log.written(frames)
}

function closedError(): VarveError {
  return new VarveError('VARVE_CLOSED', 'This storage context was closed meanwhile.')
}

function inTransaction(call: string): VarveError {
  return new VarveError('VARVE_IN_TRANSACTION', `${call} was called inside a transaction.`)
}

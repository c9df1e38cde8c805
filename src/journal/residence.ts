/**
 * Where a journal lives: its directory, as soon as it has one; what a reader sees there; and from the first
 * change on the session that writes there. A session starts once, whoever asks, with what others committed
 * taken up; none starts after the end, for its lock would outlive everyone who could release it.
 */
import { namingErrors } from '../disk/disk-errors.ts'
import { contextClosed, VarveError } from '../errors.ts'
import { makeDirectoryDurable } from '../log/durable-directory.ts'
import type { Lock } from '../log/lock.ts'
import type { Catalog } from './catalog.ts'
import { finishErasures } from './erasing.ts'
import type { Fold } from './fold.ts'
import { Following, type Onlooker, type Reset } from './following.ts'
import { Home } from './home.ts'
import type { CommitLog } from './read-commit.ts'
import {
  beginSession,
  continueSession,
  endSession,
  lockDirectory,
  type Session,
  type SessionOptions,
} from './session.ts'
import { Replica } from './replica.ts'
import { storeSource, type StoreSource } from './store-source.ts'
import { takeUp } from './take-up.ts'

export interface ResidenceOptions extends SessionOptions {
  /** What is loaded of the journal. */
  fold: Fold
  hasPendingChanges: () => boolean
  /** Another process's journal stands there now: what was loaded or staged is to be forgotten. Nothing is pending. */
  onReplaced: () => void
  /** It is for reading only, and everything that is committed is loaded. */
  follows: boolean
}

export class Residence {
  readonly #options: ResidenceOptions
  readonly #following: Following | undefined
  #directory: string | undefined
  #home: Home | undefined
  #session: Session | undefined
  #starting: Promise<Session> | undefined
  #refreshing: Promise<void> | undefined
  /** As seen when a change was last made without a session. */
  #isMissing = false
  #isClosed = false

  /** Without a directory, until `settle` gives it one; `home`: what stands in it. */
  constructor(options: ResidenceOptions, directory: string | undefined, home: Home | undefined) {
    this.#options = options
    this.#directory = directory
    this.#home = home
    if (options.follows && directory !== undefined)
      this.#following = new Following({ ...options, directory, onMoved: (found) => (this.#home = found) })
  }

  get directory(): string | undefined {
    return this.#directory
  }

  get session(): Session | undefined {
    return this.#session
  }

  /** What is committed there; `undefined`: nothing. */
  get log(): CommitLog | undefined {
    return this.#session ?? this.#home
  }

  get catalog(): Catalog | undefined {
    return this.log?.catalog
  }

  /** Of a follower: how it last came to another history. */
  get reset(): Reset | undefined {
    return this.#following?.reset
  }

  /** Of a follower: who is told of all that it takes up from now on. */
  tell(onlooker: Onlooker): void {
    if (this.#following) this.#following.onlooker = onlooker
  }

  /** The states of the past, by themselves; `undefined`: nothing is committed. */
  async replica(number: number): Promise<Replica | undefined> {
    return this.#home && Replica.at(this.#home, number, this.#options.kindOf)
  }

  source(folder: string): StoreSource | undefined {
    return this.log && storeSource(this.log, folder)
  }

  /** A session runs and all is well with it, or there is no directory yet that one could run in. */
  get canWrite(): boolean {
    if (this.#session) return this.#session.queue.over === undefined
    return this.#directory === undefined || this.#isMissing
  }

  mustBeOpen(): void {
    if (this.#isClosed) throw contextClosed()
  }

  /** Throws why nothing can be written any more. */
  mustGoOn(): void {
    if (this.#session?.queue.over) throw this.#session.queue.over
  }

  /** A journal must not stand there. */
  settle(directory: string): void {
    if (this.#directory !== undefined) throw new TypeError(`This journal belongs to ${this.#directory}.`)
    this.#directory = directory
  }

  /** As long as nothing began there. */
  unsettle(): boolean {
    if (this.#session || this.#starting || this.#home) return false
    this.#directory = undefined
    return true
  }

  /** Starts the session, if there is a directory to write in; with `create`, makes one. */
  async ready({ create = false } = {}): Promise<void> {
    this.mustGoOn()
    if (this.#session || this.#directory === undefined) return
    const directory = this.#directory
    const { disk } = this.#options
    this.#isMissing = !create && (await namingErrors(directory, () => disk.stat(directory))) === undefined
    this.mustBeOpen()
    if (this.#isMissing) return
    this.#starting ??= namingErrors(directory, () => this.#start(directory, create)).finally(
      () => (this.#starting = undefined),
    )
    await this.#starting
  }

  /** What others erased since this was opened. Answers whether there was anything; the states are loaded anew then, or when a follower comes to the commit. */
  async learnErasures(): Promise<boolean> {
    const { fold, hasPendingChanges } = this.#options
    const learned = (await this.#home?.learnErasures()) ?? false
    if (learned && !this.#following && !hasPendingChanges()) fold.clear()
    return learned
  }

  /** Takes up what others have committed since. A writer has nothing to take up. */
  async refresh(): Promise<void> {
    if (this.#session || this.#starting || this.#isClosed || this.#options.hasPendingChanges()) return
    this.#refreshing ??= namingErrors(this.#directory ?? '', () => this.#refresh()).finally(
      () => (this.#refreshing = undefined),
    )
    return this.#refreshing
  }

  /** No session may start any more; resolves when none is starting, and nothing is taken up. */
  async forbidSessions(): Promise<void> {
    this.#isClosed = true
    await this.#starting?.catch(() => {})
    await this.#refreshing?.catch(() => {})
  }

  /** Ends the session, and gives everything back. `lastly`: see `endSession`. */
  async leave(lastly: (session: Session) => Promise<void>): Promise<void> {
    try {
      if (this.#session) await endSession(this.#session, lastly)
    } finally {
      const home = this.#home
      this.#home = undefined
      this.#session = undefined
      await home?.files.close()
      await this.#following?.close()
    }
  }

  async #refresh(): Promise<void> {
    const { fold, disk, hasPendingChanges } = this.#options
    if (this.#following) return this.#following.look(this.#home)
    const home = this.#home
    if (home) return home.despiteErasures(() => takeUp(home, fold))
    if (this.#directory === undefined) return
    const appeared = await Home.open(disk, this.#directory)
    if (appeared && !hasPendingChanges()) this.#startOver(appeared)
    else await appeared?.files.close() // A change was made meanwhile: its commit will say what is in its way.
  }

  async #start(directory: string, create: boolean): Promise<Session> {
    await this.#refreshing?.catch(() => {}) // Whoever asked for it is told.
    if (create && !this.#home) await makeDirectoryDurable(this.#options.disk, directory)
    const lock = await lockDirectory(this.#options, directory)
    try {
      this.mustBeOpen()
      this.#session = await this.#startLocked(directory, lock)
      return this.#session
    } catch (error) {
      await lock.release()
      throw error
    }
  }

  async #startLocked(directory: string, lock: Lock): Promise<Session> {
    if (this.#home) await takeUp(this.#home, this.#options.fold)
    else await this.#findOthers(directory)
    if (!this.#home) return beginSession(directory, lock, this.#options)
    const { torn } = this.#home
    if (torn && torn.bytes > 0)
      this.#options.onWarning(
        `The last writer of ${directory} did not end in order: ${torn.commits} unfinished commits and ${torn.bytes} bytes were dropped (${torn.fault}). None of them was acknowledged.`,
      )
    const session = await continueSession(this.#home, lock, this.#options)
    try {
      await finishErasures(session)
      return session
    } catch (error) {
      await session.writer.close()
      throw error
    }
  }

  /** A journal that others created since this one was opened. */
  async #findOthers(directory: string): Promise<void> {
    const appeared = await Home.open(this.#options.disk, directory)
    if (!appeared) return
    if (!this.#options.hasPendingChanges()) return this.#startOver(appeared)
    await appeared.files.close()
    throw new VarveError(
      'VARVE_DISPLACED',
      `Another process created a journal in ${directory} since this context was opened.`,
      { directory },
    )
  }

  #startOver(home: Home): void {
    this.#home = home
    this.#isMissing = false
    this.#options.fold.clear()
    this.#options.onReplaced()
  }
}

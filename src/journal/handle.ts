/**
 * One context's hold on a journal that several may share: it can be closed, or be for reading only, while the
 * journal goes on. Stores ask the handle, so that a context which moves to another journal takes its stores
 * along.
 */
import { contextClosed, VarveError } from '../errors.ts'
import type { Commit, CommitKind, CommitNote, TagChange } from './commit.ts'
import type { ErasurePlan } from './erasing.ts'
import type { EventInput, Position, StoreState } from './event.ts'
import type { Journal } from './journal.ts'
import type { CommitLog } from './read-commit.ts'

export interface HandleOptions {
  readOnly?: boolean | undefined
  /** Every outermost call that changes anything commits. */
  autoPersist?: boolean | undefined
  /** Gives the journal back. */
  release: (journal: Journal) => Promise<void>
}

export type Append = (event: EventInput) => void

export class JournalHandle {
  #journal: Journal
  #closed: Promise<void> | undefined
  readonly #options: HandleOptions

  constructor(journal: Journal, options: HandleOptions) {
    this.#journal = journal
    this.#options = options
  }

  get journal(): Journal {
    if (this.#closed) throw contextClosed()
    return this.#journal
  }

  get readOnly(): boolean {
    return this.#options.readOnly ?? false
  }

  /** See `Journal.look`; not a promise once it was asked for before. */
  look(folder: string): StoreState | Promise<StoreState> {
    return this.journal.look(folder)
  }

  /** The state of a store that is loaded. */
  loaded(folder: string): StoreState | undefined {
    return this.journal.loaded(folder)
  }

  /** The state of a store, loaded whole. */
  load(folder: string): Promise<StoreState> {
    return this.journal.load(folder)
  }

  payload(folder: string, position: Position): Uint8Array {
    return this.journal.payload(folder, position)
  }

  payloads(folder: string, positions: readonly Position[]): Uint8Array[] {
    return this.journal.payloads(folder, positions)
  }

  /** See `Journal.write`: one synchronous step, at once if this context may write now. */
  write<T>(folder: string, change: (state: StoreState, append: Append) => T): Promise<T> {
    return this.#changing(() => this.journal.write(folder, change))
  }

  together<T>(change: () => Promise<T>, folders: readonly string[] = []): Promise<T> {
    return this.#changing(() => this.journal.together(change, folders))
  }

  async transaction<T>(
    note: CommitNote,
    change: () => Promise<T>,
    kind?: CommitKind,
  ): Promise<{ value: T; commit: Commit | undefined }> {
    this.#checkWritable()
    return this.journal.transaction(note, change, kind)
  }

  async tag(tag: TagChange, note: CommitNote): Promise<Commit> {
    this.#checkWritable()
    return this.journal.tag(tag, note)
  }

  async persist(note?: CommitNote, kind?: CommitKind): Promise<Commit | undefined> {
    this.#checkWritable()
    return this.journal.persist(note, kind)
  }

  /** See `Journal.erase`. */
  async erase(
    note: CommitNote,
    find: (log: CommitLog) => Promise<ErasurePlan | undefined>,
  ): Promise<Commit | undefined> {
    this.#checkWritable()
    return this.journal.erase(note, find)
  }

  /** Reads; what cannot be read since it was erased throws `VARVE_ERASED`. */
  async reading<T>(read: () => Promise<T>): Promise<T> {
    try {
      return await read()
    } catch (error) {
      throw await this.journal.explain(error)
    }
  }

  async rollback(): Promise<void> {
    this.#checkWritable()
    await this.journal.rollback()
  }

  /** From now on this is a handle of another journal. */
  async moveTo(journal: Journal): Promise<void> {
    const before = this.#journal
    this.#journal = journal
    await this.#options.release(before)
  }

  /** Gives the journal back, once. */
  close(): Promise<void> {
    this.#closed ??= this.#options.release(this.#journal)
    return this.#closed
  }

  async #changing<T>(change: () => Promise<T>): Promise<T> {
    this.#checkWritable()
    const { journal } = this
    const answer = await change()
    if (this.#options.autoPersist && !journal.inTurn && journal.directory !== undefined)
      await journal.persist()
    return answer
  }

  #checkWritable(): void {
    if (!this.readOnly) return void this.journal
    throw new VarveError(
      'VARVE_READ_ONLY',
      `This storage context of ${this.journal.directory ?? 'memory'} is for reading only.`,
    )
  }
}

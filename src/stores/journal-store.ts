/** What all our stores have in common: a folder of a journal, a state to read, and events to append. */
import type { Append, JournalHandle } from '../journal/handle.ts'
import type { StoreState } from '../journal/event.ts'
import { UnusableSnapshot } from '../journal/snapshot-pages.ts'
import { namingErrors } from '../disk/disk-errors.ts'

/** Known to the context, and to no one else: how it tells our stores from foreign ones. */
export abstract class JournalStore<S extends StoreState> {
  #handle: JournalHandle
  #folder: string
  #namespace: string | undefined
  #isBound = false

  /** `namespace`: the true name behind the folder, where that may differ. */
  constructor(handle: JournalHandle, folder: string, namespace?: string) {
    this.#handle = handle
    this.#folder = folder
    this.#namespace = namespace
  }

  get handle(): JournalHandle {
    return this.#handle
  }

  get folder(): string {
    return this.#folder
  }

  /** It belongs to a context, and is closed with it. */
  get isBound(): boolean {
    return this.#isBound
  }

  /** For the context that a store is given to: from now on the store asks this handle, and stands in this folder. */
  bindTo(handle: JournalHandle, { folder = this.#folder, namespace = this.#namespace } = {}): this {
    this.#handle = handle
    this.#folder = folder
    this.#namespace = namespace
    this.#isBound = true
    return this
  }

  /** Gives up this store's hold on its directory. Does nothing to one that belongs to a context, which is closed with it. */
  async close(): Promise<void> {
    if (!this.#isBound) await this.#handle.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  protected get storedNamespace(): string | undefined {
    return this.#namespace
  }

  /**
   * Looks at the state, in one synchronous step; before anything is awaited, if it was looked at before. `look` must not hand out anything that looks
   * later, and is called twice if the snapshot turns out to be damaged.
   */
  protected async read<T>(look: (state: S) => T): Promise<T> {
    const handle = this.#handle
    return namingErrors(this.#folder, () =>
      handle.reading(async () => {
        const state = handle.look(this.#folder)
        try {
          return look((state instanceof Promise ? await state : state) as S)
        } catch (error) {
          if (!(error instanceof UnusableSnapshot)) throw error
          return look((await handle.load(this.#folder)) as S)
        }
      }),
    )
  }

  /** Reads the state and appends events, in one synchronous step. */
  protected async change<T>(change: (state: S, append: Append) => T): Promise<T> {
    const handle = this.#handle
    return namingErrors(handle.journal.directory ?? this.#folder, () =>
      handle.write(this.#folder, (state, append) => {
        if (this.#namespace !== undefined) handle.journal.name(this.#folder, this.#namespace)
        return change(state as S, append)
      }),
    )
  }
}

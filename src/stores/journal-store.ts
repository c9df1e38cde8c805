/** What all our stores have in common: a folder of a journal, a state to read, and events to append. */
import type { Append, JournalHandle } from '../journal/handle.ts'
import type { StoreState } from '../journal/event.ts'

/** Known to the context, and to no one else: how it tells our stores from foreign ones. */
export abstract class JournalStore<S extends StoreState> {
  /** Whose journal it is. A store in memory moves to that of the context it is given to. */
  readonly handle: JournalHandle
  readonly folder: string

  constructor(handle: JournalHandle, folder: string) {
    this.handle = handle
    this.folder = folder
  }

  /** Looks at the state, in one synchronous step; before anything is awaited, if the state is loaded. */
  protected async read<T>(look: (state: S) => T): Promise<T> {
    const state = this.handle.state(this.folder)
    return look((state instanceof Promise ? await state : state) as S)
  }

  /** Reads the state and appends events, in one synchronous step. */
  protected change<T>(change: (state: S, append: Append) => T): Promise<T> {
    return this.handle.write(this.folder, (state, append) => change(state as S, append))
  }
}

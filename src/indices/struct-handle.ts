/**
 * One index's struct, wherever it is kept. A store that can show and change single entries is asked each time, so that nothing here goes
 * stale when a follower or another index object changes it; of other stores a copy is kept, and handed over whole.
 */
import { VarveError } from '../errors.ts'
import type { IndexStore } from '../stores/contract.ts'
import type { IndexStruct, StructChange, StructView } from '../stores/index-struct.ts'
import { applyChanges, copyStruct, viewOf } from './struct-changes.ts'

export class StructHandle {
  readonly #indexStore: IndexStore
  #indexId: string
  /** As last seen. */
  #view: StructView
  /** What the store has not been handed yet: the first change adds it whole. */
  #unsaved: IndexStruct | undefined
  /** Only of a store that shows no views. */
  #copy: IndexStruct | undefined

  private constructor(indexStore: IndexStore, indexId: string, view: StructView) {
    this.#indexStore = indexStore
    this.#indexId = indexId
    this.#view = view
  }

  /** For a struct that the store does not know yet. */
  static forNew(indexStore: IndexStore, struct: IndexStruct): StructHandle {
    const unsaved = copyStruct(struct)
    const handle = new StructHandle(indexStore, struct.indexId, viewOf(unsaved))
    handle.#unsaved = unsaved
    return handle
  }

  static async open(indexStore: IndexStore, indexId: string): Promise<StructHandle | undefined> {
    const handle = new StructHandle(indexStore, indexId, viewOf({ indexId, type: 'empty' }))
    return (await handle.#load()) ? handle : undefined
  }

  get indexId(): string {
    return this.#indexId
  }

  /** For what must answer at once; otherwise ask `current`. */
  get lastSeen(): StructView {
    return this.#view
  }

  /** For reading. */
  async current(): Promise<StructView> {
    const isKept = this.#unsaved !== undefined || this.#copy !== undefined
    return isKept ? this.#view : await this.fresh()
  }

  /** For changing: what the store has now. */
  async fresh(): Promise<StructView> {
    if (this.#unsaved !== undefined) {
      await refuseTaken(this.#indexStore, this.#indexId)
    } else if (!(await this.#load())) {
      const remedy = 'It was deleted, or has another id now: load it anew.'
      throw new VarveError('VARVE_INDEX_NOT_FOUND', `There is no index '${this.#indexId}'.`, { remedy })
    }
    return this.#view
  }

  /** Calls the store before it returns, so that it can be part of one synchronous step. */
  async change(changes: readonly StructChange[]): Promise<void> {
    const whole = this.#unsaved ?? this.#copy
    if (this.#unsaved === undefined && changes.length === 0) return
    if (whole === undefined) {
      await this.#indexStore.changeIndexStruct!(this.#indexId, changes)
      return
    }
    const struct = copyStruct(whole)
    applyChanges(struct, changes)
    await this.#indexStore.addIndexStruct(struct)
    this.#unsaved = undefined
    await this.#load()
  }

  /** Gives the struct another id. To be called inside `together`. */
  async rename(indexId: string): Promise<void> {
    if (indexId === this.#indexId) return
    await this.fresh()
    await refuseTaken(this.#indexStore, indexId)
    const struct = await this.#indexStore.getIndexStruct(this.#indexId)
    await Promise.all([
      this.#indexStore.deleteIndexStruct(this.#indexId),
      this.#indexStore.addIndexStruct({ ...struct!, indexId }),
    ])
    this.#indexId = indexId
    await this.#load()
  }

  async #load(): Promise<boolean> {
    const store = this.#indexStore
    if (store.viewIndexStruct !== undefined && store.changeIndexStruct !== undefined) {
      const view = await store.viewIndexStruct(this.#indexId)
      this.#view = view ?? this.#view
      return view !== undefined
    }
    const struct = await store.getIndexStruct(this.#indexId)
    if (struct === undefined) return false
    this.#copy = copyStruct(struct)
    this.#view = viewOf(this.#copy)
    return true
  }
}

async function refuseTaken(indexStore: IndexStore, indexId: string): Promise<void> {
  const known = await (indexStore.viewIndexStruct?.(indexId) ?? indexStore.getIndexStruct(indexId))
  if (known === undefined) return
  const remedy = 'Load it with loadIndexFromStorage() to add to it, or choose another id.'
  throw new VarveError('VARVE_DUPLICATE_ID', `There is an index '${indexId}' already.`, { remedy, indexId })
}

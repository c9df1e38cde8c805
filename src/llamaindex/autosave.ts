/**
 * When the changes of a program that knows nothing of commits become one. LlamaIndexTS says neither where an operation begins nor where it ends; but its calls to the stores
 * follow each other without waiting for anything else. So a commit is made in the first turn of the event loop in which no call is under way: one insert, however many
 * nodes it brings, is one commit and one sync; what comes while that is written is the next.
 *
 * Only source documents come long before their chunks: embedding them takes a while. They are held back until then, since a document whose hash is stored without its chunks
 * would be skipped as unchanged for ever. No call tells of documents that are never cut, so they do not wait for ever; where chunks take longer than that, a warning says that
 * the operation is not one commit any more.
 */
import { AsyncResource } from 'node:async_hooks'
import type { StorageContext } from '../context/storage-context.ts'
import { onceIdle } from '../disk/node-idle.ts'

/** How long documents may wait for chunks: those that are never cut get a commit of their own. */
const heldMs = 60_000

export class Autosave {
  readonly #storage: StorageContext
  readonly #onWarning: (warning: string) => void
  readonly #turn: () => void
  /** Of calls that are under way. */
  #calls = 0
  #isTurnAsked = false
  #isClosed = false
  #isSaving = false
  #isWarned = false
  /** From the id of a document that waits to all that came with it. */
  readonly #held = new Map<string, ReadonlySet<string>>()
  #limit: NodeJS.Timeout | undefined
  #stopWatching: (() => void) | undefined

  constructor(storage: StorageContext, onWarning: (warning: string) => void) {
    this.#storage = storage
    this.#onWarning = onWarning
    // A commit belongs to nobody's transaction, whoever made the change.
    this.#turn = AsyncResource.bind(() => this.#onTurn())
  }

  /** Every call to a store passes here. */
  async during<T>(call: () => Promise<T>): Promise<T> {
    this.#calls++
    try {
      return await call()
    } finally {
      this.#calls--
      this.#askForTurn()
    }
  }

  /** These documents came together; their chunks are still to come. */
  hold(ids: readonly string[]): void {
    if (ids.length === 0) return
    const group = new Set(ids)
    for (const id of ids) this.#held.set(id, group)
    this.#limit ??= setTimeout(() => this.#giveUp(), heldMs).unref()
    this.#stopWatching ??= onceIdle(() => this.#letGo())
  }

  /** Chunks of these documents came. Where one document of several has some, the others have none. */
  release(ids: Iterable<string | undefined>): void {
    for (const id of ids) for (const other of this.#held.get(id ?? '') ?? []) this.#held.delete(other)
    if (this.#held.size === 0) this.#stopWaiting()
  }

  releaseAll(): void {
    this.release([...this.#held.keys()])
  }

  /** Nothing is saved from now on but by `persist()`. */
  close(): void {
    this.#isClosed = true
    this.#stopWaiting()
  }

  /** Of a failure that no call tells. */
  warn({ message }: Error): void {
    if (!this.#isClosed) this.#onWarning(`Not saved: ${message}`)
  }

  #stopWaiting(): void {
    clearTimeout(this.#limit)
    this.#limit = undefined
    this.#stopWatching?.()
    this.#stopWatching = undefined
  }

  /** Said once: a program that keeps documents as they are has no chunks to wait for. */
  #giveUp(): void {
    const ids = [...this.#held.keys()]
    const some = ids.length > 3 ? `${ids.slice(0, 3).join(', ')}, …` : ids.join(', ')
    if (!this.#isWarned)
      this.#onWarning(
        `Saving ${ids.length} documents (${some}) without their chunks, which did not come within ${heldMs / 1000} s. If the program ends before they do, LlamaIndexTS takes the documents for unchanged: delete them with deleteRefDoc(), and insert them again.`,
      )
    this.#isWarned = true
    this.#letGo()
  }

  #letGo(): void {
    this.releaseAll()
    this.#askForTurn()
  }

  #askForTurn(): void {
    if (this.#isTurnAsked || this.#isClosed || this.#storage.persistDir === undefined) return
    if (!this.#storage.hasPendingChanges) return
    this.#isTurnAsked = true
    setImmediate(this.#turn)
  }

  #onTurn(): void {
    this.#isTurnAsked = false
    if (this.#calls > 0 || this.#held.size > 0 || this.#isSaving || this.#isClosed) return
    this.#isSaving = true
    void this.#save()
  }

  /** A program that asks for no commit is not told of its failure by a call: the next change tries again, and `persist()` throws. */
  async #save(): Promise<void> {
    try {
      await this.#storage.persist()
      this.#isSaving = false
      // What came meanwhile.
      this.#askForTurn()
    } catch (error) {
      this.#isSaving = false
      this.warn(error as Error)
    }
  }
}

/**
 * Calls to several stores that belong together. All first calls, and all calls to stores in memory, are made synchronously one after
 * another, which `together` turns into one step. A store that persists by itself gets one call at a time: it could reorder them.
 */
type Call = () => Promise<unknown>

interface CalledStore {
  readonly persistsByItself?: boolean
}

export interface StoreCall {
  store: CalledStore
  call: Call
}

export class StoreCalls {
  readonly #calls = new Map<CalledStore, Call[]>()

  add(store: CalledStore, call: Call): void {
    const calls = this.#calls.get(store) ?? []
    calls.push(call)
    this.#calls.set(store, calls)
  }

  /** Rejects with the first error, but not before all calls have ended: what follows may be a rollback. */
  async run(): Promise<void> {
    const running = [...this.#calls].map(([store, calls]) =>
      store.persistsByItself ? inTurn(calls) : atOnce(calls),
    )
    await allSettled(running)
  }
}

async function inTurn(calls: readonly Call[]): Promise<void> {
  for (const call of calls) await call()
}

async function atOnce(calls: readonly Call[]): Promise<void> {
  // An async arrow turns what a store throws synchronously into a rejection.
  await allSettled(calls.map(async (call) => await call()))
}

async function allSettled(running: readonly Promise<unknown>[]): Promise<void> {
  const results = await Promise.allSettled(running)
  const failed = results.find((result) => result.status === 'rejected')
  if (failed !== undefined) throw failed.reason
}

/**
 * Whose turn it is to write. A turn owns the calls of its async context: its own writes run at once, everyone
 * else's wait until it ends; a turn begun inside another is its child, and siblings follow each other.
 */
import { AsyncLocalStorage } from 'node:async_hooks'

interface Turn {
  readonly of: Turns
  /** The turn it was begun in, whosever. */
  readonly around: Turn | undefined
  ended: boolean
}

/** One for all journals: from its first use on, each of these costs every promise of the process something, for good. */
const context = new AsyncLocalStorage<Turn>()

export class Turns {
  #current: Turn | undefined
  #waiting: (() => void)[] = []

  /** Within a turn, however deep. */
  get inside(): boolean {
    return this.#mine() !== undefined
  }

  /** This context may write now. */
  get ready(): boolean {
    return this.#current === this.#mine()
  }

  /** Resolves when it is worth asking `ready` again. */
  change(): Promise<void> {
    return new Promise((wake) => this.#waiting.push(wake))
  }

  async take<T>(run: () => Promise<T>): Promise<T> {
    while (!this.ready) await this.change()
    const turn: Turn = { of: this, around: notEnded(context.getStore()), ended: false }
    this.#current = turn
    try {
      return await context.run(turn, run)
    } finally {
      turn.ended = true
      if (this.#current?.ended) this.#current = this.#living(turn)
      for (const wake of this.#waiting.splice(0)) wake()
    }
  }

  /** A context that outlives its turn (a promise nobody awaited) belongs to the turn around it. */
  #mine(): Turn | undefined {
    return this.#living(context.getStore())
  }

  #living(turn: Turn | undefined): Turn | undefined {
    for (let own = turn; own; own = own.around) if (own.of === this && !own.ended) return own
    return undefined
  }
}

/** Those that ended are let go: else each that begins in a promise nobody awaited would keep all before it. */
function notEnded(turn: Turn | undefined): Turn | undefined {
  let own = turn
  while (own?.ended) own = own.around
  return own
}

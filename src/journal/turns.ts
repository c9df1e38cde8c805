/**
 * Whose turn it is to write. A turn owns the calls of its async context: its own writes run at once, everyone
 * else's wait until it ends; a turn begun inside another is its child, and siblings follow each other.
 */
import { AsyncLocalStorage } from 'node:async_hooks'
import { VarveError } from '../errors.ts'

interface Turn {
  readonly of: Turns
  /** The turn it was begun in, whosever. */
  readonly around: Turn | undefined
  ended: boolean
  /** It ended by throwing: what it did was taken back. */
  failed: boolean
}

interface Waiting {
  /** In which it waits. */
  readonly turn: Turn | undefined
  readonly takes: boolean
  readonly wake: () => void
}

/** One for all journals: from its first use on, each of these costs every promise of the process something, for good. */
const context = new AsyncLocalStorage<Turn>()

export class Turns {
  #current: Turn | undefined
  #waiting: Waiting[] = []

  /** Within a turn, however deep. */
  get inside(): boolean {
    return this.#mine() !== undefined
  }

  /** This context may write now. Throws `VARVE_ROLLED_BACK` if it belongs to a turn that was taken back. */
  get ready(): boolean {
    if (this.#isTakenBack(context.getStore())) throw rolledBack()
    return this.#current === this.#mine()
  }

  /** Resolves when it is worth asking `ready` again. `takes`: whoever waits will take a turn then. */
  change({ takes = false } = {}): Promise<void> {
    const turn = context.getStore()
    return new Promise((wake) => this.#waiting.push({ turn, takes, wake }))
  }

  async take<T>(run: () => Promise<T>): Promise<T> {
    while (!this.ready) await this.change({ takes: true })
    const turn: Turn = { of: this, around: notEnded(context.getStore()), ended: false, failed: false }
    this.#current = turn
    try {
      return await context.run(turn, run)
    } catch (error) {
      turn.failed = true
      throw error
    } finally {
      turn.ended = true
      if (this.#current?.ended) this.#current = this.#living(turn)
      this.#wake()
    }
  }

  /** Those who may write now, in order, up to the first who takes a turn: whoever is behind it would only wait again. */
  #wake(): void {
    let isTaken = false
    this.#waiting = this.#waiting.filter(({ turn, takes, wake }) => {
      const isTakenBack = this.#isTakenBack(turn)
      if (!isTakenBack && (isTaken || this.#living(turn) !== this.#current)) return true
      isTaken ||= takes && !isTakenBack
      wake()
      return false
    })
  }

  /** A context that outlives its turn (a promise nobody awaited) belongs to the turn around it, unless the turn was taken back. */
  #mine(): Turn | undefined {
    return this.#living(context.getStore())
  }

  #living(turn: Turn | undefined): Turn | undefined {
    for (let own = turn; own; own = own.around) if (own.of === this && !own.ended) return own
    return undefined
  }

  #isTakenBack(turn: Turn | undefined): boolean {
    for (let own = turn; own; own = own.around) if (own.of === this && own.failed) return true
    return false
  }
}

/** Those that ended well are let go: else each that begins in a promise nobody awaited would keep all before it. */
function notEnded(turn: Turn | undefined): Turn | undefined {
  let own = turn
  while (own?.ended && !own.failed) own = own.around
  return own
}

function rolledBack(): VarveError {
  return new VarveError(
    'VARVE_ROLLED_BACK',
    'This call was begun in a transaction, or in a call, that failed meanwhile; it changed nothing.',
  )
}

/**
 * Whose turn it is to write. A turn owns the calls of its async context: its own writes run at once, everyone
 * else's wait until it ends; a turn begun inside another is its child, and siblings follow each other.
 */
import { AsyncLocalStorage } from 'node:async_hooks'

interface Turn {
  parent: Turn | undefined
  ended: boolean
}

export class Turns {
  readonly #context = new AsyncLocalStorage<Turn>()
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
    const turn: Turn = { parent: this.#mine(), ended: false }
    this.#current = turn
    try {
      return await this.#context.run(turn, run)
    } finally {
      turn.ended = true
      if (this.#current?.ended) this.#current = living(turn.parent)
      for (const wake of this.#waiting.splice(0)) wake()
    }
  }

  /** A context that outlives its turn (a promise nobody awaited) belongs to the turn around it. */
  #mine(): Turn | undefined {
    return living(this.#context.getStore())
  }
}

function living(turn: Turn | undefined): Turn | undefined {
  while (turn?.ended) turn = turn.parent
  return turn
}

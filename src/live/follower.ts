/**
 * Keeps a journal current. What a watcher says is only a hint: it makes the follower look, and look again a few times soon after, since watchers drop what
 * closely follows something else; and it looks at every `poll` anyway. What it finds is told once: commits as changes, another history as a reset, what cannot
 * be read as an error. Nothing that happens to the directory, and nothing that a listener does, reaches the host as an exception.
 */
import { VarveError } from '../errors.ts'
import type { Reset } from '../journal/following.ts'
import type { Journal } from '../journal/journal.ts'
import type { SegmentFiles } from '../log/segment-files.ts'
import { commitsFolder, joinPath } from '../log/names.ts'
import type { Change } from './change.ts'
import { changesAfter, present, resetText, startOf, type ChangesOptions, type Start } from './changes.ts'
import { ToldChanges } from './told-changes.ts'
import type { FolderWatcher, WatchFolder } from './watch-folder.ts'

export interface FollowOptions {
  /** How often it looks when nothing told it to, in milliseconds. Default: 500; 100 where nothing can tell it. */
  poll?: number | undefined
  /** What tells that something may have happened in a folder. Default: the operating system, by chokidar. */
  watch?: WatchFolder | undefined
}

export interface FollowEvents {
  change: Change
  reset: Reset
  error: Error
}

interface FollowerOptions {
  poll: number | undefined
  watch: WatchFolder
  onWarning: (warning: string) => void
  /** Called after each look that found something, before anyone is told. */
  onMoved: () => void
}

/** Pauses between the looks that follow a hint, or a look that found something: longer, all in all, than watchers keep silent. */
const restlessMs = [1, 4, 10, 25, 60, 120]
/**
 * After a look that found something it rests, lest followers take the time that the writer needs: for as long as the look took, but at most the first of these, and as long
 * again each time more that there was something; but not longer than the second. So commits that come one by one are told at once, and those that come in a stream many at a time.
 */
const [longestFirstRestMs, longestRestMs] = [4, 100]
/** So many looks in a row found something: that is a stream. To be told of each write of it would cost more than to read it, so nobody watches until it ends. */
const streamLooks = 8
const [pollMs, pollAloneMs] = [500, 100]

export class Follower {
  readonly journal: Journal
  readonly told = new ToldChanges()
  readonly #options: FollowerOptions
  /** What the last look that went well found. */
  #shown: Start
  readonly #listeners: { [E in keyof FollowEvents]: Set<(event: FollowEvents[E]) => void> } = {
    change: new Set(),
    reset: new Set(),
    error: new Set(),
  }
  readonly #waiting = new Set<() => void>()
  #wake: (() => void) | undefined
  #isHinted = false
  /** How many looks found nothing since the last hint. */
  #idleLooks = 0
  /** How many looks in a row found something. */
  #busyLooks = 0
  #isClosed = false
  #failures = 0
  /** What was told of them. */
  #trouble: string | undefined
  #running: Promise<void> | undefined
  #pump: { stop: AbortController; running: Promise<void> } | undefined
  #watcher: { of: SegmentFiles; watcher: FolderWatcher } | undefined
  #canWatch = true

  /** The journal must have been opened to be followed. */
  constructor(journal: Journal, options: FollowerOptions) {
    this.journal = journal
    this.#options = options
    this.#shown = present(journal)
    journal.tell(this.told)
  }

  start(): void {
    this.#running = this.#run()
  }

  get isClosed(): boolean {
    return this.#isClosed
  }

  /** See `ChangesOptions`. */
  changes({ from = 'now', signal }: ChangesOptions = {}): AsyncGenerator<Change, void, undefined> {
    const now = present(this.journal)
    const start = from === 'now' ? async () => now : () => startOf(this.journal, from)
    return this.#changes(start, signal)
  }

  /** Answers what ends it. Without a listener, what is told as `reset` and `error` becomes a warning. */
  on<E extends keyof FollowEvents>(event: E, listener: (event: FollowEvents[E]) => void): () => void {
    const listeners = this.#listeners[event]
    const own = (told: FollowEvents[E]): void => listener(told)
    listeners.add(own)
    if (event === 'change') this.#startPump()
    return () => {
      listeners.delete(own)
      if (this.#listeners.change.size === 0) this.#stopPump()
    }
  }

  moved(signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      if (this.#isClosed || signal?.aborted) return resolve()
      const done = (): void => {
        this.#waiting.delete(done)
        signal?.removeEventListener('abort', done)
        resolve()
      }
      this.#waiting.add(done)
      signal?.addEventListener('abort', done)
    })
  }

  async close(): Promise<void> {
    this.#isClosed = true
    this.#wake?.()
    this.#notify()
    const { running } = this.#pump ?? {}
    this.#stopPump()
    await this.#running
    await running
    await this.#watcher?.watcher.close()
  }

  async *#changes(
    start: () => Promise<Start>,
    signal: AbortSignal | undefined,
  ): AsyncGenerator<Change, void, undefined> {
    yield* changesAfter(this, await start(), signal)
  }

  async #run(): Promise<void> {
    while (!this.#isClosed) {
      const began = performance.now()
      this.#isHinted = false
      await this.#look()
      if (this.#isClosed) return
      const restMs = Math.min(performance.now() - began, longestFirstRestMs) * this.#busyLooks
      await this.#rest(Math.min(restMs, longestRestMs))
    }
  }

  async #look(): Promise<void> {
    try {
      await this.journal.refresh()
      if (this.#failures > 0) await this.#unwatch() // It may have lost sight of the folder, too.
      this.#failures = 0
      this.#trouble = undefined
      await this.#keepWatch()
    } catch (error) {
      this.#failed(error as Error)
      return
    }
    if (this.#isClosed) return
    const before = this.#shown
    const after = present(this.journal)
    this.#shown = after
    if (after.number === before.number && after.reset === before.reset) {
      this.#idleLooks++
      this.#busyLooks = 0
      return
    }
    this.#idleLooks = 0
    if (++this.#busyLooks === streamLooks) await this.#unwatch()
    this.#options.onMoved()
    if (after.reset && after.reset !== before.reset) this.#tell('reset', after.reset)
    this.#notify()
  }

  /** A directory may be in the middle of being replaced: what is still so at the next look is told, once. */
  #failed(error: Error): void {
    this.#idleLooks = this.#failures === 0 ? 0 : this.#idleLooks + 1
    if (++this.#failures < 2 || error.message === this.#trouble || this.#isClosed) return
    this.#trouble = error.message
    this.#tell('error', error)
  }

  /** Until there is reason to look again. */
  async #rest(leastMs: number): Promise<void> {
    const isAlone = !this.#canWatch
    const { poll = isAlone ? pollAloneMs : pollMs } = this.#options
    await this.#sleep(leastMs, { unlessHinted: false })
    await this.#sleep(Math.min(restlessMs[this.#idleLooks] ?? poll, poll), { unlessHinted: true })
  }

  #sleep(ms: number, { unlessHinted }: { unlessHinted: boolean }): Promise<void> {
    if (this.#isClosed || (unlessHinted && this.#isHinted)) return Promise.resolve()
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer)
        this.#wake = undefined
        resolve()
      }
      const timer = setTimeout(done, ms)
      this.#wake = () => {
        if (unlessHinted || this.#isClosed) done()
      }
    })
  }

  readonly #hint = (): void => {
    this.#isHinted = true
    this.#idleLooks = 0
    this.#wake?.()
  }

  /** A watcher holds on to a folder, not to its path: where other files stand now, another one is needed. */
  async #keepWatch(): Promise<void> {
    const files = this.journal.log?.files
    if (!this.#canWatch || files === undefined || this.#watcher?.of === files || this.#isClosed) return
    if (this.#busyLooks >= streamLooks) return
    await this.#unwatch()
    const onTrouble = (error: Error): void => this.#watchFailed(error)
    const folder = joinPath(files.directory, commitsFolder)
    try {
      const watcher = this.#options.watch(folder, { onHint: this.#hint, onTrouble })
      this.#watcher = { of: files, watcher }
    } catch (error) {
      this.#watchFailed(error as Error)
    }
  }

  async #unwatch(): Promise<void> {
    const known = this.#watcher
    this.#watcher = undefined
    await known?.watcher.close()
  }

  #watchFailed(error: Error): void {
    if (!this.#canWatch || this.#isClosed) return
    this.#canWatch = false
    const { poll = pollAloneMs } = this.#options
    const { directory } = this.journal
    this.#options.onWarning(
      `The operating system does not tell what happens in ${directory} (${error.message}): it is followed by looking every ${poll} ms. On Linux, fs.inotify.max_user_watches and max_user_instances may be too low.`,
    )
    void this.#unwatch()
    this.#hint()
  }

  #startPump(): void {
    if (this.#pump || this.#isClosed) return
    const stop = new AbortController()
    this.#pump = { stop, running: this.#pumpChanges(present(this.journal), stop.signal) }
  }

  #stopPump(): void {
    this.#pump?.stop.abort()
    this.#pump = undefined
  }

  async #pumpChanges(start: Start, signal: AbortSignal): Promise<void> {
    for (let from = start; ;) {
      try {
        for await (const change of changesAfter(this, from, signal)) {
          from = { ...from, number: change.commit.number }
          this.#tell('change', change)
        }
        return
      } catch (error) {
        const { reset } = this.journal
        if (reset && reset !== from.reset) {
          from = { number: reset.to, reset }
          continue
        }
        this.#tell('error', error as Error)
        await this.moved(signal)
      }
    }
  }

  #tell<E extends keyof FollowEvents>(event: E, told: FollowEvents[E]): void {
    const listeners = [...this.#listeners[event]]
    if (listeners.length === 0 && event !== 'change')
      this.#options.onWarning(this.#warningOf(told as Error | Reset))
    for (const listener of listeners) {
      const warn = (error: unknown): void =>
        this.#options.onWarning(`A listener of '${event}' threw: ${String(error)}`)
      try {
        const done: unknown = listener(told) // It may be asynchronous, whatever its type says.
        if (done instanceof Promise) done.catch(warn)
      } catch (error) {
        warn(error)
      }
    }
  }

  #warningOf(told: Error | Reset): string {
    if (told instanceof Error) return told.message
    return `${this.journal.directory} holds another history than was followed: ${resetText(told)}.`
  }

  #notify(): void {
    for (const done of this.#waiting) done()
  }
}

/** Throws `VARVE_BAD_OPTION`. */
export function checkFollowOptions(follow: boolean | FollowOptions): FollowOptions {
  const options = typeof follow === 'boolean' ? {} : follow
  const { poll } = options
  if (poll === undefined || (Number.isFinite(poll) && poll > 0)) return options
  throw new VarveError('VARVE_BAD_OPTION', `A poll is a number of milliseconds, not ${String(poll)}.`, {
    poll,
  })
}

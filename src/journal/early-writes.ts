/**
 * The files of changes that are pending: written before their commit, so that memory stays flat, and removed
 * when the changes are taken back; one piece of work after another. A full disk is an error only for who
 * insists: nothing is lost yet.
 */
import { isDiskFull } from '../disk/disk-errors.ts'
import { VarveError } from '../errors.ts'
import type { StoreLog } from '../log/store-log.ts'
import type { Session } from './session.ts'

export interface EarlyWritesOptions {
  session: () => Session | undefined
  /** What may be written. */
  logs: () => StoreLog[]
  onWarning: (warning: string) => void
}

export class EarlyWrites {
  /** The disk was full when it was last written to. */
  isDiskFull = false
  readonly #options: EarlyWritesOptions
  #work: Promise<void> | undefined

  constructor(options: EarlyWritesOptions) {
    this.#options = options
  }

  /** What is under way; `undefined`: nothing. */
  get work(): Promise<void> | undefined {
    return this.#work
  }

  async write({ insist }: { insist: boolean }): Promise<void> {
    await this.#inOrder(async () => {
      const session = this.#options.session()
      if (!session) return
      try {
        await session.queue.ready()
        await Promise.all(this.#options.logs().map((log) => spillLog(session, log)))
        this.isDiskFull = false
      } catch (cause) {
        if (!isDiskFull(cause)) throw await session.queue.fail(cause)
        this.isDiskFull = true
      }
    })
    if (insist && this.isDiskFull)
      throw new VarveError(
        'VARVE_DISK_FULL',
        'The disk is full, and so is the room for pending changes; nothing was changed.',
      )
  }

  remove(segments: readonly { folder: string; segment: number }[]): void {
    const session = this.#options.session()
    if (!session || segments.length === 0) return
    // A displaced writer leaves them to the next one, whose they may be by now.
    const remove = async (): Promise<void> => {
      if (!(await session.lock.stillHeld())) return
      for (const { folder, segment } of segments) await session.writer.remove(folder, segment)
    }
    this.#inOrder(remove).catch((error: Error) =>
      this.#options.onWarning(`A file of dropped changes stays until the next session (${error.message}).`),
    )
  }

  #inOrder(work: () => Promise<void>): Promise<void> {
    const done = (this.#work ?? Promise.resolve()).then(work)
    const settled = done
      .catch(() => {}) // Whoever asked is told; the next piece of work does not depend on it.
      .then(() => {
        if (this.#work === settled) this.#work = undefined
      })
    this.#work = settled
    return done
  }
}

async function spillLog(session: Session, log: StoreLog): Promise<void> {
  const frames = log.spillable()
  for (const write of log.writes(frames)) await session.writer.write(write)
  for (const segment of new Set(frames.map((placed) => placed.segment)))
    await session.files.open(log.folder, segment)
  log.written(frames)
}

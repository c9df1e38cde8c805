/**
 * The commits of a followed journal, in order, each once, as they are asked for: nothing queues up for a reader that is slow. They come from the log, by
 * number, so that none can be missed.
 */
import type { Reset } from '../journal/following.ts'
import type { Journal } from '../journal/journal.ts'
import { resolveMoment, type Moment } from '../journal/moment.ts'
import type { Replica } from '../journal/replica.ts'
import { noHistory } from '../journal/journal.ts'
import { changesFrom, type Change } from './change.ts'
import { checkToken, otherHistory, parseToken } from './token.ts'
import type { ToldChanges } from './told-changes.ts'

export interface ChangesOptions {
  /**
   * After which commit: `'now'` (default), the last there is at the call; `'start'`, before the first; the `token` of a change; a number, hash, tag or other
   * moment. Only a token tells whether it is still the same history.
   */
  from?: Moment | undefined
  /** Ends it. */
  signal?: AbortSignal | undefined
}

/** What `changes` need to know of a follower. */
export interface ChangeSource {
  readonly journal: Journal
  readonly told: ToldChanges
  readonly isClosed: boolean
  /** Resolves at the next commit or reset, at the end, or when the signal says so. */
  moved(signal?: AbortSignal): Promise<void>
}

/** Where changes begin: after commit `number` of the history that came with `reset`. */
export interface Start {
  number: number
  reset: Reset | undefined
}

export function present({ log, reset }: Journal): Start {
  return { number: log?.catalog.end.number ?? 0, reset }
}

/** Throws `VARVE_OTHER_HISTORY` for the token of one, and what `resolveMoment` does. */
export async function startOf(journal: Journal, from: Moment): Promise<Start> {
  if (from === 'start') return { number: 0, reset: journal.reset }
  await journal.refresh()
  const { log, directory, reset } = journal
  const token = parseToken(from)
  if (token) {
    await checkToken(token, log, directory!)
    return { number: token.number, reset }
  }
  if (!log) throw noHistory(directory)
  return { number: await resolveMoment(log, from), reset }
}

/** Ends with the follower, or when the signal says so. Throws `VARVE_OTHER_HISTORY` when another history takes the place of this one. */
export async function* changesAfter(
  source: ChangeSource,
  { number, reset }: Start,
  signal?: AbortSignal,
): AsyncGenerator<Change, void, undefined> {
  const { journal, told } = source
  const isOver = (): boolean => source.isClosed || signal?.aborted === true
  const mustBeSame = (): void => {
    if (journal.reset !== reset) throw wasReset(journal)
  }
  const reader = told.join(number)
  /** Of one that is behind. */
  let replica: Replica | undefined
  /** What is erased by a commit that it has not come to is missing in its replica, but in no change that was told until that commit. */
  const mayTurn = (): boolean => !replica || (journal.log?.files.erasures.through ?? 0) <= reader.number
  try {
    while (!isOver()) {
      mustBeSame()
      const next = mayTurn() ? told.next(reader) : undefined
      const { log } = journal
      if (next) {
        replica = undefined
        told.had(reader, next)
        yield next
      } else if (!log || reader.number >= log.catalog.end.number) {
        if (mayTurn()) replica = undefined
        await source.moved(signal)
      } else {
        const { files } = log
        try {
          replica ??= (await journal.replica(reader.number))!
          for await (const read of changesFrom(replica, log)) {
            const change = told.erase(read.commit.number) ?? read
            if (isOver()) return
            mustBeSame()
            told.had(reader, change)
            yield change
            if (isOver()) return
            mustBeSame()
            if (told.has(reader) && mayTurn()) break
          }
        } catch (error) {
          if (isOver()) return
          mustBeSame()
          if (journal.log?.files === files) throw error
        }
      }
    }
  } finally {
    told.leave(reader)
  }
}

function wasReset({ directory, reset }: Journal): Error {
  return otherHistory(directory!, resetText(reset!), { ...reset })
}

/** In words. */
export function resetText({ reason, from, to }: Reset): string {
  if (reason === 'replaced') return 'another journal stands there now'
  if (reason === 'rolled-back') return `it was rolled back from commit ${from} to ${to}`
  return `other commits stand in the place of some of the ${from} that were known`
}

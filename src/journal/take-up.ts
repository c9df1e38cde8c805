/** Brings loaded states up to what others have committed since: in one step, so that no one sees half of it. */
import { ReadAhead } from '../log/part.ts'
import { committedIn, type Catalog, type CommitSummary, type CommittedParts } from './catalog.ts'
import type { StoredEvent, StoreState } from './event.ts'
import type { Fold } from './fold.ts'
import { foldStored, type FoldedStore } from './folded-store.ts'
import type { Home } from './home.ts'
import { readEvents, type ReadEvent } from './read-events.ts'

/** A commit that is about to be folded into states. */
export interface NextCommit {
  summary: CommitSummary
  /** Something is gone that no event speaks of. */
  erases: boolean
  /** Those that it names, as they were before it, and what it says of them; all, if it erases. */
  stores: { folder: string; state: StoreState; events: StoredEvent[] }[]
}

export type StateOf = (folder: string) => StoreState

/**
 * Is asked before each commit is folded. What it answers is called after, in the same step, with the states as they are then; and what that answers, once all that was
 * folded in the step counts.
 */
export type Witness = (commit: NextCommit) => ((stateOf: StateOf) => (catalog: Catalog) => void) | undefined

interface TakeUpOptions {
  /**
   * Every store that the commits name is loaded, too, and the step has a turn of the event loop of its own: whoever asks one store after another, and waits for nothing else in between, gets
   * all answers before it, or all after it. If something was erased, it answers false, and has done nothing: states hold it, and must be loaded anew without it.
   */
  follows?: boolean
  witness?: Witness | undefined
}

/** What one commit says of one store. */
interface Told {
  store: FoldedStore
  read: ReadEvent[]
}

/** If it fails, everything is as it was. */
export async function takeUp(
  home: Home,
  fold: Fold,
  { follows = false, witness }: TakeUpOptions = {},
): Promise<boolean> {
  if (follows) await home.trimTails()
  const { commits, erases, take } = await home.refresh({ follows })
  if (erases) {
    if (follows) return false
    take()
    fold.clear()
    return true
  }
  if (follows)
    for (const folder of new Set(commits.flatMap(({ parts }) => parts.map((part) => part.folder))))
      await fold.load(folder, home.source(folder))
  const told = new Map<number, Told[]>(commits.map(({ number }) => [number, []]))
  const read = new Set<FoldedStore>()
  const isReady = (): boolean => fold.isSettled && [...fold.stores()].every((store) => read.has(store))
  // A store that is loaded meanwhile has still to take them up, too.
  while (!isReady()) {
    await fold.settled()
    for (const seen of fold.stores()) {
      if (read.has(seen)) continue
      const committed = committedIn(seen.folder, commits)
      const store = committed.length > 0 ? await fold.load(seen.folder, home.source(seen.folder)) : seen
      const ahead = new ReadAhead()
      for (const one of committed)
        told.get(one.commit)!.push({ store, read: await eventsIn(store, home, one, ahead) })
      read.add(store)
    }
    if (follows && commits.length > 0) await ownTurn()
  }
  const after = allOrNothing(fold, () =>
    commits.flatMap((summary) => {
      const current = told.get(summary.number)!.filter(({ store }) => fold.seen(store.folder) === store)
      return foldCommit(summary, current, { fold, witness }) ?? []
    }),
  )
  take()
  for (const tell of after) tell(home.catalog)
  return true
}

/** What is called next runs before anything that was waiting. */
export function ownTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

/** Answers what the witness wants to be called with in the end. */
function foldCommit(
  summary: CommitSummary,
  told: readonly Told[],
  { fold, witness }: { fold: Fold; witness: Witness | undefined },
): ((catalog: Catalog) => void) | undefined {
  const after = witness?.({
    summary,
    erases: false,
    stores: told.map(({ store: { folder, state }, read }) => ({
      folder,
      state,
      events: read.map(({ event }) => event),
    })),
  })
  for (const { store, read } of told)
    for (const { event, rowsBytes, place } of read) foldStored(store, event, rowsBytes, place)
  return after?.((folder) => fold.store(folder)!.state)
}

function allOrNothing<T>(fold: Fold, change: () => T): T {
  const stores = [...fold.stores()]
  for (const { undo } of stores) undo.entries = []
  try {
    return change()
  } catch (error) {
    for (const { undo } of stores) {
      const entries = undo.entries ?? []
      undo.entries = undefined
      for (const entry of entries.toReversed()) entry.undo()
    }
    throw error
  } finally {
    for (const { undo } of stores) undo.entries = undefined
  }
}

async function eventsIn(
  store: FoldedStore,
  { files }: Home,
  committed: CommittedParts,
  ahead: ReadAhead,
): Promise<ReadEvent[]> {
  const read: ReadEvent[] = []
  for await (const event of readEvents(store, files, [committed], { ahead })) read.push(event)
  return read
}

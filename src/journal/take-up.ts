/** Brings loaded states up to what others have committed since: whole commits at a time, so that no one sees half of one. */
import { ReadAhead } from '../log/part.ts'
import { committedIn, type Catalog, type CommitSummary, type CommittedParts } from './catalog.ts'
import type { StoredEvent, StoreState } from './event.ts'
import type { Fold } from './fold.ts'
import { foldStored, type FoldedStore } from './folded-store.ts'
import { erasuresFolder } from '../log/names.ts'
import type { Home, NewCommits } from './home.ts'
import type { PlacedCommit } from './read-commit.ts'
import { readEvents, type ReadEvent } from './read-events.ts'
import { storeSource } from './store-source.ts'

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

/** What one commit says of one store. */
interface Told {
  store: FoldedStore
  read: ReadEvent[]
}

interface Taking {
  home: Home
  fold: Fold
  news: NewCommits
  witness: Witness | undefined
}

/** All in one step. If it fails, everything is as it was. */
export async function takeUp(home: Home, fold: Fold): Promise<void> {
  const news = await home.refresh()
  if (news.erasing.size === 0)
    return takeUpStep({ home, fold, news, witness: undefined }, news.commits, { follows: false })
  news.take()
  fold.clear() // States hold what was erased.
}

/**
 * The same for a follower: every store that the commits name is loaded, too, and a commit that erases something is a step of its own. Each step has a turn of the event loop of its own: whoever
 * asks one store after another, and waits for nothing else in between, gets all answers before it, or all after it. If one fails, those before it stay.
 */
export async function takeUpFollowing(home: Home, fold: Fold, witness?: Witness): Promise<void> {
  await home.trimTails()
  const news = await home.refresh({ follows: true })
  const taking = { home, fold, news, witness }
  for (const step of stepsOf(news)) {
    for (const folder of new Set(step.flatMap(({ summary }) => foldersOf(summary))))
      await fold.load(folder, home.source(folder))
    const [first] = step
    const erases = first !== undefined && news.erasing.has(first.summary.number)
    await home.despiteErasures(() =>
      erases ? takeUpErase(taking, first) : takeUpStep(taking, step, { follows: true }),
    )
  }
}

/** What is called next runs before anything that was waiting. */
export function ownTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

/** At least one, which may be of no commit. */
function stepsOf({ commits, erasing }: NewCommits): PlacedCommit[][] {
  const steps: PlacedCommit[][] = []
  let last: PlacedCommit[] | undefined
  for (const commit of commits) {
    const isAlone = erasing.has(commit.summary.number)
    if (!last || isAlone) steps.push((last = []))
    last.push(commit)
    if (isAlone) last = undefined
  }
  return steps.length > 0 ? steps : [[]]
}

function foldersOf({ parts }: CommitSummary): string[] {
  return parts.map((part) => part.folder).filter((folder) => folder !== erasuresFolder)
}

async function takeUpStep(
  { home, fold, news, witness }: Taking,
  step: readonly PlacedCommit[],
  { follows }: { follows: boolean },
): Promise<void> {
  const commits = step.map(({ summary }) => summary)
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
  news.take(commits.at(-1)?.number)
  for (const tell of after) tell(home.catalog)
}

/** What it erased is in these states: they are loaded anew without it. */
async function takeUpErase(
  { home, fold, news, witness }: Taking,
  { summary, end, place }: PlacedCommit,
): Promise<void> {
  const catalog = home.catalog.copy()
  catalog.apply(summary, end, place)
  const fresh = fold.anew()
  const told = new Map<FoldedStore, Told>()
  const isReady = (): boolean => fold.isSettled && [...fold.stores()].every((store) => told.has(store))
  do {
    await fold.settled()
    for (const store of fold.stores()) {
      await fresh.load(store.folder, storeSource({ files: home.files, catalog }, store.folder))
      const read: ReadEvent[] = []
      for (const one of committedIn(store.folder, [summary]))
        read.push(...(await eventsIn(store, home, one, new ReadAhead())))
      told.set(store, { store, read })
    }
    await ownTurn()
  } while (!isReady())
  const stores = Array.from(fold.stores(), (store) => told.get(store)!)
  const after = witness?.({ summary, erases: true, stores: stores.map(toNext) })
  fold.adopt(fresh)
  news.take(summary.number)
  after?.((folder) => fold.store(folder)!.state)(home.catalog)
}

/** Answers what the witness wants to be called with in the end. */
function foldCommit(
  summary: CommitSummary,
  told: readonly Told[],
  { fold, witness }: { fold: Fold; witness: Witness | undefined },
): ((catalog: Catalog) => void) | undefined {
  const after = witness?.({ summary, erases: false, stores: told.map(toNext) })
  for (const { store, read } of told)
    for (const { event, rowsBytes, place } of read) foldStored(store, event, rowsBytes, place)
  return after?.((folder) => fold.store(folder)!.state)
}

function toNext({ store: { folder, state }, read }: Told): NextCommit['stores'][number] {
  return { folder, state, events: read.map(({ event }) => event) }
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

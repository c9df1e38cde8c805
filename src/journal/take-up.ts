/** Brings loaded states up to what others have committed since: in one step, so that no one sees half of it. */
import { committedIn, type CommittedParts } from './catalog.ts'
import type { Fold } from './fold.ts'
import { foldingSteps, type FoldedStore } from './folded-store.ts'
import type { Home } from './home.ts'

/**
 * If it fails, everything is as it was. `follows`: every store that the commits name is loaded, too, and the step has a turn of the event loop of its own: whoever
 * asks one store after another, and waits for nothing else in between, gets all answers before it, or all after it. It answers false, and has done nothing, if something
 * was erased: states hold it, and must be loaded anew without it.
 */
export async function takeUp(home: Home, fold: Fold, { follows = false } = {}): Promise<boolean> {
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
  const steps = new Map<FoldedStore, (() => void)[]>()
  const isReady = (): boolean => fold.isSettled && [...fold.stores()].every((store) => steps.has(store))
  // A store that is loaded meanwhile has still to take them up, too.
  while (!isReady()) {
    await fold.settled()
    for (const seen of fold.stores()) {
      if (steps.has(seen)) continue
      const committed = committedIn(seen.folder, commits)
      const store = committed.length > 0 ? await fold.load(seen.folder, home.source(seen.folder)) : seen
      steps.set(store, await stepsOf(store, home, committed))
    }
    if (follows && commits.length > 0) await ownTurn()
  }
  allOrNothing(fold, [...steps.values()].flat())
  take()
  return true
}

/** What is called next runs before anything that was waiting. */
export function ownTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

function allOrNothing(fold: Fold, steps: readonly (() => void)[]): void {
  const stores = [...fold.stores()]
  for (const { undo } of stores) undo.entries = []
  try {
    for (const step of steps) step()
  } catch (error) {
    for (const { undo } of stores) {
      const entries = undo.entries ?? []
      undo.entries = undefined
      for (const change of entries.toReversed()) change.undo()
    }
    throw error
  } finally {
    for (const { undo } of stores) undo.entries = undefined
  }
}

/** What remains to be done to bring a store up to these commits. */
async function stepsOf(
  store: FoldedStore,
  { files }: Home,
  committed: readonly CommittedParts[],
): Promise<(() => void)[]> {
  const steps: (() => void)[] = []
  for await (const step of foldingSteps(store, files, committed)) steps.push(step)
  return steps
}

/** Brings loaded states up to what others have committed since: in one step, so that no one sees half of it. */
import type { CommitSummary } from './catalog.ts'
import { foldingSteps, type Fold, type FoldedStore } from './fold.ts'
import type { Home } from './home.ts'

export async function takeUp(home: Home, fold: Fold): Promise<void> {
  const { commits, erases, take } = await home.refresh()
  if (erases) {
    // States hold what is erased now; they are loaded anew without it.
    take()
    fold.clear()
    return
  }
  const steps = new Map<FoldedStore, (() => void)[]>()
  // A store that is loaded meanwhile has still to take them up, too.
  while ((await fold.settled(), [...fold.stores()].some((store) => !steps.has(store)))) {
    for (const store of fold.stores())
      if (!steps.has(store)) steps.set(store, await stepsOf(store, home, commits))
  }
  try {
    for (const step of [...steps.values()].flat()) step()
  } catch (error) {
    fold.clear() // Some of them hold what others do not.
    throw error
  }
  take()
}

/** What remains to be done to bring a store up to these commits. */
async function stepsOf(
  store: FoldedStore,
  { files }: Home,
  commits: readonly CommitSummary[],
): Promise<(() => void)[]> {
  const committed = commits.map(({ number, parts }) => ({
    commit: number,
    parts: parts.filter(({ folder }) => folder === store.folder),
  }))
  const steps: (() => void)[] = []
  for await (const step of foldingSteps(store, files, committed)) steps.push(step)
  return steps
}

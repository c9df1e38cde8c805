/** Brings loaded states up to what others have committed since: in one step, so that no one sees half of it. */
import type { CommitSummary } from './catalog.ts'
import { applyEvent, readEvents, type Fold, type FoldedStore } from './fold.ts'
import type { Home } from './home.ts'

export async function takeUp(home: Home, fold: Fold): Promise<void> {
  const { commits, take } = await home.refresh()
  const steps = new Map<FoldedStore, (() => void)[]>()
  // A store that is loaded meanwhile has still to take them up, too.
  while ((await fold.settled(), [...fold.stores()].some((store) => !steps.has(store)))) {
    for (const store of fold.stores())
      if (!steps.has(store)) steps.set(store, await foldingSteps(home, store, commits))
  }
  for (const step of [...steps.values()].flat()) step()
  take()
}

/** What remains to be done to bring a store up to these commits. */
async function foldingSteps(
  home: Home,
  store: FoldedStore,
  commits: readonly CommitSummary[],
): Promise<(() => void)[]> {
  const steps: (() => void)[] = []
  const parts = commits.map(({ number, parts: all }) => ({
    commit: number,
    parts: all.filter((part) => part.folder === store.folder),
  }))
  for await (const { event, rowsBytes } of readEvents(home.files, parts))
    steps.push(() => applyEvent(store, event, rowsBytes))
  return steps
}

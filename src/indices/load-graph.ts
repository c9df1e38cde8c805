/** Finds a graph of indices in a storage again, by its root. */
import { ComposableGraph } from './composable-graph.ts'
import type { IndexStorage } from './index-storage.ts'
import { loadIndexFromStorage, type LoadIndexOptions } from './load-index.ts'

export interface LoadGraphOptions extends LoadIndexOptions {
  rootId: string
}

/** The root is loaded at once, the others when a question first comes to them; what else the storage holds is left alone. */
export async function loadGraphFromStorage(
  storage: IndexStorage,
  { rootId, ...options }: LoadGraphOptions,
): Promise<ComposableGraph> {
  const root = await loadIndexFromStorage(storage, { ...options, indexId: rootId })
  return new ComposableGraph(root, (indexId) => loadIndexFromStorage(storage, { ...options, indexId }))
}

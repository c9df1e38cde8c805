/** A knowledge graph whose graph is missing still answers, but less: whoever loads it is told. */
import type { StructView } from '../stores/index-struct.ts'
import type { IndexStorage } from './index-storage.ts'

export interface WarningOptions {
  /** Told what is no error but should be known. Default: `console.warn`. */
  onWarning?: (warning: string) => void
}

export async function warnOfMissingGraph(
  view: StructView,
  { storageContext, onWarning = console.warn }: WarningOptions & { storageContext: IndexStorage },
): Promise<void> {
  const entities = view.size('table')
  if (entities === 0 || (await hasTriplets(storageContext))) return
  onWarning(
    `Index '${view.indexId}' files its nodes under ${entities} entities, but the graph store holds no triplets: it answers with nodes only. ` +
      'Open the whole directory, graph_store.json included, or give { graphStore } to StorageContext.fromDefaults().',
  )
}

export async function hasTriplets({ graphStore }: IndexStorage): Promise<boolean> {
  const subjects = await graphStore.getRelMap(undefined, { depth: 1, limit: 1 })
  return [...subjects.values()].some((triplets) => triplets.length > 0)
}

/** All structs of an index store, read entry by entry. */
import type { IndexStore } from '../stores/contract.ts'
import type { StructView } from '../stores/index-struct.ts'
import { copyStruct, viewOf } from './struct-changes.ts'

/** A store that can show all its structs without handing over a copy of each. */
interface ViewingIndexStore extends IndexStore {
  viewIndexStructs?(): Promise<StructView[]>
}

export async function listStructs(indexStore: ViewingIndexStore): Promise<StructView[]> {
  if (indexStore.viewIndexStructs !== undefined) return await indexStore.viewIndexStructs()
  const structs = await indexStore.indexStructs()
  return structs.map((struct) => viewOf(copyStruct(struct)))
}

/** All structs of an index store, read entry by entry. */
import type { IndexStore } from '../stores/contract.ts'
import type { StructView } from '../stores/index-struct.ts'
import { copyStruct, viewOf } from './struct-changes.ts'

export async function listStructs(indexStore: IndexStore): Promise<StructView[]> {
  if (indexStore.listIndexStructs === undefined || indexStore.viewIndexStruct === undefined) {
    return (await indexStore.indexStructs()).map((struct) => viewOf(copyStruct(struct)))
  }
  const listed = await indexStore.listIndexStructs()
  const views = await Promise.all(listed.map(({ indexId }) => indexStore.viewIndexStruct!(indexId)))
  return views.filter((view) => view !== undefined)
}

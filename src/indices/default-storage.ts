/** A new index that is given no storage gets one in memory. */
import { StorageContext } from '../context/storage-context.ts'
import type { VectorStore } from '../stores/contract.ts'
import type { IndexStorage } from './index-storage.ts'

export interface PlacedOptions {
  storageContext?: IndexStorage
  vectorStore?: VectorStore
}

export async function withStorage<O extends PlacedOptions>(
  options: O,
): Promise<O & { storageContext: IndexStorage }> {
  const { storageContext, vectorStore } = options
  return {
    ...options,
    storageContext: storageContext ?? (await StorageContext.fromDefaults({ vectorStore })),
  }
}

/** What `import … from 'varve/llamaindex'` has: LlamaIndexTS's `storageContextFromDefaults`, over a journal. */
import { IndexDict, IndexList, KeywordTable } from '@llamaindex/core/data-structs'
import { Settings } from '@llamaindex/core/global'
import { jsonToNode } from '@llamaindex/core/schema'
import { DropInStorageContext, type DropInOptions } from './storage-context.ts'

export type { DropInOptions, DropInStorageContext }

export function storageContextFromDefaults(options: DropInOptions = {}): Promise<DropInStorageContext> {
  return DropInStorageContext.open({ IndexDict, IndexList, KeywordTable, Settings, jsonToNode }, options)
}

/** What the drop-in takes from the user's own copy of `@llamaindex/core`, of which an ESM and a CJS build may be loaded side by side: classes to make nodes and structs of. */
import type { IndexDict, IndexList, KeywordTable } from '@llamaindex/core/data-structs'
import type { Settings } from '@llamaindex/core/global'
import type { jsonToNode } from '@llamaindex/core/schema'

export interface Core {
  jsonToNode: typeof jsonToNode
  IndexDict: typeof IndexDict
  IndexList: typeof IndexList
  KeywordTable: typeof KeywordTable
  Settings: Pick<typeof Settings, 'embedModel'>
}

/** Which keys an item of an event is about. */
import type { StoredEvent } from '../journal/event.ts'
import { unescapeText } from '../stores/storable.ts'
import { toText, type KeyText } from './history-key.ts'

/** All keys there are. */
export const everyKey = Symbol('every key')

export interface TouchedItem {
  keys: KeyText[] | typeof everyKey
  item: StoredEvent['items'][number]
}

type Row = readonly unknown[]

/** Nodes are named by their id; the document they came from changes with them. */
export function touchedBy(folder: string, { type, items }: StoredEvent): TouchedItem[] {
  return items.map((item) => ({ item, keys: keysOf(folder, type, item.row as Row) }))
}

function keysOf(folder: string, type: string, row: Row): TouchedItem['keys'] {
  if (type === 'VectorsCleared') return everyKey
  if (type.startsWith('Triplets')) return [toText(texts(row) as unknown as [string, string, string])]
  const [first] = row as [string]
  switch (folder.split('/')[0]) {
    case 'docstore': {
      const refDocId = type === 'NodesAdded' || type === 'RecordsSet' ? row[2] : null
      return typeof refDocId === 'string' && refDocId !== first
        ? [toText(first), toText(refDocId)]
        : [toText(first)]
    }
    case 'property_graph_store': {
      const key = unescapeText(first)
      return [toText(type.startsWith('Relations') ? { relation: key } : key)]
    }
    case 'chat_store':
      return [toText(unescapeText(first))]
    default:
      return [toText(first)]
  }
}

function texts(row: Row): string[] {
  return row.slice(0, 3).map((text) => unescapeText(text as string))
}

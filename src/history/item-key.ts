/** What a person calls an item: its event, and the key in its row. */
import { decode } from '../journal/codec.ts'
import { unescapeText } from '../stores/storable.ts'
import type { ScannedFrame, ScannedItem } from './frame-scan.ts'

/** The type of a frame's event; `undefined` for a head that is none. */
export function eventType({ head }: Pick<ScannedFrame, 'head'>): string | undefined {
  const [type] = decodedList(head) ?? []
  return typeof type === 'string' ? type : undefined
}

/** Both, as far as they can be read. */
export function nameItem(
  folder: string,
  frame: Pick<ScannedFrame, 'head'>,
  item: ScannedItem,
): { event?: string; key?: string } {
  const event = eventType(frame)
  const key = itemKey(folder, event, item)
  return { ...(event === undefined ? {} : { event }), ...(key === undefined ? {} : { key }) }
}

/** The id, the triplet, or the struct's entry that an item is about; `undefined` if its row cannot be read. */
function itemKey(folder: string, type: string | undefined, { row }: ScannedItem): string | undefined {
  const [first, ...rest] = (row && decodedList(row)) ?? []
  if (typeof first !== 'string') return undefined
  const [root] = folder.split('/')
  if (root === 'graph_store' || type?.startsWith('Triplets')) return texts([first, ...rest.slice(0, 2)])
  if (root === 'index_store' && type === 'EntriesChanged') {
    const [, field, key] = rest
    return [first, texts([field, key])].filter(Boolean).join(' / ')
  }
  return root === 'property_graph_store' || root === 'chat_store' ? unescapeText(first) : first
}

function texts(values: unknown[]): string {
  const given = values.filter((value) => typeof value === 'string')
  return given.map(unescapeText).join(' / ')
}

function decodedList(bytes: Uint8Array): unknown[] | undefined {
  try {
    const value = decode(bytes)
    return Array.isArray(value) ? value : undefined
  } catch {
    return undefined // Only a hostile hand writes what meets its checksum and is no msgpack.
  }
}

/** What history calls a store, and a thing in it. */
import { shown, VarveError } from '../errors.ts'
import type { Catalog } from '../journal/catalog.ts'
import { namespaceFolder } from '../log/names.ts'
import type { Triplet } from '../stores/contract.ts'
import { kindOf } from '../stores/store-kinds.ts'

/** The id of a node, ref doc, vector or index struct; the key of a chat; a triplet; a relation of a property graph. */
export type HistoryKey = string | Triplet | { relation: string }

/** One text for each key, whatever its kind. */
export type KeyText = string

export function toText(key: HistoryKey): KeyText {
  if (typeof key === 'string' || isTriplet(key)) return JSON.stringify(key)
  if (typeof key?.relation === 'string') return JSON.stringify({ relation: key.relation })
  throw new VarveError('VARVE_BAD_OPTION', `${shown(key)} is no key of anything.`, {
    remedy: "Give an id, a triplet as a list of three texts, or { relation: '…' }.",
  })
}

export function fromText(text: KeyText): HistoryKey {
  return JSON.parse(text) as HistoryKey
}

function isTriplet(key: HistoryKey): key is Triplet {
  return Array.isArray(key) && key.length === 3 && key.every((text) => typeof text === 'string')
}

const withNamespaces = new Map([
  ['docstore', 'docstore'],
  ['vector_store', 'vector_store/default'],
])

/** The folder of a store: `docstore`, `vector_store/` and the namespace, … Throws `VARVE_BAD_OPTION` for a store that cannot be. */
export function folderOf(store: string): string {
  const folder = knownFolder(store)
  if (folder !== undefined) return folder
  throw new VarveError('VARVE_BAD_OPTION', `There is no store ${shown(store)}.`, {
    store,
    remedy:
      "Stores are 'docstore', 'index_store', 'vector_store', 'graph_store', 'property_graph_store', 'chat_store'; a namespace follows a slash: 'vector_store/images'.",
  })
}

/** It can be a store's name. */
export function isStore(name: string): boolean {
  return knownFolder(name) !== undefined
}

function knownFolder(store: string): string | undefined {
  const slash = store.indexOf('/')
  const root = slash < 0 ? store : store.slice(0, slash)
  const plain = withNamespaces.get(root)
  const folder = slash < 0 ? (plain ?? store) : plain && namespaceFolder(root, store.slice(slash + 1))
  try {
    if (folder !== undefined && kindOf(folder)) return folder
  } catch (cause) {
    if (!(cause instanceof VarveError)) throw cause
  }
  return undefined
}

/** The other way round: with the namespace's true name. */
export function storeOf(folder: string, { stores }: Catalog): string {
  const [root = ''] = folder.split('/')
  const name = stores.get(folder)?.name
  return name !== undefined && folder !== root ? `${root}/${name}` : folder
}

/** The stores that a context is given: which of them are ours, whose journal they share, and how those move in that stood in memory by themselves. */
import { VarveError } from '../errors.ts'
import type { JournalHandle } from '../journal/handle.ts'
import type {
  ChatStore,
  DocumentStore,
  GraphStore,
  IndexStore,
  PropertyGraphStore,
  VectorStore,
} from '../stores/contract.ts'
import { JournalStore } from '../stores/journal-store.ts'
import { dimensionsOf, type VectorState } from '../stores/vector-state.ts'
import { defaultVectorNamespace, JournalVectorStore, vectorFolder } from '../stores/vector-store.ts'
import { copyStore, isStoreFull } from './replace-contents.ts'

export type OwnStore = JournalStore<any> // oxlint-disable-line no-explicit-any -- of whatever state

export interface StoreOptions {
  docstore?: DocumentStore | undefined
  indexStore?: IndexStore | undefined
  /** The namespace `default`; it goes before `vectorStores.default`. */
  vectorStore?: VectorStore | undefined
  vectorStores?: Readonly<Record<string, VectorStore>> | ReadonlyMap<string, VectorStore> | undefined
  graphStore?: GraphStore | undefined
  propertyGraphStore?: PropertyGraphStore | undefined
  chatStore?: ChatStore | undefined
}

/** By namespace. */
export function givenVectorStores({
  vectorStore,
  vectorStores = {},
}: StoreOptions): Map<string, VectorStore> {
  const stores = new Map(vectorStores instanceof Map ? vectorStores : Object.entries(vectorStores))
  if (vectorStore) stores.set(defaultVectorNamespace, vectorStore)
  for (const namespace of stores.keys()) vectorFolder(namespace)
  return stores
}

export function ownStores(options: StoreOptions): OwnStore[] {
  const { docstore, indexStore, graphStore, propertyGraphStore, chatStore } = options
  const others = [docstore, indexStore, graphStore, propertyGraphStore, chatStore]
  const given = [...others, ...givenVectorStores(options).values()]
  return given.filter((store) => isOwn(store))
}

export function isOwn<T>(store: T): store is T & OwnStore {
  return store instanceof JournalStore
}

/** The journal that those share which have one for good; `undefined` if none has. */
export function sharedJournal(stores: readonly OwnStore[]): JournalHandle | undefined {
  return oneJournal(stores.filter(isSettled))
}

function oneJournal(stores: readonly OwnStore[]): JournalHandle | undefined {
  const handle = stores[0]?.handle
  const other = stores.find((store) => store.handle.journal !== handle?.journal)
  if (!handle || !other) return handle
  const places = [handle, other.handle].map(({ journal }) => journal.directory ?? 'memory')
  throw new VarveError('VARVE_MIXED_JOURNALS', `These stores belong to ${places[0]} and to ${places[1]}.`, {
    places,
  })
}

/** One that stands in memory by itself has not settled. */
function isSettled({ handle, isBound }: OwnStore): boolean {
  return isBound || handle.journal.directory !== undefined
}

/** Makes the given stores the context's: those that stood in memory by themselves move into its journal, with what they hold. */
export async function takeIn(handle: JournalHandle, options: StoreOptions): Promise<void> {
  const newcomers = ownStores(options).filter((store) => !isSettled(store))
  const places = new Map(
    newcomers.map((store) => [store, {}] as [OwnStore, { folder?: string; namespace?: string }]),
  )
  for (const [namespace, store] of givenVectorStores(options)) {
    if (isOwn(store) && places.has(store)) places.set(store, { folder: vectorFolder(namespace), namespace })
  }
  for (const [store, { folder }] of places) await checkMove(store, handle, folder ?? store.folder)
  for (const [store, { folder }] of places)
    await copyStore(store.handle.journal, handle.journal, store.folder, folder)
  for (const store of ownStores(options)) {
    if (store.isBound) continue
    const before = store.handle
    store.bindTo(handle, places.get(store))
    await before.close()
  }
}

async function checkMove(
  store: OwnStore,
  { journal, readOnly }: JournalHandle,
  folder: string,
): Promise<void> {
  const { journal: from } = store.handle
  if (!(await isStoreFull(from, store.folder))) return
  if (readOnly) {
    const fact = `A store that holds something cannot move into ${journal.directory ?? 'memory'}, which is for reading only.`
    throw new VarveError('VARVE_READ_ONLY', fact, { store: store.folder })
  }
  if (!(store instanceof JournalVectorStore)) return
  const given = dimensionsOf((await from.load(store.folder)) as VectorState)
  const known = dimensionsOf((await journal.load(folder)) as VectorState)
  if (known === 0 || known === given) return
  const fact = `The given vectors have ${given} dimensions; those of ${folder} in ${journal.directory ?? 'memory'} have ${known}.`
  throw new VarveError('VARVE_WRONG_DIMENSIONS', fact, { given, known, store: folder })
}

const users = new WeakMap<JournalHandle, number>()

/** A context uses a handle: its own, or that of a store which belongs to another context. */
export function use(handle: JournalHandle): JournalHandle {
  users.set(handle, (users.get(handle) ?? 0) + 1)
  return handle
}

/** The last one closes it. */
export async function letGo(handle: JournalHandle): Promise<void> {
  const left = (users.get(handle) ?? 1) - 1
  users.set(handle, left)
  if (left === 0) await handle.close()
}

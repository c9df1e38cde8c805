/**
 * LlamaIndexTS's index structs as ours, and back. There, a vector index's struct holds all its nodes; here it holds their ids, and the nodes stand in the document store
 * once. Only a node that is not there, or goes while the struct still has it, is kept in the struct's entry.
 */
import type { IndexDict, IndexStruct as CoreStruct, KeywordTable } from '@llamaindex/core/data-structs'
import type { BaseNode as CoreNode } from '@llamaindex/core/schema'
import type { StorageContext } from '../context/storage-context.ts'
import { nodeInEntry } from '../interop/entry-nodes.ts'
import type { DocumentStore } from '../stores/contract.ts'
import type { JournalDocumentStore } from '../stores/document-store.ts'
import type { IndexStruct } from '../stores/index-struct.ts'
import { checkTree } from '../stores/metadata.ts'
import type { BaseNode } from '../stores/node.ts'
import { canonicalStructType } from '../stores/struct-types.ts'
import type { Core } from './core.ts'
import { toCore } from './core-nodes.ts'

export function isDict(struct: CoreStruct): struct is IndexDict {
  return 'nodesDict' in struct
}

/** Of structs other than a vector index's, which are small: whole. */
export function structFromCore(struct: CoreStruct): IndexStruct {
  const { type, ...fields } = struct as KeywordTable
  return { ...fields, type }
}

/** What a struct's entry says of a node. */
export async function entryOf(node: CoreNode, docstore: DocumentStore): Promise<unknown> {
  return (await docstore.documentExists(node.id_)) ? node.id_ : checkTree(node.toJSON(), `node ${node.id_}`)
}

/** `undefined` for types that LlamaIndexTS does not have. */
export async function structToCore(
  struct: IndexStruct,
  docstore: JournalDocumentStore,
  core: Core,
): Promise<CoreStruct | undefined> {
  // Its type says UUID, and no code asks for one.
  const indexId = struct.indexId as ConstructorParameters<Core['IndexDict']>[0]
  const summary = struct.summary ?? undefined
  switch (canonicalStructType(struct.type)) {
    case 'list': {
      const list = new core.IndexList(indexId, summary)
      list.nodes = [...(struct['nodes'] as string[])]
      return list
    }
    case 'keyword_table': {
      const table = new core.KeywordTable(indexId, summary)
      table.table = new Map(struct['table'] as Map<string, Set<string>>)
      return table
    }
    case 'vector_store': {
      const dict = new core.IndexDict(indexId, summary)
      for (const [key, read] of await nodesOf(struct['nodesDict'] as Map<string, unknown>, docstore))
        setLater(dict.nodesDict, key, () => toCore(read(), core))
      return dict
    }
    default:
      return undefined
  }
}

/** Before a node goes from the document store: structs that have it keep it, since their vectors still find it. */
export async function keepInStructs(
  id: string,
  { docstore, indexStore }: StorageContext,
  core: Core,
): Promise<void> {
  for (const { indexId } of (await indexStore.listIndexStructs?.()) ?? []) {
    const view = await indexStore.viewIndexStruct?.(indexId)
    if (view?.get('nodesDict', id) !== id) continue
    const node = await docstore.getNode(id, { raiseError: false })
    if (!node) return
    const value = checkTree(toCore(node, core).toJSON(), `node ${id}`)
    await indexStore.changeIndexStruct?.(indexId, [{ op: 'set', field: 'nodesDict', key: id, value }])
  }
}

/** In the order of the entries. Those whose node is gone, with the document it was made from, are left out. */
async function nodesOf(
  entries: ReadonlyMap<string, unknown>,
  docstore: JournalDocumentStore,
): Promise<[key: string, read: () => BaseNode][]> {
  const stored = await docstore.nodesLater([...entries.values()].filter((entry) => typeof entry === 'string'))
  return [...entries].flatMap(([key, entry]) => {
    const node = nodeInEntry(key, entry)
    const read = typeof entry === 'string' ? stored.get(entry) : node && (() => node)
    return read ? [[key, read] as [string, () => BaseNode]] : []
  })
}

/** A member whose value is made when it is first read. To LlamaIndexTS it is a member like any other, which it reads for the few nodes that a search finds. */
function setLater<T>(object: Record<string, T>, key: string, make: () => T): void {
  const settle = (value: T): void =>
    void Object.defineProperty(object, key, { ...shown, value, writable: true })
  const get = (): T => {
    const value = make()
    settle(value)
    return value
  }
  Object.defineProperty(object, key, { ...shown, get, set: settle })
}

const shown = { enumerable: true, configurable: true }

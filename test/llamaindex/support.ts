/** What LlamaIndexTS's indices do with the stores, call by call, without the models they need. */
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { IndexDict } from '@llamaindex/core/data-structs'
import { Document, TextNode, type BaseNode } from '@llamaindex/core/schema'
import { MemoryDisk } from '../../src/disk/memory-disk.ts'
import { storageContextFromDefaults, type DropInOptions } from '../../src/llamaindex/index.ts'
import type { DropInStorageContext } from '../../src/llamaindex/storage-context.ts'
import type { Commit } from '../../src/journal/commit.ts'
import { all } from '../stores/store-cases.ts'

export const dir = '/data/storage'

export async function open(
  options: DropInOptions = {},
): Promise<{ context: DropInStorageContext; disk: MemoryDisk; warnings: string[] }> {
  const warnings: string[] = []
  const disk = (options.disk as MemoryDisk | undefined) ?? new MemoryDisk()
  const onWarning = (warning: string): void => void warnings.push(warning)
  const context = await storageContextFromDefaults({ persistDir: dir, onWarning, ...options, disk })
  return { context, disk, warnings }
}

/** What a new process finds. */
export async function reopen(disk: MemoryDisk): Promise<DropInStorageContext> {
  return (await open({ disk: disk.snapshot() })).context
}

export function chunkOf(document: Document, id_: string, embedding = [1, 2]): TextNode {
  const relationships = { SOURCE: document.asRelatedNodeInfo() }
  return new TextNode({ id_, text: `chunk of ${document.text}`, embedding, relationships })
}

/** `VectorStoreIndex.insertNodes`. */
export async function insertNodes(
  { docStore, indexStore, vectorStores }: DropInStorageContext,
  struct: IndexDict,
  nodes: BaseNode[],
): Promise<void> {
  const ids = await vectorStores.TEXT!.add(nodes)
  for (const [index, node] of nodes.entries()) {
    const withoutEmbedding = node.clone()
    withoutEmbedding.embedding = undefined
    struct.addNode(withoutEmbedding, ids[index])
    await docStore.addDocuments([withoutEmbedding], true)
  }
  await indexStore.addIndexStruct(struct)
}

/** `VectorStoreIndex.insert`, of a document that is one chunk. */
export async function insert(context: DropInStorageContext, struct: IndexDict, id: string): Promise<void> {
  const document = new Document({ id_: id, text: `text of ${id}` })
  await insertNodes(context, struct, [chunkOf(document, `chunk of ${id}`)])
  await context.docStore.setDocumentHash(id, document.hash)
}

/** When nothing more is being saved. */
export async function settled({ storage }: DropInStorageContext): Promise<Commit[]> {
  for (let turns = 0; turns < 100; turns++) await nextTurn()
  return all(storage.commits())
}

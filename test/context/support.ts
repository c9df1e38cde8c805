/** Contexts with something in every store, and all that they hold, orders included. */
import type { StorageContext } from '../../src/context/storage-context.ts'
import { MemoryDisk } from '../../src/disk/memory-disk.ts'
import type { JournalGraphStore } from '../../src/stores/graph-store.ts'
import { Document, TextNode } from '../../src/stores/node.ts'
import type { JournalVectorStore } from '../../src/stores/vector-store.ts'
import { all } from '../stores/store-cases.ts'

export function quietDisk(): MemoryDisk {
  return new MemoryDisk()
}

export async function fill(storage: StorageContext): Promise<void> {
  const source = { SOURCE: { nodeId: 'doc', metadata: {} } }
  const nodes = ['n1', 'n2', 'n3'].map(
    (id_) => new TextNode({ id_, text: `text of ${id_}`, metadata: { [id_]: 1 }, relationships: source }),
  )
  await storage.docstore.addDocuments([...nodes, new Document({ id_: 'alone', text: 'whole' })])
  await storage.docstore.setDocumentHash('doc', 'hash')
  const withVector = (id_: string, embedding: number[]) =>
    new TextNode({ id_, embedding, relationships: source })
  await storage.vectorStore.add([withVector('n1', [1, 2]), withVector('n2', [3, 4])])
  await storage.addVectorStore('image').add([withVector('i1', [1, 2, 3])])
  await storage.indexStore.addIndexStruct({
    indexId: 'list',
    type: 'list',
    summary: 's',
    nodes: ['n1', 'n2'],
  })
  await storage.indexStore.addIndexStruct({
    indexId: 'keywords',
    type: 'keyword_table',
    summary: null,
    table: new Map([
      ['cat', new Set(['n1', 'n2'])],
      ['dog', new Set(['n1'])],
    ]),
  })
  await storage.graphStore.upsertTriplet('Alice', 'knows', 'Bob')
  await storage.graphStore.upsertTriplet('Alice', 'likes', 'Tea')
  await storage.graphStore.upsertTriplet('Alice', 'is', 'kind')
  await storage.propertyGraphStore.upsertRelations([
    { label: 'r', source_id: 'a', target_id: 'b', properties: { x: 1 } },
  ])
}

/** Maps as lists, so that order counts. Namespaces without vectors are left out. */
export async function picture(storage: StorageContext) {
  const ids = await all(storage.docstore.ids())
  const vectors: Record<string, unknown[]> = {}
  for (const [namespace, store] of storage.vectorStores) {
    const own = store as JournalVectorStore
    const ids = await own.ids()
    if (ids.length === 0) continue
    vectors[namespace] = []
    for (const id of ids) vectors[namespace].push([id, await own.get(id), await own.getMetadata(id)])
  }
  const structs = (await storage.indexStore.indexStructs()).map((struct) =>
    Object.fromEntries(
      Object.entries(struct).map(([field, value]) => [
        field,
        value instanceof Map
          ? [...value].map(([key, entry]) => [
              key,
              entry instanceof Set ? [...(entry as Set<unknown>)] : entry,
            ])
          : value,
      ]),
    ),
  )
  return {
    ids,
    nodes: await storage.docstore.getNodes(ids),
    hashes: [...(await storage.docstore.getAllDocumentHashes())],
    refDocs: [...(await storage.docstore.getAllRefDocInfo())].map(([id, { nodeIds, metadata }]) => [
      id,
      nodeIds,
      Object.entries(metadata),
    ]),
    vectors,
    structs,
    triplets: await (storage.graphStore as JournalGraphStore).triplets(),
    graphNodes: await storage.propertyGraphStore.get(),
    graphTriplets: await storage.propertyGraphStore.getTriplets(),
  }
}

/** Every file of a disk with its bytes. */
export async function filesOf(disk: MemoryDisk, directory = ''): Promise<Record<string, string>> {
  const files: Record<string, string> = {}
  for (const name of await disk.list(directory || '/')) {
    const path = `${directory}/${name}`
    const { kind } = (await disk.stat(path))!
    if (kind === 'directory') Object.assign(files, await filesOf(disk, path))
    else if (kind === 'file') files[path] = Buffer.from(disk.peek(path)).toString('base64')
  }
  return files
}

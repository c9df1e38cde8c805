/** Whole contexts: nodes, index structs and vectors, through the public API. */
import { StorageContext } from '../../src/context/storage-context.ts'
import type { MemoryDisk } from '../../src/disk/memory-disk.ts'
import type { JournalOptions } from '../../src/journal/journal-options.ts'
import { TextNode } from '../../src/stores/node.ts'
import type { SimpleVectorStore } from '../../src/context/simple-stores.ts'
import { directory, type Contents, type Folder, type Seen } from './model.ts'
import type { Player, Subject } from './subject.ts'

/** The value, and as much behind it as a payload should be long. */
function textOf(value: unknown, payloadBytes: number): string {
  return `${JSON.stringify(value)}\n${'.'.repeat(payloadBytes)}`
}

function valueOf(text: string): unknown {
  return JSON.parse(text.split('\n')[0]!)
}

function open(disk: MemoryDisk, options: Partial<JournalOptions> = {}): Promise<StorageContext> {
  const { durability, random, takeover } = options
  let ms = Date.UTC(2026, 0, 1)
  return StorageContext.fromDefaults({
    persistDir: directory,
    disk,
    clock: () => new Date((ms += 1000)),
    onWarning: () => {},
    ...(durability && { durability }),
    ...(random && { random }),
    ...(takeover && { takeover }),
  })
}

async function look(disk: MemoryDisk): Promise<Seen> {
  const storage = await open(disk)
  const contents: Contents = { docstore: [], index_store: [], 'vector_store/default': [] }
  for await (const id of storage.docstore.ids()) {
    const node = await storage.docstore.getNode(id)
    contents.docstore.push([id, valueOf((node as TextNode).text)])
  }
  for (const { indexId, summary } of await storage.indexStore.indexStructs())
    contents.index_store.push([indexId, valueOf(summary!)])
  const vectors = storage.vectorStore as SimpleVectorStore
  for (const id of await vectors.ids())
    contents['vector_store/default'].push([id, (await vectors.get(id))![0]])
  let commits = 0
  for await (const { number } of storage.commits()) commits = Math.max(commits, number)
  await storage.close()
  return { commits, contents }
}

async function play(disk: MemoryDisk, options: Partial<JournalOptions>): Promise<Player> {
  const storage = await open(disk, options)
  let last: number | undefined
  return {
    put: async (folder, entries, payloadBytes) => {
      for (const [key, value] of Object.entries(entries))
        await putOne(storage, folder, { key, value, payloadBytes })
    },
    remove: async (folder, keys) => {
      for (const key of keys) {
        if (folder === 'docstore') await storage.docstore.deleteDocument(key)
        else if (folder === 'index_store') await storage.indexStore.deleteIndexStruct(key)
        else await storage.vectorStore.deleteNodes!({ nodeIds: [key] })
      }
    },
    persist: async () => (last = (await storage.persist())?.number ?? last),
    transaction: async (change) => {
      await storage.transaction({}, change)
      return undefined
    },
    erase: async (nodeIds) => {
      const { commit } = await storage.history.erase({ nodeIds, reason: 'asked for' })
      return (last = commit && commit.number + 1)
    },
    rollback: () => storage.rollback(),
    flush: () => storage.flush(),
    close: () => storage.close(),
  }
}

async function putOne(
  storage: StorageContext,
  folder: Folder,
  { key, value, payloadBytes }: { key: string; value: unknown; payloadBytes: number },
): Promise<void> {
  const text = textOf(value, payloadBytes)
  if (folder === 'docstore') await storage.docstore.addDocuments([new TextNode({ id_: key, text })])
  else if (folder === 'index_store')
    await storage.indexStore.addIndexStruct({ indexId: key, type: 'list', summary: text, nodes: [] })
  else await storage.vectorStore.add([new TextNode({ id_: key, embedding: [Number(value), 1] })])
}

export const contexts: Subject = { look, open: play }

/** What LlamaIndex for Python would have left behind, holding one node, one struct and one vector. */
export function jsonFiles(): Record<string, Uint8Array> {
  const text = textOf(0, 40)
  const files = {
    'docstore.json': {
      'docstore/data': {
        old: { __type__: '1', __data__: { id_: 'old', text, metadata: {}, class_name: 'TextNode' } },
      },
      'docstore/metadata': { old: { doc_hash: 'old' } },
    },
    'index_store.json': {
      'index_store/data': {
        old: { __type__: 'list', __data__: JSON.stringify({ index_id: 'old', summary: text, nodes: [] }) },
      },
    },
    'default__vector_store.json': {
      embedding_dict: { old: [7, 1] },
      text_id_to_ref_doc_id: { old: 'None' },
      metadata_dict: { old: {} },
    },
    'graph_store.json': { graph_dict: {} },
  }
  return Object.fromEntries(
    Object.entries(files).map(([name, content]) => [
      `${directory}/${name}`,
      Buffer.from(JSON.stringify(content)),
    ]),
  )
}

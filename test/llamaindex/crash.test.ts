import { IndexDict } from '@llamaindex/core/data-structs'
import { Document } from '@llamaindex/core/schema'
import { expect, test } from 'vitest'
import { MemoryDisk } from '../../src/disk/memory-disk.ts'
import type { DropInStorageContext } from '../../src/llamaindex/storage-context.ts'
import type { JournalVectorStore } from '../../src/stores/vector-store.ts'
import { chunkOf, insert, insertNodes, open, settled } from './support.ts'

/** Nothing but whole operations: each document with its hash and its chunks, each chunk with its vector and its entry. */
async function expectWhole({ docStore, indexStore, storage }: DropInStorageContext): Promise<string[]> {
  const documents = Object.values(await docStore.getAllDocumentHashes())
  const chunks = documents.filter((id) => id.startsWith('chunk of '))
  const sources = documents.filter((id) => !id.startsWith('chunk of ')).toSorted()
  expect(chunks.map((id) => id.slice('chunk of '.length)).toSorted()).toEqual(sources)
  expect((await (storage.vectorStore as JournalVectorStore).ids()).toSorted()).toEqual(chunks.toSorted())
  const [struct] = (await indexStore.getIndexStructs()) as IndexDict[]
  expect(Object.keys(struct?.nodesDict ?? {}).toSorted()).toEqual(chunks.toSorted())
  return sources
}

test('a crash at any moment leaves whole operations, and all of those before the last pause', async () => {
  const disk = new MemoryDisk()
  const images: { image: MemoryDisk; atLeast: number }[] = []
  const { context } = await open({ disk })
  let saved = 0
  disk.onOperation = () => void images.push({ image: disk.image(), atLeast: saved })
  const struct = new IndexDict()
  const documents = ['a', 'b'].map((id_) => new Document({ id_, text: `text of ${id_}` }))
  await context.docStore.addDocuments(documents, true)
  await settled(context)
  await insertNodes(
    context,
    struct,
    documents.map((document) => chunkOf(document, `chunk of ${document.id_}`)),
  )
  await settled(context)
  saved = 2
  for (const id of ['c', 'd', 'e']) {
    await insert(context, struct, id)
    await settled(context)
    saved++
  }
  disk.onOperation = undefined
  expect(images.length).toBeGreaterThan(20)
  const seen = new Set<number>()
  for (const { image, atLeast } of images) {
    const { context: after } = await open({ disk: image })
    const sources = await expectWhole(after)
    expect(sources.length).toBeGreaterThanOrEqual(atLeast)
    seen.add(sources.length)
    await after.close()
  }
  expect([...seen]).toEqual([0, 2, 3, 4])
  expect(await expectWhole(context)).toEqual(['a', 'b', 'c', 'd', 'e'])
})

// A directory that LlamaIndex persisted in Python is opened as it is. The first persist() puts a journal beside the JSON.
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Document, loadIndexFromStorage, StorageContext } from 'varve'

const persistDir = await mkdtemp(join(tmpdir(), 'varve-example-'))
await persistAsPythonDoes(persistDir)

// region open
const storage = await StorageContext.fromDefaults({ persistDir }) // reads the JSON, writes nothing
const index = await loadIndexFromStorage(storage)
const [hit] = await index.asRetriever({ similarityTopK: 1 }).retrieve({ embedding: [0, 1, 0] })
console.log(hit?.node.getContent(), hit?.score)

const note = new Document({ text: 'Added from TypeScript.', embedding: [0, 0, 1] })
await index.insertNodes([note])
await storage.persist({ message: 'a note' }) // commit 1: exactly the JSON; commit 2: the note
// endregion

for await (const { number, kind, message } of storage.commits()) console.log(number, kind, message)
await storage.close()
console.log((await readdir(persistDir)).filter((name) => name.endsWith('.json')).join(' '))
await rm(persistDir, { recursive: true })

/** The files of `storage_context.persist()`, as small as they can be. */
async function persistAsPythonDoes(directory: string): Promise<void> {
  const node = (id: string, text: string) => ({
    __data__: { id_: id, embedding: null, metadata: {}, text, class_name: 'TextNode' },
    __type__: '1',
  })
  const struct = {
    index_id: 'py',
    summary: null,
    nodes_dict: { n1: 'n1', n2: 'n2' },
    doc_id_dict: {},
    embeddings_dict: {},
  }
  const files = {
    'docstore.json': {
      'docstore/data': { n1: node('n1', 'Written by Python.'), n2: node('n2', 'Found from TypeScript.') },
    },
    'index_store.json': {
      'index_store/data': { py: { __type__: 'vector_store', __data__: JSON.stringify(struct) } },
    },
    'default__vector_store.json': {
      embedding_dict: { n1: [1, 0, 0], n2: [0, 1, 0] },
      text_id_to_ref_doc_id: { n1: 'None', n2: 'None' },
      metadata_dict: {},
    },
    'graph_store.json': { graph_dict: {} },
  }
  for (const [name, content] of Object.entries(files))
    await writeFile(join(directory, name), JSON.stringify(content))
}

/* Prints:
Found from TypeScript. 1
2 data a note
1 import Imported from LlamaIndex (python)
default__vector_store.json docstore.json graph_store.json index_store.json varve.json
*/

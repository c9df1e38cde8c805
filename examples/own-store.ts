// A store of your own beside ours. It persists by itself, as a database does; persist() leaves it alone.
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Document, loadIndexFromStorage, StorageContext, VectorStoreIndex } from 'varve'
import type { BaseNode, VectorStore, VectorStoreQuery, VectorStoreQueryResult } from 'varve'
import { hashedBagOfWords as embedModel } from './hashed-bag-of-words.ts'

// region store
interface Row {
  refDocId: string | undefined
  vector: number[]
}

/** All vectors in one JSON file, written at each change: fine for a hundred. */
class FileVectorStore implements VectorStore {
  readonly persistsByItself = true
  readonly storesText = false
  readonly #path: string

  constructor(path: string) {
    this.#path = path
  }

  async add(nodes: readonly BaseNode[]): Promise<string[]> {
    const rows = await this.#read()
    for (const { id_, refDocId, embedding } of nodes)
      rows.set(id_, { refDocId, vector: [...(embedding ?? [])] })
    await this.#write(rows)
    return nodes.map(({ id_ }) => id_)
  }

  async delete(refDocId: string): Promise<void> {
    await this.#write(new Map([...(await this.#read())].filter(([, row]) => row.refDocId !== refDocId)))
  }

  async deleteNodes({ nodeIds = [] }: { nodeIds?: readonly string[] }): Promise<void> {
    await this.#write(new Map([...(await this.#read())].filter(([id]) => !nodeIds.includes(id))))
  }

  async query({
    queryEmbedding = [],
    similarityTopK = 1,
    nodeIds,
  }: VectorStoreQuery): Promise<VectorStoreQueryResult> {
    const wanted = nodeIds && new Set(nodeIds)
    const scored = [...(await this.#read())]
      .filter(([id]) => wanted?.has(id) ?? true)
      .map(([id, { vector }]) => ({
        id,
        score: vector.reduce((sum, x, at) => sum + x * queryEmbedding[at]!, 0),
      }))
    const best = scored.toSorted((a, b) => b.score - a.score).slice(0, similarityTopK)
    return { ids: best.map(({ id }) => id), similarities: best.map(({ score }) => score) }
  }

  async #read(): Promise<Map<string, Row>> {
    const text = await readFile(this.#path, 'utf8').catch(() => '[]')
    return new Map(JSON.parse(text) as [string, Row][])
  }

  async #write(rows: Map<string, Row>): Promise<void> {
    await writeFile(this.#path, JSON.stringify([...rows]))
  }
}
// endregion

const folder = await mkdtemp(join(tmpdir(), 'varve-example-'))
const persistDir = join(folder, 'storage')
const vectorStore = new FileVectorStore(join(folder, 'vectors.json'))

const storage = await StorageContext.fromDefaults({ persistDir, vectorStore })
const documents = ['Otters hold hands while they sleep.', 'Crows remember faces.'].map(
  (text) => new Document({ text }),
)
await VectorStoreIndex.fromDocuments(documents, { storageContext: storage, embedModel })
const commit = await storage.persist({ message: 'documents and struct' })
console.log('commit', commit?.number)

const impossible = storage.transaction({}, async () => {})
await impossible.catch((error: Error) => console.log(error.message))
await storage.close()

const again = await StorageContext.fromDefaults({ persistDir, vectorStore })
const index = await loadIndexFromStorage(again, { embedModel })
const [hit] = await index.asRetriever({ similarityTopK: 1 }).retrieve('Which animals remember faces?')
console.log(hit?.node.getContent())
await again.close()
await rm(folder, { recursive: true })

/* Prints:
commit 1
A transaction cannot reach into FileVectorStore, which persists by itself. Pass { ownStoresOnly: true } to leave that store out.
Crows remember faces.
*/

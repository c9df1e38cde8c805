// Two indices in one directory, found again: LlamaIndex's page on persisting and loading, in TypeScript's spelling.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  Document,
  loadIndexFromStorage,
  loadIndicesFromStorage,
  SimpleDocumentStore,
  SimpleIndexStore,
  SimpleVectorStore,
  StorageContext,
  SummaryIndex,
  VectorStoreIndex,
} from 'varve'
import { hashedBagOfWords as embedModel } from './hashed-bag-of-words.ts'

const persistDir = await mkdtemp(join(tmpdir(), 'varve-example-'))
await persistTwoIndices()

// region load
// rebuild storage context
const storageContext = await StorageContext.fromDefaults({
  docstore: await SimpleDocumentStore.fromPersistDir(persistDir),
  vectorStore: await SimpleVectorStore.fromPersistDir(persistDir),
  indexStore: await SimpleIndexStore.fromPersistDir(persistDir),
})

// load a single index
// need to specify indexId if multiple indexes are persisted to the same directory
const index = await loadIndexFromStorage(storageContext, { indexId: 'planets', embedModel })

// load multiple indices
const all = await loadIndicesFromStorage(storageContext, { embedModel }) // loads all indices
const some = await loadIndicesFromStorage(storageContext, { indexIds: ['moons', 'planets'], embedModel }) // loads specific indices
// endregion

const [hit] = await index.asRetriever({ similarityTopK: 1 }).retrieve('Which planet has rings?')
console.log(hit?.node.getContent())
console.log(all.map(({ indexId }) => indexId))
console.log(some.map(({ indexId }) => indexId))
await loadIndexFromStorage(storageContext).catch((error: Error) => console.log(error.message))

// don't need to specify indexId if there's only one index in storage context
await storageContext.indexStore.deleteIndexStruct('moons')
console.log((await loadIndexFromStorage(storageContext)).indexId)
await storageContext.rollback()

await storageContext.close()
await rm(persistDir, { recursive: true })

async function persistTwoIndices(): Promise<void> {
  const storage = await StorageContext.fromDefaults({ persistDir })
  const planets = ['Saturn is a planet with rings.', 'Mars is red.'].map((text) => new Document({ text }))
  await VectorStoreIndex.fromDocuments(planets, { storageContext: storage, embedModel, indexId: 'planets' })
  const moons = [new Document({ text: 'Titan is a moon of Saturn.' })]
  await SummaryIndex.fromDocuments(moons, { storageContext: storage, indexId: 'moons' })
  await storage.persist({ message: 'two indices' })
  await storage.close()
}

/* Prints:
Saturn is a planet with rings.
[ 'planets', 'moons' ]
[ 'moons', 'planets' ]
There are 2 indices in this storage: 'planets' (vector_store), 'moons' (list). Pass the indexId of one of them.
planets
*/

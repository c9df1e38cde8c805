// Somebody asks to be forgotten: out of the present, out of every commit, and out of every file.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Document, StorageContext, VarveError, VectorStoreIndex } from 'varve'
import { hashedBagOfWords as embedModel } from './hashed-bag-of-words.ts'

const persistDir = await mkdtemp(join(tmpdir(), 'varve-example-'))
const storage = await StorageContext.fromDefaults({ persistDir })
const documents = [
  new Document({ id_: 'letter-17', text: 'Ann Smith asks for a loan.' }),
  new Document({ id_: 'hours', text: 'The library opens at nine.' }),
]
await VectorStoreIndex.fromDocuments(documents, { storageContext: storage, embedModel })
await storage.persist({ message: 'first import' })
const info = await storage.docstore.getRefDocInfo('letter-17')

// region erase
const report = await storage.history.erase({ refDocIds: ['letter-17'], reason: 'request 4711', actor: 'ann' })
if (!report.complete) console.warn('left:', report.imported.notReached, report.remaining)
// endregion

console.log(`commit ${report.commit?.number}:`, report.items)
const past = await storage.asOf(1)
for (const id of info?.nodeIds ?? [])
  await past.docstore
    .getNode(id)
    .catch((error: unknown) => console.log(error instanceof VarveError && error.code))
console.log([...(await past.docstore.getAllRefDocInfo()).keys()])
await past.close()
await storage.close()
await rm(persistDir, { recursive: true })

/* Prints:
commit 2: [
  { store: 'vector_store/default', items: 1 },
  { store: 'docstore', items: 2 },
  { store: 'index_store', items: 1 }
]
VARVE_ERASED
[ 'hours' ]
*/

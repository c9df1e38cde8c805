// The example of README.md, run in a new directory.
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

process.chdir(mkdtempSync(join(tmpdir(), 'varve-readme-')))

// region example
import { Document, loadIndexFromStorage, StorageContext, VectorStoreIndex } from 'varve'
import { hashedBagOfWords as embedModel } from './hashed-bag-of-words.ts' // or your own model

const storage = await StorageContext.fromDefaults({ persistDir: './storage' })
const index = await VectorStoreIndex.fromDocuments(
  [
    new Document({
      text: 'A varve is one year of sediment on the floor of a lake.',
      metadata: { source: 'geology' },
    }),
    new Document({ text: 'Tree rings tell the age of a tree.', metadata: { source: 'botany' } }),
  ],
  { storageContext: storage, embedModel },
)
await storage.persist({ message: 'first import', actor: 'ingest' })

await index.insert(
  new Document({ text: 'Ice cores hold the air of former winters.', metadata: { source: 'climate' } }),
)
await storage.persist({ message: 'ice cores' }) // writes that document, however many others there are
await storage.close()

// Later, in another process:
const reopened = await StorageContext.fromDefaults({ persistDir: './storage' })
const loaded = await loadIndexFromStorage(reopened, { embedModel })
const [best] = await loaded.asRetriever({ similarityTopK: 1 }).retrieve('Where does sediment form a varve?')
console.log(best?.node.getContent())
for await (const commit of reopened.commits()) console.log(commit.number, commit.message)
await reopened.close()
// endregion

/* Prints:
A varve is one year of sediment on the floor of a lake.
2 ice cores
1 first import
*/

// All of it or none: transactions, rollback, and what persist() answers.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Document, StorageContext, SummaryIndex } from 'varve'

const persistDir = await mkdtemp(join(tmpdir(), 'varve-example-'))
const storage = await StorageContext.fromDefaults({ persistDir })
const index = await SummaryIndex.init({ storageContext: storage })
await storage.persist({ message: 'an empty index' })

// region transaction
await storage.transaction({ message: 'two chapters', actor: 'importer' }, async () => {
  await index.insert(new Document({ id_: 'chapter 1', text: 'It was a dark night.' }))
  await index.insert(new Document({ id_: 'chapter 2', text: 'Morning came.' }))
}) // resolved: both are on disk, in one commit

const failed = storage.transaction({}, async () => {
  await index.deleteRefDoc('chapter 1')
  throw new Error('the new version cannot be fetched')
})
await failed.catch((error: Error) => console.log(error.message)) // chapter 1 is still there
// endregion

console.log([...(await index.refDocInfo()).keys()])

await index.insert(new Document({ id_: 'chapter 3', text: 'Nobody wants this.' }))
console.log('pending:', storage.hasPendingChanges)
await storage.rollback()
console.log('pending:', storage.hasPendingChanges)
console.log('persist() with nothing to write answers', await storage.persist())

for await (const { number, message, actor } of storage.commits()) console.log(number, message, actor ?? '-')
await storage.close()
await rm(persistDir, { recursive: true })

/* Prints:
the new version cannot be fetched
[ 'chapter 1', 'chapter 2' ]
pending: true
pending: false
persist() with nothing to write answers undefined
2 two chapters importer
1 an empty index -
*/

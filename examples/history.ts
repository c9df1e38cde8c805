// What was known last Tuesday, what changed since, who did it, and how to go back.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Document, loadIndexFromStorage, StorageContext, VectorStoreIndex } from 'varve'
import { hashedBagOfWords as embedModel } from './hashed-bag-of-words.ts'

const persistDir = await mkdtemp(join(tmpdir(), 'varve-example-'))
const storage = await StorageContext.fromDefaults({ persistDir })
const opening = (hour: number) => new Document({ id_: 'hours', text: `The library opens at ${hour}.` })

const index = await VectorStoreIndex.fromDocuments([opening(9)], { storageContext: storage, embedModel })
await storage.persist({ message: 'first import', actor: 'ann' })
await storage.history.tag('v1')
await index.updateRefDoc(opening(10))
await storage.persist({ message: 'new opening hours', actor: 'bob' })

// region history
const past = await storage.asOf('v1') // or a number, HEAD~2, a hash, a date: read-only, and it stays there
const then = await loadIndexFromStorage(past, { embedModel })
const [hit] = await then.asRetriever({ similarityTopK: 1 }).retrieve('When does the library open?')

for await (const { number, actor, touched } of storage.history.log({ since: 'v1', store: 'docstore' }))
  console.log(number, actor, touched)

for await (const { change, paths } of storage.history.diff('v1', 'HEAD', { store: 'docstore' }))
  for (const { path } of paths) console.log(change, path) // `before` and `after` tell what stood there, and stands there now
const versions = storage.history.versions('docstore', 'hours') // every value, with the commit that set it
const blame = await storage.history.blame('docstore', 'hours') // for each field, who set it last

await storage.history.restore('v1', { message: 'too early' }) // one new commit; what came after v1 stays in the log
// endregion

console.log('then:', hit?.node.getContent())
for await (const { commit } of versions) console.log('the document changed in commit', commit.number)
console.log(new Set(blame.map(({ commit }) => commit.actor)))
const now = await loadIndexFromStorage(storage, { embedModel })
const [again] = await now.asRetriever({ similarityTopK: 1 }).retrieve('When does the library open?')
console.log('now:', again?.node.getContent())

await past.close()
await storage.close()
await rm(persistDir, { recursive: true })

/* Prints:
3 bob [
  {
    store: 'vector_store/default',
    counts: { VectorsDeleted: 1, VectorsAdded: 1 }
  },
  {
    store: 'docstore',
    counts: { NodesDeleted: 1, NodesAdded: 1, HashesSet: 1 }
  },
  { store: 'index_store', counts: { EntriesChanged: 2 } }
]
removed 
added 
changed /hash
changed /refDoc/nodeIds
then: The library opens at 9.
the document changed in commit 1
the document changed in commit 3
the document changed in commit 4
Set(2) { 'bob', 'ann' }
now: The library opens at 9.
*/

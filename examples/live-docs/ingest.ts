/** Makes an index hold what a folder holds, now and after every change: `ingest.ts FOLDER DIRECTORY`. Only what changed is embedded and committed. */
import { watch } from 'chokidar'
import { loadIndexFromStorage, StorageContext, VectorStoreIndex, type BaseIndex } from 'varve'
import { hashedBagOfWords as embedModel } from '../hashed-bag-of-words.ts'
import { runMain } from '../quickstart/terminal.ts'
import { documentsIn } from '../quickstart/text-files.ts'
import { untilAborted } from './until-aborted.ts'

const indexId = 'live-docs'
const [folder, persistDir] = process.argv.slice(2) as [string, string]

await runMain(async (signal) => {
  const storage = await StorageContext.fromDefaults({ persistDir })
  // The editor may not be done with the file yet.
  const watcher = watch(folder, {
    ignoreInitial: true,
    awaitWriteFinish: { stabilityThreshold: 100, pollInterval: 20 },
  })
  try {
    const isKnown = (await storage.indexStore.getIndexStruct(indexId)) !== undefined
    const index = isKnown
      ? await loadIndexFromStorage(storage, { indexId, embedModel })
      : await VectorStoreIndex.init({ storageContext: storage, indexId, embedModel })
    await refresh(storage, index)
    console.log(`ingest: watches ${folder}`)
    let work = Promise.resolve()
    await untilAborted(signal, (fail) => {
      watcher.on('all', () => {
        work = work.then(() => refresh(storage, index)).catch(fail)
      })
    })
    await work
  } finally {
    await watcher.close()
    await storage.close()
    console.log('ingest: stopped')
  }
})

async function refresh(storage: StorageContext, index: BaseIndex): Promise<void> {
  const documents = await documentsIn(folder)
  const isChanged = await index.refreshRefDocs(documents)
  const changed = documents.filter((_, at) => isChanged[at]).map(({ id_ }) => id_)
  const present = new Set(documents.map(({ id_ }) => id_))
  const removed = [...(await index.refDocInfo()).keys()].filter((id) => !present.has(id))
  for (const id of removed) await index.deleteRefDoc(id)
  const message = [...changed, ...removed.map((id) => `${id} deleted`)].join(', ')
  if (message === '') return
  const commit = await storage.persist({ message, actor: 'ingest' })
  console.log(`ingest: commit ${commit!.number}: ${message}`)
}

/**
 * From a folder of text to answers, in two processes: `npm run quickstart -- [folder] [question]`.
 *
 * The first process reads the folder, brings the index up to date with it, and persists. The second one opens what the first left
 * behind, asks, adds a document, and persists again. Run it as often as you like: what has not changed is not written again.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { basename, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { loadIndexFromStorage, SentenceSplitter, StorageContext, VectorStoreIndex } from 'varve'
import type { BaseIndex, Document } from 'varve'
import { hashedBagOfWords } from './hashed-bag-of-words.ts'
import { oneLine, PhaseTimes, plural, runMain, step } from './quickstart/terminal.ts'
import { readTextFiles } from './quickstart/text-files.ts'

const project = resolve(import.meta.dirname, '..')
const persistDir = join('storage', 'quickstart')
const indexId = 'quickstart'
/** Documents that the second process adds, and that no folder has. */
const notePrefix = 'note '

await runMain(async (signal) => {
  const [folder = project, question] = process.argv.slice(2)
  const documents = await bringUpToDate(resolve(folder), signal)
  await runSecondProcess(question ?? questionFor(folder, documents), signal)
})

async function bringUpToDate(folder: string, signal: AbortSignal): Promise<Document[]> {
  console.log(`Process ${process.pid} indexes ${folder} in ${persistDir}`)
  const documents = await step(
    'read',
    () => readTextFiles(folder),
    (read) => `${plural(read.length, 'text and Markdown file')}`,
  )
  const storage = await StorageContext.fromDefaults({ persistDir })
  try {
    const index = await step('open', () => openIndex(storage))
    const changes = await refresh(index, documents, signal)
    await step(
      'persist',
      () => storage.persist({ message: `${basename(folder)}: ${changes}`, actor: 'quickstart' }),
      (commit) => (commit ? `commit ${commit.number}` : 'nothing to write'),
    )
  } finally {
    await step('close', () => storage.close())
  }
  return documents
}

async function openIndex(storageContext: StorageContext): Promise<BaseIndex> {
  const options = {
    indexId,
    embedModel: hashedBagOfWords,
    nodeParser: new SentenceSplitter({ chunkSize: 256 }),
  }
  const isKnown = (await storageContext.indexStore.getIndexStruct(indexId)) !== undefined
  if (isKnown) return await loadIndexFromStorage(storageContext, options)
  return await VectorStoreIndex.init({ storageContext, ...options })
}

/** Makes the index hold what the folder holds. */
async function refresh(index: BaseIndex, documents: Document[], signal: AbortSignal): Promise<string> {
  const phases = new PhaseTimes()
  const changed = await index.refreshRefDocs(documents, {
    signal,
    onProgress: ({ phase }) => phases.note(phase),
  })
  const present = new Set(documents.map(({ id_ }) => id_))
  const known = [...(await index.refDocInfo()).keys()]
  const removed = known.filter((id) => !present.has(id) && !id.startsWith(notePrefix))
  for (const id of removed) await index.deleteRefDoc(id)
  phases.note('store')
  phases.print()
  return `${changed.filter(Boolean).length} new or changed, ${removed.length} removed`
}

/** It sees only what is on disk. */
async function runSecondProcess(question: string, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted()
  const script = fileURLToPath(new URL('./quickstart/second-process.ts', import.meta.url))
  const child = spawn(process.execPath, [...process.execArgv, script, persistDir, question], {
    stdio: 'inherit',
  })
  const [code] = (await once(child, 'exit')) as [number | null]
  process.exitCode = code ?? 1
}

/** Of an unknown folder, ask for something that is there. */
function questionFor(folder: string, documents: Document[]): string {
  if (relative(project, resolve(folder)) === '') return 'How is a second writer told who holds the lock?'
  const [first] = documents
    .map(({ text }) => text.replace(/[#*_=`-]+/g, ' '))
    .filter((text) => text.trim() !== '')
  return oneLine(first ?? folder, 60)
}

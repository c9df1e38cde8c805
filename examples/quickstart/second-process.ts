/** The second process of the quickstart: `second-process.ts DIRECTORY QUESTION`. It knows nothing but what is on disk. */
import { Document, loadIndexFromStorage, StorageContext } from 'varve'
import type { BaseIndex, NodeWithScore } from 'varve'
import { hashedBagOfWords } from '../hashed-bag-of-words.ts'
import { oneLine, plural, runMain, sizeOnDisk, step } from './terminal.ts'

await runMain(async (signal) => {
  const [persistDir, question] = process.argv.slice(2) as [string, string]
  console.log(`\nProcess ${process.pid} opens ${persistDir}`)
  const storage = await step('open', () => StorageContext.fromDefaults({ persistDir }))
  try {
    const index = await step(
      'load',
      () => loadIndexFromStorage(storage, { embedModel: hashedBagOfWords }),
      ({ indexId }) => `index '${indexId}'`,
    )
    const hits = await step(
      'query',
      () => index.asRetriever({ similarityTopK: 3 }).retrieve(question, { signal }),
      ({ length }) => `${plural(length, 'hit')}`,
    )
    await addNote(storage, index, signal)
    await printHits(question, hits)
    await printStorage(storage, index, persistDir)
  } finally {
    await storage.close()
  }
})

async function addNote(storage: StorageContext, index: BaseIndex, signal: AbortSignal): Promise<void> {
  const time = new Date().toISOString()
  const note = new Document({
    id_: `note ${time}`,
    text: `The quickstart ran at ${time}.`,
    metadata: { path: 'note' },
  })
  await step('insert', () => index.insert(note, { signal }), `document '${note.id_}'`)
  await step(
    'persist',
    () => storage.persist({ message: 'One note', actor: 'second process' }),
    (commit) => `commit ${commit!.number}`,
  )
}

async function printHits(question: string, hits: NodeWithScore[]): Promise<void> {
  console.log(`\nHits for "${question}"`)
  for (const { node, score } of hits) {
    console.log(`  ${score.toFixed(3)}  ${String(node.metadata['path'])}`)
    console.log(`         ${oneLine(lineAbout(question, node.text))}`)
  }
}

/** The line that has most of the question's longer words. */
function lineAbout(question: string, text: string): string {
  const words = question.toLowerCase().match(/\p{L}{4,}/gu) ?? []
  const count = (line: string) => words.filter((word) => line.toLowerCase().includes(word)).length
  return text.split('\n').reduce((best, line) => (count(line) > count(best) ? line : best))
}

async function printStorage(storage: StorageContext, index: BaseIndex, persistDir: string): Promise<void> {
  const documents = [...(await index.refDocInfo()).values()]
  const nodes = documents.reduce((sum, { nodeIds }) => sum + nodeIds.length, 0)
  console.log('\nCommits, the newest first')
  let shown = 0
  for await (const { number, time, actor, message } of storage.commits()) {
    if (++shown > 10) {
      console.log(`  … and ${number} before`)
      break
    }
    console.log(`  ${String(number).padStart(3)}  ${time.toISOString()}  ${actor}: ${message}`)
  }
  console.log(
    `\n${plural(nodes, 'node')} of ${plural(documents.length, 'document')}, ${await sizeOnDisk(persistDir)}`,
  )
}

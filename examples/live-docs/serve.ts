/** Answers questions from a directory that another process writes: `serve.ts DIRECTORY PORT`. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { loadIndexFromStorage, StorageContext, VarveError, type BaseIndex } from 'varve'
import { hashedBagOfWords as embedModel } from '../hashed-bag-of-words.ts'
import { runMain } from '../quickstart/terminal.ts'
import { untilAborted } from './until-aborted.ts'

const [persistDir, port] = process.argv.slice(2) as [string, string]

await runMain(async (signal) => {
  // region follow
  const storage = await StorageContext.fromDefaults({ persistDir, follow: true })
  storage.on('change', ({ commit }) => console.log(`serve: shows commit ${commit.number}`))
  let index: BaseIndex | undefined

  const answer = async (question: string) => {
    index ??= await loadIndexFromStorage(storage, { embedModel }) // Once: it answers from the newest commit by itself.
    return await index.asRetriever({ similarityTopK: 1 }).retrieve(question)
  }
  // endregion

  const server = createServer(({ url = '/' }, response) => {
    const question = new URL(url, 'http://localhost').searchParams.get('q') ?? ''
    const reply = (status: number, body: unknown): void => {
      response.writeHead(status, { 'content-type': 'application/json', connection: 'close' })
      response.end(`${JSON.stringify(body)}\n`)
    }
    answer(question).then(
      (hits) =>
        reply(
          200,
          hits.map(({ node, score }) => ({ path: node.metadata['path'], score, text: node.getContent() })),
        ),
      (error: unknown) => reply(error instanceof VarveError ? 503 : 500, { error: String(error) }),
    )
  })
  server.listen(Number(port), '127.0.0.1')
  await once(server, 'listening')
  console.log(`serve: http://127.0.0.1:${(server.address() as AddressInfo).port}/?q=…`)
  await untilAborted(signal)
  server.close()
  await storage.close()
  console.log('serve: stopped')
})

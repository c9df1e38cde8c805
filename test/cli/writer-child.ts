/** A process that writes to a directory as its parent tells it to, and answers what came of it. */
import { Document, StorageContext, VarveError } from '../../src/index.ts'

export type Request = 'change' | 'persist' | 'close'

const storage = await StorageContext.fromDefaults({ persistDir: process.argv[2]!, onWarning: () => {} })

process.on('message', (request: Request) => {
  const done =
    request === 'change'
      ? change()
      : request === 'persist'
        ? storage.persist({ message: 'by the child' })
        : storage.close()
  done.then(
    () => process.send!('done'),
    (error: unknown) => process.send!(error instanceof VarveError ? error.code : String(error)),
  )
})
process.send!('ready')

async function change(): Promise<void> {
  await storage.docstore.addDocuments([new Document({ id_: 'child', text: 'written by the child' })])
}

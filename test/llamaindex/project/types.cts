import { Document, ModalityType, storageContextFromDefaults as stock, VectorStoreIndex } from 'llamaindex'
import { storageContextFromDefaults } from 'varve/llamaindex'

export async function use(): Promise<number | undefined> {
  const storageContext = await storageContextFromDefaults({ persistDir: './storage' })
  const { docStore, indexStore, vectorStores } = storageContext
  vectorStores[ModalityType.IMAGE] = storageContext.addVectorStore('image')
  await VectorStoreIndex.fromDocuments([new Document({ text: 'a' })], { storageContext })
  await VectorStoreIndex.init({ storageContext: await stock({ docStore, indexStore, vectorStores }) })
  await storageContextFromDefaults(await stock({ persistDir: './stock' }))
  return (await storageContext.persist({ message: 'all' }))?.number
}

import {
  ChatMemoryBuffer,
  Document,
  ModalityType,
  storageContextFromDefaults as stock,
  VectorStoreIndex,
} from 'llamaindex'
import { storageContextFromDefaults, type DropInOptions, type DropInStorageContext } from 'varve/llamaindex'

const options: DropInOptions = { persistDir: './storage', readOnly: false }
const storageContext: DropInStorageContext = await storageContextFromDefaults(options)
const { docStore, indexStore, vectorStores } = storageContext
vectorStores[ModalityType.IMAGE] = storageContext.addVectorStore('image')
export const index: VectorStoreIndex = await VectorStoreIndex.fromDocuments([new Document({ text: 'a' })], {
  storageContext,
})
export const again = await VectorStoreIndex.init({
  storageContext: await stock({ docStore, indexStore, vectorStores }),
})
export const mixed = await storageContextFromDefaults(await stock({ persistDir: './stock' }))
export const number: number | undefined = (await storageContext.persist({ message: 'all' }))?.number
export const memory = new ChatMemoryBuffer({ chatStore: storageContext.chatStore, tokenLimit: 1_000 })
// @ts-expect-error no such option
await storageContextFromDefaults({ persistDirectory: './storage' })

// Vectors of two models in two namespaces of one directory, and hits narrowed down by metadata.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { loadIndexFromStorage, StorageContext, TextNode, VectorStoreIndex } from 'varve'
import type { MetadataFilters } from 'varve'
import { hashedBagOfWords } from './hashed-bag-of-words.ts'

const persistDir = await mkdtemp(join(tmpdir(), 'varve-example-'))
const storage = await StorageContext.fromDefaults({ persistDir })

const articles = [
  new TextNode({
    text: 'Rust and the borrow checker',
    metadata: { lang: 'en', year: 2021, tags: ['memory'] },
  }),
  new TextNode({
    text: 'Der Rust-Compiler und seine Fehler',
    metadata: { lang: 'de', year: 2023, tags: ['errors'] },
  }),
  new TextNode({
    text: 'Rust on iron bridges',
    metadata: { lang: 'en', year: 1998, tags: ['metal', 'memory'] },
  }),
]
await VectorStoreIndex.init({
  storageContext: storage,
  nodes: articles,
  indexId: 'words',
  embedModel: hashedBagOfWords,
})

// region namespace
const letters = {
  id: 'letter-counts',
  embed: async (texts: string[]) =>
    texts.map((text) => Float32Array.from('etaoin', (letter) => text.split(letter).length)),
}
storage.addVectorStore('letters')
await VectorStoreIndex.init({
  storageContext: storage,
  nodes: articles,
  indexId: 'letters',
  embedModel: letters,
  namespace: 'letters',
})
// endregion
await storage.persist()

// region filters
const filters: MetadataFilters = {
  condition: 'and',
  filters: [
    { key: 'lang', value: 'en' },
    {
      condition: 'or',
      filters: [
        { key: 'year', operator: '>=', value: 2020 },
        { key: 'tags', operator: 'contains', value: 'metal' },
      ],
    },
  ],
}
const words = await loadIndexFromStorage(storage, { indexId: 'words', embedModel: hashedBagOfWords })
const hits = await words.asRetriever({ similarityTopK: 5, filters }).retrieve('rust and memory')
// endregion

console.log(hits.map(({ node }) => node.getText()))
console.log([...storage.vectorStores.keys()])
const wrongModel = loadIndexFromStorage(storage, { indexId: 'letters', embedModel: hashedBagOfWords })
await wrongModel.catch((error: Error) => console.log(error.message))
await storage.close()
await rm(persistDir, { recursive: true })

/* Prints:
[ 'Rust and the borrow checker', 'Rust on iron bridges' ]
[ 'default', 'letters' ]
The vectors of index 'letters' were made by 'letter-counts' (6 dimensions), not by 'hashed-bag-of-words' (512 dimensions). Pass that model, or { acceptEmbedModel: true } to go on with this one from now on.
*/

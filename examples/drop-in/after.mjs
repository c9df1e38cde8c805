// A program that uses LlamaIndexTS: 1,000 documents, inserted one after another, are found again by the next run.
import { BaseEmbedding, Document, Settings, TextNode, VectorStoreIndex } from 'llamaindex'
import { storageContextFromDefaults } from 'varve/llamaindex'

/** Counts words, where a real program asks a model. */
class BagOfWords extends BaseEmbedding {
  async getTextEmbedding(text) {
    const vector = Array.from({ length: 64 }, () => 0)
    for (const word of text.toLowerCase().match(/\w+/g) ?? []) vector[hash(word) % 64] += 1
    return vector
  }
}
const hash = (word) => [...word].reduce((sum, letter) => (sum * 31 + letter.charCodeAt(0)) % 65_521, 7)

Settings.embedModel = new BagOfWords()
const storageContext = await storageContextFromDefaults({ persistDir: process.argv[2] ?? './storage' })
const [known] = await storageContext.indexStore.getIndexStructs()
const index = await VectorStoreIndex.init(
  known ? { storageContext } : { nodes: [new TextNode({ text: 'first' })], storageContext },
)

if (known) {
  const [hit] = await index.asRetriever({ similarityTopK: 1 }).retrieve('Which was first?')
  console.log(`Found ${Object.keys(known.nodesDict).length} nodes. ${hit.node.getContent('NONE')}`)
} else {
  const started = performance.now()
  for (let n = 0; n < 1_000; n++)
    await index.insert(new Document({ id_: `d${n}`, text: `This one is number ${n}.` }))
  process.once('exit', () =>
    console.log(`1,000 inserts, saved: ${Math.round(performance.now() - started)} ms`),
  )
}

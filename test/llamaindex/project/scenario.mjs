// One program over every index of LlamaIndexTS, with its own storage context or the drop-in. It makes the indices (`write`), exits without a word about saving, and another process
// looks (`read`). `stock` does what the stock stores can do, in their files, which `convert` looks at with ours. Prints what it sees, as JSON.
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

const [mode, directory] = process.argv.slice(2)

export async function run(llamaindex, dropIn) {
  const { Settings, storageContextFromDefaults: stock } = llamaindex
  Settings.embedModel = bagOfWords(llamaindex)
  Settings.llm = capitals
  const open = mode === 'stock' ? stock : dropIn
  const seen = {}
  for (const [name, step] of Object.entries(steps)) {
    if ((mode === 'stock' || mode === 'convert') && step.isNew) continue
    const storageContext = await open({ persistDir: join(directory, name) })
    if (mode === 'write' || mode === 'stock') await step.write(llamaindex, storageContext)
    seen[name] = await step.look(llamaindex, storageContext)
  }
  console.log(JSON.stringify(seen))
}

/** Words count; a model in the network answers later than the program goes on. */
function bagOfWords({ BaseEmbedding }) {
  class BagOfWords extends BaseEmbedding {
    async getTextEmbedding(text) {
      await sleep(1)
      const vector = Array.from({ length: 64 }, () => 0)
      for (const word of text.toLowerCase().match(/[a-z]+/g) ?? []) {
        let hash = 7
        for (const letter of word) hash = (hash * 31 + letter.charCodeAt(0)) % 65521
        vector[hash % 64] += 1
      }
      return vector
    }
  }
  return new BagOfWords()
}

/** A language model that finds keywords. */
const capitals = {
  complete: async ({ prompt }) => {
    await sleep(1)
    const names = ['Saturn', 'Mars', 'Titan', 'Europa'].filter((name) => prompt.includes(name))
    return { text: `KEYWORDS: ${names.join(', ')}` }
  },
}

const texts = ['Saturn is a planet with rings.', 'Mars is red and dusty.', 'Europa hides an ocean under ice.']
const documentsOf = ({ Document }) =>
  texts.map(
    (text, n) => new Document({ id_: `d${n}`, text, metadata: { n, kind: n < 2 ? 'planet' : 'moon' } }),
  )

const shown = (hits) =>
  hits.map(({ node, score }) => [node.getContent('NONE'), node.metadata, score.toFixed(4)])

async function lookAtVectors({ VectorStoreIndex, BaseNode }, storageContext, indexId) {
  const index = await VectorStoreIndex.init({ storageContext, indexId })
  const ask = async (question, options) => {
    const hits = await index.asRetriever({ similarityTopK: 3, ...options }).retrieve(question)
    for (const { node } of hits) assert(node instanceof BaseNode)
    return shown(hits)
  }
  const filter = (key, operator, value) => ({ filters: { filters: [{ key, operator, value }] } })
  return {
    rings: await ask('rings around a planet'),
    planets: await ask('rings', filter('kind', '==', 'planet')),
    late: await ask('rings', filter('n', '>', 1)),
    moons: await ask('rings', filter('kind', 'in', ['moon'])),
    documents: Object.keys(await storageContext.docStore.getAllRefDocInfo()).toSorted(),
  }
}

async function lookAtSummary({ SummaryIndex }, storageContext, indexId) {
  const index = await SummaryIndex.init({ storageContext, indexId })
  return shown(await index.asRetriever().retrieve('all'))
}

async function lookAtKeywords({ KeywordTableIndex }, storageContext, indexId) {
  const index = await KeywordTableIndex.init({ storageContext, indexId })
  const hits = await index.asRetriever({ mode: 'SIMPLE' }).retrieve('What of Saturn?')
  return [hits.map(({ node }) => node.getContent('NONE')), [...index.indexStruct.table.keys()]]
}

const steps = {
  vectors: {
    async write({ Document, VectorStoreIndex }, storageContext) {
      const documents = documentsOf({ Document })
      const index = await VectorStoreIndex.fromDocuments(documents, { storageContext })
      await index.insert(
        new Document({ id_: 'late', text: 'Titan is a moon of Saturn.', metadata: { n: 9 } }),
      )
      // Unchanged; then changed; then gone.
      await VectorStoreIndex.fromDocuments(documentsOf({ Document }), { storageContext })
      documents[0] = new Document({
        id_: 'd0',
        text: 'Saturn has rings of ice.',
        metadata: { n: 0, kind: 'planet' },
      })
      const again = await VectorStoreIndex.fromDocuments(documents, { storageContext })
      await again.deleteRefDoc('d1')
    },
    look: lookAtVectors,
  },
  summary: {
    async write(llamaindex, storageContext) {
      const index = await llamaindex.SummaryIndex.fromDocuments(documentsOf(llamaindex), { storageContext })
      await index.deleteRefDoc('d1', true)
    },
    look: lookAtSummary,
  },
  keywords: {
    // The stock index store cannot read a keyword table back.
    isNew: true,
    async write(llamaindex, storageContext) {
      await llamaindex.KeywordTableIndex.fromDocuments(documentsOf(llamaindex), { storageContext })
    },
    look: lookAtKeywords,
  },
  pipeline: {
    async write(llamaindex, { docStore, vectorStores }) {
      const { IngestionPipeline, SentenceSplitter, Settings } = llamaindex
      const transformations = [new SentenceSplitter({ chunkSize: 64, chunkOverlap: 0 }), Settings.embedModel]
      const pipeline = new IngestionPipeline({ transformations, docStore, vectorStore: vectorStores.TEXT })
      assert.equal((await pipeline.run({ documents: documentsOf(llamaindex) })).length, 3)
      assert.equal((await pipeline.run({ documents: documentsOf(llamaindex) })).length, 0)
    },
    async look({ Settings }, { docStore, vectorStores }) {
      const queryEmbedding = await Settings.embedModel.getTextEmbedding('an ocean of ice')
      const query = { queryEmbedding, similarityTopK: 2, mode: 'default' }
      const { similarities } = await vectorStores.TEXT.query(query)
      return [
        similarities.map((score) => score.toFixed(4)),
        Object.values(await docStore.getAllDocumentHashes()).toSorted(),
      ]
    },
  },
  chat: {
    async write({ ChatMemoryBuffer }, { chatStore }) {
      const memory = new ChatMemoryBuffer({
        llm: { metadata: { contextWindow: 4_000 } },
        tokenLimit: 100,
        chatStore,
        chatStoreKey: 'ann',
      })
      memory.put({ role: 'user', content: 'Hello.' })
      memory.put({ role: 'assistant', content: [{ type: 'text', text: 'Hi.' }] })
    },
    look: async (_, { chatStore }) => chatStore.getMessages('ann'),
    // The stock chat store is in memory, and no part of a context.
    isNew: true,
  },
  nodes: {
    // The stock document store cannot read images and index nodes, and loses fields of the others.
    isNew: true,
    async write(llamaindex, { docStore }) {
      await docStore.addDocuments(allNodes(llamaindex), true)
    },
    async look(llamaindex, { docStore }) {
      const nodes = allNodes(llamaindex)
      const back = await docStore.getNodes(nodes.map(({ id_ }) => id_))
      for (const [at, node] of nodes.entries()) {
        assert.equal(back[at].constructor, node.constructor)
        assert.deepEqual({ ...back[at].toJSON() }, { ...node.toJSON() })
      }
      return back.length
    },
  },
  allInOne: {
    // Beside a keyword table the stock index store can read nothing back.
    isNew: true,
    async write(llamaindex, storageContext) {
      const nodes = texts.map((text, n) => new llamaindex.TextNode({ id_: `n${n}`, text, metadata: { n } }))
      const ids = []
      for (const name of ['VectorStoreIndex', 'SummaryIndex', 'KeywordTableIndex'])
        ids.push((await llamaindex[name].init({ nodes, storageContext })).indexStruct.indexId)
      assert.equal(new Set(ids).size, 3)
    },
    async look(llamaindex, context) {
      // The real function takes our stores as well.
      const { docStore, indexStore, vectorStores } = context
      const storageContext = await llamaindex.storageContextFromDefaults({
        docStore,
        indexStore,
        vectorStores,
      })
      const structs = await indexStore.getIndexStructs()
      const idOf = (type) => structs.find((struct) => struct.type === type).indexId
      return [
        structs.map(({ type }) => type),
        await lookAtVectors(llamaindex, storageContext, idOf('simple_dict')),
        await lookAtSummary(llamaindex, storageContext, idOf('list')),
        await lookAtKeywords(llamaindex, storageContext, idOf('keyword_table')),
      ]
    },
  },
  commits: {
    isNew: true,
    async write({ Document, VectorStoreIndex }, storageContext) {
      const documents = Array.from(
        { length: 50 },
        (_, n) => new Document({ id_: `d${n}`, text: `text ${n}` }),
      )
      const index = await VectorStoreIndex.fromDocuments(documents, { storageContext })
      await becomes(storageContext, 1)
      await index.insert(new Document({ id_: 'late', text: 'one more' }))
      await becomes(storageContext, 2)
      await index.deleteRefDoc('d7')
      await becomes(storageContext, 3)
    },
    look: (_, storageContext) => numberOf(storageContext),
  },
}

/** An operation is one commit, soon after it ended. */
async function becomes(storageContext, number) {
  while ((await numberOf(storageContext)) < number) await sleep(5)
  await sleep(50)
  assert.equal(await numberOf(storageContext), number)
}

async function numberOf({ storage }) {
  for await (const { number } of storage.commits()) return number
  return 0
}

function allNodes({ TextNode, IndexNode, Document, ImageNode, ImageDocument }) {
  const relationships = {
    SOURCE: { nodeId: 's', metadata: { a: [1, 'b'] }, hash: 'h' },
    CHILD: [{ nodeId: 'c', metadata: {} }],
  }
  const common = {
    text: 'said',
    metadata: { deep: { n: 0.1, none: null } },
    relationships,
    excludedLlmMetadataKeys: ['deep'],
  }
  return [
    new TextNode({ id_: 'text', ...common, startCharIdx: 2, endCharIdx: 6, embedding: [0.1, 1 / 3] }),
    new IndexNode({ id_: 'index', ...common, indexId: 'other' }),
    new Document({ id_: 'document', ...common, metadataSeparator: '; ' }),
    new ImageNode({ id_: 'image', ...common, image: new URL('https://example.org/a.png') }),
    new ImageDocument({ id_: 'imageDocument', ...common, image: './a.png' }),
  ]
}

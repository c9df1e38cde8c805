// Writes and reads persist directories with the real llamaindex and @llamaindex/core.
//
//   write DIR [NAME...]  one directory for each kind of index, or for those named, below DIR
//   picture DIR OUT  what each directory below DIR holds, and what retrieving from it finds, as JSON
//   refresh DIR OUT  how many documents of DIR/vector fromDocuments embeds again, unchanged and with one changed
import { createHash } from 'node:crypto'
import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  BaseEmbedding,
  Document,
  SentenceSplitter,
  Settings,
  storageContextFromDefaults,
  SummaryIndex,
  TextNode,
  VectorStoreIndex,
} from 'llamaindex'

const metadata = {
  title: 'it\'s "quoted"',
  pages: 3,
  rating: 4.5,
  flag: true,
  tags: ['a', 1],
  10: 'ten',
  2: 'two',
}

function documents() {
  const texts = [
    'Varves are layers of sediment. Each one is laid down within a year. Geologists count them.',
    'Alice knows Bob. Bob likes tea and Käse.\nThey meet in 你好 😀.',
    'Trees grow rings. Rings can be counted, too; a dry year makes a narrow one.',
  ]
  return texts.map((text, at) => new Document({ text, id_: `doc-${at}`, metadata: { ...metadata, at } }))
}

let embedded = 0

class HashEmbedding extends BaseEmbedding {
  async getTextEmbedding(text) {
    embedded++
    const digest = createHash('sha256').update(text).digest()
    return Array.from({ length: 8 }, (_, at) => digest.readUInt16BE(at * 2) / 65536 - 0.5)
  }
}

Settings.embedModel = new HashEmbedding()
Settings.llm = {}
Settings.nodeParser = new SentenceSplitter({ chunkSize: 20, chunkOverlap: 0 })

const recipes = {
  vector: (storageContext) => VectorStoreIndex.fromDocuments(documents(), { storageContext }),
  list: (storageContext) => SummaryIndex.fromDocuments(documents(), { storageContext }),
  nodes: (storageContext) =>
    VectorStoreIndex.init({
      storageContext,
      nodes: documents().map(
        ({ id_, text }) =>
          new TextNode({
            id_: `node-${id_}`,
            text,
            metadata,
            excludedEmbedMetadataKeys: ['pages'],
            endCharIdx: 9,
            relationships: { SOURCE: { nodeId: id_, metadata: {} }, CHILD: [{ nodeId: 'x', metadata: {} }] },
          }),
      ),
    }),
  async changed(storageContext) {
    const index = await VectorStoreIndex.fromDocuments(documents(), { storageContext })
    await index.insert(new Document({ text: 'Something new.', id_: 'doc-9' }))
    await index.deleteRefDoc('doc-9')
  },
}

async function write(root, ...names) {
  for (const [name, recipe] of Object.entries(recipes).filter(([each]) => !names[0] || names.includes(each)))
    await recipe(await storageContextFromDefaults({ persistDir: join(root, name) }))
}

async function pictureOf(persistDir) {
  const storageContext = await storageContextFromDefaults({ persistDir })
  const { docStore, indexStore, vectorStores } = storageContext
  const structs = await indexStore.getIndexStructs()
  const retrieved = {}
  for (const struct of structs) {
    const Index = struct.type === 'list' ? SummaryIndex : VectorStoreIndex
    const index = await Index.init({ storageContext, indexId: struct.indexId })
    for (const query of ['Who knows Bob?', 'Varves are counted']) {
      const hits = await index.asRetriever({ similarityTopK: 2 }).retrieve({ query })
      retrieved[`${struct.indexId}: ${query}`] = hits.map(({ node, score }) => [node.id_, score, node.text])
    }
  }
  const docs = await docStore.docs()
  return {
    docs: Object.fromEntries(Object.entries(docs).map(([id, node]) => [id, node.toJSON()])),
    hashes: await docStore.getAllDocumentHashes(),
    refDocs: (await docStore.getAllRefDocInfo()) ?? null,
    structs: structs.map((struct) => struct.toJson()),
    vectors: vectorStores.TEXT.data,
    retrieved,
  }
}

async function picture(root, out) {
  const pictures = {}
  for (const name of readdirSync(root).sort()) pictures[name] = await pictureOf(join(root, name))
  writeFileSync(out, JSON.stringify(pictures))
}

async function refresh(root, out) {
  const storageContext = await storageContextFromDefaults({ persistDir: join(root, 'vector') })
  const count = async (docs) => {
    embedded = 0
    await VectorStoreIndex.fromDocuments(docs, { storageContext })
    return embedded
  }
  const unchanged = await count(documents())
  const changed = documents()
  changed[1] = new Document({ text: 'Changed.', id_: 'doc-1' })
  writeFileSync(out, JSON.stringify({ unchanged, 'one changed': await count(changed) }))
}

const [verb, ...args] = process.argv.slice(2)
await { write, picture, refresh }[verb](...args)

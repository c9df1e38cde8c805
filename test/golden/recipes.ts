/** The golden directories: how each is made. Together they have every feature of the format. */
import {
  Document,
  ImageNode,
  IndexNode,
  NodeRelationship,
  TextNode,
  type BaseNode,
  type StorageContext,
} from '../../src/index.ts'
import { append, cut, framesOf, segmentPath } from '../support/damage.ts'
import { directory, type Stage } from './stage.ts'

export interface Recipe {
  name: string
  /** The commits that the last flush brought, and no mark speaks of. */
  unmarked?: number
  make: (stage: Stage) => Promise<void>
}

export const recipes: readonly Recipe[] = [
  {
    name: 'documents',
    make: (stage) => makeOnce(stage, fillDocuments),
  },
  {
    name: 'namespaces',
    make: (stage) => makeOnce(stage, fillVectors),
  },
  {
    name: 'structs',
    make: (stage) => makeOnce(stage, fillStructs),
  },
  {
    name: 'graphs',
    make: (stage) => makeOnce(stage, fillGraphs),
  },
  {
    name: 'sessions',
    async make(stage) {
      let storage = await stage.open()
      await storage.docstore.addDocuments([node('a', 'doc'), node('b', 'doc')])
      await storage.persist()
      await stage.remember()
      await storage.docstore.addDocuments([node('c', 'doc'), node('a', 'doc', 'the second version of a')])
      await storage.persist({ message: 'a changes' })
      await storage.close()
      await stage.remember()

      storage = await stage.open()
      await storage.docstore.deleteDocument('b')
      await storage.indexStore.addIndexStruct({ indexId: 'i', type: 'list', nodes: ['a', 'c'] })
      await storage.rollback()
      await storage.docstore.deleteDocument('b')
      await storage.docstore.setDocumentHash('c', 'another hash')
      await storage.persist({ message: 'b is deleted' })
      await stage.remember()
      await storage.close()
      await stage.remember()

      storage = await stage.open()
      await storage.docstore.addDocuments([node('d', 'other')])
      await storage.persist()
      await stage.remember()
      await storage.close()
      await stage.remember()
    },
  },
  {
    name: 'sealed',
    async make(stage) {
      let storage = await stage.open()
      await storage.docstore.addDocuments([node('a', 'doc')])
      await storage.persist()
      await stage.remember()
      await storage.vectorStore.add([withVector('a', [1, 0])])
      await storage.persist()
      await stage.remember()
      await storage.docstore.addDocuments([node('lost', 'doc')])
      await storage.persist()
      stage.crash()
      tearLastCommit(stage)

      storage = await stage.open()
      await storage.docstore.addDocuments([node('b', 'doc')])
      await storage.persist({ message: 'after a crash' })
      await stage.remember()
      stage.crash()

      storage = await stage.open()
      await storage.docstore.deleteDocument('a')
      await storage.vectorStore.add([withVector('b', [0, 1])])
      await storage.persist({ message: 'after another' })
      await stage.remember()
      await storage.close()
      await stage.remember()
    },
  },
  {
    name: 'killed',
    unmarked: 2,
    async make(stage) {
      const storage = await stage.open()
      await storage.docstore.addDocuments([node('a', 'doc')])
      await storage.persist()
      await stage.remember()
      await storage.docstore.addDocuments([node('b', 'doc')])
      await storage.persist()
      await stage.remember()
      await storage.docstore.addDocuments([node('c', 'doc')])
      await storage.indexStore.addIndexStruct({ indexId: 'i', type: 'list', nodes: ['a'] })
      await stage.rememberState(storage, 3)
      await storage.transaction({ message: 'both in one flush' }, async () => {
        await storage.docstore.addDocuments([node('d', 'doc')])
        await storage.vectorStore.add([withVector('d', [1, 2, 3])])
      })
      stage.crash()
      await stage.remember()
    },
  },
  {
    name: 'flushed',
    async make(stage) {
      const storage = await stage.open({ durability: 'buffered' })
      await storage.docstore.addDocuments([node('a', 'doc')])
      await storage.persist()
      await stage.remember()
      await storage.graphStore.upsertTriplet('a', 'knows', 'b')
      await storage.persist()
      await stage.remember()
      await storage.flush()
      stage.crash()
      await stage.remember()
    },
  },
  {
    name: 'abandoned',
    async make(stage) {
      const storage = await stage.openWithLimits({ spillBytes: 300 })
      await storage.docstore.addDocuments([node('a', 'doc')])
      await storage.persist()
      await storage.graphStore.upsertTriplet('a', 'knows', 'b')
      await storage.persist()
      await stage.remember()
      await storage.docstore.addDocuments([node('never', 'doc', longText)])
      await storage.docstore.addDocuments([node('committed', 'doc', longText)])
      stage.crash()
      await stage.remember()
    },
  },
  {
    name: 'spilled',
    async make(stage) {
      const limits = { spillBytes: 250, segmentBytes: 600, splitBytes: 300, snapshotRowsBytes: 300 }
      let storage = await stage.openWithLimits(limits)
      await storage.docstore.addDocuments([node('a', 'doc')])
      await storage.persist()
      await stage.remember()
      const failing = storage.transaction({}, async () => {
        for (const id of ['x', 'y']) await storage.docstore.addDocuments([node(id, 'doc', longText)])
        throw new Error('changed my mind')
      })
      await failing.catch(() => {})
      await storage.transaction({ message: 'large' }, async () => {
        for (const id of ['b', 'c', 'd']) await storage.docstore.addDocuments([node(id, 'doc', longText)])
        await storage.vectorStore.add([withVector('b', [1, 2]), withVector('c', [3, 4])])
      })
      await stage.remember()
      await storage.docstore.addDocuments([node('e', 'doc'), node('f', 'doc')])
      await storage.persist()
      await stage.remember()
      await storage.close()
      await stage.remember()

      storage = await stage.openWithLimits(limits)
      await storage.docstore.addDocuments([node('g', 'doc')])
      await storage.persist()
      await storage.close()
      await stage.remember()
    },
  },
  {
    name: 'converted',
    async make(stage) {
      for (const [name, content] of Object.entries(llamaIndexFiles))
        stage.disk.put(`${directory}/${name}`, Buffer.from(JSON.stringify(content)))
      const storage = await stage.open()
      await storage.docstore.addDocuments([node('own', 'doc')])
      await storage.persist({ message: 'after the import' })
      await stage.remember()
      await storage.close()
      await stage.remember()
    },
  },
  {
    name: 'chats',
    make: (stage) => makeOnce(stage, fillChats),
  },
  {
    name: 'erased',
    async make(stage) {
      const storage = await fillToErase(stage)
      await storage.history.erase({ refDocIds: ['gone'], reason: 'asked for', actor: 'golden' })
      await stage.remember()
      await storage.docstore.addDocuments([node('c', 'kept')])
      await storage.persist()
      await stage.remember()
      await storage.close()
      await stage.remember()
    },
  },
  {
    name: 'erasing',
    async make(stage) {
      const storage = await fillToErase(stage)
      stage.disk.onOperation = ({ kind, path, offset = 0 }) => {
        const isOverwriting =
          kind === 'write' && path.includes('store/') && offset < stage.disk.peek(path).length
        if (isOverwriting) throw Object.assign(new Error('the power goes'), { code: 'EIO' })
      }
      const erasing = storage.history.erase({ refDocIds: ['gone'], reason: 'asked for' })
      if (await erasing.then(Boolean, () => false)) throw new Error('The erase came to its end.')
      stage.crash()
      await stage.remember()
    },
  },
  {
    name: 'paged',
    async make(stage) {
      await makeOnce(stage, ({ docstore }) => docstore.addDocuments([node('a', 'doc'), node('b', 'doc')]))
      const storage = await stage.open()
      await storage.docstore.addDocuments([node('a', 'doc', 'changed')])
      await storage.persist({ message: 'behind a snapshot' })
      await stage.remember()
      await storage.close()
      await stage.remember()
    },
  },
]

const longText = 'All work and no play makes a dull node. '.repeat(3)

async function makeOnce(stage: Stage, fill: (storage: StorageContext) => Promise<void>): Promise<void> {
  const storage = await stage.open()
  await fill(storage)
  const metadata = { tries: 1, big: 2n ** 60n, ratio: 0.5, nested: { list: [null, true, 'é'] } }
  await storage.persist({ message: 'everything at once', actor: 'golden', metadata })
  await stage.remember()
  await storage.close()
  await stage.remember()
}

function node(id: string, refDocId: string, text = `the text of ${id}`): TextNode {
  const relationships = { [NodeRelationship.SOURCE]: { nodeId: refDocId, metadata: {} } }
  return new TextNode({ id_: id, text, metadata: { page: id.length, file: `${refDocId}.md` }, relationships })
}

function withVector(id: string, embedding: number[]): BaseNode {
  return new TextNode({ id_: id, text: id, metadata: { of: id }, embedding })
}

async function fillDocuments({ docstore }: StorageContext): Promise<void> {
  const metadata = { ключ: 'значение', big: 2n ** 63n - 1n, minus: -0, list: [1, 1.5, null, { deep: '' }] }
  await docstore.addDocuments([
    new Document({ id_: 'doc', text: 'A whole document.', metadata }),
    node('a', 'doc'),
    node('__proto__', 'doc', 'hostile'),
    new ImageNode({ id_: 'image', image: 'aGVsbG8=', imageMimetype: 'image/png' }),
    new IndexNode({ id_: 'index', indexId: 'list', text: 'leads to an index' }),
  ])
  await docstore.setDocumentHash('doc', 'a hash of its own')
}

async function fillVectors(storage: StorageContext): Promise<void> {
  await storage.vectorStore.add([withVector('a', [1, 0, 0.5]), withVector('b', [0, -1, 0.25])])
  await storage.addVectorStore('images').add([withVector('image', [0.1, 0.2])])
  await storage.addVectorStore('Ü/../odd').add([withVector('o', [3])])
}

async function fillStructs({ indexStore }: StorageContext): Promise<void> {
  await indexStore.addIndexStruct({
    indexId: 'vectors',
    type: 'vector_store',
    summary: 'a map',
    nodesDict: new Map([
      ['a', 'a'],
      ['b', 'b'],
    ]),
    docIdDict: new Map(),
    embeddingsDict: new Map(),
  })
  await indexStore.addIndexStruct({
    indexId: 'keywords',
    type: 'keyword_table',
    table: new Map([['varve', new Set(['a', 'b'])]]),
  })
  await indexStore.addIndexStruct({ indexId: 'list', type: 'list', nodes: ['a', 'b', 'a'] })
  await indexStore.addIndexStruct({ indexId: 'unknown', type: 'of tomorrow', answer: { to: [42, 1.5] } })
  await indexStore.changeIndexStruct!('keywords', [
    { op: 'remove', field: 'table', key: 'varve', member: 'b' },
    { op: 'add', field: 'table', key: 'lake', member: 'b' },
  ])
  await indexStore.changeIndexStruct!('list', [{ op: 'withdraw', field: 'nodes', member: 'b' }])
}

async function fillGraphs({ graphStore, propertyGraphStore }: StorageContext): Promise<void> {
  await graphStore.upsertTriplet('varve', 'is', 'sediment')
  await graphStore.upsertTriplet('varve', 'shows', 'a year')
  await graphStore.upsertTriplet('lake', 'holds', 'varve')
  await graphStore.delete('varve', 'shows', 'a year')
  await propertyGraphStore.upsertNodes([
    { label: 'entity', name: 'varve', properties: { thickness: 1.5 } },
    { label: 'text_chunk', id_: 'a', text: 'the text of a', properties: {} },
  ])
  await propertyGraphStore.upsertRelations([
    { label: 'LIES_IN', source_id: 'varve', target_id: 'lake', properties: { since: -10_000 } },
  ])
}

async function fillChats({ chatStore }: StorageContext): Promise<void> {
  await chatStore.setMessages('someone', [
    { role: 'user', content: 'How old is the lake?' },
    { role: 'assistant', content: 'Count its varves.', additional_kwargs: { tokens: 4 } },
    { role: 'user', content: 'Twelve thousand.' },
  ])
  await chatStore.addMessage('someone', { role: 'system', content: 'Answer in one sentence.' }, 0)
  await chatStore.deleteLastMessage('someone')
  await chatStore.setMessages('nobody', [])
  await chatStore.addMessage('gone', { role: 'user', content: 'Forget this.' })
  await chatStore.deleteMessages('gone')
}

/** Two versions of two documents, in three stores; one of them names the other. */
async function fillToErase(stage: Stage): Promise<StorageContext> {
  const storage = await stage.open()
  const neighbour = node('b', 'kept')
  neighbour.relationships.NEXT = { nodeId: 'a', metadata: {} }
  await storage.docstore.addDocuments([node('a', 'gone'), neighbour])
  await storage.vectorStore.add([withVector('a', [1, 0, 0.5]), withVector('b', [0, -1, 0.25])])
  await storage.indexStore.addIndexStruct({ indexId: 'list', type: 'list', nodes: ['a', 'b'] })
  await storage.persist()
  await stage.remember()
  await storage.docstore.addDocuments([node('a', 'gone', 'another text')])
  await storage.persist()
  await stage.remember()
  return storage
}

/** As a power cut may leave it: the last commit's frame arrived in part. */
function tearLastCommit(stage: Stage): void {
  const path = segmentPath(directory, 'commits')
  const last = framesOf(stage.disk.peek(path)).at(-1)!
  cut(stage.disk, path, last.offset + 100)
  append(stage.disk, path, new Uint8Array(20))
}

const llamaIndexFiles = {
  'docstore.json': {
    'docstore/data': {
      n1: {
        __type__: '1',
        __data__: { id_: 'n1', text: 'from Python', metadata: { page: 1 }, class_name: 'TextNode' },
      },
    },
    'docstore/metadata': { n1: { doc_hash: 'a hash', ref_doc_id: 'doc' } },
    'docstore/ref_doc_info': { doc: { node_ids: ['n1'], metadata: { page: 1 } } },
  },
  'index_store.json': {
    'index_store/data': {
      index: {
        __type__: 'vector_store',
        __data__: JSON.stringify({ index_id: 'index', summary: null, nodes_dict: { n1: 'n1' } }),
      },
    },
  },
  'default__vector_store.json': {
    embedding_dict: { n1: [0.5, 0.25] },
    text_id_to_ref_doc_id: { n1: 'doc' },
    metadata_dict: { n1: { page: 1 } },
  },
  'graph_store.json': { graph_dict: { varve: [['is', 'sediment']] } },
}

/** Whatever is done to a storage, and however often it is persisted, rolled back and opened again, its stores hold what plain maps would hold. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { StorageContext } from '../src/context/storage-context.ts'
import { MemoryDisk } from '../src/disk/memory-disk.ts'
import type { Triplet } from '../src/stores/contract.ts'
import type { JournalGraphStore } from '../src/stores/graph-store.ts'
import { TextNode } from '../src/stores/node.ts'
import type { JournalVectorStore } from '../src/stores/vector-store.ts'

interface Chunk {
  id: string
  text: string
  source: string | undefined
  metadata: Record<string, number>
}

interface Row {
  id: string
  vector: [number, number]
  source: string | undefined
}

type Change =
  | { do: 'add'; chunks: Chunk[]; storeText: boolean }
  | { do: 'delete'; id: string }
  | { do: 'deleteRefDoc'; id: string }
  | { do: 'hash'; id: string; hash: string }
  | { do: 'addVectors'; rows: Row[] }
  | { do: 'deleteVectors'; ids: string[] }
  | { do: 'deleteVectorsOf'; source: string }
  | { do: 'clearVectors' }
  | { do: 'list'; id: string; nodes: string[] }
  | { do: 'table'; id: string; table: Record<string, string[]> }
  | { do: 'deleteStruct'; id: string }
  | { do: 'upsert'; triplet: Triplet }
  | { do: 'deleteTriplet'; triplet: Triplet }
  | { do: 'setMessages'; key: string; texts: string[] }
  | { do: 'addMessage'; key: string; text: string; at: number | undefined }
  | { do: 'deleteMessage'; key: string; at: number }
  | { do: 'deleteMessages'; key: string }

type Step =
  | Change
  | { do: 'persist' | 'rollback' | 'query' }
  | { do: 'reopen'; keepSnapshots: boolean }
  | { do: 'copy' }
  | { do: 'transaction'; changes: Change[]; fails: boolean }

// Few of each, so that they meet.
const id = fc.constantFrom('a', 'b', 'c', 'd', 'one', 'two')
const source = fc.option(fc.constantFrom('one', 'two', 'three', 'a'), { nil: undefined, freq: 3 })
const chunk = fc.record({
  id,
  source,
  text: fc.constantFrom('x', 'y'),
  metadata: fc.dictionary(fc.constantFrom('k', 'l', '1'), fc.integer({ min: 0, max: 2 }), { maxKeys: 2 }),
})
const number = fc.integer({ min: -1, max: 2 })
const row = fc.record({ id, source, vector: fc.tuple(number, number) })
const word = fc.constantFrom('p', 'q', 'r')
const place = fc.integer({ min: -4, max: 4 })
const triplet = fc.tuple(word, word, word)
const lists = (of: fc.Arbitrary<string>) => fc.array(of, { maxLength: 4 })

const change: fc.Arbitrary<Change> = fc.oneof(
  fc.record({
    do: fc.constant('add' as const),
    chunks: fc.array(chunk, { minLength: 1, maxLength: 4 }),
    storeText: fc.boolean(),
  }),
  fc.record({ do: fc.constant('delete' as const), id }),
  fc.record({ do: fc.constant('deleteRefDoc' as const), id: fc.constantFrom('one', 'two', 'three', 'a') }),
  fc.record({ do: fc.constant('hash' as const), id, hash: word }),
  fc.record({ do: fc.constant('addVectors' as const), rows: fc.array(row, { minLength: 1, maxLength: 4 }) }),
  fc.record({ do: fc.constant('deleteVectors' as const), ids: lists(id) }),
  fc.record({ do: fc.constant('deleteVectorsOf' as const), source: fc.constantFrom('one', 'two', 'a') }),
  fc.constant({ do: 'clearVectors' } as const),
  fc.record({ do: fc.constant('list' as const), id: word, nodes: lists(id) }),
  fc.record({
    do: fc.constant('table' as const),
    id: word,
    table: fc.dictionary(word, fc.uniqueArray(id, { minLength: 1, maxLength: 3 })),
  }),
  fc.record({ do: fc.constant('deleteStruct' as const), id: word }),
  fc.record({ do: fc.constant('upsert' as const), triplet }),
  fc.record({ do: fc.constant('deleteTriplet' as const), triplet }),
  fc.record({ do: fc.constant('setMessages' as const), key: word, texts: lists(word) }),
  fc.record({
    do: fc.constant('addMessage' as const),
    key: word,
    text: word,
    at: fc.option(place, { nil: undefined }),
  }),
  fc.record({ do: fc.constant('deleteMessage' as const), key: word, at: place }),
  fc.record({ do: fc.constant('deleteMessages' as const), key: word }),
)
const step: fc.Arbitrary<Step> = fc.oneof(
  { arbitrary: change, weight: 12 },
  {
    arbitrary: fc.record({ do: fc.constantFrom('persist' as const, 'rollback' as const, 'query' as const) }),
    weight: 4,
  },
  { arbitrary: fc.record({ do: fc.constant('reopen' as const), keepSnapshots: fc.boolean() }), weight: 2 },
  { arbitrary: fc.constant({ do: 'copy' } as const), weight: 1 },
  {
    arbitrary: fc.record({
      do: fc.constant('transaction' as const),
      changes: fc.array(change, { maxLength: 5 }),
      fails: fc.boolean(),
    }),
    weight: 2,
  },
)

function nodeOf({ id: id_, text, source: nodeId, metadata }: Chunk): TextNode {
  return new TextNode({
    id_,
    text,
    metadata,
    relationships: nodeId === undefined ? {} : { SOURCE: { nodeId, metadata: {} } },
  })
}

/** LlamaIndex's rules in plain maps. */
class Model {
  nodes = new Map<string, Chunk>()
  records = new Map<string, { hash: string; source: string | undefined }>()
  refDocs = new Map<string, { nodeIds: string[]; metadata: Record<string, number> }>()
  vectors = new Map<string, Row>()
  structs = new Map<string, Extract<Change, { do: 'list' | 'table' }>>()
  graph = new Map<string, Map<string, Triplet>>()
  chats = new Map<string, string[]>()

  apply(made: Change): void {
    switch (made.do) {
      case 'add':
        for (const each of made.chunks) this.#add(each, made.storeText)
        break
      case 'delete':
        this.#delete(made.id)
        break
      case 'deleteRefDoc': {
        const nodeIds = this.refDocs.get(made.id)?.nodeIds ?? []
        this.#forget(made.id)
        for (const each of nodeIds) this.#delete(each)
        break
      }
      case 'hash':
        this.records.set(made.id, { source: this.records.get(made.id)?.source, hash: made.hash })
        break
      case 'addVectors':
        for (const each of made.rows) this.vectors.set(each.id, each)
        break
      case 'deleteVectors':
        for (const each of made.ids) this.vectors.delete(each)
        break
      case 'deleteVectorsOf':
        for (const [each, { source: from }] of this.vectors)
          if (from === made.source) this.vectors.delete(each)
        break
      case 'clearVectors':
        this.vectors.clear()
        break
      case 'list':
      case 'table':
        // Of another type it is another struct, and comes last.
        if (this.structs.get(made.id)?.do !== made.do) this.structs.delete(made.id)
        this.structs.set(made.id, made)
        break
      case 'deleteStruct':
        this.structs.delete(made.id)
        break
      case 'upsert': {
        const pairs = this.graph.get(made.triplet[0]) ?? new Map<string, Triplet>()
        this.graph.set(made.triplet[0], pairs)
        if (!pairs.has(made.triplet.join())) pairs.set(made.triplet.join(), made.triplet)
        break
      }
      case 'deleteTriplet': {
        const pairs = this.graph.get(made.triplet[0])
        pairs?.delete(made.triplet.join())
        if (pairs?.size === 0) this.graph.delete(made.triplet[0])
        break
      }
      case 'setMessages':
        this.chats.set(made.key, [...made.texts])
        break
      case 'addMessage': {
        const chat = this.chats.get(made.key) ?? []
        this.chats.set(made.key, chat)
        chat.splice(made.at ?? chat.length, 0, made.text)
        break
      }
      case 'deleteMessage': {
        const chat = this.chats.get(made.key)
        if (chat?.at(made.at) !== undefined) chat.splice(made.at, 1)
        break
      }
      case 'deleteMessages':
        this.chats.delete(made.key)
        break
    }
  }

  hits(query: [number, number]): [string, number][] {
    const length = ([x, y]: [number, number]) => Math.sqrt(x * x + y * y)
    const scored = [...this.vectors.values()].map(({ id: each, vector }): [string, number] => {
      const scale = length(query) * length(vector)
      return [each, scale === 0 ? 0 : (query[0] * vector[0] + query[1] * vector[1]) / scale]
    })
    return scored.sort(([, a], [, b]) => b - a)
  }

  #add(each: Chunk, storeText: boolean): void {
    const before = this.records.get(each.id)?.source
    if (before !== undefined && before !== each.source) this.#detach(each.id, before)
    if (storeText) this.nodes.set(each.id, each)
    this.records.set(each.id, { hash: nodeOf(each).hash, source: each.source })
    if (each.source === undefined) return
    const refDoc = this.refDocs.get(each.source) ?? { nodeIds: [], metadata: {} }
    this.refDocs.set(each.source, {
      nodeIds: [...new Set([...refDoc.nodeIds, each.id])],
      metadata: { ...refDoc.metadata, ...each.metadata },
    })
  }

  #delete(each: string): void {
    const from = this.records.get(each)?.source
    this.nodes.delete(each)
    this.records.delete(each)
    if (from !== undefined) this.#detach(each, from)
  }

  #detach(each: string, from: string): void {
    const refDoc = this.refDocs.get(from)
    if (!refDoc?.nodeIds.includes(each)) return
    const nodeIds = refDoc.nodeIds.filter((other) => other !== each)
    if (nodeIds.length === 0) this.#forget(from)
    else this.refDocs.set(from, { ...refDoc, nodeIds })
  }

  #forget(refDoc: string): void {
    this.refDocs.delete(refDoc)
    this.records.delete(refDoc)
    this.nodes.delete(refDoc)
  }
}

const vectorsOf = (storage: StorageContext) => storage.vectorStore as JournalVectorStore

async function perform(storage: StorageContext, made: Change): Promise<void> {
  const { docstore, indexStore, graphStore, chatStore } = storage
  switch (made.do) {
    case 'add':
      return docstore.addDocuments(made.chunks.map(nodeOf), { storeText: made.storeText })
    case 'delete':
      return docstore.deleteDocument(made.id, { raiseError: false })
    case 'deleteRefDoc':
      return docstore.deleteRefDoc(made.id, { raiseError: false })
    case 'hash':
      return docstore.setDocumentHash(made.id, made.hash)
    case 'addVectors':
      return void (await storage.vectorStore.add(
        made.rows.map((each) =>
          Object.assign(nodeOf({ ...each, text: '', metadata: {} }), { embedding: each.vector }),
        ),
      ))
    case 'deleteVectors':
      return vectorsOf(storage).deleteNodes({ nodeIds: made.ids })
    case 'deleteVectorsOf':
      return storage.vectorStore.delete(made.source)
    case 'clearVectors':
      return vectorsOf(storage).clear()
    case 'list':
      return indexStore.addIndexStruct({ indexId: made.id, type: 'list', nodes: made.nodes })
    case 'table':
      return indexStore.addIndexStruct({ indexId: made.id, type: 'keyword_table', table: made.table })
    case 'deleteStruct':
      return indexStore.deleteIndexStruct(made.id)
    case 'upsert':
      return graphStore.upsertTriplet(...made.triplet)
    case 'deleteTriplet':
      return graphStore.delete(...made.triplet)
    case 'setMessages':
      return chatStore.setMessages(made.key, made.texts.map(messageOf))
    case 'addMessage':
      return chatStore.addMessage(made.key, messageOf(made.text), made.at)
    case 'deleteMessage':
      return void (await chatStore.deleteMessage(made.key, made.at))
    case 'deleteMessages':
      return void (await chatStore.deleteMessages(made.key))
  }
}

const messageOf = (text: string) => ({ role: 'user', content: text })

async function expectEqual(storage: StorageContext, model: Model): Promise<void> {
  const { docstore, indexStore } = storage
  const ids: string[] = []
  for await (const each of docstore.ids()) ids.push(each)
  expect(ids).toEqual([...model.nodes.keys()])
  expect(await docstore.getNodes(ids)).toEqual([...model.nodes.values()].map(nodeOf))
  expect([...(await docstore.getAllRefDocInfo())]).toEqual([...model.refDocs])
  const hashes = new Map<string, string>()
  for (const [each, { hash }] of model.records) hashes.set(hash, each)
  expect([...(await docstore.getAllDocumentHashes())]).toEqual([...hashes])
  const rows = [...model.vectors.values()]
  expect(await vectorsOf(storage).ids()).toEqual(rows.map((each) => each.id))
  for (const { id: each, vector } of rows)
    expect(await vectorsOf(storage).get(each)).toEqual(new Float32Array(vector))
  const structs = (await indexStore.indexStructs()).map(({ indexId, nodes, table }) => ({
    indexId,
    nodes,
    table,
  }))
  expect(structs).toEqual(
    [...model.structs.values()].map((made) => ({
      indexId: made.id,
      nodes: made.do === 'list' ? made.nodes : undefined,
      table:
        made.do === 'table'
          ? new Map(Object.entries(made.table).map(([key, nodes]) => [key, new Set(nodes)]))
          : undefined,
    })),
  )
  for (const made of model.structs.values()) {
    const view = (await indexStore.viewIndexStruct!(made.id))!
    for (const each of ids) {
      if (made.do === 'list') {
        const times = made.nodes.filter((member) => member === each).length
        expect([...view.keysHolding!('nodes', each)]).toHaveLength(times)
        continue
      }
      const keys = Object.keys(made.table).filter((key) => made.table[key]!.includes(each))
      expect([...view.keysHolding!('table', each)].sort()).toEqual(keys.sort())
    }
  }
  const triplets = [...model.graph.values()].flatMap((pairs) => [...pairs.values()])
  expect(await (storage.graphStore as JournalGraphStore).triplets()).toEqual(triplets)
  expect(await storage.chatStore.getKeys()).toEqual([...model.chats.keys()])
  for (const [key, texts] of model.chats)
    expect(await storage.chatStore.getMessages(key)).toEqual(texts.map(messageOf))
}

async function expectHits(storage: StorageContext, model: Model): Promise<void> {
  const query: [number, number] = [1, 2]
  const { ids, similarities } = await storage.vectorStore.query({ queryEmbedding: query, similarityTopK: 99 })
  const hits = model.hits(query)
  expect(ids).toEqual(hits.map(([each]) => each))
  for (const [index, [, score]] of hits.entries()) expect(similarities[index]).toBeCloseTo(score, 10)
}

async function expectFailure(done: Promise<unknown>): Promise<void> {
  await expect(done).rejects.toThrow('fails')
}

function expectCode(error: unknown, code: string): void {
  expect(error).toMatchObject({ code })
}

/** A storage on a disk, its model now, and as it was last persisted. */
class Run {
  #disk = new MemoryDisk()
  #model = new Model()
  #saved = new Model()
  #copies = 0
  storage!: StorageContext

  async open(): Promise<void> {
    this.storage = await StorageContext.fromDefaults({
      disk: this.#disk,
      persistDir: '/s',
      onWarning: () => {},
    })
  }

  async take(made: Step): Promise<void> {
    const { storage } = this
    switch (made.do) {
      case 'persist':
        await storage.persist()
        this.#saved = structuredCopy(this.#model)
        break
      case 'rollback':
        await storage.rollback()
        this.#model = structuredCopy(this.#saved)
        break
      case 'query':
        await expectHits(storage, this.#model)
        break
      case 'reopen':
        await storage.close()
        if (!made.keepSnapshots) await this.#dropSnapshots()
        this.#model = structuredCopy(this.#saved)
        await this.open()
        await expectHits(this.storage, this.#model)
        break
      case 'copy':
        await this.#copy()
        break
      case 'transaction':
        await this.#transaction(made.changes, made.fails)
        break
      default:
        await perform(storage, made)
        this.#model.apply(made)
    }
    await expectEqual(this.storage, this.#model)
  }

  async #transaction(changes: Change[], fails: boolean): Promise<void> {
    const done = this.storage.transaction({}, async () => {
      for (const each of changes) await perform(this.storage, each)
      if (fails) throw new Error('fails')
    })
    if (fails) {
      await expectFailure(done)
      return
    }
    await done
    for (const each of changes) this.#model.apply(each)
    this.#saved = structuredCopy(this.#model)
  }

  async #copy(): Promise<void> {
    const persistDir = `/copy${this.#copies++ % 2}`
    try {
      await this.storage.persist(persistDir)
    } catch (error) {
      expectCode(error, 'VARVE_EMPTY_REPLACE')
      return
    }
    const copy = await StorageContext.fromDefaults({ disk: this.#disk, persistDir })
    await expectEqual(copy, this.#model)
    await expectHits(copy, this.#model)
    await copy.close()
  }

  async #dropSnapshots(): Promise<void> {
    for (const name of await this.#disk.list('/s/snapshots').catch(() => []))
      await this.#disk.unlink(`/s/snapshots/${name}`)
  }
}

function structuredCopy(model: Model): Model {
  const { nodes, records, refDocs, vectors, structs, graph, chats } = model
  return Object.assign(
    new Model(),
    structuredClone({ nodes, records, refDocs, vectors, structs, graph, chats }),
  )
}

test('the stores hold what plain maps would hold', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40, size: 'max' }), async (steps) => {
      const run = new Run()
      await run.open()
      for (const each of steps) await run.take(each)
      await run.storage.close()
      await expect(run.storage.persist()).rejects.toMatchObject({ code: 'VARVE_CLOSED' })
    }),
    { numRuns: 150 },
  )
}, 120_000)

/** Every value a storage context holds, read through the public API, one by one: each has a place by name, and each read may fail alone. */
import {
  type BaseNode,
  type SimpleDocumentStore,
  type SimpleVectorStore,
  type StorageContext,
} from '../../src/index.ts'

/** What to ask for. Places that are not there read as `absent`. */
export interface Keys {
  nodes: string[]
  refDocs: string[]
  /** Ids and dimensions by namespace. */
  vectors: Record<string, { ids: string[]; dimensions: number }>
  structs: string[]
  subjects: string[]
  triplets: [string, string, string][]
  chats: string[]
}

/** From place to value, as JSON. */
export type Values = Map<string, string>
export type ReadValues = Map<string, string | Error>

export const absent = 'absent'

/** What there is to ask for, by the lists that the stores give. */
export async function keysOf(context: StorageContext): Promise<Keys> {
  const nodes = await collect((context.docstore as SimpleDocumentStore).ids())
  const refDocs = [...(await context.docstore.getAllRefDocInfo()).keys()]
  const vectors: Keys['vectors'] = {}
  for (const [namespace, store] of ownVectorStores(context)) {
    const ids = await store.ids()
    const first = ids[0] === undefined ? undefined : await store.get(ids[0])
    vectors[namespace] = { ids, dimensions: first?.length ?? 0 }
  }
  const structs = (await context.indexStore.indexStructs()).map(({ indexId }) => indexId)
  const subjects = [...(await context.graphStore.getRelMap()).keys()]
  const triplets = (await context.propertyGraphStore.getTriplets()).map(
    (triplet) => [...triplet] as [string, string, string],
  )
  const chats = await context.chatStore.getKeys()
  return { nodes, refDocs, vectors, structs, subjects, triplets, chats }
}

export function joinKeys(all: readonly Keys[]): Keys {
  const union = (pick: (keys: Keys) => string[]): string[] => [...new Set(all.flatMap(pick))]
  const vectors: Keys['vectors'] = {}
  for (const keys of all) {
    for (const [namespace, { ids, dimensions }] of Object.entries(keys.vectors)) {
      const known = (vectors[namespace] ??= { ids: [], dimensions: 0 })
      known.ids = [...new Set([...known.ids, ...ids])]
      known.dimensions = Math.max(known.dimensions, dimensions)
    }
  }
  const triplets = new Map(
    all.flatMap((keys) => keys.triplets).map((triplet) => [JSON.stringify(triplet), triplet]),
  )
  return {
    nodes: union((keys) => keys.nodes),
    refDocs: union((keys) => keys.refDocs),
    vectors,
    structs: union((keys) => keys.structs),
    subjects: union((keys) => keys.subjects),
    triplets: [...triplets.values()],
    chats: union((keys) => keys.chats),
  }
}

/** Reads every value, and what a search finds, too, if it is asked for. What a read throws stands in its place. */
export async function readValues(
  context: StorageContext,
  keys: Keys,
  { search = true } = {},
): Promise<ReadValues> {
  const values: ReadValues = new Map()
  const read = async (place: string, get: () => unknown): Promise<void> => {
    try {
      values.set(place, toText(await get()))
    } catch (error) {
      values.set(place, error instanceof Error ? error : new Error(`not an error: ${String(error)}`))
    }
  }
  await readDocuments(context.docstore as SimpleDocumentStore, keys, read)
  const stores = ownVectorStores(context)
  await read('vector stores', () => [...stores.keys()])
  for (const [namespace, wanted] of Object.entries(keys.vectors)) {
    const store = stores.get(namespace)
    if (!store) continue
    await readVectors(store, namespace, wanted, read)
    if (search) await readHits(store, namespace, wanted, read)
  }
  const { indexStore, graphStore, propertyGraphStore, chatStore } = context
  await read('structs', async () => (await indexStore.indexStructs()).map(({ indexId }) => indexId))
  for (const id of keys.structs) await read(`struct ${id}`, () => indexStore.getIndexStruct(id))
  await read('triplets', () => graphStore.getRelMap())
  for (const subject of keys.subjects) await read(`triplets of ${subject}`, () => graphStore.get(subject))
  await read('graph nodes', () => propertyGraphStore.get())
  await read('graph triplets', () => propertyGraphStore.getTriplets())
  for (const triplet of keys.triplets)
    await read(`relation ${triplet.join(' ')}`, () => propertyGraphStore.getRelation(triplet))
  await read('chats', () => chatStore.getKeys())
  for (const key of keys.chats) await read(`chat ${key}`, () => chatStore.getMessages(key))
  return values
}

type Read = (place: string, get: () => unknown) => Promise<void>

async function readDocuments(docstore: SimpleDocumentStore, keys: Keys, read: Read): Promise<void> {
  await read('docstore', () => docstore.namespace)
  await read('nodes', () => collect(docstore.ids()))
  for (const id of keys.nodes)
    await read(`node ${id}`, async () => describe(await docstore.getNode(id, { raiseError: false })))
  await read('nodes together', async () =>
    (await docstore.getNodes(keys.nodes, { raiseError: false })).map(describe),
  )
  for (const id of new Set([...keys.nodes, ...keys.refDocs]))
    await read(`hash of ${id}`, () => docstore.getDocumentHash(id))
  await read('hashes', () => docstore.getAllDocumentHashes())
  await read('ref docs', () => docstore.getAllRefDocInfo())
}

async function readVectors(
  store: SimpleVectorStore,
  namespace: string,
  { ids }: Keys['vectors'][string],
  read: Read,
): Promise<void> {
  await read(`vectors in ${namespace}`, () => store.ids())
  for (const id of ids) {
    await read(`vector ${id} in ${namespace}`, () => store.get(id))
    await read(`metadata of ${id} in ${namespace}`, () => store.getMetadata(id))
  }
}

async function readHits(
  store: SimpleVectorStore,
  namespace: string,
  { dimensions }: Keys['vectors'][string],
  read: Read,
): Promise<void> {
  if (dimensions === 0) return
  const queryEmbedding = Array.from({ length: dimensions }, (_, at) => at + 1)
  await read(`hits in ${namespace}`, () => store.query({ queryEmbedding, similarityTopK: 100 }))
}

function ownVectorStores(context: StorageContext): Map<string, SimpleVectorStore> {
  return context.vectorStores as Map<string, SimpleVectorStore>
}

/** The commits, oldest first. */
export async function readCommits(context: StorageContext): Promise<string[]> {
  return (await collect(context.commits())).map(toText).toReversed()
}

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const item of items) all.push(item)
  return all
}

function describe(node: BaseNode | undefined): unknown {
  return node && Object.assign({}, node, { className: node.className, text: node.text, hash: node.hash })
}

function toText(value: unknown): string {
  return value === undefined ? absent : JSON.stringify(plain(value))
}

/** As JSON can say it, without a loss. */
function plain(value: unknown): unknown {
  if (typeof value === 'bigint') return { $bigint: String(value) }
  if (typeof value === 'number' && (!Number.isFinite(value) || Object.is(value, -0)))
    return { $number: Object.is(value, -0) ? '-0' : String(value) }
  if (typeof value !== 'object' || value === null) return value
  if (value instanceof Date) return { $date: value.toISOString() }
  if (value instanceof Map) return { $map: Array.from(value, ([key, member]) => [plain(key), plain(member)]) }
  if (value instanceof Set) return { $set: Array.from(value, plain) }
  if (value instanceof Float32Array) return { $float32: Array.from(value, plain) }
  if (value instanceof Uint8Array) return { $bytes: Buffer.from(value).toString('base64') }
  if (Array.isArray(value)) return value.map(plain)
  const members = Object.entries(value).filter(([, member]) => member !== undefined)
  return Object.fromEntries(members.map(([key, member]) => [key, plain(member)]))
}

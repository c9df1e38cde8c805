/**
 * A LlamaIndex directory, opened as it is: its content stands in memory as a commit that is made but not written. The first `persist()` writes it, before anything else,
 * beside the JSON, which stays untouched and in force until then.
 */
import { createHash } from 'node:crypto'
import type { Disk } from '../disk/disk.ts'
import type {
  DocumentRecord,
  LlamaIndexContent,
  LlamaIndexFile,
  VectorRecord,
} from '../interop/llamaindex-content.ts'
import { propertyGraphParts, type PropertyGraphParts } from '../interop/llamaindex-property-graph.ts'
import type { CommitNote } from '../journal/commit.ts'
import type { EventInput } from '../journal/event.ts'
import type { Journal } from '../journal/journal.ts'
import { joinPath } from '../log/names.ts'
import { encodeNode, nodesKept, recordsSet, refDocsSet } from '../stores/document-events.ts'
import { chatsBegun, encodeMessage, messagesAdded } from '../stores/chat-events.ts'
import { chatFolder } from '../stores/chat-store.ts'
import { defaultDocumentNamespace, documentFolder } from '../stores/document-store.ts'
import { tripletsAdded } from '../stores/graph-events.ts'
import { graphFolder } from '../stores/graph-store.ts'
import { inGroups } from '../stores/in-groups.ts'
import { entriesChanged, structsAdded } from '../stores/index-events.ts'
import { indexFolder } from '../stores/index-store.ts'
import type { IndexState } from '../stores/index-state.ts'
import { graphNodesSet, relationsSet } from '../stores/property-graph-events.ts'
import { propertyGraphFolder } from '../stores/property-graph-store.ts'
import { keysAsSpelled, plainSpelling } from '../stores/spelling.ts'
import { structDifference, toFields } from '../stores/struct-difference.ts'
import { vectorFolder } from '../stores/vector-store.ts'
import { derivedMetadata, vectorsAdded, type AddedVector } from '../stores/vector-events.ts'
import { isWellFormed } from '../stores/wtf8.ts'

export type Warn = (warning: string) => void

/** Puts the content into a journal in memory, and makes it its first commit. */
export async function stageImport(journal: Journal, content: LlamaIndexContent, warn: Warn): Promise<void> {
  await appendContent(journal, content, warn)
  journal.stage('import', importNote(content))
}

export function importNote({ dialect, files }: LlamaIndexContent): CommitNote {
  return {
    message: `Imported from LlamaIndex (${dialect})`,
    metadata: { files: files.map((file) => ({ ...file })) },
  }
}

/** Adds the content to what a journal holds, as changes that are pending: one step an event, so that large contents are written early and memory stays flat. */
export async function appendContent(
  journal: Journal,
  content: LlamaIndexContent,
  warn: Warn,
  signal?: AbortSignal,
): Promise<void> {
  for (const { folder, name, events } of importedStores(withGoodIds(content, warn), warn)) {
    const state = await journal.load(folder)
    if (name !== undefined) journal.name(folder, name)
    for (const event of events(state as unknown as IndexState)) {
      signal?.throwIfAborted()
      await journal.write(folder, (_, append) => append(event))
    }
  }
}

/** UTF-8, and so a journal, cannot carry half of a surrogate pair in an id. */
function withGoodIds(content: LlamaIndexContent, warn: Warn): LlamaIndexContent {
  let bad = 0
  const isGood = (id: string): boolean => isWellFormed(id) || ++bad < 0
  const { nodes, documentMetadata, refDocs, structs, vectors } = content
  const good = {
    ...content,
    nodes: nodes.only(isGood),
    documentMetadata: new Map([...documentMetadata].filter(([id]) => isGood(id))),
    refDocs: new Map(
      Array.from(
        refDocs,
        ([id, refDoc]) => [id, { ...refDoc, nodeIds: refDoc.nodeIds.filter(isGood) }] as const,
      ).filter(([id]) => isGood(id)),
    ),
    structs: structs.filter(({ indexId }) => isGood(indexId)),
    vectors: new Map(
      Array.from(vectors, ([name, records]) => [name, records.filter(({ id }) => isGood(id))]),
    ),
  }
  if (bad > 0) warn(`${bad} entries have ids with half of a surrogate pair, and were left out.`)
  return good
}

interface ImportedStore {
  folder: string
  name?: string
  events: (state: IndexState) => Iterable<EventInput>
}

function importedStores(content: LlamaIndexContent, warn: Warn): ImportedStore[] {
  const { vectors, graph, propertyGraph, chats } = content
  const namespace = content.namespace || defaultDocumentNamespace
  const about = (message: string): void => warn(`property_graph_store.json: ${message}`)
  return [
    { folder: documentFolder(namespace), name: namespace, events: () => documentEvents(content) },
    { folder: indexFolder, events: (state) => structEvents(state, content) },
    ...Array.from(vectors, ([name, records]) => ({
      folder: vectorFolder(name),
      name,
      events: () => vectorEvents(name, records, warn),
    })),
    { folder: graphFolder, events: () => inGroups(graph, tripletsAdded) },
    ...(propertyGraph
      ? [
          {
            folder: propertyGraphFolder,
            events: () => propertyGraphEvents(propertyGraphParts(propertyGraph, about)),
          },
        ]
      : []),
    ...(chats ? [{ folder: chatFolder, events: () => chatEvents(chats) }] : []),
  ]
}

function* documentEvents({ nodes, documentMetadata, refDocs }: LlamaIndexContent): Generator<EventInput> {
  yield* inGroups(nodes, (group) =>
    nodesKept(group.map((node) => ({ id: node.id_, payload: encodeNode(node) }))),
  )
  yield* inGroups(withRefDocs(documentMetadata, { nodes, refDocs }), recordsSet)
  yield* inGroups(refDocs, refDocsSet)
}

/** Before 0.7 no record named its ref doc. Here that of each node does that a ref doc names, or deleting the node would leave it there. */
function withRefDocs(
  records: LlamaIndexContent['documentMetadata'],
  { nodes, refDocs }: Pick<LlamaIndexContent, 'nodes' | 'refDocs'>,
): Map<string, DocumentRecord> {
  const all = new Map(records)
  for (const [refDocId, { nodeIds }] of refDocs) {
    for (const id of nodeIds) {
      const record = all.get(id)
      if (record?.refDocId === undefined && nodes.has(id)) all.set(id, { ...record, refDocId })
    }
  }
  return all
}

function* structEvents(state: IndexState, { structs }: LlamaIndexContent): Generator<EventInput> {
  for (const { indexId, type, ...rest } of structs) {
    const fields = toFields(type, rest)
    yield structsAdded([{ indexId, type, fields: [...fields.kinds] }])
    yield* inGroups(structDifference(state, undefined, fields), (changes) => entriesChanged(indexId, changes))
  }
}

function* chatEvents(chats: NonNullable<LlamaIndexContent['chats']>): Generator<EventInput> {
  yield* inGroups(
    chats.map(([key]) => key),
    chatsBegun,
  )
  const messages = chats.flatMap(([key, list]) => list.map((message) => ({ key, message })))
  yield* inGroups(messages, (group) =>
    messagesAdded(group.map(({ key, message }) => ({ key, index: null, payload: encodeMessage(message) }))),
  )
}

function* propertyGraphEvents({ nodes, relations, triplets }: PropertyGraphParts): Generator<EventInput> {
  yield* inGroups(nodes, graphNodesSet)
  yield* inGroups(relations, relationsSet)
  yield* inGroups(triplets, tripletsAdded)
}

/** Nothing promises that a file holds vectors of one length, or finite ones; each run of equal length is a matrix. */
function* vectorEvents(
  namespace: string,
  records: readonly VectorRecord[],
  warn: Warn,
): Generator<EventInput> {
  const lengths = new Set<number>()
  const broken: string[] = []
  let group: { added: AddedVector; vector: Float32Array }[] = []
  for (const record of records) {
    const { vector } = record
    if (!vector.every(Number.isFinite)) broken.push(record.id)
    lengths.add(vector.length)
    if (group.length === vectorsAtOnce || (group[0] && group[0].vector.length !== vector.length)) {
      yield groupAdded(group)
      group = []
    }
    group.push({ added: toAdded(record), vector })
  }
  if (group.length > 0) yield groupAdded(group)
  if (broken.length > 0)
    warn(
      `${broken.length} vectors of namespace ${namespace} (${broken[0]}, …) hold NaN or infinity: they are kept, and no search finds them.`,
    )
  if (lengths.size > 1)
    warn(
      `The vectors of namespace ${namespace} have ${[...lengths].join(', ')} dimensions: all are kept, and searches see those of the most frequent length.`,
    )
}

const vectorsAtOnce = 1000

function groupAdded(group: readonly { added: AddedVector; vector: Float32Array }[]): EventInput {
  const dimensions = group[0]!.vector.length
  const matrix = new Float32Array(group.length * dimensions)
  for (const [index, { vector }] of group.entries()) matrix.set(vector, index * dimensions)
  return vectorsAdded(
    group.map(({ added }) => added),
    matrix,
    dimensions,
  )
}

/** What LlamaIndex adds to metadata is kept apart, as our own store does, if it stands as it would add it; else all is kept as it stands. */
function toAdded({ id, refDocId, metadata, spelling = plainSpelling, numerals }: VectorRecord): AddedVector {
  const added = { id, refDocId, ...(numerals !== undefined && { numerals }) }
  if (!metadata) return { ...added, className: undefined, metadata: undefined }
  const className = typeof metadata['_node_type'] === 'string' ? metadata['_node_type'] : undefined
  const derived = Object.entries(derivedMetadata({ refDocId, className }))
  const entries = keysAsSpelled(metadata, '', spelling).map((key) => [key, metadata[key]] as const)
  const own = entries.slice(0, -derived.length)
  const isUsual = entries
    .slice(own.length)
    .every(([key, value], index) => key === derived[index]![0] && value === derived[index]![1])
  const kept = isUsual && entries.length >= derived.length ? Object.fromEntries(own) : metadata
  return { ...added, className, metadata: { metadata: kept, spelling } }
}

/** The files of an import commit that are not any more what they were. A file that only has another date is read. */
export async function changedFiles(
  disk: Disk,
  directory: string,
  files: readonly LlamaIndexFile[],
): Promise<string[]> {
  const changed: string[] = []
  for (const { name, sizeBytes, modifiedMs, sha256 } of files) {
    const path = joinPath(directory, name)
    const status = await disk.stat(path)
    // One that is gone cannot be taken for what counts.
    if (!status) continue
    const isSame =
      status.sizeBytes === sizeBytes &&
      (status.modifiedMs === modifiedMs || (await hashFile(disk, path)) === sha256)
    if (!isSame) changed.push(name)
  }
  return changed
}

const hashedAtOnceBytes = 4 * 1024 * 1024

/** SHA-256, in hex. */
export async function hashFile(disk: Disk, path: string): Promise<string> {
  const file = await disk.openToRead(path)
  try {
    const hash = createHash('sha256')
    const size = await file.size()
    for (let offset = 0; offset < size; offset += hashedAtOnceBytes)
      hash.update(await file.read(offset, hashedAtOnceBytes))
    return hash.digest('hex')
  } finally {
    await file.close()
  }
}

/**
 * A LlamaIndex directory, opened as it is: its content stands in memory as a commit that is made but not written. The first `persist()` writes it, before anything else,
 * beside the JSON, which stays untouched and in force until then.
 */
import { createHash } from 'node:crypto'
import type { Disk } from '../disk/disk.ts'
import type { LlamaIndexContent, LlamaIndexFile, VectorRecord } from '../interop/llamaindex-content.ts'
import type { EventInput } from '../journal/event.ts'
import type { Journal } from '../journal/journal.ts'
import { joinPath } from '../log/names.ts'
import { encodeNode, nodesKept, recordsSet, refDocsSet } from '../stores/document-events.ts'
import { inGroups } from '../stores/document-state.ts'
import { documentFolder } from '../stores/document-store.ts'
import { tripletsAdded } from '../stores/graph-events.ts'
import { graphFolder } from '../stores/graph-store.ts'
import { entriesChanged, structsAdded } from '../stores/index-events.ts'
import { indexFolder } from '../stores/index-store.ts'
import type { IndexState } from '../stores/index-state.ts'
import { propertyGraphEvents, propertyGraphFolder } from '../stores/property-graph-store.ts'
import type { Metadata } from '../stores/relationships.ts'
import { plainSpelling } from '../stores/spelling.ts'
import { structDifference, toFields } from '../stores/struct-difference.ts'
import { vectorFolder } from '../stores/vector-store.ts'
import { vectorsAdded, type AddedVector } from '../stores/vector-events.ts'

/** Puts the content into a journal in memory, and makes it its first commit. */
export async function stageImport(journal: Journal, content: LlamaIndexContent): Promise<void> {
  for (const { folder, name, events } of importedStores(content)) {
    await journal.load(folder)
    if (name !== undefined) journal.name(folder, name)
    await journal.write(folder, (state, append) => {
      for (const event of events(state as unknown as IndexState)) append(event)
    })
  }
  journal.stage('import', { message: `Imported from LlamaIndex (${content.dialect})`, metadata: { files: content.files.map((file) => ({ ...file })) } })
}

interface ImportedStore {
  folder: string
  name?: string
  events: (state: IndexState) => Iterable<EventInput>
}

function importedStores(content: LlamaIndexContent): ImportedStore[] {
  const { namespace, vectors, graph, propertyGraph } = content
  return [
    { folder: documentFolder(namespace), name: namespace, events: () => documentEvents(content) },
    { folder: indexFolder, events: (state) => structEvents(state, content) },
    ...Array.from(vectors, ([name, records]) => ({ folder: vectorFolder(name), name, events: () => vectorEvents(records) })),
    { folder: graphFolder, events: () => inGroups(graph, tripletsAdded) },
    ...(propertyGraph ? [{ folder: propertyGraphFolder, events: () => propertyGraphEvents(propertyGraph.tree) }] : []),
  ]
}

function* documentEvents({ nodes, documentMetadata, refDocs }: LlamaIndexContent): Generator<EventInput> {
  yield* inGroups(nodes, (group) => nodesKept(group.map((node) => ({ id: node.id_, payload: encodeNode(node) }))))
  yield* inGroups(documentMetadata, recordsSet)
  yield* inGroups(refDocs, refDocsSet)
}

function* structEvents(state: IndexState, { structs }: LlamaIndexContent): Generator<EventInput> {
  for (const { indexId, type, ...rest } of structs) {
    const fields = toFields(type, rest)
    yield structsAdded([{ indexId, type, fields: [...fields.kinds] }])
    yield entriesChanged(indexId, structDifference(state, undefined, fields))
  }
}

function* vectorEvents(records: readonly VectorRecord[]): Generator<EventInput> {
  // Nothing promises that a file holds vectors of one length; each run of equal ones is a matrix.
  for (let at = 0; at < records.length; ) {
    const dimensions = records[at]!.vector.length
    let end = at
    while (end < records.length && end - at < 1000 && records[end]!.vector.length === dimensions) end++
    const group = records.slice(at, end)
    const matrix = new Float32Array(group.length * dimensions)
    for (const [index, { vector }] of group.entries()) matrix.set(vector, index * dimensions)
    yield vectorsAdded(group.map(toAdded), matrix, dimensions)
    at = end
  }
}

/** What LlamaIndex adds to metadata is kept apart, as our own store does. */
function toAdded({ id, refDocId, metadata, spelling = plainSpelling }: VectorRecord): AddedVector {
  if (!metadata) return { id, refDocId, className: undefined, metadata: undefined }
  const { _node_type: className, document_id: _1, doc_id: _2, ref_doc_id: _3, ...own } = metadata
  return {
    id,
    refDocId,
    className: typeof className === 'string' ? className : undefined,
    metadata: { metadata: own as Metadata, spelling },
  }
}

/** The files of an import commit that are not any more what they were. A file that only has another date is read. */
export async function changedFiles(disk: Disk, directory: string, files: readonly LlamaIndexFile[]): Promise<string[]> {
  const changed: string[] = []
  for (const { name, sizeBytes, modifiedMs, sha256 } of files) {
    const path = joinPath(directory, name)
    const status = await disk.stat(path)
    const isSame = status?.sizeBytes === sizeBytes && (status.modifiedMs === modifiedMs || (await hashFile(disk, path)) === sha256)
    if (!isSame) changed.push(name)
  }
  return changed
}

const hashedAtOnceBytes = 4 * 1024 * 1024

async function hashFile(disk: Disk, path: string): Promise<string> {
  const file = await disk.openToRead(path)
  try {
    const hash = createHash('sha256')
    const size = await file.size()
    for (let offset = 0; offset < size; offset += hashedAtOnceBytes) hash.update(await file.read(offset, hashedAtOnceBytes))
    return hash.digest('hex')
  } finally {
    await file.close()
  }
}

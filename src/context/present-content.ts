/**
 * What a context's own stores hold now, in nobody's spelling but Varve's: what leaves as a dictionary, or as files. One synchronous step, so one moment; nodes and vectors
 * are read when they are asked for, from where they stood then.
 */
import type { StorageContent } from '../interop/llamaindex-dict.ts'
import type { RefDocRecord, VectorRecord } from '../interop/llamaindex-content.ts'
import { metadataWithDerived } from '../interop/python-trees.ts'
import type { Position, StoreState } from '../journal/event.ts'
import type { Journal } from '../journal/journal.ts'
import type { DocumentState, RefDocState } from '../stores/document-state.ts'
import type { JournalDocumentStore } from '../stores/document-store.ts'
import { allTriplets, type GraphState } from '../stores/graph-state.ts'
import { graphFolder } from '../stores/graph-store.ts'
import type { IndexState } from '../stores/index-state.ts'
import { indexFolder, structsIn } from '../stores/index-store.ts'
import type { JournalStore } from '../stores/journal-store.ts'
import type { BaseNode } from '../stores/node.ts'
import { decodeNode } from '../stores/node-payload.ts'
import { allGraphTriplets, unescaped, type PropertyGraphState } from '../stores/property-graph-state.ts'
import { propertyGraphFolder } from '../stores/property-graph-store.ts'
import { toFloats } from '../stores/vector-cache.ts'
import type { VectorState } from '../stores/vector-state.ts'

export interface ContentStores {
  docstore: JournalDocumentStore
  vectorStores: ReadonlyMap<string, JournalStore<VectorState>>
}

export async function presentContent(
  journal: Journal,
  { docstore, vectorStores }: ContentStores,
): Promise<StorageContent> {
  const folders = [
    docstore.folder,
    indexFolder,
    graphFolder,
    propertyGraphFolder,
    ...Array.from(vectorStores.values(), ({ folder }) => folder),
  ]
  const states = new Map<string, StoreState>()
  for (const folder of folders) states.set(folder, await journal.load(folder))
  const state = <S extends StoreState>(folder: string): S => states.get(folder) as S
  const vectors = Array.from(
    vectorStores,
    ([namespace, { folder }]) => [namespace, vectorsIn(journal, folder, state(folder))] as const,
  )
  const propertyGraph = propertyGraphIn(state(propertyGraphFolder))
  return {
    namespace: docstore.namespace,
    ...documentsIn(journal, docstore.folder, state(docstore.folder)),
    structs: structsIn(state<IndexState>(indexFolder)),
    vectors: new Map(vectors),
    graph: [...allTriplets(state<GraphState>(graphFolder))],
    ...(propertyGraph && { propertyGraph }),
  }
}

function documentsIn(
  journal: Journal,
  folder: string,
  { nodes, records, refDocs }: DocumentState,
): Pick<StorageContent, 'nodes' | 'nodeOf' | 'hasNode' | 'documentMetadata' | 'refDocs'> {
  const entries = new Map(nodes.entries())
  const toNode = (id: string, position: Position): BaseNode =>
    decodeNode(id, journal.payload(folder, position), { folder, position })
  const toRefDoc = ({ nodeIds, metadata, spelling, extra }: RefDocState): RefDocRecord => ({
    nodeIds: [...nodeIds],
    metadata,
    spelling,
    ...(extra && { extra }),
  })
  return {
    nodes: {
      length: entries.size,
      *[Symbol.iterator]() {
        for (const [id, position] of entries) yield toNode(id, position)
      },
    },
    hasNode: (id) => entries.has(id),
    nodeOf(id) {
      const position = entries.get(id)
      return position && toNode(id, position)
    },
    documentMetadata: new Map(
      Array.from(records.entries(), ([id, { hash, refDocId, extra }]) => [
        id,
        {
          ...(hash !== undefined && { hash }),
          ...(refDocId !== undefined && { refDocId }),
          ...(extra && { extra }),
        },
      ]),
    ),
    refDocs: new Map(Array.from(refDocs.entries(), ([id, refDoc]) => [id, toRefDoc(refDoc)])),
  }
}

function vectorsIn(journal: Journal, folder: string, { vectors }: VectorState): VectorRecord[] {
  return Array.from(vectors.entries(), ([id, { position, refDocId, className, metadata, numerals }]) => ({
    id,
    get vector() {
      return toFloats(journal.payload(folder, position))
    },
    ...(numerals !== undefined && { numerals }),
    ...(refDocId !== undefined && { refDocId }),
    ...(metadata && {
      metadata: metadataWithDerived(metadata.metadata, { refDocId, className }),
      spelling: metadata.spelling,
    }),
  }))
}

/** `undefined` if there is nothing in it, as where LlamaIndex has no property graph. */
function propertyGraphIn(state: PropertyGraphState): StorageContent['propertyGraph'] {
  const { nodes, relations, triplets } = state
  if (nodes.size + relations.size + triplets.size === 0) return undefined
  return {
    nodes: [...unescaped(nodes)],
    relations: [...unescaped(relations)],
    triplets: [...allGraphTriplets(state)],
  }
}

/** LlamaIndex's `to_dict` of a whole storage context: the trees of its files under one roof. Our own has what Python's has, under the same keys. */
import { checkTree } from '../stores/metadata.ts'
import { withEntryNodes } from './entry-nodes.ts'
import { checkContent } from './llamaindex-checks.ts'
import { defaultNamespace, readDocstore } from './llamaindex-docstore.ts'
import { propertyGraphOf, readGraph } from './llamaindex-graphs.ts'
import { membersOf } from './llamaindex-shape.ts'
import { readStructs } from './llamaindex-structs.ts'
import { readVectors } from './llamaindex-vectors.ts'
import {
  type ChatsContent,
  docstoreToPython,
  graphStoreToPython,
  indexStoreToPython,
  propertyGraphToPython,
  vectorStoreToPython,
} from './python-trees.ts'
import { plainTree, type Members } from './members.ts'
import { pythonStyle } from './json-styles.ts'
import { VarveError } from '../errors.ts'
import { asRead, objectOf } from './python-spelled.ts'
import { TreeReader } from './tree-reader.ts'
import type { BaseNode } from '../stores/node.ts'
import type { LlamaIndexContent, LlamaIndexWarning, VectorRecord } from './llamaindex-content.ts'
import type { PropertyGraphParts } from './llamaindex-property-graph.ts'

/** Plain values throughout; `JSON.stringify` takes it, unless it holds BigInt. */
export interface StorageDict {
  /** By namespace. */
  vector_store: Record<string, Record<string, unknown>>
  doc_store: Record<string, unknown>
  index_store: Record<string, unknown>
  graph_store: Record<string, unknown>
  property_graph_store: Record<string, unknown> | null
}

/** What leaves: nodes and vectors are read when they are asked for. */
export interface StorageContent extends Pick<
  LlamaIndexContent,
  'namespace' | 'documentMetadata' | 'refDocs' | 'structs' | 'vectors' | 'graph'
> {
  nodes: Iterable<BaseNode> & { readonly length: number }
  nodeOf: (id: string) => BaseNode | undefined
  hasNode: (id: string) => boolean
  propertyGraph?: PropertyGraphParts
  /** In the order they were begun. */
  chats: ChatsContent
}

export function contentToDict(given: StorageContent): StorageDict {
  const content = withEntryNodes(given)
  const { vectors, structs, graph, propertyGraph } = content
  const plain = (tree: Members) => plainTree(tree, pythonStyle) as Record<string, unknown>
  const namespaces = Array.from(
    vectors,
    ([name, records]) => [name, plain(vectorStoreToPython(records))] as const,
  )
  return {
    vector_store: objectOf(namespaces) as StorageDict['vector_store'],
    doc_store: plain(docstoreToPython(content)),
    index_store: plain(indexStoreToPython(structs)),
    graph_store: plain(graphStoreToPython(graph)),
    property_graph_store: propertyGraph ? plain(propertyGraphToPython(propertyGraph)) : null,
  }
}

/** Parts that are absent are empty, as in dictionaries of older versions. Throws `VARVE_BAD_FILE`, `VARVE_BAD_METADATA`. */
export function dictToContent(dict: object): LlamaIndexContent {
  checkDict(dict)
  checkTree(dict, 'dict')
  const parts = dict as Partial<Record<keyof StorageDict, unknown>>
  const warnings: LlamaIndexWarning[] = []
  const about = (part: keyof StorageDict) => ({
    file: part,
    warn: (message: string) => void warnings.push({ file: part, message }),
  })
  const reader = (part: keyof StorageDict) => new TreeReader(parts[part] ?? {}, part)

  const docstore = readDocstore(reader('doc_store'), { ...about('doc_store'), dialect: 'python' })
  const { structs, nodes } = readStructs(reader('index_store'), about('index_store')).python ?? {
    structs: [],
    nodes: new Map(),
  }
  for (const [id, node] of nodes) if (!docstore.nodes.has(id)) docstore.nodes.set(id, node)
  const content = {
    dialect: 'python' as const,
    files: [],
    namespace: docstore.namespace || defaultNamespace,
    nodes: docstore.nodes,
    documentMetadata: docstore.documentMetadata,
    refDocs: docstore.refDocs,
    structs,
    vectors: namespacesIn(parts.vector_store ?? {}, about('vector_store')),
    graph: readGraph(reader('graph_store'), about('graph_store')),
    ...(parts.property_graph_store !== undefined &&
      parts.property_graph_store !== null && {
        propertyGraph: propertyGraphOf(asRead(parts.property_graph_store), 'property_graph_store'),
      }),
  }
  checkContent(content, (file, message) => void warnings.push({ file, message }))
  return { ...content, warnings }
}

const stores = ['vector_store', 'doc_store', 'index_store', 'graph_store', 'property_graph_store']

function checkDict(dict: unknown): void {
  const isDict = typeof dict === 'object' && dict !== null && !Array.isArray(dict)
  if (isDict && (Object.keys(dict).length === 0 || stores.some((name) => name in dict))) return
  throw new VarveError('VARVE_BAD_FILE', 'This is no dictionary of a storage.', {
    remedy: `Give what toDict() or to_dict() answered, parsed: an object with ${stores.join(', ')}.`,
  })
}

/** Up to 0.7 there was one vector store, and its tree stood here. */
function namespacesIn(tree: unknown, place: Parameters<typeof readVectors>[1]): Map<string, VectorRecord[]> {
  const isOne = typeof tree === 'object' && tree !== null && Object.hasOwn(tree, 'embedding_dict')
  const reader = new TreeReader(isOne ? { default: tree } : tree, place.file)
  const namespaces = new Map<string, VectorRecord[]>()
  for (const namespace of membersOf(reader, place.file, 'it')) {
    const file = `${place.file}, ${namespace}`
    namespaces.set(namespace, readVectors(new TreeReader(reader.peek(), file), { ...place, file }).vectors)
  }
  return namespaces
}

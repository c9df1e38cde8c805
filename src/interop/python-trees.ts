/**
 * The stores as the trees that LlamaIndex for Python writes into its files, and hands over in `to_dict`. Their members are made one by one as they are asked for. Trees
 * are plain; what plain values cannot say they carry out of sight (`python-spelled.ts`).
 */
import { plainSpelling } from '../stores/spelling.ts'
import { derivedMetadata } from '../stores/vector-events.ts'
import { Members, membersOf } from './members.ts'
import { nodeToPython } from './python-node.ts'
import { spelled } from './python-spelled.ts'
import { structToPython } from './python-struct.ts'
import { VectorNumbers } from './vector-numbers.ts'
import type { DocumentRecord, LlamaIndexContent, RefDocRecord, VectorRecord } from './llamaindex-content.ts'
import type { PropertyGraphParts } from './llamaindex-property-graph.ts'
import type { Triplet } from '../stores/contract.ts'
import type { IndexStruct } from '../stores/index-struct.ts'
import type { BaseNode } from '../stores/node.ts'

type Tree = Record<string, unknown>

export interface DocstoreContent {
  namespace: string
  nodes: Iterable<BaseNode>
  documentMetadata: LlamaIndexContent['documentMetadata']
  refDocs: LlamaIndexContent['refDocs']
}

/**
 * A collection without entries is left out, as Python does. They come in the order in which its calls first touch them: a document's hash is set before there are
 * nodes; of nodes alone, their ref docs are looked up first.
 */
export function docstoreToPython({ namespace, nodes, documentMetadata, refDocs }: DocstoreContent): Members {
  const data = membersOf(nodes, (node) => [node.id_, nodeToPython(node)])
  const metadata = membersOf(documentMetadata, recordToPython)
  const infos = membersOf(refDocs, refDocToPython)
  const [firstNode] = nodes
  const [firstRecord] = documentMetadata.keys()
  const isOfDocuments = firstRecord !== undefined && firstRecord !== firstNode?.id_
  const all: [string, Members, boolean][] = [
    ['ref_doc_info', infos, refDocs.size > 0],
    ['data', data, firstNode !== undefined],
  ]
  const records: [string, Members, boolean] = ['metadata', metadata, firstRecord !== undefined]
  if (isOfDocuments) all.unshift(records)
  else all.push(records)
  const filled = all.filter(([, , hasEntries]) => hasEntries)
  return new Members(filled.map(([name, collection]) => [`${namespace}/${name}`, collection]))
}

function recordToPython([id, record]: [string, DocumentRecord]): [string, Tree] {
  const { hash, refDocId, extra = {} } = record
  const fields = {
    ...(hash !== undefined && { doc_hash: hash }),
    ...(refDocId !== undefined && { ref_doc_id: refDocId }),
  }
  return [id, { ...fields, ...(spelled(extra, plainSpelling) as Tree) }]
}

function refDocToPython([id, refDoc]: [string, RefDocRecord]): [string, Tree] {
  const { nodeIds, metadata, spelling = plainSpelling, extra = {} } = refDoc
  const rest = spelled(extra, plainSpelling) as Tree
  return [id, { node_ids: [...nodeIds], metadata: spelled(metadata, spelling), ...rest }]
}

export function indexStoreToPython(structs: readonly IndexStruct[]): Members {
  if (structs.length === 0) return new Members([])
  return new Members([
    ['index_store/data', membersOf(structs, (struct) => [struct.indexId, structToPython(struct)])],
  ])
}

export function vectorStoreToPython(records: readonly VectorRecord[]): Members {
  const described = records.filter(({ metadata }) => metadata !== undefined)
  return new Members([
    [
      'embedding_dict',
      membersOf(records, (record) => [record.id, new VectorNumbers(record.vector, record.numerals)]),
    ],
    ['text_id_to_ref_doc_id', membersOf(records, ({ id, refDocId }) => [id, refDocId ?? 'None'])],
    [
      'metadata_dict',
      membersOf(described, ({ id, metadata, spelling = plainSpelling }) => [id, spelled(metadata, spelling)]),
    ],
  ])
}

/** As the file has it: with what LlamaIndex adds after what is the user's own. */
export function metadataWithDerived(metadata: Tree, source: Parameters<typeof derivedMetadata>[0]): Tree {
  return { ...metadata, ...derivedMetadata(source), ...metadata }
}

export function graphStoreToPython(triplets: Iterable<Triplet>): Members {
  const bySubject = new Map<string, [string, string][]>()
  for (const [subject, relation, object] of triplets) {
    const pairs = bySubject.get(subject) ?? []
    bySubject.set(subject, pairs)
    pairs.push([relation, object])
  }
  return new Members([['graph_dict', new Members(bySubject)]])
}

export function propertyGraphToPython({ nodes, relations, triplets }: PropertyGraphParts): Members {
  return new Members([
    ['nodes', membersOf(nodes, ([id, { value, spelling }]) => [id, spelled(value, spelling)])],
    ['relations', membersOf(relations, ([key, { value, spelling }]) => [key, spelled(value, spelling)])],
    ['triplets', triplets],
  ])
}

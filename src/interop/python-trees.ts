/**
 * The stores as the trees that LlamaIndex for Python writes into its files, and hands over in `to_dict`. Trees are plain; what plain values cannot say they carry out of
 * sight (`python-spelled.ts`).
 */
import { plainSpelling } from '../stores/spelling.ts'
import { derivedMetadata } from '../stores/vector-events.ts'
import { nodeToPython } from './python-node.ts'
import { objectOf, spelled } from './python-spelled.ts'
import { structToPython } from './python-struct.ts'
import type { LlamaIndexContent, VectorRecord } from './llamaindex-content.ts'
import type { Triplet } from '../stores/contract.ts'
import type { IndexStruct } from '../stores/index-struct.ts'

type Tree = Record<string, unknown>

/** A collection without entries is left out, as Python does. */
export function docstoreToPython({
  namespace,
  nodes,
  documentMetadata,
  refDocs,
}: Pick<LlamaIndexContent, 'namespace' | 'nodes' | 'documentMetadata' | 'refDocs'>): Tree {
  const records = Array.from(documentMetadata, ([id, { hash, refDocId, extra = {} }]) => {
    const record = {
      ...(hash !== undefined && { doc_hash: hash }),
      ...(refDocId !== undefined && { ref_doc_id: refDocId }),
      ...(spelled(extra, plainSpelling) as Tree),
    }
    return [id, record] as const
  })
  const infos = Array.from(refDocs, ([id, { nodeIds, metadata, spelling = plainSpelling, extra = {} }]) => {
    const rest = spelled(extra, plainSpelling) as Tree
    return [id, { node_ids: [...nodeIds], metadata: spelled(metadata, spelling), ...rest }] as const
  })
  const collections: [string, (readonly [string, unknown])[]][] = [
    ['metadata', records],
    ['ref_doc_info', infos],
    ['data', nodes.map((node) => [node.id_, nodeToPython(node)])],
  ]
  const filled = collections.filter(([, entries]) => entries.length > 0)
  return Object.fromEntries(filled.map(([name, entries]) => [`${namespace}/${name}`, objectOf(entries)]))
}

export function indexStoreToPython(structs: readonly IndexStruct[]): Tree {
  if (structs.length === 0) return {}
  return {
    'index_store/data': objectOf(structs.map((struct) => [struct.indexId, structToPython(struct)])),
  }
}

export function vectorStoreToPython(records: readonly VectorRecord[]): Tree {
  return {
    embedding_dict: objectOf(records.map(({ id, vector }) => [id, Array.from(vector)])),
    text_id_to_ref_doc_id: objectOf(records.map(({ id, refDocId }) => [id, refDocId ?? 'None'])),
    metadata_dict: objectOf(
      records.flatMap(({ id, metadata, spelling = plainSpelling }) => {
        return metadata ? [[id, spelled(metadata, spelling)] as const] : []
      }),
    ),
  }
}

/** As the file has it: with what LlamaIndex adds after what is the user's own. */
export function metadataWithDerived(metadata: Tree, source: Parameters<typeof derivedMetadata>[0]): Tree {
  return { ...metadata, ...derivedMetadata(source), ...metadata }
}

export function graphStoreToPython(triplets: Iterable<Triplet>): Tree {
  const bySubject = new Map<string, [string, string][]>()
  for (const [subject, relation, object] of triplets) {
    const pairs = bySubject.get(subject) ?? []
    bySubject.set(subject, pairs)
    pairs.push([relation, object])
  }
  return { graph_dict: objectOf(bySubject) }
}

export function propertyGraphToPython({
  tree,
  spelling,
}: NonNullable<LlamaIndexContent['propertyGraph']>): Tree {
  return spelled(tree, spelling) as Tree
}

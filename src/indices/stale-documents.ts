/** Finds the documents that an index does not hold as they are now. */
import type { DocumentStore, RefDocInfo } from '../stores/contract.ts'
import type { StructView } from '../stores/index-struct.ts'
import { matchesHash } from '../stores/matches-hash.ts'
import type { BaseNode } from '../stores/node.ts'
import { nodesAmong } from './struct-references.ts'

/**
 * Answers their ids. `view` is missing if the index's struct does not tell its nodes; then hashes are all there is. A document's hash is shared by all indices of a docstore, so it does not tell alone: the index may have none of the
 * document's nodes (another index added it), or nodes of an older version (another index updated it), which their source's hash shows.
 */
export async function staleDocuments(
  docstore: DocumentStore,
  documents: readonly BaseNode[],
  view: StructView | undefined,
): Promise<Set<string>> {
  const infos = await Promise.all(documents.map(({ id_ }) => docstore.getRefDocInfo(id_)))
  const own = view && nodesAmong(view, new Set(infos.flatMap((info) => info?.nodeIds ?? [])))
  const areStale = await Promise.all(
    documents.map(async (document, at) => {
      const hash = await hashInIndex(docstore, { document, info: infos[at], own })
      return hash === undefined || !matchesHash(document, hash)
    }),
  )
  return new Set(documents.filter((_, at) => areStale[at]).map(({ id_ }) => id_))
}

interface Known {
  document: BaseNode
  info: RefDocInfo | undefined
  /** Node ids that the index holds. */
  own: ReadonlySet<string> | undefined
}

async function hashInIndex(
  docstore: DocumentStore,
  { document, info, own }: Known,
): Promise<string | undefined> {
  const hash = await docstore.getDocumentHash(document.id_)
  // A document without any node is known by its hash alone: it is empty, or its text is kept elsewhere.
  if (hash === undefined || info === undefined || own === undefined) return hash
  const ownIds = info.nodeIds.filter((id) => own.has(id))
  if (ownIds.length === 0) return undefined
  if (ownIds.length === info.nodeIds.length) return hash
  const node = await docstore.getNode(ownIds[0]!, { raiseError: false })
  const source = node?.sourceNode
  return source?.nodeId === document.id_ ? (source.hash ?? hash) : hash
}

/**
 * What may be deleted from the stores when an index lets nodes or whole source documents go: only what no other index refers to. Nothing is
 * changed here.
 */
import type { DocumentStore, RefDocInfo } from '../stores/contract.ts'
import type { StructView } from '../stores/index-struct.ts'
import type { IndexStorage } from './index-storage.ts'
import { namespaceOf, nodesAmong, referredByOthers, vectorsOfNodes } from './struct-references.ts'

export interface RemovalRequest {
  nodeIds?: readonly string[]
  refDocIds?: readonly string[]
  deleteFromDocstore: boolean
}

export interface Removal {
  /** What the index lets go. */
  nodeIds: ReadonlySet<string>
  /** To be deleted from the vector store. */
  vectorIds: string[]
  /** To be deleted from the docstore, one by one. */
  documentIds: string[]
  /** To be deleted from the docstore with all their nodes. */
  refDocIds: string[]
}

/**
 * What an index must let go when it lets some nodes go, these included: their summaries, for instance. `wanted` are all ids asked for, also those that its struct does
 * not name.
 */
export type Companions = (
  view: StructView,
  nodeIds: ReadonlySet<string>,
  wanted: ReadonlySet<string>,
) => ReadonlySet<string> | Promise<ReadonlySet<string>>

export interface RemovalPlanRequest extends RemovalRequest {
  /** Ids of nodes that are added in the same step. They are replaced where they stand. */
  readded: ReadonlySet<string>
  /** Source documents whose new versions are added in the same step. */
  replaced: ReadonlySet<string>
  companions: Companions
}

export async function planRemoval(
  storage: IndexStorage,
  view: StructView,
  request: RemovalPlanRequest,
): Promise<Removal> {
  const { nodeIds = [], refDocIds = [], deleteFromDocstore, readded, replaced, companions } = request
  const infos = await refDocInfos(storage.docstore, refDocIds)
  const all = [...nodeIds, ...[...infos.values()].flatMap((info) => info?.nodeIds ?? [])]
  const wanted = new Set(all.filter((id) => !readded.has(id)))
  const going = await companions(view, nodesAmong(view, wanted), wanted)
  const own = new Set([...going].filter((id) => !readded.has(id)))
  const vectors = vectorsOfNodes(view, own)
  const others = await referredByOthers(storage.indexStore, {
    indexId: view.indexId,
    namespace: namespaceOf(view),
    ids: new Set([...wanted, ...own, ...vectors, ...refDocIds]),
  })

  const removal: Removal = {
    nodeIds: own,
    vectorIds: [...vectors].filter((id) => !others.vectors.has(id)),
    documentIds: [],
    refDocIds: [],
  }
  if (!deleteFromDocstore) return removal
  const free = new Set([...own].filter((id) => !others.nodes.has(id)))
  for (const [refDocId, info] of infos) {
    const replaces = replaced.has(refDocId)
    if (info === undefined) {
      if (!replaces && (await isOnlyHash(storage.docstore, refDocId))) removal.documentIds.push(refDocId)
    } else if (!replaces && ![refDocId, ...info.nodeIds].some((id) => others.nodes.has(id))) {
      removal.refDocIds.push(refDocId)
      info.nodeIds.forEach((id) => free.delete(id))
    } else if (replaces && !others.nodes.has(refDocId) && (await storage.docstore.documentExists(refDocId))) {
      // A source document that was kept whole would outlive its new version.
      removal.documentIds.push(refDocId)
    }
  }
  for (const id of free) removal.documentIds.push(id)
  return removal
}

async function refDocInfos(
  docstore: DocumentStore,
  refDocIds: readonly string[],
): Promise<Map<string, RefDocInfo | undefined>> {
  const infos = await Promise.all(refDocIds.map((id) => docstore.getRefDocInfo(id)))
  return new Map(refDocIds.map((id, at) => [id, infos[at]]))
}

/** A document without nodes, such as an empty one, leaves nothing but its hash. */
async function isOnlyHash(docstore: DocumentStore, refDocId: string): Promise<boolean> {
  return (
    (await docstore.getDocumentHash(refDocId)) !== undefined && !(await docstore.documentExists(refDocId))
  )
}

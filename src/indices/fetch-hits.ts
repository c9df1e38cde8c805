/** From ids to nodes: the last step of every retrieval. */
import { VarveError } from '../errors.ts'
import type { DocumentStore } from '../stores/contract.ts'
import type { NodeWithScore } from './retriever.ts'
import { nodesAmong } from './struct-references.ts'
import type { StructHandle } from './struct-handle.ts'

export interface Hit {
  nodeId: string
  score: number
}

/** How often a search is repeated because its hits were deleted before their nodes were read. */
const maxAttempts = 3

/**
 * Reads the nodes of what `find` finds in one call. A hit that was deleted in between makes the search start anew, so that it shows either
 * state, not a mixture. One that the index still refers to is missing from the docstore: `VARVE_NODE_NOT_FOUND`.
 */
export async function fetchHits(
  docstore: DocumentStore,
  struct: StructHandle,
  find: () => Promise<Hit[]>,
): Promise<NodeWithScore[]> {
  for (let attempt = 1; ; attempt++) {
    const hits = await find()
    const ids = [...new Set(hits.map(({ nodeId }) => nodeId))]
    const nodes = new Map(
      (await docstore.getNodes(ids, { raiseError: false })).map((node) => [node.id_, node]),
    )
    const missing = new Set(ids.filter((id) => !nodes.has(id)))
    if (missing.size > 0) refuseDangling(struct.indexId, nodesAmong(await struct.current(), missing))
    if (missing.size === 0 || attempt === maxAttempts) {
      return hits.flatMap(({ nodeId, score }) => {
        const node = nodes.get(nodeId)
        return node === undefined ? [] : [{ node, score }]
      })
    }
  }
}

function refuseDangling(indexId: string, dangling: ReadonlySet<string>): void {
  if (dangling.size === 0) return
  const nodeIds = [...dangling]
  const more = nodeIds.length > 1 ? ` and ${nodeIds.length - 1} more` : ''
  throw new VarveError(
    'VARVE_NODE_NOT_FOUND',
    `Index '${indexId}' refers to node '${nodeIds[0]!}'${more}, which the docstore does not hold.`,
    {
      remedy:
        'Open the whole directory, docstore included, or take the nodes out of the index with deleteNodes().',
      indexId,
      nodeIds,
    },
  )
}

/** Answers the leaves of a tree, its roots, or the leaves that are reached by following what is most similar to a question. */
import type { DocumentStore } from '../stores/contract.ts'
import type { StructView } from '../stores/index-struct.ts'
import { checkCount } from './check-count.ts'
import type { EmbedModel } from './embed-model.ts'
import { embedQuestion } from './embed-question.ts'
import { fetchHits, type Hit } from './fetch-hits.ts'
import { NodeSelection } from './node-selection.ts'
import {
  asQuery,
  checkRetrieverMode,
  type NodeWithScore,
  type Query,
  type RetrieveOptions,
} from './retriever.ts'
import type { Retriever, RetrieverOptions } from './retriever.ts'
import { similarNodes } from './similar-nodes.ts'
import type { StructHandle } from './struct-handle.ts'
import { childrenOf, leavesOf, rootsOf } from './tree-shape.ts'

export interface TreeParts {
  docstore: DocumentStore
  struct: StructHandle
  embedModel: EmbedModel | undefined
}

const modes = ['select_leaf_embedding', 'all_leaf', 'root'] as const

export class TreeRetriever implements Retriever {
  readonly #parts: TreeParts
  readonly #selection: NodeSelection
  readonly #mode: (typeof modes)[number]
  readonly #branches: number

  constructor(parts: TreeParts, options: RetrieverOptions) {
    this.#parts = parts
    this.#selection = new NodeSelection(options)
    this.#mode = checkRetrieverMode(options.retrieverMode ?? 'select_leaf_embedding', modes)
    this.#branches = checkCount('childBranchFactor', options.childBranchFactor ?? 1)
  }

  /** Leaves and roots are answered in the order of the tree. */
  async retrieve(query: string | Query, { signal }: RetrieveOptions = {}): Promise<NodeWithScore[]> {
    const { docstore, struct, embedModel } = this.#parts
    signal?.throwIfAborted()
    const { embedding, queryStr = '' } = asQuery(query)
    const isAsked = this.#mode === 'select_leaf_embedding'
    const asked = isAsked
      ? (embedding ?? (await embedQuestion(queryStr, { struct, embedModel, signal })))
      : undefined
    const hits = await fetchHits(docstore, struct, async () => {
      const view = await struct.current()
      if (asked !== undefined) return await this.#descend(view, asked, signal)
      const ids = this.#mode === 'root' ? rootsOf(view) : leavesOf(view)
      return ids.map((nodeId) => ({ nodeId, score: 1 }))
    })
    return hits.filter(({ node }) => this.#selection.hasId(node.id_) && this.#selection.has(node))
  }

  /** At each node the children that are most similar are followed; leaves keep their similarity. */
  async #descend(
    view: StructView,
    asked: ArrayLike<number>,
    signal: AbortSignal | undefined,
  ): Promise<Hit[]> {
    const leaves: Hit[] = []
    const seen = new Set<string>()
    const levels = [rootsOf(view)]
    for (const ids of levels) {
      signal?.throwIfAborted()
      for (const hit of await this.#mostSimilar(ids, asked, signal)) {
        const children = childrenOf(view, hit.nodeId)
        if (seen.has(hit.nodeId)) continue
        seen.add(hit.nodeId)
        if (children.length > 0) levels.push([...children])
        else leaves.push(hit)
      }
    }
    return leaves.sort((a, b) => b.score - a.score)
  }

  /** A node that is missing is a hit: whoever fetches it says so. */
  async #mostSimilar(
    ids: readonly string[],
    asked: ArrayLike<number>,
    signal: AbortSignal | undefined,
  ): Promise<Hit[]> {
    const nodes = await this.#parts.docstore.getNodes(ids, { raiseError: false })
    const found = new Set(nodes.map(({ id_ }) => id_))
    const missing = ids.filter((id) => !found.has(id))
    const { embedModel: model } = this.#parts
    const { ids: best, similarities } = await similarNodes(nodes, asked, { k: this.#branches, model, signal })
    return [
      ...missing.map((nodeId) => ({ nodeId, score: 0 })),
      ...best.map((nodeId, at) => ({ nodeId, score: similarities[at]! })),
    ]
  }
}

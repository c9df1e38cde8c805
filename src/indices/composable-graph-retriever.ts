/**
 * Asks a root index, and where a hit stands for another index, that one, whose hits take its place. Each index is asked once and each node answered once, at its first
 * place, so that graphs with cycles end. Scores are those of the index a node was found in.
 */
import { IndexNode, type BaseNode } from '../stores/node.ts'
import type { BaseIndex } from './base-index.ts'
import type { NodeWithScore, Query, RetrieveOptions, Retriever, RetrieverOptions } from './retriever.ts'

export interface GraphAccess {
  find: (indexId: string) => Promise<BaseIndex>
  optionsFor: (indexId: string) => RetrieverOptions
}

export class ComposableGraphRetriever implements Retriever {
  readonly #root: BaseIndex
  readonly #access: GraphAccess

  constructor(root: BaseIndex, access: GraphAccess) {
    this.#root = root
    this.#access = access
  }

  async retrieve(query: string | Query, options: RetrieveOptions = {}): Promise<NodeWithScore[]> {
    const asked = new Set<string>()
    const hits = new Map<string, NodeWithScore>()
    const ask = async (index: BaseIndex): Promise<void> => {
      asked.add(index.indexId)
      const retriever = index.asRetriever(this.#access.optionsFor(index.indexId))
      for (const hit of await retriever.retrieve(query, options)) {
        const indexId = indexBehind(hit.node)
        if (indexId === undefined) {
          if (!hits.has(hit.node.id_)) hits.set(hit.node.id_, hit)
        } else if (!asked.has(indexId)) {
          options.signal?.throwIfAborted()
          await ask(await this.#access.find(indexId))
        }
      }
    }
    await ask(this.#root)
    return [...hits.values()]
  }
}

/** Index nodes may stand for other things, too; one whose source is its index stands for that. */
function indexBehind(node: BaseNode): string | undefined {
  if (!(node instanceof IndexNode) || node.indexId === '') return undefined
  return node.refDocId === node.indexId ? node.indexId : undefined
}

/** Answers all nodes of a summary index, in its order. */
import type { DocumentStore } from '../stores/contract.ts'
import { fetchHits, type Hit } from './fetch-hits.ts'
import { NodeSelection } from './node-selection.ts'
import type { NodeWithScore, Query, RetrieveOptions, Retriever, RetrieverOptions } from './retriever.ts'
import type { StructHandle } from './struct-handle.ts'

export class SummaryIndexRetriever implements Retriever {
  readonly #docstore: DocumentStore
  readonly #struct: StructHandle
  readonly #selection: NodeSelection

  constructor(docstore: DocumentStore, struct: StructHandle, options: RetrieverOptions) {
    this.#docstore = docstore
    this.#struct = struct
    this.#selection = new NodeSelection(options)
  }

  async retrieve(_query: string | Query, { signal }: RetrieveOptions = {}): Promise<NodeWithScore[]> {
    signal?.throwIfAborted()
    const hits = await fetchHits(this.#docstore, this.#struct, () => this.#find())
    return hits.filter(({ node }) => this.#selection.has(node))
  }

  /** Imported lists may name a node several times. */
  async #find(): Promise<Hit[]> {
    const view = await this.#struct.current()
    const nodeIds = [...new Set(view.members('nodes'))].filter((id) => this.#selection.hasId(id))
    return nodeIds.map((nodeId) => ({ nodeId, score: 1 }))
  }
}

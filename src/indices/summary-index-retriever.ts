/** Answers the nodes of a summary index: all in its order, or those most similar to a question. */
import type { DocumentStore } from '../stores/contract.ts'
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

export interface SummaryIndexParts {
  docstore: DocumentStore
  struct: StructHandle
  embedModel: EmbedModel | undefined
}

export class SummaryIndexRetriever implements Retriever {
  readonly #parts: SummaryIndexParts
  readonly #selection: NodeSelection
  readonly #mode: 'default' | 'embedding'
  readonly #topK: number

  constructor(parts: SummaryIndexParts, options: RetrieverOptions) {
    this.#parts = parts
    this.#selection = new NodeSelection(options)
    this.#mode = checkRetrieverMode(options.retrieverMode ?? 'default', ['default', 'embedding'])
    this.#topK = checkCount('similarityTopK', options.similarityTopK ?? 1)
  }

  async retrieve(query: string | Query, { signal }: RetrieveOptions = {}): Promise<NodeWithScore[]> {
    signal?.throwIfAborted()
    const { docstore, struct, embedModel } = this.#parts
    const hits = await fetchHits(docstore, struct, () => this.#find())
    const wanted = hits.filter(({ node }) => this.#selection.has(node))
    if (this.#mode === 'default' || wanted.length === 0) return wanted
    const { embedding, queryStr = '' } = asQuery(query)
    const question = embedding ?? (await embedQuestion(queryStr, { struct, embedModel, signal }))
    const nodes = wanted.map(({ node }) => node)
    const best = await similarNodes(nodes, question, { k: this.#topK, model: embedModel, signal })
    const byId = new Map(nodes.map((node) => [node.id_, node]))
    return best.ids.map((id, at) => ({ node: byId.get(id)!, score: best.similarities[at]! }))
  }

  /** Imported lists may name a node several times. */
  async #find(): Promise<Hit[]> {
    const view = await this.#parts.struct.current()
    const nodeIds = [...new Set(view.members('nodes'))].filter((id) => this.#selection.hasId(id))
    return nodeIds.map((nodeId) => ({ nodeId, score: 1 }))
  }
}

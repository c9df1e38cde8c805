/** An index of all its nodes in order: a retrieval answers all of them, or those most similar to a question. LlamaIndex's `ListIndex` of old. */
import type { StructChange, StructView } from '../stores/index-struct.ts'
import type { BaseNode } from '../stores/node.ts'
import { BaseIndex, newStruct, type IndexOptions, type NewIndexOptions } from './base-index.ts'
import { withEmbedding } from './copy-node.ts'
import { withStorage } from './default-storage.ts'
import type { EmbedModel } from './embed-model.ts'
import type { Addition } from './index-step.ts'
import { knownAmong } from './known-nodes.ts'
import type { Retriever, RetrieverOptions } from './retriever.ts'
import type { StructHandle } from './struct-handle.ts'
import { nodesAmong } from './struct-references.ts'
import { SummaryIndexRetriever } from './summary-index-retriever.ts'

export interface SummaryIndexOptions extends IndexOptions {
  /** For the retriever mode `embedding`, which embeds all nodes that are kept without a vector for each question: for many nodes a vector index is better. */
  embedModel?: EmbedModel
}

export type NewSummaryIndexOptions = Omit<SummaryIndexOptions, 'storageContext'> & NewIndexOptions

export class SummaryIndex extends BaseIndex {
  readonly #embedModel: EmbedModel | undefined

  protected constructor(struct: StructHandle, options: SummaryIndexOptions) {
    super(struct, options)
    this.#embedModel = options.embedModel
  }

  /** Makes a new index of documents. */
  static async fromDocuments(
    documents: readonly BaseNode[],
    options: NewSummaryIndexOptions = {},
  ): Promise<SummaryIndex> {
    const index = await SummaryIndex.#new(options)
    await index.addDocuments(documents, options)
    return index
  }

  /** Makes a new index of nodes, or of none. */
  static async init({
    nodes = [],
    ...options
  }: NewSummaryIndexOptions & { nodes?: readonly BaseNode[] } = {}) {
    const index = await SummaryIndex.#new(options)
    await index.insertNodes(nodes, options)
    return index
  }

  /** For `loadIndexFromStorage`. */
  static load(struct: StructHandle, options: SummaryIndexOptions): SummaryIndex {
    return new SummaryIndex(struct, options)
  }

  static async #new(given: NewSummaryIndexOptions): Promise<SummaryIndex> {
    const options = await withStorage(given)
    return new SummaryIndex(newStruct({ type: 'list', nodes: [] }, options), options)
  }

  override asRetriever(options: RetrieverOptions = {}): Retriever {
    const { docstore } = this.storageContext
    return new SummaryIndexRetriever({ docstore, struct: this.struct, embedModel: this.#embedModel }, options)
  }

  /** A node that is listed already keeps its place; Python lists it twice. */
  protected override async prepare(given: readonly BaseNode[]): Promise<Addition> {
    const nodes = given.map((node) => withEmbedding(node, undefined))
    return {
      nodes,
      vectors: [],
      changes: async (view) => {
        const listed = nodesAmong(view, await knownAmong(this.storageContext.docstore, nodes))
        const added = nodes.filter(({ id_ }) => !listed.has(id_))
        return added.map(({ id_ }) => ({ op: 'append', field: 'nodes', member: id_ }))
      },
    }
  }

  protected override removalChanges(_view: StructView, nodeIds: ReadonlySet<string>): StructChange[] {
    return [...nodeIds].map((member) => ({ op: 'withdraw', field: 'nodes', member }))
  }
}

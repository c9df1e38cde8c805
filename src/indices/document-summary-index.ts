/**
 * An index of documents by their summaries: finds the documents whose summaries are most similar to a question, and answers their nodes. Summaries come from a
 * function of the caller. A summary stays as it is while any node of its document does, and goes with the last.
 */
import { randomUUID } from 'node:crypto'
import { VarveError } from '../errors.ts'
import type { VectorStore } from '../stores/contract.ts'
import type { StructChange, StructView } from '../stores/index-struct.ts'
import { TextNode, type BaseNode } from '../stores/node.ts'
import {
  BaseIndex,
  newStruct,
  type IndexOptions,
  type NewIndexOptions,
  type PreparingWork,
} from './base-index.ts'
import { checkCount } from './check-count.ts'
import { copyNode, withEmbedding } from './copy-node.ts'
import { withStorage } from './default-storage.ts'
import { nodesOfSummary, planSummaries, summaryOfDocument, withEmptySummaries } from './document-summaries.ts'
import type { SummarizedDocument } from './document-summaries.ts'
import { DocumentSummaryRetriever } from './document-summary-retriever.ts'
import type { EmbedModel } from './embed-model.ts'
import { checkEmbedModel, rememberEmbedModel } from './embed-model-memory.ts'
import { embedNodes } from './embed-nodes.ts'
import type { Addition, PlanRequest, StepPlan } from './index-step.ts'
import { inSteps, type LongWork } from './long-work.ts'
import type { Retriever, RetrieverOptions } from './retriever.ts'
import type { StructHandle } from './struct-handle.ts'
import { summarized, type Summarizer } from './summarizer.ts'

export interface DocumentSummaryIndexOptions extends IndexOptions {
  /** Needed to add documents and nodes; prepared summaries need none. */
  summarize?: Summarizer
  /** Summaries get vectors of it, and questions are asked with it. */
  embedModel?: EmbedModel
  /** Default: `true` with an `embedModel`. */
  embedSummaries?: boolean
  /** Texts given to the model at a time. Default 64. */
  embedBatchSize?: number
  /** Makes the ids of summaries. Default `crypto.randomUUID`. */
  newId?: () => string
}

export type NewDocumentSummaryIndexOptions = Omit<DocumentSummaryIndexOptions, 'storageContext'> &
  NewIndexOptions

export interface LoadDocumentSummaryIndexOptions extends DocumentSummaryIndexOptions {
  acceptEmbedModel?: boolean
}

interface SummaryAddition extends Addition {
  documents: readonly SummarizedDocument[]
}

export class DocumentSummaryIndex extends BaseIndex {
  readonly #options: DocumentSummaryIndexOptions
  readonly #embedBatchSize: number

  protected constructor(struct: StructHandle, options: DocumentSummaryIndexOptions) {
    super(struct, options)
    this.#options = options
    this.#embedBatchSize = checkCount('embedBatchSize', options.embedBatchSize ?? 64)
  }

  /** Makes a new index of documents. */
  static async fromDocuments(
    documents: readonly BaseNode[],
    options: NewDocumentSummaryIndexOptions = {},
  ): Promise<DocumentSummaryIndex> {
    const index = await DocumentSummaryIndex.#new(options)
    await index.addDocuments(documents, options)
    return index
  }

  /** Makes a new index of nodes, which must tell their source documents, or of none. */
  static async init({
    nodes = [],
    ...options
  }: NewDocumentSummaryIndexOptions & { nodes?: readonly BaseNode[] } = {}) {
    const index = await DocumentSummaryIndex.#new(options)
    await index.insertNodes(nodes, options)
    return index
  }

  /** For `loadIndexFromStorage`. */
  static async load(
    struct: StructHandle,
    options: LoadDocumentSummaryIndexOptions,
  ): Promise<DocumentSummaryIndex> {
    await checkEmbedModel(struct, options)
    return new DocumentSummaryIndex(struct, options)
  }

  static async #new(given: NewDocumentSummaryIndexOptions): Promise<DocumentSummaryIndex> {
    const options = await withStorage(given)
    const fields = {
      summaryIdToNodeIds: new Map(),
      nodeIdToSummaryId: new Map(),
      docIdToSummaryId: new Map(),
    }
    return new DocumentSummaryIndex(newStruct({ type: 'document_summary', ...fields }, options), options)
  }

  override asRetriever(options: RetrieverOptions = {}): Retriever {
    const { docstore, vectorStore } = this.storageContext
    const { embedModel } = this.#options
    return new DocumentSummaryRetriever({ docstore, vectorStore, struct: this.struct, embedModel }, options)
  }

  async getDocumentSummary(refDocId: string): Promise<string> {
    const summaryId = summaryOfDocument(await this.struct.current(), refDocId)
    if (summaryId === undefined) {
      const fact = `Index '${this.indexId}' has no document '${refDocId}'.`
      throw new VarveError('VARVE_REF_DOC_NOT_FOUND', fact, { refDocId })
    }
    return (await this.storageContext.docstore.getNode(summaryId)).text
  }

  /** Adds a document's nodes with a summary that is there already. A summary with a vector can be found by it. */
  async insertSummary(summary: BaseNode, nodes: readonly BaseNode[], work: LongWork = {}): Promise<void> {
    const [refDocId, ...others] = [...byDocument(nodes).keys()]
    if (refDocId === undefined || others.length > 0 || (summary.refDocId ?? refDocId) !== refDocId) {
      const fact = 'A summary is of the nodes of one document.'
      throw new VarveError('VARVE_BAD_OPTION', fact, { remedy: 'Give all of them the same SOURCE.' })
    }
    const node = summary.refDocId === undefined ? withSource(summary, refDocId) : summary
    await this.run({ addition: await this.#addition([{ summary: node, refDocId, nodes }], work) }, work)
  }

  protected override async prepare(nodes: readonly BaseNode[], work: PreparingWork): Promise<Addition> {
    const documents = [...byDocument(nodes)]
    const { summarize, newId = randomUUID } = this.#options
    if (documents.length > 0 && summarize === undefined) {
      throw new VarveError('VARVE_BAD_OPTION', 'There is nothing to summarize these documents with.', {
        remedy: 'Pass { summarize }, or add prepared summaries with insertSummary().',
      })
    }
    const view = await this.struct.current()
    const prepared: PreparedDocument[] = []
    const { onProgress, signal } = work
    await inSteps(documents, { onProgress, signal, phase: 'summarize', size: 1 }, async ([entry]) => {
      const [refDocId, added] = entry!
      const known = summaryOfDocument(view, refDocId)
      const stays =
        known === undefined || work.replacedDocIds?.has(refDocId) ? [] : nodesOfSummary(view, known)
      const before = await this.#others(stays, added)
      const text = await summarized(summarize!, [...before, ...added], signal)
      const { metadata, excludedEmbedMetadataKeys, excludedLlmMetadataKeys } = added[0]!
      const init = {
        id_: known ?? newId(),
        text,
        metadata,
        excludedEmbedMetadataKeys,
        excludedLlmMetadataKeys,
      }
      prepared.push({ summary: withSource(new TextNode(init), refDocId), refDocId, nodes: added })
    })
    return await this.#addition(prepared, work)
  }

  /** Those of the document's nodes that are not replaced. */
  async #others(nodeIds: readonly string[], added: readonly BaseNode[]): Promise<BaseNode[]> {
    const renewed = new Set(added.map(({ id_ }) => id_))
    const ids = nodeIds.filter((id) => !renewed.has(id))
    return await this.storageContext.docstore.getNodes(ids, { raiseError: false })
  }

  async #addition(
    documents: readonly PreparedDocument[],
    { onProgress, signal }: LongWork,
  ): Promise<SummaryAddition> {
    const { embedModel: model, embedSummaries = model !== undefined } = this.#options
    const summaries = documents.map(({ summary }) => summary)
    const bare = embedSummaries ? summaries : summaries.filter((node) => node.embedding !== undefined)
    const embedded = await embedNodes(bare, { onProgress, signal, model, batchSize: this.#embedBatchSize })
    const all = [...summaries, ...documents.flatMap(({ nodes }) => nodes)]
    return {
      nodes: all.map((node) => withEmbedding(node, undefined)),
      vectors: embedded.map(({ node, embedding }) => withEmbedding(node, embedding)),
      documents: documents.map(({ summary, refDocId, nodes }) => ({
        refDocId,
        summaryId: summary.id_,
        nodeIds: nodes.map(({ id_ }) => id_),
      })),
      changes: (view) => rememberEmbedModel(view, model, embedded[0]?.embedding.length),
    }
  }

  protected override get vectorStores(): readonly VectorStore[] {
    return [this.storageContext.vectorStore]
  }

  protected override companions(view: StructView, nodeIds: ReadonlySet<string>): ReadonlySet<string> {
    return withEmptySummaries(view, nodeIds)
  }

  protected override async plan({ view, removed, addition }: PlanRequest): Promise<StepPlan> {
    const { docstore, vectorStore } = this.storageContext
    const { documents } = (addition as SummaryAddition | undefined) ?? { documents: [] }
    const { changes, orphans } = planSummaries(view, removed, documents)
    return {
      changes: [...changes, ...((await addition?.changes(view)) ?? [])],
      calls: orphans.flatMap((id) => [
        { store: docstore, call: () => docstore.deleteDocument(id, { raiseError: false }) },
        { store: vectorStore, call: async () => await vectorStore.deleteNodes?.({ nodeIds: [id] }) },
      ]),
    }
  }

  /** Never asked: `plan` sees to both sides. */
  protected override removalChanges(): StructChange[] {
    return []
  }
}

interface PreparedDocument {
  summary: BaseNode
  refDocId: string
  nodes: readonly BaseNode[]
}

function byDocument(nodes: readonly BaseNode[]): Map<string, BaseNode[]> {
  const groups = new Map<string, BaseNode[]>()
  for (const node of nodes) {
    const { refDocId } = node
    if (refDocId === undefined) {
      const fact = `Node '${node.id_}' does not tell its source document.`
      throw new VarveError('VARVE_BAD_OPTION', fact, {
        remedy: 'Give it a SOURCE relationship: a document summary index is one of documents.',
      })
    }
    groups.set(refDocId, [...(groups.get(refDocId) ?? []), node])
  }
  return groups
}

function withSource(node: BaseNode, refDocId: string): BaseNode {
  const copy = copyNode(node)
  copy.relationships = {
    ...node.relationships,
    SOURCE: { nodeId: refDocId, nodeType: 'DOCUMENT', metadata: {} },
  }
  return copy
}

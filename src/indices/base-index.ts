/**
 * What all indices have in common: documents come in as nodes, change and go, and every change hits all stores as one unit. An index keeps no
 * state of its own beside its struct in the index store.
 */
import { randomUUID } from 'node:crypto'
import { VarveError } from '../errors.ts'
import type { RefDocInfo, VectorStore } from '../stores/contract.ts'
import { checkList } from '../stores/ids.ts'
import type { IndexStruct, StructChange, StructView } from '../stores/index-struct.ts'
import type { BaseNode } from '../stores/node.ts'
import { checkCount } from './check-count.ts'
import {
  checkStrategy,
  hashedOnly,
  withoutDuplicates,
  type IngestOptions,
  type IngestReport,
} from './docstore-strategy.ts'
import type { IndexStorage } from './index-storage.ts'
import {
  runStep,
  type Addition,
  type IndexStep,
  type PlanRequest,
  type StepPlan,
  type StepTarget,
} from './index-step.ts'
import type { LongWork } from './long-work.ts'
import type { Companions } from './node-removal.ts'
import { parseNodes, type DocumentSplitter, type NodeParser } from './node-parser.ts'
import { QueryEngine, type QueryEngineOptions } from './query-engine.ts'
import type { Retriever, RetrieverOptions } from './retriever.ts'
import { SentenceSplitter } from './sentence-splitter.ts'
import { staleDocuments } from './stale-documents.ts'
import { StructHandle } from './struct-handle.ts'
import { nodeIdsIn } from './struct-references.ts'

export interface IndexOptions {
  /** Where the index and what belongs to it is kept. */
  storageContext: IndexStorage
  /** Cuts documents into nodes. Default: a `SentenceSplitter`. */
  nodeParser?: NodeParser | DocumentSplitter
  /** Nodes given to the stores at a time. Default 2,048. */
  insertBatchSize?: number
}

export interface NewIndexOptions extends Omit<IndexOptions, 'storageContext'>, LongWork {
  /** Default: a new one in memory. */
  storageContext?: IndexStorage
  /** Default: a new id. One that is taken is refused. */
  indexId?: string
  /** Makes ids. Default `crypto.randomUUID`. */
  newId?: () => string
}

export interface DeleteOptions {
  /** `true` (default): what no other index refers to is deleted from the docstore too. LlamaIndex leaves it there. */
  deleteFromDocstore?: boolean
}

export interface PreparingWork extends LongWork {
  /** Source documents whose nodes of before go in the same step. */
  replacedDocIds?: ReadonlySet<string>
}

export abstract class BaseIndex {
  readonly storageContext: IndexStorage
  protected readonly struct: StructHandle
  readonly #nodeParser: NodeParser | DocumentSplitter
  readonly #insertBatchSize: number

  protected constructor(struct: StructHandle, options: IndexOptions) {
    this.storageContext = options.storageContext
    this.struct = struct
    this.#nodeParser = options.nodeParser ?? new SentenceSplitter()
    this.#insertBatchSize = checkCount('insertBatchSize', options.insertBatchSize ?? 2048)
  }

  abstract asRetriever(options?: RetrieverOptions): Retriever
  /** Does what takes long, such as embedding, and changes no store. */
  protected abstract prepare(nodes: readonly BaseNode[], work: PreparingWork): Promise<Addition>
  /** What the struct loses with some nodes. */
  protected abstract removalChanges(view: StructView, nodeIds: ReadonlySet<string>): StructChange[]

  /** What changes in one step. Overridden where removal and addition must know of each other. */
  protected async plan({ view, removed, addition }: PlanRequest): Promise<StepPlan> {
    return { changes: [...this.removalChanges(view, removed), ...((await addition?.changes(view)) ?? [])] }
  }

  /** What goes when some nodes go. */
  protected companions(...[, nodeIds]: Parameters<Companions>): ReturnType<Companions> {
    return nodeIds
  }

  /** Vectors are added to the first, and deleted from all. */
  protected get vectorStores(): readonly VectorStore[] {
    return []
  }

  /** Whether the struct tells which nodes the index has. */
  protected get tracksNodes(): boolean {
    return true
  }

  get indexId(): string {
    return this.struct.indexId
  }

  get summary(): string | null {
    return this.struct.lastSeen.summary
  }

  async setIndexId(indexId: string): Promise<void> {
    await this.storageContext.together(() => this.struct.rename(indexId))
  }

  async setSummary(summary: string | null): Promise<void> {
    await this.storageContext.together(async () => {
      await this.struct.fresh()
      await this.struct.change([{ op: 'replace', field: 'summary', value: summary }])
    })
  }

  asQueryEngine({ llm, prompt, ...options }: QueryEngineOptions & RetrieverOptions): QueryEngine {
    return new QueryEngine(this.asRetriever(options), { llm, ...(prompt && { prompt }) })
  }

  /** Splits a document and adds its nodes. For one that may be in the index already there is `updateRefDoc`. */
  async insert(document: BaseNode, work: LongWork = {}): Promise<void> {
    await this.addDocuments([document], work)
  }

  /** Adds nodes. Those whose ids are known are replaced. */
  async insertNodes(nodes: readonly BaseNode[], work: LongWork = {}): Promise<void> {
    const given = lastOfEachId(checkList(nodes, 'insertNodes()'))
    await this.run({ addition: await this.prepare(given, work) }, work)
  }

  /** Takes nodes out of the index. Ids it does not have are ignored. */
  async deleteNodes(nodeIds: readonly string[], options: DeleteOptions = {}): Promise<void> {
    const { deleteFromDocstore = true } = options
    await this.run({ removal: { nodeIds: checkList(nodeIds, 'deleteNodes()'), deleteFromDocstore } })
  }

  /**
   * Takes a source document out of the index: its nodes, vectors and hash, except for what another index refers to. An id that is not known
   * changes nothing.
   */
  async deleteRefDoc(refDocId: string, { deleteFromDocstore = true }: DeleteOptions = {}): Promise<void> {
    await this.run({ removal: { refDocIds: [refDocId], deleteFromDocstore } })
  }

  /** Replaces what the index has of a document by its new version, or adds it. */
  async updateRefDoc(document: BaseNode, work: LongWork = {}): Promise<void> {
    await this.#replace([document], work)
  }

  /** Updates the documents that are new or have changed, all of them as one unit. Answers which. */
  async refreshRefDocs(documents: readonly BaseNode[], work: LongWork = {}): Promise<boolean[]> {
    const changed = new Set((await this.ingest(documents, work)).changed)
    return documents.map(({ id_ }) => changed.has(id_))
  }

  /**
   * Takes in the documents that a strategy of LlamaIndex's ingestion pipeline finds worth it, and deletes those it wants gone, all of them as one unit: a document's
   * hash changes with its nodes or not at all. The transformations are the index's `nodeParser`, any function from documents to nodes, and its models.
   */
  async ingest(documents: readonly BaseNode[], options: IngestOptions = {}): Promise<IngestReport> {
    const { docstoreStrategy = 'upserts', ...work } = options
    const strategy = checkStrategy(docstoreStrategy)
    const given = lastOfEachId(checkList(documents, 'Taking in documents'))
    const wanted =
      strategy === 'duplicates_only'
        ? await withoutDuplicates(this.storageContext.docstore, given, await this.#documentIds())
        : await this.#stale(given)
    const ids = new Set(given.map(({ id_ }) => id_))
    const others = strategy === 'upserts_and_delete' ? await this.#documentIds() : []
    const deleted = others.filter((id) => !ids.has(id))
    if (wanted.length + deleted.length > 0) await this.#replace(wanted, work, deleted)
    const changed = wanted.map(({ id_ }) => id_)
    for (const id of changed) ids.delete(id)
    return { changed, deleted, skipped: [...ids] }
  }

  /** The documents that the index does not hold as they are now. */
  async #stale(documents: readonly BaseNode[]): Promise<BaseNode[]> {
    const view = this.tracksNodes ? await this.struct.current() : undefined
    const stale = await staleDocuments(this.storageContext.docstore, documents, view)
    return documents.filter(({ id_ }) => stale.has(id_))
  }

  async #documentIds(): Promise<string[]> {
    if (this.tracksNodes) return [...(await this.refDocInfo()).keys()]
    return await hashedOnly(this.storageContext.docstore)
  }

  /** The source documents of the index's nodes, each with those of its nodes that this index has. */
  async refDocInfo(): Promise<Map<string, RefDocInfo>> {
    if (!this.tracksNodes) {
      const fact = `Index '${this.indexId}' leaves its nodes to a vector store that keeps their text.`
      throw new VarveError('VARVE_UNSUPPORTED_QUERY', fact, { remedy: 'Ask that store for its documents.' })
    }
    const own = new Set(nodeIdsIn(await this.struct.current()))
    const infos = await this.storageContext.docstore.getAllRefDocInfo()
    const ownInfos = [...infos].map(([id, info]): [string, RefDocInfo] => [
      id,
      { ...info, nodeIds: info.nodeIds.filter((nodeId) => own.has(nodeId)) },
    ])
    return new Map(ownInfos.filter(([, { nodeIds }]) => nodeIds.length > 0))
  }

  protected async addDocuments(documents: readonly BaseNode[], work: LongWork): Promise<void> {
    const hashes = new Map(documents.map((document) => [document.id_, document.hash]))
    const nodes = await parseNodes(this.#nodeParser, documents, work)
    await this.run({ addition: await this.prepare(lastOfEachId(nodes), work), hashes }, work)
  }

  async #replace(
    documents: readonly BaseNode[],
    work: LongWork,
    deletedDocIds: readonly string[] = [],
  ): Promise<void> {
    const hashes = new Map(documents.map((document) => [document.id_, document.hash]))
    const nodes = await parseNodes(this.#nodeParser, documents, work)
    const replacedDocIds = new Set(hashes.keys())
    const addition = await this.prepare(lastOfEachId(nodes), { ...work, replacedDocIds })
    const removal = { refDocIds: [...hashes.keys(), ...deletedDocIds], deleteFromDocstore: true }
    await this.run({ removal, addition, hashes }, work)
  }

  protected async run(step: IndexStep, work: LongWork = {}): Promise<void> {
    const target: StepTarget = {
      storage: this.storageContext,
      struct: this.struct,
      vectorStores: this.vectorStores,
      insertBatchSize: this.#insertBatchSize,
      plan: (request: PlanRequest) => this.plan(request),
      companions: (...asked) => this.companions(...asked),
    }
    await runStep(target, step, work)
  }
}

/** The handle of a struct that is stored with the index's first nodes. */
export function newStruct(
  fields: Omit<IndexStruct, 'indexId'> & { type: string },
  options: NewIndexOptions & IndexOptions,
): StructHandle {
  const { storageContext, indexId, newId = randomUUID } = options
  return StructHandle.forNew(storageContext.indexStore, {
    indexId: indexId ?? newId(),
    summary: null,
    ...fields,
  })
}

function lastOfEachId(nodes: readonly BaseNode[]): BaseNode[] {
  return [...new Map(nodes.map((node) => [node.id_, node])).values()]
}

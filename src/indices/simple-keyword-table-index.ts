/** An index from keywords to nodes: finds the nodes that share most keywords with a question. */
import type { StructChange, StructView } from '../stores/index-struct.ts'
import type { BaseNode } from '../stores/node.ts'
import { BaseIndex, newStruct, type IndexOptions, type NewIndexOptions } from './base-index.ts'
import { checkCount } from './check-count.ts'
import { withEmbedding } from './copy-node.ts'
import type { Addition } from './index-step.ts'
import { withStorage } from './default-storage.ts'
import { extractKeywords, type KeywordExtractor } from './keyword-extractor.ts'
import { KeywordTableRetriever } from './keyword-table-retriever.ts'
import { knownAmong } from './known-nodes.ts'
import { inSteps, type LongWork } from './long-work.ts'
import type { Retriever, RetrieverOptions } from './retriever.ts'
import type { StructHandle } from './struct-handle.ts'

export interface KeywordIndexOptions extends IndexOptions {
  /** Of chunks and of questions. Default: `extractKeywords`. */
  keywordExtractor?: KeywordExtractor
  /** Default 10. */
  maxKeywordsPerChunk?: number
}

export type NewKeywordIndexOptions = Omit<KeywordIndexOptions, 'storageContext'> & NewIndexOptions

export class SimpleKeywordTableIndex extends BaseIndex {
  readonly #extract: KeywordExtractor
  readonly #maxKeywords: number

  protected constructor(struct: StructHandle, options: KeywordIndexOptions) {
    super(struct, options)
    this.#extract = options.keywordExtractor ?? extractKeywords
    this.#maxKeywords = checkCount('maxKeywordsPerChunk', options.maxKeywordsPerChunk ?? 10)
  }

  /** Makes a new index of documents. */
  static async fromDocuments(
    documents: readonly BaseNode[],
    options: NewKeywordIndexOptions = {},
  ): Promise<SimpleKeywordTableIndex> {
    const index = await SimpleKeywordTableIndex.#new(options)
    await index.addDocuments(documents, options)
    return index
  }

  /** Makes a new index of nodes, or of none. */
  static async init({
    nodes = [],
    ...options
  }: NewKeywordIndexOptions & { nodes?: readonly BaseNode[] } = {}) {
    const index = await SimpleKeywordTableIndex.#new(options)
    await index.insertNodes(nodes, options)
    return index
  }

  /** For `loadIndexFromStorage`. */
  static load(struct: StructHandle, options: KeywordIndexOptions): SimpleKeywordTableIndex {
    return new SimpleKeywordTableIndex(struct, options)
  }

  static async #new(given: NewKeywordIndexOptions): Promise<SimpleKeywordTableIndex> {
    const options = await withStorage(given)
    return new SimpleKeywordTableIndex(
      newStruct({ type: 'keyword_table', table: new Map() }, options),
      options,
    )
  }

  override asRetriever(options: RetrieverOptions = {}): Retriever {
    const { docstore } = this.storageContext
    return new KeywordTableRetriever({ docstore, struct: this.struct, extract: this.#extract }, options)
  }

  protected override async prepare(given: readonly BaseNode[], work: LongWork): Promise<Addition> {
    const nodes = given.map((node) => withEmbedding(node, undefined))
    const keywords = new Map<string, ReadonlySet<string>>()
    const { onProgress, signal } = work
    await inSteps(nodes, { onProgress, signal, phase: 'extract', size: 1 }, async ([node]) => {
      const found = [...(await this.#extract(node!.getContent('LLM')))].slice(0, this.#maxKeywords)
      keywords.set(node!.id_, new Set(found))
    })
    return {
      nodes,
      vectors: [],
      changes: async (view) => {
        const known = await knownAmong(this.storageContext.docstore, nodes)
        const outdated = membershipsOf(view, known).filter(([key, id]) => !keywords.get(id)!.has(key))
        const added = [...keywords].flatMap(([id, keys]) => [...keys].map((key): Membership => [key, id]))
        return [...outdated.map(removal), ...added.map(addition)]
      },
    }
  }

  protected override removalChanges(view: StructView, nodeIds: ReadonlySet<string>): StructChange[] {
    return membershipsOf(view, nodeIds).map(removal)
  }
}

/** A keyword and a node that has it. */
type Membership = [key: string, nodeId: string]

function membershipsOf(view: StructView, nodeIds: ReadonlySet<string>): Membership[] {
  if (nodeIds.size === 0) return []
  return [...view.keys('table')].flatMap((key) => {
    const members = view.get('table', key) as ReadonlySet<string>
    return [...nodeIds].filter((id) => members.has(id)).map((id): Membership => [key, id])
  })
}

function addition([key, member]: Membership): StructChange {
  return { op: 'add', field: 'table', key, member }
}

function removal([key, member]: Membership): StructChange {
  return { op: 'remove', field: 'table', key, member }
}

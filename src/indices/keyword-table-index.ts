/** An index from keywords to nodes, found by a function of the caller: finds the nodes that share most keywords with a question. */
import { shown, VarveError } from '../errors.ts'
import type { StructChange, StructView } from '../stores/index-struct.ts'
import type { BaseNode } from '../stores/node.ts'
import { BaseIndex, newStruct, type IndexOptions, type NewIndexOptions } from './base-index.ts'
import { checkCount } from './check-count.ts'
import { withEmbedding } from './copy-node.ts'
import type { Addition } from './index-step.ts'
import { withStorage } from './default-storage.ts'
import { extractKeywords, type KeywordExtractor, type KeywordFinder } from './keyword-extractor.ts'
import { KeywordTableRetriever } from './keyword-table-retriever.ts'
import { knownAmong } from './known-nodes.ts'
import { inSteps, type LongWork } from './long-work.ts'
import { rakeKeywords } from './rake-keywords.ts'
import { checkRetrieverMode, type Retriever, type RetrieverOptions } from './retriever.ts'
import type { StructHandle } from './struct-handle.ts'

export interface KeywordIndexOptions extends IndexOptions {
  /** Of chunks and of questions, the most important first. */
  keywordExtractor?: KeywordExtractor
  /** Default 10. */
  maxKeywordsPerChunk?: number
}

export type NewKeywordIndexOptions = Omit<KeywordIndexOptions, 'storageContext'> & NewIndexOptions

export class KeywordTableIndex extends BaseIndex {
  readonly #extract: KeywordExtractor | undefined
  readonly #maxKeywords: number

  protected constructor(struct: StructHandle, options: KeywordIndexOptions) {
    super(struct, options)
    this.#extract = options.keywordExtractor
    this.#maxKeywords = checkCount('maxKeywordsPerChunk', options.maxKeywordsPerChunk ?? 10)
  }

  /** Makes a new index of documents. */
  static async fromDocuments(
    documents: readonly BaseNode[],
    options: NewKeywordIndexOptions = {},
  ): Promise<KeywordTableIndex> {
    const index = new KeywordTableIndex(...(await newKeywordTable(options)))
    await index.addDocuments(documents, options)
    return index
  }

  /** Makes a new index of nodes, or of none. */
  static async init({
    nodes = [],
    ...options
  }: NewKeywordIndexOptions & WithNodes = {}): Promise<KeywordTableIndex> {
    const index = new KeywordTableIndex(...(await newKeywordTable(options)))
    await index.insertNodes(nodes, options)
    return index
  }

  /** For `loadIndexFromStorage`. */
  static load(struct: StructHandle, options: KeywordIndexOptions): KeywordTableIndex {
    return new KeywordTableIndex(struct, options)
  }

  /** Mode `default` finds the keywords of a question as those of nodes are found; `simple` and `rake` need no function. */
  override asRetriever(options: RetrieverOptions = {}): Retriever {
    const { docstore } = this.storageContext
    const finders = { default: this.findKeywords.bind(this), simple: simpleKeywords, rake: rakePhrases }
    const mode = checkRetrieverMode(options.retrieverMode ?? 'default', ['default', 'simple', 'rake'])
    return new KeywordTableRetriever({ docstore, struct: this.struct, findKeywords: finders[mode] }, options)
  }

  /** How this type of index finds keywords. */
  protected async findKeywords(...[text, { most, signal }]: Parameters<KeywordFinder>): Promise<string[]> {
    if (this.#extract === undefined) {
      throw new VarveError('VARVE_BAD_OPTION', `Index '${this.indexId}' has nothing to find keywords with.`, {
        remedy: 'Pass { keywordExtractor }, or ask with { retrieverMode: "simple" }.',
      })
    }
    const found = await this.#extract(text, { ...(signal && { signal }) })
    return checkKeywords(found).slice(0, most)
  }

  protected override async prepare(given: readonly BaseNode[], work: LongWork): Promise<Addition> {
    const nodes = given.map((node) => withEmbedding(node, undefined))
    const keywords = new Map<string, ReadonlySet<string>>()
    const { onProgress, signal } = work
    const most = this.#maxKeywords
    await inSteps(nodes, { onProgress, signal, phase: 'extract', size: 1 }, async ([node]) => {
      keywords.set(node!.id_, new Set(await this.findKeywords(node!.getContent('LLM'), { most, signal })))
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

export interface WithNodes {
  nodes?: readonly BaseNode[]
}

/** What the constructor of any keyword table index takes. */
export async function newKeywordTable(
  given: NewKeywordIndexOptions,
): Promise<[struct: StructHandle, options: KeywordIndexOptions]> {
  const options = await withStorage(given)
  return [newStruct({ type: 'keyword_table', table: new Map() }, options), options]
}

const simpleKeywords: KeywordFinder = async (text, { most }) => extractKeywords(text, { maxKeywords: most })

/** Phrases, and their words beside them, so that a question that has but a part of one meets it. */
const rakePhrases: KeywordFinder = async (text, { most }) => rakeKeywords(text, { maxPhrases: most })

function checkKeywords(found: unknown): string[] {
  const isIterable = typeof found === 'object' && found !== null && Symbol.iterator in found
  const keywords = isIterable ? [...(found as Iterable<unknown>)] : [undefined]
  if (keywords.every((keyword) => typeof keyword === 'string'))
    return keywords.filter((keyword) => keyword !== '')
  throw new VarveError(
    'VARVE_BAD_OPTION',
    `keywordExtractor gave ${shown(found)}, which is no list of texts.`,
  )
}

/** A keyword and a node that has it. */
type Membership = [key: string, nodeId: string]

function membershipsOf(view: StructView, nodeIds: ReadonlySet<string>): Membership[] {
  if (nodeIds.size === 0) return []
  if (view.keysHolding !== undefined)
    return [...nodeIds].flatMap((id) =>
      Array.from(view.keysHolding!('table', id), (key): Membership => [key, id]),
    )
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

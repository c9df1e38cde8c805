/** Finds the nodes of a keyword table that share most keywords with a question; of equal ones those met first. */
import type { DocumentStore } from '../stores/contract.ts'
import { checkCount } from './check-count.ts'
import { fetchHits, type Hit } from './fetch-hits.ts'
import type { KeywordFinder } from './keyword-extractor.ts'
import { NodeSelection } from './node-selection.ts'
import { asQuery, type NodeWithScore, type Query, type RetrieveOptions } from './retriever.ts'
import type { Retriever, RetrieverOptions } from './retriever.ts'
import type { StructHandle } from './struct-handle.ts'

export interface KeywordTableParts {
  docstore: DocumentStore
  struct: StructHandle
  findKeywords: KeywordFinder
}

export class KeywordTableRetriever implements Retriever {
  readonly #parts: KeywordTableParts
  readonly #selection: NodeSelection
  readonly #maxKeywords: number
  readonly #maxHits: number

  constructor(parts: KeywordTableParts, options: RetrieverOptions) {
    this.#parts = parts
    this.#selection = new NodeSelection(options)
    this.#maxKeywords = checkCount('maxKeywordsPerQuery', options.maxKeywordsPerQuery ?? 10)
    this.#maxHits = checkCount('numChunksPerQuery', options.numChunksPerQuery ?? 10)
  }

  async retrieve(query: string | Query, { signal }: RetrieveOptions = {}): Promise<NodeWithScore[]> {
    const { docstore, struct, findKeywords } = this.#parts
    const question = asQuery(query).queryStr ?? ''
    const keywords = new Set(await findKeywords(question, { most: this.#maxKeywords, signal }))
    signal?.throwIfAborted()
    const hits = await fetchHits(docstore, struct, () => this.#find(keywords))
    return hits.filter(({ node }) => this.#selection.has(node)).slice(0, this.#maxHits)
  }

  async #find(keywords: ReadonlySet<string>): Promise<Hit[]> {
    const view = await this.#parts.struct.current()
    const counts = new Map<string, number>()
    for (const keyword of keywords) {
      for (const id of (view.get('table', keyword) ?? []) as Iterable<string>) {
        if (this.#selection.hasId(id)) counts.set(id, (counts.get(id) ?? 0) + 1)
      }
    }
    const hits = [...counts].map(([nodeId, count]): Hit => ({ nodeId, score: count / keywords.size }))
    hits.sort((a, b) => b.score - a.score)
    // Only if nodes are chosen by what they hold must more be read than will be answered.
    return this.#selection.looksInside ? hits : hits.slice(0, this.#maxHits)
  }
}

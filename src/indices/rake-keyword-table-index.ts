/** A keyword table whose keywords are phrases, found by how words keep company: see `rake-keywords.ts`. */
import type { BaseNode } from '../stores/node.ts'
import type { KeywordFinder } from './keyword-extractor.ts'
import { KeywordTableIndex, newKeywordTable } from './keyword-table-index.ts'
import type { KeywordIndexOptions, NewKeywordIndexOptions, WithNodes } from './keyword-table-index.ts'
import { rakeKeywords } from './rake-keywords.ts'
import type { StructHandle } from './struct-handle.ts'

type Without<O> = Omit<O, 'keywordExtractor'>

export class RAKEKeywordTableIndex extends KeywordTableIndex {
  /** Makes a new index of documents. */
  static override async fromDocuments(
    documents: readonly BaseNode[],
    options: Without<NewKeywordIndexOptions> = {},
  ): Promise<RAKEKeywordTableIndex> {
    const index = new RAKEKeywordTableIndex(...(await newKeywordTable(options)))
    await index.addDocuments(documents, options)
    return index
  }

  /** Makes a new index of nodes, or of none. */
  static override async init({
    nodes = [],
    ...options
  }: Without<NewKeywordIndexOptions> & WithNodes = {}): Promise<RAKEKeywordTableIndex> {
    const index = new RAKEKeywordTableIndex(...(await newKeywordTable(options)))
    await index.insertNodes(nodes, options)
    return index
  }

  /**
   * LlamaIndex does not remember how keywords were found, so `loadIndexFromStorage` takes a table that is given `rake: true` for one of these.
   */
  static override load(struct: StructHandle, options: Without<KeywordIndexOptions>): RAKEKeywordTableIndex {
    return new RAKEKeywordTableIndex(struct, options)
  }

  /** The number of keywords counts phrases; their words come on top. */
  protected override async findKeywords(...[text, { most }]: Parameters<KeywordFinder>): Promise<string[]> {
    return rakeKeywords(text, { maxPhrases: most })
  }
}

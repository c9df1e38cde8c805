/** A keyword table whose keywords are a text's most frequent words, found without any model. */
import type { BaseNode } from '../stores/node.ts'
import { extractKeywords } from './keyword-extractor.ts'
import { KeywordTableIndex, newKeywordTable, type KeywordIndexOptions } from './keyword-table-index.ts'
import type { NewKeywordIndexOptions, WithNodes } from './keyword-table-index.ts'
import type { StructHandle } from './struct-handle.ts'

export class SimpleKeywordTableIndex extends KeywordTableIndex {
  protected constructor(struct: StructHandle, options: KeywordIndexOptions) {
    super(struct, { keywordExtractor: (text) => extractKeywords(text), ...options })
  }

  /** Makes a new index of documents. */
  static override async fromDocuments(
    documents: readonly BaseNode[],
    options: NewKeywordIndexOptions = {},
  ): Promise<SimpleKeywordTableIndex> {
    const index = new SimpleKeywordTableIndex(...(await newKeywordTable(options)))
    await index.addDocuments(documents, options)
    return index
  }

  /** Makes a new index of nodes, or of none. */
  static override async init({
    nodes = [],
    ...options
  }: NewKeywordIndexOptions & WithNodes = {}): Promise<SimpleKeywordTableIndex> {
    const index = new SimpleKeywordTableIndex(...(await newKeywordTable(options)))
    await index.insertNodes(nodes, options)
    return index
  }

  /** For `loadIndexFromStorage`. */
  static override load(struct: StructHandle, options: KeywordIndexOptions): SimpleKeywordTableIndex {
    return new SimpleKeywordTableIndex(struct, options)
  }
}

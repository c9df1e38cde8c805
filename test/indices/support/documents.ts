// Small documents whose sentences become one node each.
import { SentenceSplitter } from '../../../src/indices/sentence-splitter.ts'
import { Document, TextNode } from '../../../src/stores/node.ts'

export function document(id_: string, text: string, metadata: Record<string, unknown> = {}): Document {
  return new Document({ id_, text, metadata })
}

export function node(id_: string, text: string, refDocId?: string): TextNode {
  const relationships = refDocId === undefined ? {} : { SOURCE: { nodeId: refDocId, metadata: {} } }
  return new TextNode({ id_, text, relationships })
}

/** For sentences of up to 8 words, each of which becomes a node. Ids are `n1`, `n2` …, or begin otherwise. */
export function oneSentenceANode(prefix = 'n'): SentenceSplitter {
  let count = 0
  return new SentenceSplitter({
    chunkSize: 8,
    chunkOverlap: 0,
    length: (text) => Math.max(5, text.trim().split(' ').length),
    newId: () => `${prefix}${++count}`,
  })
}

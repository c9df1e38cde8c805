/** The measured nodes in Varve's class. */
import { TextNode } from '../src/index.ts'
import { nodeAt, type Node } from './nodes.ts'

export function textNodeAt(at: number): TextNode {
  return textNode(nodeAt(at))
}

export function textNode({ id, sourceId, ...fields }: Omit<Node, 'embedding'> & Partial<Node>): TextNode {
  const SOURCE = { nodeId: sourceId, nodeType: 'DOCUMENT', metadata: {} }
  return new TextNode({ id_: id, ...fields, relationships: { SOURCE } })
}

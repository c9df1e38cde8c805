/** Nodes with and without their vector, made without touching the caller's. */
import { nodeClasses, type BaseNode, type Embedding } from '../stores/node.ts'

/** A node of the same class and content; what its fields hold is shared with the original. */
export function withEmbedding(node: BaseNode, embedding: Embedding | undefined): BaseNode {
  if (node.embedding === embedding) return node
  return copyNode(node, { embedding })
}

export function copyNode(node: BaseNode, changed: { embedding?: Embedding | undefined } = {}): BaseNode {
  const NodeClass = nodeClasses[node.baseClassName]
  const { className, spelling, carriedHash } = node
  const fields = node as unknown as Record<string, unknown>
  return new NodeClass({ ...fields, className, spelling, carriedHash, ...changed })
}

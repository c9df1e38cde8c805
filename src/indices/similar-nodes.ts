/** Ranks nodes that no vector store holds by how similar they are to a question. */
import type { BaseNode } from '../stores/node.ts'
import { VectorMatrix, type TopK } from '../stores/vector-matrix.ts'
import type { EmbedModel } from './embed-model.ts'
import { embedNodes } from './embed-nodes.ts'

export interface SimilarNodesOptions {
  k: number
  model: EmbedModel | undefined
  signal: AbortSignal | undefined
}

/** Nodes that were kept without a vector get one for this question only; those without content are not looked at. */
export async function similarNodes(
  nodes: readonly BaseNode[],
  question: ArrayLike<number>,
  { k, ...options }: SimilarNodesOptions,
): Promise<TopK> {
  const matrix = new VectorMatrix()
  for (const { node, embedding } of await embedNodes(nodes, { ...options, batchSize: 64 }))
    matrix.set(node.id_, embedding)
  return matrix.topK(question, k)
}

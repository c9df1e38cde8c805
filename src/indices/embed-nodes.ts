/** Gives nodes their vectors, in batches. */
import { VarveError } from '../errors.ts'
import type { BaseNode, Embedding } from '../stores/node.ts'
import { embedTexts, type EmbedModel } from './embed-model.ts'
import { inSteps, type LongWork } from './long-work.ts'

export interface EmbedNodesOptions extends LongWork {
  model: EmbedModel | undefined
  /** Texts a call. */
  batchSize: number
}

export interface EmbeddedNode {
  node: BaseNode
  embedding: Embedding
}

/**
 * Nodes that have a vector keep it. Nodes without content to embed are left out, as LlamaIndex does; progress tells how many (`skipped`).
 * Answers the others in their order.
 */
export async function embedNodes(
  nodes: readonly BaseNode[],
  { model, batchSize, ...work }: EmbedNodesOptions,
): Promise<EmbeddedNode[]> {
  const kept = nodes.filter((node) => node.hasContent('EMBED'))
  const bare = kept.filter((node) => node.embedding === undefined)
  if (bare.length > 0 && model === undefined) {
    throw new VarveError(
      'VARVE_NO_EMBED_MODEL',
      `${bare.length} nodes have no vector, and there is no model to make one.`,
    )
  }
  const embeddings = new Map<BaseNode, Float32Array>()
  const before = { done: nodes.length - bare.length, skipped: nodes.length - kept.length }
  await inSteps(bare, { phase: 'embed', size: batchSize, before, ...work }, async (batch) => {
    const asked = batch.map((node) => node.getContent('EMBED'))
    const vectors = await embedTexts(model!, asked, {
      kind: 'text',
      ...(work.signal && { signal: work.signal }),
    })
    batch.forEach((node, at) => embeddings.set(node, vectors[at]!))
  })
  return kept.map((node) => ({ node, embedding: node.embedding ?? embeddings.get(node)! }))
}

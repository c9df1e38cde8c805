/** What cuts documents into nodes: any function, or an object with a `split` method such as `SentenceSplitter`. */
import type { BaseNode } from '../stores/node.ts'
import { inSteps, type LongWork } from './long-work.ts'

export type NodeParser = (documents: readonly BaseNode[]) => BaseNode[] | Promise<BaseNode[]>

export interface DocumentSplitter {
  split(document: BaseNode): BaseNode[] | Promise<BaseNode[]>
}

/**
 * Hands over one document at a time, so that progress can be told and work can be stopped between them. A node that names no source comes from that document: what is
 * known of a document, and goes with it, are the nodes that name it.
 */
export async function parseNodes(
  parser: NodeParser | DocumentSplitter,
  documents: readonly BaseNode[],
  work: LongWork = {},
): Promise<BaseNode[]> {
  const nodes: BaseNode[] = []
  await inSteps(documents, { ...work, phase: 'split', size: 1 }, async ([document]) => {
    const parsed = typeof parser === 'function' ? await parser([document!]) : await parser.split(document!)
    for (const node of parsed) nodes.push(withSource(node, document!))
  })
  return nodes
}

function withSource(node: BaseNode, document: BaseNode): BaseNode {
  if (node.id_ === document.id_ || node.sourceNode !== undefined) return node
  const source = document.sourceNode ?? document.asRelatedNodeInfo()
  node.relationships.SOURCE = { ...source, metadata: { ...source.metadata } }
  return node
}

/** What cuts documents into nodes: any function, or an object with a `split` method such as `SentenceSplitter`. */
import type { BaseNode } from '../stores/node.ts'
import { inSteps, type LongWork } from './long-work.ts'

export type NodeParser = (documents: readonly BaseNode[]) => BaseNode[] | Promise<BaseNode[]>

export interface DocumentSplitter {
  split(document: BaseNode): BaseNode[] | Promise<BaseNode[]>
}

/** Hands over one document at a time, so that progress can be told and work can be stopped between them. */
export async function parseNodes(
  parser: NodeParser | DocumentSplitter,
  documents: readonly BaseNode[],
  work: LongWork = {},
): Promise<BaseNode[]> {
  const nodes: BaseNode[] = []
  await inSteps(documents, { ...work, phase: 'split', size: 1 }, async ([document]) => {
    const parsed = typeof parser === 'function' ? await parser([document!]) : await parser.split(document!)
    for (const node of parsed) nodes.push(node)
  })
  return nodes
}

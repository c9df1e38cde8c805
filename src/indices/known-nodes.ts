/** Structs whose members are not found by key need a walk through them only for nodes that were there before. */
import type { DocumentStore } from '../stores/contract.ts'
import type { BaseNode } from '../stores/node.ts'

export async function knownAmong(docstore: DocumentStore, nodes: readonly BaseNode[]): Promise<Set<string>> {
  const areKnown = await Promise.all(nodes.map(({ id_ }) => docstore.documentExists(id_)))
  return new Set(nodes.filter((_, at) => areKnown[at]).map(({ id_ }) => id_))
}

/** Nodes and relations of a property graph as LlamaIndex spells them. */
import type { LabelledNode, Relation, Triplet } from '../stores/contract.ts'
import type { BaseNode } from '../stores/node.ts'

/** LlamaIndex's name of the node that something was found in. */
const sourceKey = 'triplet_source_id'

export function chunkOf(node: BaseNode): LabelledNode {
  const source = node.refDocId ?? 'None'
  const properties = {
    ...node.metadata,
    _node_type: node.className,
    document_id: source,
    doc_id: source,
    ref_doc_id: source,
  }
  return { label: 'text_chunk', embedding: null, properties, text: node.text, id_: node.id_ }
}

export function entityOf(name: string, nodeId: string): LabelledNode {
  return { label: 'entity', embedding: null, properties: { [sourceKey]: nodeId }, name }
}

export function relationOf([source_id, label, target_id]: Triplet, nodeId: string): Relation {
  return { label, source_id, target_id, properties: { [sourceKey]: nodeId } }
}

export function isChunk({ text, name }: LabelledNode): boolean {
  return text !== undefined && name === undefined
}

/** Under what id a node stands: LlamaIndex's rules. */
export function idOf({ id_, name, text }: LabelledNode): string {
  return id_ ?? name?.replaceAll('"', ' ') ?? text ?? ''
}

export function sourceOf({ properties }: Pick<LabelledNode | Relation, 'properties'>): string | undefined {
  const source = properties[sourceKey]
  return typeof source === 'string' ? source : undefined
}

/** The triplets found for a question, as a node that a language model can read beside the others. */
import type { Triplet } from '../stores/contract.ts'
import { TextNode } from '../stores/node.ts'
import { tripletKey } from '../stores/triplet-key.ts'

/** Its metadata holds the triplets under LlamaIndex's keys: `kg_rel_texts`, and by subject `kg_rel_map`. */
export function tripletNode(indexId: string, triplets: readonly Triplet[]): TextNode {
  const bySubject = new Map<string, Triplet[]>()
  for (const triplet of triplets) {
    const others = bySubject.get(triplet[0]) ?? []
    bySubject.set(triplet[0], [...others, triplet])
  }
  const hidden = ['kg_rel_texts', 'kg_rel_map']
  return new TextNode({
    id_: `${indexId}/triplets`,
    text: ['Known relations, as (subject, relation, object):', ...triplets.map(tripletKey)].join('\n'),
    metadata: { kg_rel_texts: triplets.map(tripletKey), kg_rel_map: Object.fromEntries(bySubject) },
    excludedEmbedMetadataKeys: hidden,
    excludedLlmMetadataKeys: hidden,
  })
}

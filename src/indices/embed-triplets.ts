/** Gives triplets their vectors, in batches: of the text that LlamaIndex embeds, which is also their key. */
import { VarveError } from '../errors.ts'
import type { Triplet } from '../stores/contract.ts'
import { embedTexts, type EmbedModel } from './embed-model.ts'
import { inSteps, type LongWork } from './long-work.ts'
import { tripletKey } from '../stores/triplet-key.ts'

export interface EmbedTripletsOptions extends LongWork {
  model: EmbedModel | undefined
  /** Texts a call. */
  batchSize: number
}

export async function embedTriplets(
  triplets: readonly Triplet[],
  { model, batchSize, ...work }: EmbedTripletsOptions,
): Promise<Map<string, number[]>> {
  const keys = [...new Set(triplets.map(tripletKey))]
  if (keys.length > 0 && model === undefined) {
    throw new VarveError(
      'VARVE_NO_EMBED_MODEL',
      'Triplets are to have vectors, and there is no model to make them.',
    )
  }
  const embeddings = new Map<string, number[]>()
  const { onProgress, signal } = work
  await inSteps(keys, { onProgress, signal, phase: 'embed', size: batchSize }, async (batch) => {
    const vectors = await embedTexts(model!, batch, { kind: 'text', ...(signal && { signal }) })
    batch.forEach((key, at) => embeddings.set(key, Array.from(vectors[at]!)))
  })
  return embeddings
}

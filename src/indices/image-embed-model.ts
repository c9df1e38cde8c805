/** Models that put images and words into one space are the caller's; their answers are checked like those for texts. */
import { VarveError } from '../errors.ts'
import { withEmbedding } from './copy-node.ts'
import { embedTexts, type EmbedModel } from './embed-model.ts'
import { inSteps, type LongWork } from './long-work.ts'
import type { ImageNode } from '../stores/node.ts'

/** `embed` is for questions in words. */
export interface ImageEmbedModel extends EmbedModel {
  /** One vector per image, in their order. */
  embedImages(
    images: readonly ImageNode[],
    options: { signal?: AbortSignal },
  ): Promise<(Float32Array | number[])[]>
}

export interface EmbedImagesOptions extends LongWork {
  model: ImageEmbedModel | undefined
  /** Images a call. */
  batchSize: number
}

/** Images that have a vector keep it. Answers all with theirs. */
export async function embedImages(
  images: readonly ImageNode[],
  { model, batchSize, onProgress, signal }: EmbedImagesOptions,
): Promise<ImageNode[]> {
  const bare = images.filter(({ embedding }) => embedding === undefined)
  if (bare.length > 0 && model === undefined) {
    const fact = `${bare.length} images have no vector, and there is no model to make one.`
    throw new VarveError('VARVE_NO_EMBED_MODEL', fact, { remedy: 'Pass { imageEmbedModel }.' })
  }
  const vectors = new Map<ImageNode, Float32Array>()
  await inSteps(bare, { onProgress, signal, phase: 'embed', size: batchSize }, async (batch) => {
    const options = { ...(signal && { signal }) }
    const asTexts = { ...modelFacts(model!), embed: () => model!.embedImages(batch, options) }
    const made = await embedTexts(
      asTexts,
      batch.map(() => ''),
      { kind: 'text', ...options },
    )
    batch.forEach((image, at) => vectors.set(image, made[at]!))
  })
  return images.map((image) => withEmbedding(image, image.embedding ?? vectors.get(image)) as ImageNode)
}

function modelFacts({ id, dimensions }: EmbedModel): Pick<EmbedModel, 'id' | 'dimensions'> {
  return { id, ...(dimensions !== undefined && { dimensions }) }
}

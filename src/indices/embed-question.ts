/** A question in words becomes a vector, by the model of the index that is asked. */
import { VarveError } from '../errors.ts'
import { embedTexts, type EmbedModel } from './embed-model.ts'

export interface QuestionOptions {
  struct: { readonly indexId: string }
  embedModel: EmbedModel | undefined
  signal: AbortSignal | undefined
}

export async function embedQuestion(
  text: string,
  { struct: { indexId }, embedModel, signal }: QuestionOptions,
): Promise<Float32Array> {
  if (embedModel === undefined) {
    const fact = `Index '${indexId}' cannot be asked in words without an embedding model.`
    throw new VarveError('VARVE_NO_EMBED_MODEL', fact, { indexId })
  }
  signal?.throwIfAborted()
  const [vector] = await embedTexts(embedModel, [text], { kind: 'query', ...(signal && { signal }) })
  return vector!
}

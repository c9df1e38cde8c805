/** Embedding models are the caller's; their answers are checked before anything is built on them. */
import { VarveError } from '../errors.ts'

export interface EmbedOptions {
  /** Some models embed questions otherwise than the texts that answer them. */
  kind: 'text' | 'query'
  signal?: AbortSignal
}

export interface EmbedModel {
  /** Names the model, its version included: an index remembers it and refuses vectors of another. */
  readonly id: string
  readonly dimensions?: number
  /** One vector per text, in their order. */
  embed(texts: string[], options: EmbedOptions): Promise<(Float32Array | number[])[]>
}

export async function embedTexts(
  model: EmbedModel,
  texts: readonly string[],
  options: EmbedOptions,
): Promise<Float32Array[]> {
  const answer = await answerOf(model, texts, options)
  if (!Array.isArray(answer) || answer.length !== texts.length) {
    const given = Array.isArray(answer) ? `${answer.length} vectors` : 'no list of vectors'
    throw badAnswer(
      model,
      `gave ${given} for ${texts.length} texts`,
      'embed() must give one vector per text.',
    )
  }
  const vectors = answer.map((vector) => checkedVector(model, vector))
  const dimensions = model.dimensions ?? vectors[0]?.length
  const odd = vectors.find((vector) => vector.length !== dimensions)
  if (odd !== undefined) {
    const fact = `Embedding model '${model.id}' gave a vector of ${odd.length} dimensions, not ${dimensions}.`
    throw new VarveError('VARVE_WRONG_DIMENSIONS', fact, {
      remedy: 'All its vectors must have the same number.',
    })
  }
  return vectors
}

async function answerOf(
  model: EmbedModel,
  texts: readonly string[],
  options: EmbedOptions,
): Promise<unknown> {
  try {
    return await model.embed([...texts], options)
  } catch (error) {
    // Whatever a stopped model throws, the caller asked to stop and gets the reason back.
    options.signal?.throwIfAborted()
    throw error
  }
}

function checkedVector(model: EmbedModel, vector: unknown): Float32Array {
  if (!(vector instanceof Float32Array) && !Array.isArray(vector)) {
    throw badAnswer(model, 'gave something that is no vector', 'embed() must give Float32Arrays.')
  }
  const single = vector instanceof Float32Array ? vector : Float32Array.from(vector as number[])
  if (single.length === 0) throw badAnswer(model, 'gave an empty vector')
  if (!single.every(Number.isFinite)) throw badAnswer(model, 'gave a vector that holds NaN or an infinity')
  return single
}

function badAnswer({ id }: EmbedModel, fact: string, remedy?: string): VarveError {
  const whole = `Embedding model '${id}' ${fact}.`
  return new VarveError('VARVE_BAD_VECTOR', whole, {
    embedModelId: id,
    ...(remedy !== undefined && { remedy }),
  })
}

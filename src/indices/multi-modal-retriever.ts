/** Asks the texts and the images of a multimodal index: those it has a vector or a model for. */
import { asQuery, type NodeWithScore, type Query, type RetrieveOptions, type Retriever } from './retriever.ts'

export interface MultiModalParts {
  texts: Retriever
  images: Retriever
  /** Whether there is a model to embed a question for them. */
  asksTexts: boolean
  asksImages: boolean
}

export class MultiModalRetriever implements Retriever {
  readonly #parts: MultiModalParts

  constructor(parts: MultiModalParts) {
    this.#parts = parts
  }

  /** An image that is found by its text and by itself is answered once, at the better place. */
  async retrieve(query: string | Query, options: RetrieveOptions = {}): Promise<NodeWithScore[]> {
    const { texts, images, asksTexts, asksImages } = this.#parts
    const { queryStr, embedding, imageEmbedding } = asQuery(query)
    const words = queryStr !== undefined
    const wantsImages = imageEmbedding !== undefined || (words && asksImages)
    const wantsTexts = embedding !== undefined || (words && asksTexts) || !wantsImages
    const ask = { ...(words && { queryStr }) }
    const hits = [
      ...(wantsTexts ? await texts.retrieve({ ...ask, ...(embedding && { embedding }) }, options) : []),
      ...(wantsImages
        ? await images.retrieve({ ...ask, ...(imageEmbedding && { embedding: imageEmbedding }) }, options)
        : []),
    ]
    const seen = new Set<string>()
    return hits.filter(({ node: { id_ } }) => !seen.has(id_) && seen.add(id_))
  }
}

/**
 * Hits that are similar to the question and not to each other: maximal marginal relevance as LlamaIndex for Python has it. It knows vectors and ids only.
 *
 * The first hit is the most similar. Each next one has the highest `threshold × similarity − (1 − threshold) × overlap`, where the overlap is its similarity
 * to the hit before it, not to all of them. These values are the scores, so the scores need not descend. Of equal ones the id that was added first is taken.
 */
import type { TopK, VectorMatrix } from './vector-matrix.ts'

export interface MarginalSearch {
  /** How many hits at most. */
  k: number
  /** From 0, which avoids what is similar to the hit before, to 1, which asks for similarity alone. */
  threshold: number
  /** Only the so many most similar ones can be hits. Not given: all, and each hit costs a pass over them. */
  prefetchK?: number | undefined
  accept?: ((id: string) => boolean) | undefined
}

export function searchMarginally(
  matrix: VectorMatrix,
  query: ArrayLike<number>,
  { k, threshold, prefetchK, accept }: MarginalSearch,
): TopK {
  const hits: TopK = { ids: [], similarities: [] }
  let ids = candidates(matrix, query, { prefetchK, accept })
  let relevance = matrix.cosines(query, ids)
  let overlap = new Float64Array(ids.length)
  while (ids.length > 0 && hits.ids.length < k) {
    const isFirst = hits.ids.length === 0
    const scores = relevance.map((each, at) =>
      isFirst ? each * threshold : threshold * each - (1 - threshold) * overlap[at]!,
    )
    const best = firstOfHighest(scores)
    const id = ids[best]!
    hits.ids.push(id)
    hits.similarities.push(scores[best]!)
    ids = ids.filter((_, at) => at !== best)
    relevance = relevance.filter((_, at) => at !== best)
    if (ids.length > 0 && hits.ids.length < k) overlap = matrix.cosines(matrix.get(id)!, ids)
  }
  return hits
}

/** In the order they were added, which decides ties. */
function candidates(
  matrix: VectorMatrix,
  query: ArrayLike<number>,
  { prefetchK, accept }: Pick<MarginalSearch, 'prefetchK' | 'accept'>,
): string[] {
  const ids = [...matrix.ids()]
  if (prefetchK === undefined) return accept === undefined ? ids : ids.filter(accept)
  const nearest = new Set(matrix.topK(query, prefetchK, accept).ids)
  return ids.filter((id) => nearest.has(id))
}

function firstOfHighest(scores: Float64Array): number {
  let best = 0
  for (let at = 1; at < scores.length; at++) if (scores[at]! > scores[best]!) best = at
  return best
}

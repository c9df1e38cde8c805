/** The query modes of LlamaIndex's vector stores: which of them vectors alone can answer, and what to ask instead of the others. */
import { VarveError } from '../errors.ts'
import type { VectorStoreQuery } from './contract.ts'
import { searchMarginally } from './marginal-relevance.ts'
import type { TopK, VectorMatrix } from './vector-matrix.ts'

export interface SearchLimits {
  k: number
  accept: ((id: string) => boolean) | undefined
}

export type VectorSearch = (matrix: VectorMatrix, query: ArrayLike<number>, limits: SearchLimits) => TopK

const forWords =
  "Use 'default' or 'mmr', a keyword table index to find words, or a database that has this mode."
const forLearners = "Use 'default', which ranks by similarity, or 'mmr', which also avoids near duplicates."

const refusals = new Map([
  ['sparse', forWords],
  ['hybrid', forWords],
  ['text_search', forWords],
  ['semantic_hybrid', forWords],
  ['svm', forLearners],
  ['logistic_regression', forLearners],
  ['linear_regression', forLearners],
])

const defaultThreshold = 0.5

/** How a query's mode searches. Options of other modes are ignored, as in LlamaIndex. */
export function searchOf({ mode = 'default', ...query }: VectorStoreQuery): VectorSearch {
  if (mode === 'default') return (matrix, embedding, { k, accept }) => matrix.topK(embedding, k, accept)
  if (mode === 'mmr') {
    const threshold = checkThreshold(query.mmrThreshold ?? defaultThreshold)
    const prefetchK = prefetchOf(query)
    return (matrix, embedding, limits) =>
      searchMarginally(matrix, embedding, { ...limits, threshold, prefetchK })
  }
  const remedy = refusals.get(mode) ?? "Use 'default' or 'mmr', or a database that has it."
  throw new VarveError('VARVE_UNSUPPORTED_QUERY', `This vector store has no mode '${mode}'.`, {
    mode,
    remedy,
  })
}

function checkThreshold(threshold: number): number {
  if (threshold >= 0 && threshold <= 1) return threshold
  const remedy = 'Give a number from 0 (avoid what is similar to the hit before) to 1 (similarity alone).'
  throw new VarveError('VARVE_BAD_OPTION', `mmrThreshold is ${String(threshold)}.`, { remedy })
}

/** Never fewer than the hits that are asked for, as LlamaIndex's databases have it. */
function prefetchOf({ similarityTopK = 1, ...query }: VectorStoreQuery): number | undefined {
  const { mmrPrefetchK, mmrPrefetchFactor } = query
  if (mmrPrefetchK === undefined && mmrPrefetchFactor === undefined) return undefined
  if (mmrPrefetchK !== undefined && mmrPrefetchFactor !== undefined)
    throw new VarveError('VARVE_BAD_OPTION', 'mmrPrefetchK and mmrPrefetchFactor are both given.', {
      remedy: 'Give one of them.',
    })
  const [name, given] =
    mmrPrefetchK === undefined
      ? ['mmrPrefetchFactor', mmrPrefetchFactor!]
      : (['mmrPrefetchK', mmrPrefetchK] as const)
  if (!(given > 0))
    throw new VarveError('VARVE_BAD_OPTION', `${name} is ${String(given)}.`, {
      remedy: 'Give a number above 0.',
    })
  return Math.max(mmrPrefetchK ?? similarityTopK * mmrPrefetchFactor!, similarityTopK)
}

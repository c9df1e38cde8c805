/** Finds what stands in a property graph around the entities whose vectors are most similar to a question: LlamaIndex's `VectorContextRetriever`. */
import { VarveError } from '../errors.ts'
import type { PropertyGraphStore, Triplet, VectorStore } from '../stores/contract.ts'
import type { StructView } from '../stores/index-struct.ts'
import type { Hit } from './fetch-hits.ts'
import { idOf, isChunk, sourceOf } from './property-graph-nodes.ts'
import { tripletKey } from '../stores/triplet-key.ts'

export interface SimilarSearch {
  indexId: string
  embedding: ArrayLike<number>
  topK: number
  depth: number
  maxTriplets: number
}

/** LlamaIndex's relation of a chunk to its source document, which says nothing. */
const ignoreRels = ['SOURCE']

/** Most similar first; a triplet is as similar as the more similar of its ends, and 0 if neither was found by its vector. */
export async function aroundSimilarEntities(
  { graph, vectorStore }: { graph: PropertyGraphStore; vectorStore: VectorStore },
  { indexId, embedding, topK, depth, maxTriplets }: SimilarSearch,
): Promise<[triplet: Triplet, score: number][]> {
  const entities = new Set((await graph.get()).filter((node) => !isChunk(node)).map(idOf))
  if (entities.size === 0) return []
  const query = { queryEmbedding: embedding, similarityTopK: topK, nodeIds: entities }
  const { ids, similarities } = await vectorStore.query(query)
  if (ids.length === 0 && topK > 0) throw withoutVectors(indexId)
  const scores = new Map(ids.map((id, at) => [id, similarities[at]!]))
  const triplets = await graph.getRelMap(ids, { depth, limit: maxTriplets, ignoreRels })
  const scored = triplets.map((triplet): [Triplet, number] => {
    const [subject, , object] = triplet
    return [triplet, Math.max(scores.get(subject) ?? 0, scores.get(object) ?? 0)]
  })
  return scored.sort(([, a], [, b]) => b - a)
}

/** The chunks that say the triplets, each with the score of its first: those that the struct has noted, else those that LlamaIndex noted in relation and subject. */
export async function chunksOfTriplets(
  graph: PropertyGraphStore,
  view: StructView,
  scored: readonly (readonly [triplet: Triplet, score: number])[],
): Promise<Hit[]> {
  const chunks = new Map(scored.map(([triplet]) => [tripletKey(triplet), new Set<string>()]))
  for (const id of view.keys('nodeTriplets'))
    for (const triplet of view.get('nodeTriplets', id) as readonly Triplet[])
      chunks.get(tripletKey(triplet))?.add(id)
  const best = new Map<string, number>()
  for (const [triplet, score] of scored) {
    const noted = [await graph.getRelation(triplet), ...(await graph.get({ ids: [triplet[0]] }))]
    const sources = noted
      .flatMap((each) => (each && sourceOf(each)) ?? [])
      .filter((id) => !view.has('nodeTriplets', id))
    for (const id of [...chunks.get(tripletKey(triplet))!, ...sources]) if (!best.has(id)) best.set(id, score)
  }
  return Array.from(best, ([nodeId, score]) => ({ nodeId, score }))
}

function withoutVectors(indexId: string): VarveError {
  const fact = `The entities of index '${indexId}' have no vectors.`
  const remedy =
    "Ask with { retrieverMode: 'keyword' }, or build it with an embedModel, or open the whole directory, its vector store included."
  return new VarveError('VARVE_UNSUPPORTED_QUERY', fact, { remedy, indexId })
}

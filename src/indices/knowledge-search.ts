/** Finds the triplets of a graph that a question is about: by the entities it names, and by the vectors of triplets. */
import { VarveError } from '../errors.ts'
import type { GraphStore, Triplet } from '../stores/contract.ts'
import type { StructView } from '../stores/index-struct.ts'
import { VectorMatrix } from '../stores/vector-matrix.ts'
import { namedEntities } from './named-entities.ts'
import { parseTripletKey, tripletKey } from '../stores/triplet-key.ts'

export interface EntitySearch {
  /** Entities of the question by name; otherwise they are looked for among all there are. */
  entities?: readonly string[]
  question: string
  maxEntities: number
  depth: number
  maxTriplets: number
}

export interface Found {
  entities: readonly string[]
  triplets: readonly Triplet[]
}

/** Every entity in turn adds one triplet, until there are enough: those that lead away from it, up to `depth`, before those that lead to it. */
export async function searchByEntity(
  view: StructView,
  graphStore: GraphStore,
  search: EntitySearch,
): Promise<Found> {
  const { question, maxEntities, depth, maxTriplets } = search
  const all = [
    ...(await graphStore.getRelMap(undefined, { depth: 1, limit: Number.MAX_SAFE_INTEGER })).values(),
  ]
  const graph = all.flat()
  const candidates = search.entities ?? namedEntities(question, entitiesOf(view, graph))
  const entities = [...new Set(candidates)].slice(0, maxEntities)
  const around = await Promise.all(
    entities.map(async (entity) => {
      const away = await graphStore.getRelMap([entity], { depth, limit: maxTriplets })
      return [...[...away.values()].flat(), ...graph.filter(([, , object]) => object === entity)]
    }),
  )
  return { entities, triplets: firstOfEach(around, maxTriplets) }
}

/** Those that the struct knows first. */
function entitiesOf(view: StructView, graph: readonly Triplet[]): Set<string> {
  return new Set([...view.keys('table'), ...graph.flatMap(([subject, , object]) => [subject, object])])
}

function firstOfEach(lists: readonly (readonly Triplet[])[], most: number): Triplet[] {
  const found = new Map<string, Triplet>()
  const longest = Math.max(0, ...lists.map((list) => list.length))
  for (let at = 0; at < longest; at++) {
    for (const triplet of lists.flatMap((list) => (at < list.length ? [list[at]!] : []))) {
      if (found.size < most) found.set(tripletKey(triplet), triplet)
    }
  }
  return [...found.values()]
}

/** The triplets whose vectors are most similar. What LlamaIndex wrote under a key that is no triplet is left out. */
export function searchByEmbedding(view: StructView, embedding: ArrayLike<number>, topK: number): Triplet[] {
  const matrix = new VectorMatrix()
  for (const key of view.keys('embeddingDict')) {
    if (parseTripletKey(key) !== undefined) {
      matrix.set(key, view.get('embeddingDict', key) as number[])
    }
  }
  const { ids } = matrix.topK(embedding, topK)
  return ids.map((key) => parseTripletKey(key)!)
}

export function refuseWithoutEmbeddings(view: StructView): void {
  if (view.size('embeddingDict') > 0) return
  const fact = `Index '${view.indexId}' has no vectors of its triplets.`
  const remedy =
    "Ask with { retrieverMode: 'keyword' }, or add to the index with { includeEmbeddings: true } and a model."
  throw new VarveError('VARVE_UNSUPPORTED_QUERY', fact, { remedy, indexId: view.indexId })
}

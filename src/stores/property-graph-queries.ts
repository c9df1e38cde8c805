/**
 * The questions of LlamaIndex's `SimplePropertyGraphStore`: which nodes, which triplets, and what is around some nodes. All filters that are given must be met; of
 * `properties` one is enough, as in LlamaIndex, and null is also what is missing.
 */
import { isDeepStrictEqual } from 'node:util'
import type { GraphFilter, LabelledNode, Triplet } from './contract.ts'
import { comparable } from './metadata-filters.ts'
import { tripletsTouching } from './property-graph-links.ts'
import { allGraphTriplets, unescaped, type PropertyGraphState } from './property-graph-state.ts'
import { findRelation } from './relation-keys.ts'
import { escapeText } from './storable.ts'

/** In the order of the ids, or of the graph. */
export function matchingNodes(
  state: PropertyGraphState,
  { ids, properties }: Pick<GraphFilter, 'ids' | 'properties'>,
): [id: string, node: LabelledNode][] {
  const found: [string, LabelledNode][] = []
  const meets = propertyTest(properties)
  for (const [id, { value }] of ids === undefined ? unescaped(state.nodes) : nodesOf(state, ids))
    if (meets(value)) found.push([id, value as LabelledNode])
  return found
}

function* nodesOf(state: PropertyGraphState, ids: readonly string[]) {
  for (const id of ids) {
    const fields = state.nodes.get(escapeText(id))
    if (fields !== undefined) yield [id, fields] as const
  }
}

/** In the order they came. */
export function matchingTriplets(
  state: PropertyGraphState,
  { entityNames, relationNames, properties, ids }: GraphFilter,
): Triplet[] {
  const ends = [entityNames, ids].filter((each) => each !== undefined).map((each) => new Set(each))
  const labels = relationNames && new Set(relationNames)
  const meets = propertyTest(properties)
  const [first, ...others] = ends
  const candidates = first === undefined ? allGraphTriplets(state) : tripletsTouching(state, first)
  return Array.from(candidates).filter((triplet) => {
    const [source, label, target] = triplet
    if (others.some((each) => !each.has(source) && !each.has(target))) return false
    if (labels !== undefined && !labels.has(label)) return false
    return properties === undefined || partsOf(state, triplet).some(meets)
  })
}

function partsOf(state: PropertyGraphState, triplet: Triplet): unknown[] {
  const [source, , target] = triplet
  const key = findRelation(state, triplet)
  return [
    state.nodes.get(escapeText(source)),
    key === undefined ? undefined : state.relations.get(key),
    state.nodes.get(escapeText(target)),
  ].flatMap((fields) => (fields === undefined ? [] : [fields.value]))
}

export interface RelMapLimits {
  depth: number
  limit: number
  ignoreRels: readonly string[]
}

/**
 * Step by step: first what touches the nodes, then what touches the objects of what was met. Each triplet once, the nearest first. Relations to ignore are
 * followed, but not answered.
 */
export function relationsAround(
  state: PropertyGraphState,
  ids: readonly string[],
  { depth, limit, ignoreRels }: RelMapLimits,
): Triplet[] {
  const ignored = new Set(ignoreRels)
  const seen = new Set<string>()
  const answered: Triplet[] = []
  let front = ids
  for (let step = 0; step < depth && front.length > 0 && answered.length < limit; step++) {
    const met = tripletsTouching(state, front).filter((triplet) => !seen.has(JSON.stringify(triplet)))
    for (const triplet of met) seen.add(JSON.stringify(triplet))
    for (const triplet of met) if (!ignored.has(triplet[1])) answered.push(triplet)
    front = met.map(([, , object]) => object)
  }
  return answered.slice(0, limit)
}

type Test = (fields: unknown) => boolean

function propertyTest(wanted: GraphFilter['properties']): Test {
  if (wanted === undefined) return () => true
  const pairs = Object.entries(wanted)
  return (fields) => {
    const { properties = {} } = fields as { properties?: Record<string, unknown> }
    return pairs.some(([key, value]) =>
      isEqual(Object.hasOwn(properties, key) ? properties[key] : null, value),
    )
  }
}

/** Scalars as in Python: `true` is 1. */
function isEqual(a: unknown, b: unknown): boolean {
  const scalar = comparable(a)
  return scalar === undefined ? isDeepStrictEqual(a, b) : scalar === comparable(b)
}

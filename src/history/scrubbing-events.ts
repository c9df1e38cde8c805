/** Events that take what is condemned out of a store as it is now, and every mention of it. */
import type { EventInput, StoreState } from '../journal/event.ts'
import { nodesDeleted, nodesKept, encodeNode, refDocsDeleted, refDocsSet } from '../stores/document-events.ts'
import type { DocumentState } from '../stores/document-state.ts'
import { tripletsDeleted } from '../stores/graph-events.ts'
import { allTriplets, type GraphState } from '../stores/graph-state.ts'
import { inGroups } from '../stores/in-groups.ts'
import { entriesChanged, type EntryChange } from '../stores/index-events.ts'
import { fieldEntries, type IndexState, type StructHeader } from '../stores/index-state.ts'
import type { BaseNode } from '../stores/node.ts'
import { decodeNode } from '../stores/node-payload.ts'
import { graphNodesDeleted, graphNodesSet, relationsDeleted } from '../stores/property-graph-events.ts'
import { allGraphTriplets, unescaped, type PropertyGraphState } from '../stores/property-graph-state.ts'
import type { RelatedNodeInfo } from '../stores/relationships.ts'
import { tripletKey } from '../stores/triplet-key.ts'
import { toFloats } from '../stores/vector-cache.ts'
import { vectorsAdded, vectorsDeleted } from '../stores/vector-events.ts'
import type { VectorState } from '../stores/vector-state.ts'
import {
  isCondemnedEdge,
  isCondemnedKey,
  isCondemnedRelation,
  withoutCondemned,
  type Condemned,
} from './condemned.ts'
import { sourceField, sourceOf, type GraphFields } from './erase-survey.ts'
import type { HistoryKey } from './history-key.ts'
import type { ReadPayload } from './stored-value.ts'

export interface Scrubbing {
  condemned: Condemned
  /** Keys of the store that an item was ever about which is condemned. */
  touched: readonly HistoryKey[]
  /** Ids of nodes that stay, and whose relationships name what is condemned. */
  mentioning: ReadonlySet<string>
  payload: ReadPayload
}

export function scrubbingEvents(
  folder: string,
  state: StoreState,
  scrubbing: Scrubbing,
): Iterable<EventInput> {
  const { condemned } = scrubbing
  switch (folder.split('/')[0]) {
    case 'docstore':
      return documents(folder, state as DocumentState, scrubbing)
    case 'vector_store':
      return vectors(state as VectorState, scrubbing)
    case 'index_store':
      return structs(state as IndexState, condemned)
    case 'graph_store':
      return triplets(state as GraphState, condemned)
    case 'property_graph_store':
      return propertyGraph(state as PropertyGraphState, condemned)
    default:
      return []
  }
}

function* documents(
  folder: string,
  state: DocumentState,
  { condemned: { ids, documents: whole }, touched, mentioning, payload }: Scrubbing,
): Generator<EventInput> {
  const all = [...ids]
  const shortened = state.refDocs
    .entriesOf(touched as readonly string[])
    .filter(([id, { nodeIds }]) => !whole.has(id) && Array.from(nodeIds).some((node) => ids.has(node)))
  yield* inGroups(
    Array.from(whole).filter((id) => state.refDocs.has(id)),
    refDocsDeleted,
  )
  yield* inGroups(
    all.filter((id) => state.nodes.has(id) || state.records.has(id)),
    nodesDeleted,
  )
  const left = shortened.filter(([id]) => state.refDocs.has(id))
  yield* inGroups(left, (group) =>
    refDocsSet(
      group.map(([id, refDoc]) => [
        id,
        { ...refDoc, nodeIds: Array.from(refDoc.nodeIds).filter((node) => !ids.has(node)) },
      ]),
    ),
  )
  const rewritten = Array.from(mentioning).flatMap((id) => {
    const position = ids.has(id) ? undefined : state.nodes.get(id)
    if (!position) return []
    const node = decodeNode(id, payload(position), { folder, position })
    forgetRelated(node, ids)
    return [{ id, payload: encodeNode(node) }]
  })
  yield* inGroups(rewritten, nodesKept)
}

function forgetRelated(node: BaseNode, ids: ReadonlySet<string>): void {
  const isKept = ({ nodeId }: RelatedNodeInfo): boolean => !ids.has(nodeId)
  for (const [key, related] of Object.entries(node.relationships)) {
    if (related === undefined) continue
    const left = Array.isArray(related) ? related.filter(isKept) : isKept(related) ? related : []
    if (Array.isArray(left) && left.length === 0) delete node.relationships[key]
    else node.relationships[key] = left
  }
}

function* vectors(
  state: VectorState,
  { condemned: { ids, graphNodes }, touched, payload }: Scrubbing,
): Generator<EventInput> {
  yield* inGroups(
    [...new Set([...ids, ...graphNodes])].filter((id) => state.vectors.has(id)),
    vectorsDeleted,
  )
  for (const [id, entry] of state.vectors.entriesOf(touched as readonly string[])) {
    const { metadata: spelled, position } = entry
    if (!spelled || !ids.has(sourceOf({ properties: spelled.metadata }) ?? '')) continue
    const { [sourceField]: _, ...metadata } = spelled.metadata
    const floats = toFloats(payload(position))
    yield vectorsAdded([{ id, ...entry, metadata: { ...spelled, metadata } }], floats, floats.length)
  }
}

function* structs(state: IndexState, condemned: Condemned): Generator<EventInput> {
  for (const [indexId, header] of Array.from(state.structs.entries()))
    yield* inGroups(structChanges(state, { indexId, header, condemned }), (changes) =>
      entriesChanged(indexId, changes),
    )
}

function structChanges(
  state: IndexState,
  { indexId, header, condemned }: { indexId: string; header: StructHeader; condemned: Condemned },
): EntryChange[] {
  const changes: EntryChange[] = []
  for (const [field, value] of header.values) {
    const left = withoutCondemned(condemned, { field }, value)
    if (left !== value) changes.push({ op: 'replace', field, value: left ?? null })
  }
  for (const [field, kind] of header.kinds) {
    if (kind === 'value') continue
    const withdrawn = new Set<string>()
    for (const [key, value] of fieldEntries(state, header, field)) {
      if (kind === 'list') {
        if (condemned.ids.has(value as string)) withdrawn.add(value as string)
      } else if (kind === 'sets') {
        const isGone = isCondemnedKey(condemned, indexId, { field, key })
        for (const member of value as Set<string>)
          if (isGone || condemned.ids.has(member)) changes.push({ op: 'remove', field, key, member })
      } else {
        const isGone = isCondemnedKey(condemned, indexId, { field, key })
        const left = isGone ? undefined : withoutCondemned(condemned, { field, key }, value)
        if (left === undefined) changes.push({ op: 'delete', field, key })
        else if (left !== value) changes.push({ op: 'set', field, key, value: left })
      }
    }
    for (const member of withdrawn) changes.push({ op: 'withdraw', field, member })
  }
  return changes
}

function* triplets(state: GraphState, condemned: Condemned): Generator<EventInput> {
  const gone = Array.from(allTriplets(state)).filter((triplet) => condemned.triplets.has(tripletKey(triplet)))
  yield* inGroups(gone, tripletsDeleted)
}

function* propertyGraph(state: PropertyGraphState, condemned: Condemned): Generator<EventInput> {
  const { graphNodes, relations, ids } = condemned
  const edges = Array.from(allGraphTriplets(state))
  yield* inGroups(
    edges.filter((edge) => isCondemnedEdge(condemned, edge)),
    tripletsDeleted,
  )
  const isGone = ([key, { value }]: [string, { value: unknown }]): boolean =>
    relations.has(key) || isCondemnedRelation(condemned, value as GraphFields)
  yield* inGroups(
    Array.from(unescaped(state.relations))
      .filter(isGone)
      .map(([key]) => key),
    relationsDeleted,
  )
  const nodes = Array.from(unescaped(state.nodes))
  yield* inGroups(
    nodes.map(([id]) => id).filter((id) => graphNodes.has(id)),
    graphNodesDeleted,
  )
  const renamed = nodes.filter(
    ([id, { value }]) => !graphNodes.has(id) && ids.has(sourceOf(value as GraphFields) ?? ''),
  )
  yield* inGroups(renamed, (group) =>
    graphNodesSet(group.map(([id, fields]) => [id, { ...fields, value: withoutSource(fields.value) }])),
  )
}

function withoutSource(value: unknown): unknown {
  const fields = value as GraphFields
  const { [sourceField]: _, ...properties } = fields.properties ?? {}
  return { ...fields, properties }
}

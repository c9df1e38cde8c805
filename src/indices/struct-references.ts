/**
 * Which nodes and vectors the structs of a store refer to. Several indices share one docstore and one namespace, so what one of them lets go
 * may be deleted only if no other refers to it.
 */
import type { IndexStore } from '../stores/contract.ts'
import type { StructView } from '../stores/index-struct.ts'
import { listStructs } from './struct-list.ts'
import { isVectorType } from './struct-types.ts'

/** Which of the ids the index's struct refers to. */
export function nodesAmong(view: StructView, ids: ReadonlySet<string>): Set<string> {
  if (view.keysHolding !== undefined) return new Set([...ids].filter((id) => refersTo(view, id)))
  if (!isVectorType(view.type)) return intersection(ids, nodeIdsIn(view))
  // Vectors nearly always carry their node's id; only what is not found that way needs a walk through all entries.
  const found = new Set([...ids].filter((id) => nodeIdOfVector(view, id) === id))
  return found.size === ids.size ? found : intersection(ids, nodeIdsIn(view))
}

/** Whether `nodeIdsIn` would name it, of a view that knows without a walk. */
function refersTo(view: StructView, id: string): boolean {
  const holds = (field: string): boolean => !isNone(view.keysHolding!(field, id))
  if (isVectorType(view.type)) return nodeIdOfVector(view, id) === id || holds('nodesDict')
  switch (view.type) {
    case 'list':
      return holds('nodes')
    case 'kg':
      return view.has('nodeTriplets', id) || holds('table')
    case 'simple_lpg':
      return view.has('nodeTriplets', id)
    case 'keyword_table':
      return holds('table')
    case 'tree':
      return holds('allNodes')
    case 'document_summary':
      return view.has('summaryIdToNodeIds', id) || view.has('nodeIdToSummaryId', id)
    default:
      return false
  }
}

function isNone(items: Iterable<unknown>): boolean {
  for (const _ of items) return false
  return true
}

/** The node that a vector of an index stands for. LlamaIndexTS wrote the whole node where Python has its id. */
export function nodeIdOfVector(view: StructView, vectorId: string): string | undefined {
  const node = view.get('nodesDict', vectorId)
  return node === undefined ? undefined : typeof node === 'string' ? node : vectorId
}

/** The ids of the vectors that stand for the nodes. */
export function vectorsOfNodes(view: StructView, nodeIds: ReadonlySet<string>): Set<string> {
  // Only the summaries of a document summary index have vectors; other types have none.
  if (!isVectorType(view.type)) {
    return new Set([...nodeIds].filter((id) => view.has('summaryIdToNodeIds', id)))
  }
  const found = new Set([...nodeIds].filter((id) => nodeIdOfVector(view, id) === id))
  if (found.size === nodeIds.size) return found
  if (view.keysHolding !== undefined) {
    for (const id of nodeIds) for (const vectorId of view.keysHolding('nodesDict', id)) found.add(vectorId)
    return found
  }
  for (const vectorId of view.keys('nodesDict')) {
    if (nodeIds.has(nodeIdOfVector(view, vectorId)!)) found.add(vectorId)
  }
  return found
}

export function* nodeIdsIn(view: StructView): Generator<string> {
  if (isVectorType(view.type)) {
    for (const vectorId of view.keys('nodesDict')) yield nodeIdOfVector(view, vectorId)!
    return
  }
  switch (view.type) {
    case 'list':
      yield* view.members('nodes')
      break
    case 'kg':
      yield* view.keys('nodeTriplets')
      yield* tableMembers(view)
      break
    case 'simple_lpg':
      yield* view.keys('nodeTriplets')
      break
    case 'keyword_table':
      yield* tableMembers(view)
      break
    case 'tree':
      for (const key of view.keys('allNodes')) yield view.get('allNodes', key) as string
      break
    case 'document_summary':
      yield* view.keys('summaryIdToNodeIds')
      yield* view.keys('nodeIdToSummaryId')
      break
  }
}

function* tableMembers(view: StructView): Generator<string> {
  for (const key of view.keys('table')) yield* view.get('table', key) as Iterable<string>
}

export interface References {
  nodes: ReadonlySet<string>
  vectors: ReadonlySet<string>
}

export interface ReferenceSearch {
  /** Of the index that is letting go. */
  indexId: string
  namespace: string
  ids: ReadonlySet<string>
}

/** Which of the ids other indices refer to: as nodes, and as vectors in the same namespace. */
export async function referredByOthers(indexStore: IndexStore, search: ReferenceSearch): Promise<References> {
  const { indexId, namespace, ids } = search
  const nodes = new Set<string>()
  const vectors = new Set<string>()
  const others = (await listStructs(indexStore)).filter((view) => view.indexId !== indexId)
  for (const view of others) {
    for (const id of isKnownType(view.type) ? nodesAmong(view, ids) : await stringsOf(indexStore, view, ids))
      nodes.add(id)
    if (namespaceOf(view) === namespace) for (const id of vectorsAmong(view, ids)) vectors.add(id)
  }
  return { nodes, vectors }
}

/** Where an index keeps its vectors: remembered in its struct if not in `default`. */
export function namespaceOf(view: StructView): string {
  return (view.value('vectorNamespace') as string | undefined | null) ?? 'default'
}

function vectorsAmong(view: StructView, ids: ReadonlySet<string>): string[] {
  const field = isVectorType(view.type) ? 'nodesDict' : 'summaryIdToNodeIds'
  return [...ids].filter((id) => view.has(field, id))
}

const knownTypes = new Set(['list', 'keyword_table', 'kg', 'tree', 'document_summary', 'simple_lpg', 'empty'])

function isKnownType(type: string): boolean {
  return isVectorType(type) || knownTypes.has(type)
}

/** Of a type from the future, any string may be a reference. */
async function stringsOf(
  indexStore: IndexStore,
  view: StructView,
  ids: ReadonlySet<string>,
): Promise<Set<string>> {
  return intersection(ids, stringsIn(await indexStore.getIndexStruct(view.indexId)))
}

function* stringsIn(tree: unknown): Generator<string> {
  if (typeof tree === 'string') yield tree
  else if (tree instanceof Map || tree instanceof Set || Array.isArray(tree))
    for (const item of tree) yield* stringsIn(item)
  else if (typeof tree === 'object' && tree !== null) {
    for (const entry of Object.entries(tree)) yield* stringsIn(entry)
  }
}

function intersection(ids: ReadonlySet<string>, found: Iterable<string>): Set<string> {
  const both = new Set<string>()
  if (ids.size === 0) return both
  for (const id of found) {
    if (ids.has(id)) both.add(id)
    if (both.size === ids.size) break
  }
  return both
}

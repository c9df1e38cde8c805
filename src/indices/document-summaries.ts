/** What a document summary index's struct tells, and how it changes: of each document its summary, of each summary the nodes it stands for. */
import type { StructChange, StructView } from '../stores/index-struct.ts'

export interface SummarizedDocument {
  refDocId: string
  summaryId: string
  nodeIds: readonly string[]
}

export function summaryOfDocument(view: StructView, refDocId: string): string | undefined {
  return view.get('docIdToSummaryId', refDocId) as string | undefined
}

function summaryOfNode(view: StructView, nodeId: string): string | undefined {
  return view.get('nodeIdToSummaryId', nodeId) as string | undefined
}

export function nodesOfSummary(view: StructView, summaryId: string): readonly string[] {
  return (view.get('summaryIdToNodeIds', summaryId) as readonly string[] | undefined) ?? []
}

/** Of the ids the nodes, and the summaries that would stand for nothing without them. A summary does not go alone. */
export function withEmptySummaries(view: StructView, ids: ReadonlySet<string>): Set<string> {
  const nodes = [...ids].filter((id) => summaryOfNode(view, id) !== undefined)
  const summaries = new Set(nodes.map((id) => summaryOfNode(view, id)!))
  const empty = [...summaries].filter((id) => nodesOfSummary(view, id).every((nodeId) => ids.has(nodeId)))
  return new Set([...nodes, ...empty])
}

export interface SummaryPlan {
  changes: StructChange[]
  /** Summaries that stand for nothing any more though nobody asked for their removal. */
  orphans: string[]
}

/** One working copy of the lists that are touched, so that what goes and what comes may meet in one document. */
export function planSummaries(
  view: StructView,
  removed: ReadonlySet<string>,
  added: readonly SummarizedDocument[],
): SummaryPlan {
  const changes: StructChange[] = []
  const lists = new Map<string, Set<string>>()
  const listOf = (summaryId: string): Set<string> => {
    const list = lists.get(summaryId) ?? new Set(nodesOfSummary(view, summaryId))
    lists.set(summaryId, list)
    return list
  }
  for (const id of removed) {
    const summaryId = summaryOfNode(view, id)
    if (summaryId === undefined) continue
    listOf(summaryId).delete(id)
    changes.push({ op: 'delete', field: 'nodeIdToSummaryId', key: id })
  }
  for (const { refDocId, summaryId, nodeIds } of added) {
    const before = summaryOfDocument(view, refDocId)
    const moved = before === undefined || before === summaryId ? [] : [...listOf(before)]
    for (const id of [...moved, ...nodeIds]) {
      const elsewhere = summaryOfNode(view, id)
      if (elsewhere !== undefined && elsewhere !== summaryId) listOf(elsewhere).delete(id)
      listOf(summaryId).add(id)
      changes.push({ op: 'set', field: 'nodeIdToSummaryId', key: id, value: summaryId })
    }
    changes.push({ op: 'set', field: 'docIdToSummaryId', key: refDocId, value: summaryId })
  }
  const empty = [...lists].filter(([, list]) => list.size === 0).map(([summaryId]) => summaryId)
  for (const [key, list] of lists)
    if (list.size > 0) changes.push({ op: 'set', field: 'summaryIdToNodeIds', key, value: [...list] })
  return {
    changes: [...changes, ...retirements(view, new Set(empty), added)],
    orphans: empty.filter((id) => !removed.has(id) && view.has('summaryIdToNodeIds', id)),
  }
}

function retirements(
  view: StructView,
  empty: ReadonlySet<string>,
  added: readonly SummarizedDocument[],
): StructChange[] {
  if (empty.size === 0) return []
  const renewed = new Set(added.map(({ refDocId }) => refDocId))
  const documents = [...view.keys('docIdToSummaryId')].filter(
    (refDocId) => empty.has(summaryOfDocument(view, refDocId)!) && !renewed.has(refDocId),
  )
  return [
    ...[...empty].map((key): StructChange => ({ op: 'delete', field: 'summaryIdToNodeIds', key })),
    ...documents.map((key): StructChange => ({ op: 'delete', field: 'docIdToSummaryId', key })),
  ]
}

/** How a tree index's struct changes when leaves go and come. */
import type { StructChange, StructView } from '../stores/index-struct.ts'
import { childrenOf, placesIn } from './tree-shape.ts'

export interface NewParent {
  id: string
  childIds: readonly string[]
}

export interface TreeAdditions {
  leafIds: readonly string[]
  /** Lower ones first. */
  parents: readonly NewParent[]
}

export function leafRemovals(view: StructView, removed: ReadonlySet<string>): StructChange[] {
  if (removed.size === 0) return []
  const changes: StructChange[] = []
  for (const field of ['allNodes', 'rootNodes'] as const) {
    for (const [key, id] of placesIn(view, field))
      if (removed.has(id)) changes.push({ op: 'delete', field, key })
  }
  for (const key of view.keys('nodeIdToChildrenIds')) {
    const children = childrenOf(view, key)
    const left = children.filter((id) => !removed.has(id))
    if (removed.has(key)) changes.push({ op: 'delete', field: 'nodeIdToChildrenIds', key })
    else if (left.length < children.length)
      changes.push({ op: 'set', field: 'nodeIdToChildrenIds', key, value: left })
  }
  return changes
}

export interface TreeAdditionPlan {
  changes: StructChange[]
  /** Summaries of what is not there any more. */
  orphans: string[]
}

/** `removed` goes in the same step. Roots that went since the summaries above them were made are not their children. */
export function leafAdditions(
  view: StructView,
  removed: ReadonlySet<string>,
  { leafIds, parents }: TreeAdditions,
): TreeAdditionPlan {
  const all = placesIn(view, 'allNodes')
  const known = new Set(all.map(([, id]) => id).filter((id) => !removed.has(id)))
  const rootPlaces = new Map(placesIn(view, 'rootNodes').map(([position, id]) => [id, position]))
  const roots = new Set([...rootPlaces.keys()].filter((id) => !removed.has(id)))
  const changes: StructChange[] = []
  const orphans: string[] = []
  const places = new Map<string, string>()
  let next = 0
  for (const [position] of all) if (Number(position) >= next) next = Number(position) + 1
  const add = (id: string, childIds: readonly string[]): void => {
    places.set(id, String(next++))
    roots.add(id)
    changes.push({ op: 'set', field: 'allNodes', key: places.get(id)!, value: id })
    changes.push({ op: 'set', field: 'nodeIdToChildrenIds', key: id, value: [...childIds] })
  }
  for (const id of leafIds) if (!known.has(id)) add(id, [])
  for (const { id, childIds } of parents) {
    const children = childIds.filter((child) => roots.has(child))
    children.forEach((child) => roots.delete(child))
    if (children.length > 0) add(id, children)
    else orphans.push(id)
  }
  for (const [id, key] of rootPlaces) {
    if (!roots.has(id) && !removed.has(id)) changes.push({ op: 'delete', field: 'rootNodes', key })
  }
  for (const id of roots) {
    const key = places.get(id)
    if (key !== undefined) changes.push({ op: 'set', field: 'rootNodes', key, value: id })
  }
  return { changes, orphans }
}

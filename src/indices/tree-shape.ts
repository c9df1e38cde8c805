/**
 * What a tree index's struct tells. Positions are LlamaIndex's: numbers as keys, in the order nodes came; those of deleted nodes stay free, so that the order of the
 * others stands.
 */
import type { StructView } from '../stores/index-struct.ts'

export function childrenOf(view: StructView, id: string): readonly string[] {
  return (view.get('nodeIdToChildrenIds', id) as readonly string[] | undefined) ?? []
}

/** The nodes of `allNodes` or `rootNodes` with their positions, in order. */
export function placesIn(
  view: StructView,
  field: 'allNodes' | 'rootNodes',
): [position: string, id: string][] {
  const places = Array.from(view.keys(field), (position): [string, string] => [
    position,
    view.get(field, position) as string,
  ])
  return places.sort(([a], [b]) => Number(a) - Number(b))
}

export function rootsOf(view: StructView): string[] {
  return placesIn(view, 'rootNodes').map(([, id]) => id)
}

export function leavesOf(view: StructView): string[] {
  const ids = new Set(placesIn(view, 'allNodes').map(([, id]) => id))
  return [...ids].filter((id) => childrenOf(view, id).length === 0)
}

function parentsOf(view: StructView): Map<string, string> {
  const parents = new Map<string, string>()
  for (const parent of view.keys('nodeIdToChildrenIds')) {
    for (const child of childrenOf(view, parent)) parents.set(child, parent)
  }
  return parents
}

/** Steps down to a leaf; 0 for a leaf. All leaves below a node are about as far, so one way down is enough. */
export function heightOf(view: StructView, id: string): number {
  const seen = new Set<string>()
  let at = childrenOf(view, id)[0]
  while (at !== undefined && !seen.has(at)) {
    seen.add(at)
    at = childrenOf(view, at)[0]
  }
  return seen.size
}

/** Of the ids the leaves, and the nodes above that would have no child without them. A summary does not go alone. */
export function withEmptyParents(view: StructView, ids: ReadonlySet<string>): Set<string> {
  const gone = new Set([...ids].filter((id) => childrenOf(view, id).length === 0))
  if (gone.size === 0) return gone
  const parents = parentsOf(view)
  for (const id of gone) {
    const parent = parents.get(id)
    // What is added while iterating is visited too.
    if (parent !== undefined && childrenOf(view, parent).every((child) => gone.has(child))) gone.add(parent)
  }
  return gone
}

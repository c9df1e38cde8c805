/**
 * Where new nodes go in a tree: they become roots, and as soon as there are more roots than a node may have children, those of the least height are gathered under
 * new summaries. So nothing that is in the tree is summarized anew, and the height grows with the logarithm of the leaves.
 */
export interface TreeNode {
  id: string
  height: number
}

/** Puts a summary above some roots. */
export type Gather = (children: readonly TreeNode[]) => Promise<TreeNode>

/** Answers the roots. */
export async function gatherRoots(
  roots: readonly TreeNode[],
  numChildren: number,
  gather: Gather,
): Promise<TreeNode[]> {
  let now = [...roots]
  while (now.length > numChildren) {
    const lowest = lowestOf(now)
    const low = now.filter(({ height }) => height === lowest)
    const others = now.filter(({ height }) => height > lowest)
    if (low.length === 1) {
      // Alone at the bottom, it counts as one of the next level, after those that came before it.
      const next = lowestOf(others)
      now = [...others, { ...low[0]!, height: next }]
      continue
    }
    const gathered: TreeNode[] = []
    for (let at = 0; at < low.length; at += numChildren) {
      const children = low.slice(at, at + numChildren)
      gathered.push(children.length === 1 ? children[0]! : await gather(children))
    }
    now = [...others, ...gathered]
  }
  return now
}

function lowestOf(nodes: readonly TreeNode[]): number {
  return nodes.reduce((lowest, { height }) => Math.min(lowest, height), Infinity)
}

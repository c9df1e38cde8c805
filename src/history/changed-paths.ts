/** Places in plain trees, as JSON pointers: members of objects one by one, lists as a whole. */
import { isDeepStrictEqual } from 'node:util'

export interface ChangedPath {
  /** A JSON pointer: `/node/metadata/page`; empty: the whole. */
  path: string
  /** What stands there as a plain tree; `undefined`: nothing. */
  readonly before: unknown
  readonly after: unknown
}

/** Where two trees differ. */
export function changedPaths(before: unknown, after: unknown, at = ''): ChangedPath[] {
  if (isDeepStrictEqual(before, after)) return []
  if (!isObject(before) || !isObject(after)) return [{ path: at, before, after }]
  const keys = new Set([...Object.keys(before), ...Object.keys(after)])
  return Array.from(keys).flatMap((key) =>
    changedPaths(memberOf(before, key), memberOf(after, key), pathTo(key, at)),
  )
}

/** Everything that is no object with members, by its place. */
export function* leavesOf(tree: unknown, at = ''): Generator<[path: string, leaf: unknown]> {
  if (!isObject(tree) || Object.keys(tree).length === 0) return void (yield [at, tree])
  for (const [key, member] of Object.entries(tree)) yield* leavesOf(member, pathTo(key, at))
}

export function pathTo(key: string, at = ''): string {
  return `${at}/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`
}

function memberOf(tree: Record<string, unknown>, key: string): unknown {
  return Object.hasOwn(tree, key) ? tree[key] : undefined
}

function isObject(tree: unknown): tree is Record<string, unknown> {
  return typeof tree === 'object' && tree !== null && !Array.isArray(tree)
}

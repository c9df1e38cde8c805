/** Places in plain trees, as JSON pointers: members of objects one by one, lists as a whole. */
import { isDeepStrictEqual } from 'node:util'

/** Where two trees differ. */
export function changedPaths(before: unknown, after: unknown, at = ''): string[] {
  if (isDeepStrictEqual(before, after)) return []
  if (!isObject(before) || !isObject(after)) return [at]
  const keys = new Set([...Object.keys(before), ...Object.keys(after)])
  return Array.from(keys).flatMap((key) => changedPaths(before[key], after[key], `${at}/${escaped(key)}`))
}

/** Everything that is no object with members, by its place. */
export function* leavesOf(tree: unknown, at = ''): Generator<[path: string, leaf: unknown]> {
  if (!isObject(tree) || Object.keys(tree).length === 0) return void (yield [at, tree])
  for (const [key, member] of Object.entries(tree)) yield* leavesOf(member, `${at}/${escaped(key)}`)
}

function escaped(key: string): string {
  return key.replaceAll('~', '~0').replaceAll('/', '~1')
}

function isObject(tree: unknown): tree is Record<string, unknown> {
  return typeof tree === 'object' && tree !== null && !Array.isArray(tree)
}

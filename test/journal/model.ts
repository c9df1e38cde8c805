/**
 * What must be there: every change that was attempted, where the commits cut them, and how many of these
 * commits were promised.
 */
export const directory = '/data/storage'
export const folders = ['docstore', 'index_store', 'vector_store/default'] as const
export type Folder = (typeof folders)[number]

export interface Change {
  folder: Folder
  key: string
  /** `undefined`: removed. */
  value: unknown
  /** Nothing but this: what was said of these keys before, in any store, was never said. */
  erases?: readonly string[]
  /** Nothing but this: no file holds a trace of them any more. */
  finishes?: true
}

export function erasing(keys: readonly string[]): Change {
  return { folder: 'docstore', key: '', value: undefined, erases: keys }
}

export const finishing: Change = { folder: 'docstore', key: '', value: undefined, finishes: true }

/** Whether the next writer has an erase to complete, after these changes. */
export function isUnfinished(changes: readonly Change[]): boolean {
  return changes.findLast(({ erases, finishes }) => erases ?? finishes)?.erases !== undefined
}

/** Keys that no file may hold after a commit. */
export function traceless(expectation: Expectation, commit: number): string[] {
  const changes = expectation.changes.slice(0, cutOf(expectation, commit))
  return isUnfinished(changes) ? [] : changes.flatMap(({ erases = [] }) => erases)
}

/** A moment of the model: it is never changed again. */
export interface Expectation {
  changes: readonly Change[]
  /** So many of them stood there before there was a journal: LlamaIndex's files, which commit 1 takes over. */
  found: number
  /** Commit n ends before change `cuts[n - 1]`. */
  cuts: readonly number[]
  /** Commits that must survive the end of the process. */
  acknowledged: number
  /** Commits that must survive the end of the power. */
  durable: number
}

export const nothing: Expectation = { changes: [], found: 0, cuts: [], acknowledged: 0, durable: 0 }

/** Where the changes after a commit begin. */
export function cutOf({ cuts, found }: Expectation, commit: number): number {
  return cuts[commit - 1] ?? found
}

/** The cuts when everything up to a change is committed. */
export function cutsUpTo({ cuts, found }: Expectation, position: number): number[] {
  const imported = cuts.length === 0 && found > 0 ? [found] : cuts
  return (imported.at(-1) ?? 0) < position ? [...imported, position] : [...imported]
}

export type Contents = Record<Folder, [key: string, value: unknown][]>

/** What a reader finds. */
export interface Seen {
  /** The number of the last commit. */
  commits: number
  contents: Contents
}

/** Answers what differs from the model. */
export function difference({ commits, contents }: Seen, expectation: Expectation): string | undefined {
  for (const folder of folders) {
    const seen = JSON.stringify(contents[folder])
    const wanted = JSON.stringify(expected(expectation, commits, folder))
    if (seen !== wanted) return `at commit ${commits}, ${folder} holds ${seen} instead of ${wanted}`
  }
  return undefined
}

/** The content of a store at a commit, in order. */
function expected(expectation: Expectation, commit: number, folder: Folder): [string, unknown][] {
  const store = new Map<string, unknown>()
  const changes = expectation.changes.slice(0, cutOf(expectation, commit))
  for (const [at, { folder: where, key, value, erases, finishes }] of changes.entries()) {
    if (where !== folder || erases || finishes) continue
    if (changes.slice(at).some((later) => later.erases?.includes(key))) continue
    if (value === undefined) store.delete(key)
    else store.set(key, value)
  }
  return [...store]
}

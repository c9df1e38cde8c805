/** What a record of calls promises about a state: which groups must be there, and which must not. */
import { deepStrictEqual, ok } from 'node:assert'
import type { StorageContext } from '../../src/index.ts'
import type { Call, Group, Run } from './interleaved-calls.ts'

/** The ids in each store, sorted. */
export interface Contents {
  documents: Set<string>
  vectors: Set<string>
  subjects: Set<string>
}

export async function contentsOf(storage: StorageContext): Promise<Contents> {
  const documents = new Set<string>()
  for await (const id of storage.docstore.ids()) documents.add(id)
  for (const id of documents)
    deepStrictEqual((await storage.docstore.getNode(id)).getContent(), `Text of ${id}`)
  const query = { queryEmbedding: [1, 0], similarityTopK: 1000 }
  const vectors = new Set((await storage.vectorStore.query(query)).ids)
  const subjects = new Set((await storage.graphStore.getRelMap(undefined, { limit: 1000 })).keys())
  return { documents, vectors, subjects }
}

/** `at` is the time of the state; `isCommitted`: it is what a commit left, not what is pending. */
export function expectPromisesKept(
  contents: Contents,
  run: Run,
  { at, isCommitted }: { at: number; isCommitted: boolean },
): void {
  for (const group of run.groups) {
    const parts = partsThere(contents, group)
    const all = parts.every(Boolean)
    const none = !parts.some(Boolean)
    const what = JSON.stringify({
      group,
      at,
      contents: Object.values(contents).map((ids: Set<string>) => [...ids]),
    })
    const isSettled = group.made !== undefined && group.made <= at
    if (isCommitted || isSettled) ok(all || none, `a part of a group is there: ${what}`)
    if (group.ids.length === 0) continue
    if (group.made === undefined) ok(none, `what threw is there: ${what}`)
    if (mustBeThere(group, run.calls, at)) ok(all, `what was acknowledged is missing: ${what}`)
    if (mustBeGone(group, run.calls, at)) ok(none, `what was rolled back is there: ${what}`)
  }
}

function partsThere({ documents, vectors, subjects }: Contents, { ids, isInsert }: Group): boolean[] {
  const stores = isInsert ? [documents] : [documents, vectors, subjects]
  return ids.flatMap((id) => stores.map((store) => store.has(id)))
}

/** It resolved as a commit, or was there when a persist was asked for that has resolved, and nothing could have dropped it between. */
function mustBeThere(group: Group, calls: readonly Call[], at: number): boolean {
  const { called, made, isCommit } = group
  if (made === undefined || made > at) return false
  if (isCommit) return true
  return calls.some(
    (call) =>
      call.kind === 'persist' &&
      call.ok &&
      call.settled <= at &&
      call.called >= made &&
      !calls.some((other) => drops(other) && overlaps(other, called, call.settled)),
  )
}

/** It was there when a rollback was asked for that has resolved, and nothing could have committed it. */
function mustBeGone({ called, made }: Group, calls: readonly Call[], at: number): boolean {
  if (made === undefined) return true
  return calls.some(
    (call) =>
      call.kind === 'rollback' &&
      call.ok &&
      call.settled <= at &&
      call.called >= made &&
      !calls.some((other) => commits(other) && overlaps(other, called, call.settled)),
  )
}

/** The last context that closes drops what is pending; which one is the last is not asked here. */
function drops({ kind }: Call): boolean {
  return kind === 'rollback' || kind === 'close'
}

function commits({ kind }: Call): boolean {
  return kind === 'persist' || kind === 'transaction'
}

function overlaps({ called, settled }: Call, from: number, to: number): boolean {
  return called <= to && settled >= from
}

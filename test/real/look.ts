/** Reads everything that a directory holds, and refuses whatever is not exactly the state of one commit. */
import { deepStrictEqual, ok, strictEqual } from 'node:assert'
import type { BaseNode, StorageContext } from '../../src/index.ts'
import {
  importer,
  indexId,
  latestId,
  latestNode,
  nodesOf,
  relation,
  subjectOf,
  type Author,
  type Shape,
} from './contents.ts'

/** The authors of the last commits, oldest first, found in the commits themselves: a chain without holes. */
export async function authorsOf(storage: StorageContext, { window }: { window: number }): Promise<Author[]> {
  const authors: Author[] = []
  for await (const { number, kind, actor, message } of storage.commits()) {
    if (authors.length > 0) strictEqual(number, authors[0]!.number - 1, 'a hole in the commits')
    if (kind !== 'import' && message !== undefined) strictEqual(message, subjectOf(number))
    authors.unshift({ number, actor: actor ?? importer })
    if (authors.length > window) break
  }
  return authors
}

/** The number of the commit whose state this context shows in every store; 0: nothing is there. */
export async function shownCommit(storage: StorageContext): Promise<number> {
  const [graphNode] = await storage.propertyGraphStore.get({ ids: [latestId] })
  const node = await storage.docstore.getNode(latestId, { raiseError: false })
  const struct = await storage.indexStore.getIndexStruct(indexId)
  const number = node ? Number(node.metadata['commit']) : 0
  strictEqual(Number(graphNode?.properties['number'] ?? 0), number, 'the property graph is of another commit')
  strictEqual(Number(struct?.summary?.split(' ')[0] ?? 0), number, 'the index struct is of another commit')
  return number
}

/** Every value of every store, payloads included, is that of the last of these commits. */
export async function expectContents(
  storage: StorageContext,
  authors: readonly Author[],
  shape: Shape,
): Promise<void> {
  const last = authors.at(-1)
  strictEqual(await shownCommit(storage), last?.number ?? 0, 'another commit than the last is shown')
  const inWindow = authors.slice(-shape.window)
  const nodes = inWindow.flatMap((author) => nodesOf(author, shape))
  if (last) nodes.push(latestNode(last, shape))
  const ids = nodes.map(({ id_ }) => id_).sort()
  await expectNodes(storage, nodes, ids)
  await expectVectors(storage, nodes, ids)
  const struct = await storage.indexStore.getIndexStruct(indexId)
  strictEqual(struct?.summary ?? undefined, last && `${last.number} ${last.actor}`)
  const entries = [
    ...((struct?.['nodesDict'] as Map<string, string> | undefined) ?? new Map<string, string>()),
  ]
  deepStrictEqual(entries.map(([id]) => id).sort(), ids)
  ok(entries.every(([id, value]) => id === value))
  const triplets = [...(await storage.graphStore.getRelMap(undefined, { limit: 1_000_000 })).values()].flat()
  const written = inWindow.map(({ number, actor }) => [subjectOf(number), relation, actor])
  deepStrictEqual(triplets.map(String).sort(), written.map(String).sort())
}

async function expectNodes(
  storage: StorageContext,
  nodes: readonly BaseNode[],
  ids: string[],
): Promise<void> {
  const found: string[] = []
  for await (const id of storage.docstore.ids()) found.push(id)
  deepStrictEqual(found.sort(), ids)
  const read = await storage.docstore.getNodes(nodes.map(({ id_ }) => id_))
  for (const [index, node] of nodes.entries()) {
    strictEqual(read[index]!.getContent(), node.getContent())
    deepStrictEqual(read[index]!.metadata, node.metadata)
  }
}

async function expectVectors(
  storage: StorageContext,
  nodes: readonly BaseNode[],
  ids: string[],
): Promise<void> {
  const [first] = nodes
  if (!first) return
  const query = first.getEmbedding()
  const found = await storage.vectorStore.query({ queryEmbedding: query, similarityTopK: nodes.length + 1 })
  deepStrictEqual(found.ids.toSorted(), ids)
  const similarities = new Map(found.ids.map((id, index) => [id, found.similarities[index]!]))
  for (const node of nodes) {
    const expected = cosine(query, node.getEmbedding())
    ok(Math.abs(similarities.get(node.id_)! - expected) < 1e-5, `the vector of ${node.id_} is another one`)
  }
}

function cosine(left: ArrayLike<number>, right: ArrayLike<number>): number {
  const dot = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
    Array.from(a).reduce((sum, value, index) => sum + value * b[index]!, 0)
  return dot(left, right) / Math.sqrt(dot(left, left) * dot(right, right))
}

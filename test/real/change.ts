/** Makes commit after commit in all stores of a context. */
import type { StorageContext } from '../../src/index.ts'
import {
  idsOf,
  indexId,
  latestId,
  latestNode,
  nodesOf,
  relation,
  subjectOf,
  type Author,
  type Shape,
} from './contents.ts'

/** The changes of one commit. `leaving` wrote the commit that falls out of the window, if there is one. */
export async function change(
  storage: StorageContext,
  author: Author,
  { shape, leaving }: { shape: Shape; leaving: Author | undefined },
): Promise<void> {
  const { docstore, vectorStore, indexStore, graphStore, propertyGraphStore } = storage
  const nodes = [...nodesOf(author, shape), latestNode(author, shape)]
  const ids = nodes.map(({ id_ }) => id_)
  await docstore.addDocuments(nodes)
  await vectorStore.add(nodes)
  if (author.number === 1)
    await indexStore.addIndexStruct({ indexId, type: 'vector_store', nodesDict: new Map() })
  await indexStore.changeIndexStruct!(indexId, [
    ...ids.map((id) => ({ op: 'set', field: 'nodesDict', key: id, value: id }) as const),
    { op: 'replace', field: 'summary', value: `${author.number} ${author.actor}` },
  ])
  await graphStore.upsertTriplet(subjectOf(author.number), relation, author.actor)
  await propertyGraphStore.upsertNodes([{ label: 'entity', name: latestId, properties: { ...author } }])
  if (leaving) await remove(storage, leaving, shape)
}

async function remove(storage: StorageContext, author: Author, shape: Shape): Promise<void> {
  const ids = idsOf(author.number, shape)
  for (const id of ids) await storage.docstore.deleteDocument(id)
  await storage.vectorStore.deleteNodes!({ nodeIds: ids })
  await storage.indexStore.changeIndexStruct!(
    indexId,
    ids.map((key) => ({ op: 'delete', field: 'nodesDict', key }) as const),
  )
  await storage.graphStore.delete(subjectOf(author.number), relation, author.actor)
}

/** The authors of the last commits, so that each next one knows what it deletes. */
export class Authors {
  readonly #window: number
  #authors: Author[]

  constructor(authors: readonly Author[], { window }: Pick<Shape, 'window'>) {
    this.#window = window
    this.#authors = [...authors]
  }

  get all(): readonly Author[] {
    return this.#authors
  }

  get last(): number {
    return this.#authors.at(-1)?.number ?? 0
  }

  /** Whose commit the next one by this actor takes out of the window. */
  next(actor: string): { author: Author; leaving: Author | undefined } {
    const author = { number: this.last + 1, actor }
    const leaving = this.#authors.find(({ number }) => number === author.number - this.#window)
    return { author, leaving }
  }

  add(author: Author): void {
    this.#authors = [...this.#authors, author].slice(-this.#window - 1)
  }

  /** What was added since was rolled back. */
  reset(authors: readonly Author[]): void {
    this.#authors = [...authors]
  }
}

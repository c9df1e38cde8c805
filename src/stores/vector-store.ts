/**
 * The vector store that keeps its vectors in the journal: one namespace of LlamaIndex's `SimpleVectorStore`. Search is exact: the cosine with every vector
 * that is asked for.
 */
import type { JournalHandle } from '../journal/handle.ts'
import { VarveError } from '../errors.ts'
import { namespaceFolder } from '../log/names.ts'
import type { DeleteNodesOptions, VectorStore, VectorStoreQuery, VectorStoreQueryResult } from './contract.ts'
import { checkId, checkList, checkNamespace } from './ids.ts'
import { JournalStore } from './journal-store.ts'
import { checkMetadata } from './metadata.ts'
import { compileFilters } from './metadata-filters.ts'
import { BaseNode } from './node.ts'
import type { Metadata } from './relationships.ts'
import { plainSpelling } from './spelling.ts'
import { toFloats, VectorCache } from './vector-cache.ts'
import { searchOf } from './query-modes.ts'
import {
  derivedMetadata,
  vectorsAdded,
  vectorsCleared,
  vectorsDeleted,
  type AddedVector,
} from './vector-events.ts'
import { dimensionsOf, type VectorEntry, type VectorState } from './vector-state.ts'

export const defaultVectorNamespace = 'default'

const caches = new WeakMap<VectorState, VectorCache>()

export class JournalVectorStore extends JournalStore<VectorState> implements VectorStore {
  readonly storesText = false

  constructor(handle: JournalHandle, namespace = defaultVectorNamespace) {
    super(handle, vectorFolder(namespace), namespace)
  }

  get namespace(): string {
    return this.storedNamespace ?? defaultVectorNamespace
  }

  /**
   * Adds the nodes' embeddings, `number[]` or `Float32Array`, kept as float32. Throws `VARVE_WRONG_DIMENSIONS` if they are not as long as those that are
   * there, `VARVE_BAD_VECTOR` if one is missing, empty, or not finite; then nothing is added.
   */
  async add(nodes: readonly BaseNode[]): Promise<string[]> {
    const dimensions = nodes[0]?.embedding?.length ?? 0
    const added = nodes.map(toAdded)
    const matrix = toMatrix(nodes, dimensions)
    await this.change((state, append) => {
      const known = dimensionsOf(state)
      if (known > 0 && nodes.length > 0 && known !== dimensions)
        throw wrongDimensions(this.namespace, { known, given: dimensions, id: nodes[0]!.id_ })
      append(vectorsAdded(added, matrix, dimensions))
    })
    return added.map(({ id }) => id)
  }

  async delete(refDocId: string): Promise<void> {
    await this.change((state, append) => append(vectorsDeleted(cacheOf(state).idsOf(refDocId))))
  }

  async deleteNodes({ nodeIds, filters }: DeleteNodesOptions): Promise<void> {
    if (nodeIds === undefined && filters === undefined)
      throw new TypeError('deleteNodes() takes nodeIds or filters; clear() deletes everything.')
    if (nodeIds !== undefined) checkList(nodeIds, 'deleteNodes()')
    const meets = filters && compileFilters(filters)
    await this.change((state, append) => {
      const candidates = new Set(nodeIds ?? state.vectors.keys())
      const ids = [...candidates].filter((id) => {
        const entry = state.vectors.get(id)
        return entry !== undefined && (!meets || meets(filterable(entry)))
      })
      append(vectorsDeleted(ids))
    })
  }

  async clear(): Promise<void> {
    await this.change((state, append) => {
      if (state.vectors.size > 0) append(vectorsCleared)
    })
  }

  /** The vector of an id: float32, as long as the namespace's dimensions. */
  async get(id: string): Promise<Float32Array | undefined> {
    return this.read((state) => {
      const entry = state.vectors.get(id)
      return entry && new Float32Array(toFloats(this.handle.payload(this.folder, entry.position)))
    })
  }

  /** The metadata that filters see. */
  async getMetadata(id: string): Promise<Metadata | undefined> {
    return this.read((state) => {
      const entry = state.vectors.get(id)
      return entry && structuredClone(filterable(entry))
    })
  }

  /** Ids that meet the options, or all, in the order they were first added. */
  async ids({ filters }: Pick<DeleteNodesOptions, 'filters'> = {}): Promise<string[]> {
    const meets = filters && compileFilters(filters)
    return this.read((state) => {
      if (!meets) return [...state.vectors.keys()]
      return Array.from(state.vectors.entries())
        .filter(([, entry]) => meets(filterable(entry)))
        .map(([id]) => id)
    })
  }

  /**
   * Vectors that an import brought and no search can compare, since they hold NaN or infinity or are of another length than most, are never hits. Of equal
   * scores the vector that was added first is better. Throws `VARVE_UNSUPPORTED_QUERY` for modes that need more than vectors, and for filters where no vector was
   * stored with metadata; `VARVE_BAD_OPTION`, `VARVE_WRONG_DIMENSIONS`, `VARVE_BAD_VECTOR`, `VARVE_BAD_FILTER`.
   */
  async query(query: VectorStoreQuery): Promise<VectorStoreQueryResult> {
    const { queryEmbedding, similarityTopK = 1 } = query
    const search = searchOf(query)
    if (!queryEmbedding)
      throw new VarveError('VARVE_UNSUPPORTED_QUERY', 'A query needs a queryEmbedding.', {
        remedy: 'Give one, or ask an index.',
      })
    const meets = query.filters && compileFilters(query.filters)
    return this.read((state) => {
      const matrix = cacheOf(state).matrix((positions) => this.handle.payloads(this.folder, positions))
      const hits = search(matrix, queryEmbedding, {
        k: similarityTopK,
        accept: acceptance(state, query, meets),
      })
      if (meets && hits.ids.length === 0) refuseWithoutMetadata(state, this.namespace)
      return hits
    })
  }

  /** How many vectors there are. */
  async size(): Promise<number> {
    return this.read((state) => state.vectors.size)
  }
}

export function vectorFolder(namespace: string): string {
  return namespaceFolder('vector_store', checkNamespace(namespace))
}

function cacheOf(state: VectorState): VectorCache {
  let cache = caches.get(state)
  if (!cache) {
    cache = new VectorCache(state)
    caches.set(state, cache)
  }
  return cache
}

function isSet(ids: readonly string[] | ReadonlySet<string>): ids is ReadonlySet<string> {
  return typeof ids === 'object' && 'has' in ids
}

function acceptance(
  state: VectorState,
  { nodeIds, docIds }: VectorStoreQuery,
  meets: ((metadata: Metadata | undefined) => boolean) | undefined,
): ((id: string) => boolean) | undefined {
  if (!nodeIds && !docIds && !meets) return undefined
  const ids = nodeIds && (isSet(nodeIds) ? nodeIds : new Set(checkList(nodeIds, 'query({ nodeIds })')))
  const docs = docIds && new Set(checkList(docIds, 'query({ docIds })'))
  return (id) => {
    if (ids && !ids.has(id)) return false
    if (!docs && !meets) return true
    const entry = state.vectors.get(id)
    if (!entry) return false
    return (
      (!docs || (entry.refDocId !== undefined && docs.has(entry.refDocId))) &&
      (!meets || meets(filterable(entry)))
    )
  }
}

/** With LlamaIndex's additions, unless an imported file says otherwise. */
function filterable({ metadata, refDocId, className }: VectorEntry): Metadata | undefined {
  return metadata && { ...derivedMetadata({ refDocId, className }), ...metadata.metadata }
}

function toAdded(node: BaseNode): AddedVector {
  if (!(node instanceof BaseNode)) throw new TypeError('add() takes nodes: make them with new TextNode().')
  if (node.refDocId !== undefined) checkId(node.refDocId, 'ref doc id')
  const metadata = checkMetadata(node.metadata, `metadata of node ${node.id_}`)
  return {
    id: checkId(node.id_, 'node id'),
    refDocId: node.refDocId,
    className: node.className,
    metadata: { metadata: withoutDerived(metadata), spelling: plainSpelling },
  }
}

function withoutDerived(metadata: Metadata): Metadata {
  return Object.fromEntries(Object.entries(metadata).filter(([key]) => !derivedKeys.has(key)))
}

const derivedKeys = new Set([
  ...Object.keys(derivedMetadata({ refDocId: '', className: '' })),
  '_node_content',
])

function toMatrix(nodes: readonly BaseNode[], dimensions: number): Float32Array {
  const matrix = new Float32Array(nodes.length * dimensions)
  for (const [index, { id_, embedding }] of nodes.entries()) {
    if (!embedding)
      throw new VarveError('VARVE_BAD_VECTOR', `Node ${id_} has no embedding.`, {
        id: id_,
        remedy: 'Set node.embedding first.',
      })
    if (embedding.length === 0)
      throw new VarveError('VARVE_BAD_VECTOR', `The embedding of node ${id_} is empty.`, { id: id_ })
    if (embedding.length !== dimensions)
      throw new VarveError(
        'VARVE_WRONG_DIMENSIONS',
        `Node ${id_} has ${embedding.length} dimensions where the first has ${dimensions}.`,
        { id: id_ },
      )
    if (Array.isArray(embedding) && !embedding.every((number) => typeof number === 'number'))
      throw new VarveError(
        'VARVE_BAD_VECTOR',
        `The embedding of node ${id_} holds something that is no number.`,
        { id: id_ },
      )
    matrix.set(embedding, index * dimensions)
    for (let at = index * dimensions; at < (index + 1) * dimensions; at++) {
      if (!Number.isFinite(matrix[at]))
        throw new VarveError(
          'VARVE_BAD_VECTOR',
          `The embedding of node ${id_} holds ${embedding[at - index * dimensions]}.`,
          { id: id_ },
        )
    }
  }
  return matrix
}

/** Files from before LlamaIndex kept metadata with vectors: a filter would find nothing, and its user not know why. */
function refuseWithoutMetadata(state: VectorState, namespace: string): void {
  for (const [, { metadata }] of state.vectors.entries()) if (metadata) return
  if (state.vectors.size === 0) return
  throw new VarveError(
    'VARVE_UNSUPPORTED_QUERY',
    `The vectors of namespace '${namespace}' were stored without metadata, so no filter can find any.`,
    {
      namespace,
      remedy: 'Add the nodes to the index again, or query without filters.',
    },
  )
}

function wrongDimensions(
  namespace: string,
  { known, given, id }: { known: number; given: number; id: string },
): VarveError {
  return new VarveError(
    'VARVE_WRONG_DIMENSIONS',
    `Node ${id} has ${given} dimensions; the vectors of namespace '${namespace}' have ${known}.`,
    {
      namespace,
      known,
      given,
      id,
    },
  )
}

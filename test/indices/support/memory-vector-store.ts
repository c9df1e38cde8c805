// Vector stores in plain maps, searched naively: like ours, or like databases with habits of their own.
import type { DeleteNodesOptions, VectorStore, VectorStoreQuery } from '../../../src/stores/contract.ts'
import type { VectorStoreQueryResult } from '../../../src/stores/contract.ts'
import { compileFilters } from '../../../src/stores/metadata-filters.ts'
import type { BaseNode } from '../../../src/stores/node.ts'
import { VectorMatrix } from '../../../src/stores/vector-matrix.ts'

export interface VectorStoreHabits {
  storesText?: boolean
  /** What it calls a node's vector. */
  idOf?: (node: BaseNode) => string
}

export class MemoryVectorStore implements VectorStore {
  readonly storesText: boolean
  readonly #idOf: (node: BaseNode) => string
  vectors = new Map<string, BaseNode>()
  calls: string[] = []
  queries: VectorStoreQuery[] = []
  /** Makes the next call of a method fail. */
  failing: { method: string; error: Error } | undefined

  constructor({ storesText = false, idOf = (node) => node.id_ }: VectorStoreHabits = {}) {
    this.storesText = storesText
    this.#idOf = idOf
  }

  async add(nodes: readonly BaseNode[]): Promise<string[]> {
    this.#note('add')
    for (const node of nodes) {
      if (node.embedding === undefined) throw new Error('no embedding')
      this.vectors.set(this.#idOf(node), node)
    }
    return nodes.map(this.#idOf)
  }

  async delete(refDocId: string): Promise<void> {
    this.#note('delete')
    for (const [id, node] of this.vectors) if (node.refDocId === refDocId) this.vectors.delete(id)
  }

  async deleteNodes({ nodeIds = [] }: DeleteNodesOptions): Promise<void> {
    this.#note('deleteNodes')
    for (const id of nodeIds) this.vectors.delete(id)
  }

  async query(query: VectorStoreQuery): Promise<VectorStoreQueryResult> {
    this.#note('query')
    this.queries.push(query)
    const { queryEmbedding = [], similarityTopK = 1, filters, docIds, nodeIds } = query
    const wanted = Array.isArray(nodeIds)
      ? new Set<string>(nodeIds)
      : (nodeIds as ReadonlySet<string> | undefined)
    const matches = filters && compileFilters(filters)
    const matrix = new VectorMatrix()
    for (const [id, node] of this.vectors) matrix.set(id, node.embedding!)
    const { ids, similarities } = matrix.topK(queryEmbedding, similarityTopK, (id) => {
      const node = this.vectors.get(id)!
      if (docIds !== undefined && !docIds.includes(node.refDocId ?? '')) return false
      return (wanted?.has(id) ?? true) && (matches?.(node.metadata) ?? true)
    })
    return { ids, similarities, ...(this.storesText && { nodes: ids.map((id) => this.vectors.get(id)!) }) }
  }

  #note(method: string): void {
    this.calls.push(method)
    const { failing } = this
    if (failing?.method !== method) return
    this.failing = undefined
    throw failing.error
  }
}

/** One that can delete by source document only. */
export function withoutDeleteNodes(store: MemoryVectorStore): MemoryVectorStore {
  return Object.assign(store, { deleteNodes: undefined })
}

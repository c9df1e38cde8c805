/** The vectors an index may find, as a set that looks into its struct instead of being built for each query. */
import type { StructView } from '../stores/index-struct.ts'
import { nodeIdOfVector, vectorsOfNodes } from './struct-references.ts'

export class VectorCandidates implements ReadonlySet<string> {
  readonly #view: StructView
  readonly #nodeIds: ReadonlySet<string> | undefined

  /** `nodeIds`: of these nodes only. */
  constructor(view: StructView, nodeIds: ReadonlySet<string> | undefined) {
    this.#view = view
    this.#nodeIds = nodeIds
  }

  get size(): number {
    return this.#nodeIds === undefined ? this.#view.size('nodesDict') : [...this.values()].length
  }

  has(vectorId: string): boolean {
    if (this.#nodeIds === undefined) return this.#view.has('nodesDict', vectorId)
    const nodeId = nodeIdOfVector(this.#view, vectorId)
    return nodeId !== undefined && this.#nodeIds.has(nodeId)
  }

  *values(): SetIterator<string> {
    const view = this.#view
    yield* this.#nodeIds === undefined ? view.keys('nodesDict') : vectorsOfNodes(view, this.#nodeIds)
  }

  keys(): SetIterator<string> {
    return this.values()
  }

  *entries(): SetIterator<[string, string]> {
    for (const id of this.values()) yield [id, id]
  }

  [Symbol.iterator](): SetIterator<string> {
    return this.values()
  }

  forEach(callback: (value: string, key: string, set: ReadonlySet<string>) => void): void {
    for (const id of this.values()) callback(id, id, this)
  }
}

/** The nodes of a document store as they were read: by id, in the order of the file, each made when it is asked for, so that they need not all be in memory. */
import type { BaseNode } from '../stores/node.ts'

export class ReadNodes implements Iterable<BaseNode> {
  readonly #nodes: Map<string, BaseNode | (() => BaseNode)>

  constructor(nodes: Iterable<readonly [id: string, node: BaseNode | (() => BaseNode)]> = []) {
    this.#nodes = new Map(nodes)
  }

  get length(): number {
    return this.#nodes.size
  }

  set(id: string, node: BaseNode | (() => BaseNode)): void {
    this.#nodes.set(id, node)
  }

  has(id: string): boolean {
    return this.#nodes.has(id)
  }

  ids(): Iterable<string> {
    return this.#nodes.keys()
  }

  /** Those whose ids pass. */
  only(isWanted: (id: string) => boolean): ReadNodes {
    return new ReadNodes([...this.#nodes].filter(([id]) => isWanted(id)))
  }

  /** The same in memory, for when the file is closed. */
  kept(): ReadNodes {
    return new ReadNodes(Array.from(this, (node) => [node.id_, node] as const))
  }

  *[Symbol.iterator](): Generator<BaseNode> {
    for (const node of this.#nodes.values()) yield typeof node === 'function' ? node() : node
  }
}

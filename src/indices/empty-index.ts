/** An index without nodes, for a query engine that answers from the model alone. It finds nothing and takes nothing in. */
import { VarveError } from '../errors.ts'
import type { StructChange } from '../stores/index-struct.ts'
import type { BaseNode } from '../stores/node.ts'
import { BaseIndex, newStruct, type IndexOptions, type NewIndexOptions } from './base-index.ts'
import { withStorage } from './default-storage.ts'
import type { Addition } from './index-step.ts'
import type { Retriever } from './retriever.ts'
import type { StructHandle } from './struct-handle.ts'

export class EmptyIndex extends BaseIndex {
  static async init(given: NewIndexOptions = {}): Promise<EmptyIndex> {
    const options = await withStorage(given)
    const index = new EmptyIndex(newStruct({ type: 'empty' }, options), options)
    await index.insertNodes([], options)
    return index
  }

  /** For `loadIndexFromStorage`. */
  static load(struct: StructHandle, options: IndexOptions): EmptyIndex {
    return new EmptyIndex(struct, options)
  }

  override asRetriever(): Retriever {
    return { retrieve: async () => [] }
  }

  protected override async prepare(nodes: readonly BaseNode[]): Promise<Addition> {
    if (nodes.length > 0) {
      throw new VarveError(
        'VARVE_BAD_OPTION',
        `Index '${this.indexId}' is an empty index, and stays empty.`,
        {
          remedy: 'Make an index of another type, such as VectorStoreIndex or SummaryIndex.',
        },
      )
    }
    return { nodes, vectors: [], changes: () => [] }
  }

  protected override removalChanges(): StructChange[] {
    return []
  }
}

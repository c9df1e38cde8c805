// Index stores in plain maps: one that can only hand over whole structs, one that shows and changes entries.
import { applyChanges, copyStruct, viewOf } from '../../../src/indices/struct-changes.ts'
import type { IndexStore } from '../../../src/stores/contract.ts'
import type { IndexStruct, StructChange, StructView } from '../../../src/stores/index-struct.ts'

export class WholeIndexStore implements IndexStore {
  structs = new Map<string, IndexStruct>()
  calls: string[] = []

  async addIndexStruct(struct: IndexStruct): Promise<void> {
    this.calls.push('addIndexStruct')
    this.structs.set(struct.indexId, copyStruct(struct))
  }

  async getIndexStruct(indexId: string): Promise<IndexStruct | undefined> {
    const struct = this.structs.get(indexId)
    return struct && copyStruct(struct)
  }

  async indexStructs(): Promise<IndexStruct[]> {
    return [...this.structs.values()].map(copyStruct)
  }

  async deleteIndexStruct(indexId: string): Promise<void> {
    this.structs.delete(indexId)
  }
}

export class ViewingIndexStore extends WholeIndexStore {
  async changeIndexStruct(indexId: string, changes: readonly StructChange[]): Promise<void> {
    this.calls.push('changeIndexStruct')
    const struct = this.structs.get(indexId)
    if (struct === undefined) throw new Error(`no struct ${indexId}`)
    applyChanges(struct, changes)
  }

  async viewIndexStruct(indexId: string): Promise<StructView | undefined> {
    const struct = this.structs.get(indexId)
    return struct && viewOf(struct)
  }

  async listIndexStructs(): Promise<{ indexId: string }[]> {
    return [...this.structs.values()].map(({ indexId }) => ({ indexId }))
  }
}

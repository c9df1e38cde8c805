// A docstore in plain maps, with LlamaIndex's rules for ref docs. Each call takes effect before it returns.
import { VarveError } from '../../../src/errors.ts'
import type {
  AddDocumentsOptions,
  DocumentStore,
  RaiseOption,
  RefDocInfo,
} from '../../../src/stores/contract.ts'
import type { BaseNode } from '../../../src/stores/node.ts'

export class MemoryDocstore implements DocumentStore {
  nodes = new Map<string, BaseNode>()
  hashes = new Map<string, string>()
  refDocs = new Map<string, RefDocInfo>()
  /** Names of calls in order, for tests of who calls what. */
  calls: string[] = []

  async addDocuments(
    nodes: readonly BaseNode[],
    { storeText = true }: AddDocumentsOptions = {},
  ): Promise<void> {
    this.calls.push('addDocuments')
    for (const node of nodes) {
      if (storeText) this.nodes.set(node.id_, node)
      this.hashes.set(node.id_, node.hash)
      const { refDocId } = node
      if (refDocId === undefined) continue
      const { nodeIds, metadata } = this.refDocs.get(refDocId) ?? { nodeIds: [], metadata: {} }
      this.refDocs.set(refDocId, {
        nodeIds: [...new Set([...nodeIds, node.id_])],
        metadata: { ...metadata, ...node.metadata },
      })
    }
  }

  async getDocument(id: string, options?: RaiseOption): Promise<BaseNode> {
    return this.getNode(id, options)
  }

  async getNode(id: string, { raiseError = true }: RaiseOption = {}): Promise<BaseNode> {
    this.calls.push('getNode')
    const node = this.nodes.get(id)
    if (node === undefined && raiseError)
      throw new VarveError('VARVE_NODE_NOT_FOUND', `There is no node '${id}'.`)
    return node!
  }

  async getNodes(ids: readonly string[], { raiseError = true }: RaiseOption = {}): Promise<BaseNode[]> {
    this.calls.push('getNodes')
    const missing = ids.find((id) => !this.nodes.has(id))
    if (missing !== undefined && raiseError) {
      throw new VarveError('VARVE_NODE_NOT_FOUND', `There is no node '${missing}'.`)
    }
    return ids.flatMap((id) => this.nodes.get(id) ?? [])
  }

  async getNodeDict(ids: ReadonlyMap<number, string>): Promise<Map<number, BaseNode>> {
    return new Map([...ids].map(([place, id]) => [place, this.nodes.get(id)!]))
  }

  async documentExists(id: string): Promise<boolean> {
    return this.nodes.has(id)
  }

  async deleteDocument(id: string): Promise<void> {
    this.calls.push('deleteDocument')
    this.#forget(id)
    for (const [refDocId, info] of this.refDocs) {
      if (!info.nodeIds.includes(id)) continue
      const nodeIds = info.nodeIds.filter((nodeId) => nodeId !== id)
      this.refDocs.set(refDocId, { ...info, nodeIds })
      if (nodeIds.length === 0) {
        this.refDocs.delete(refDocId)
        this.#forget(refDocId)
      }
    }
  }

  async deleteRefDoc(refDocId: string): Promise<void> {
    this.calls.push('deleteRefDoc')
    for (const id of this.refDocs.get(refDocId)?.nodeIds ?? []) this.#forget(id)
    this.refDocs.delete(refDocId)
    this.#forget(refDocId)
  }

  async getRefDocInfo(refDocId: string): Promise<RefDocInfo | undefined> {
    return this.refDocs.get(refDocId)
  }

  async getAllRefDocInfo(): Promise<Map<string, RefDocInfo>> {
    return new Map(this.refDocs)
  }

  async refDocExists(refDocId: string): Promise<boolean> {
    return this.refDocs.has(refDocId)
  }

  async setDocumentHash(id: string, hash: string): Promise<void> {
    this.hashes.set(id, hash)
  }

  async setDocumentHashes(hashes: ReadonlyMap<string, string>): Promise<void> {
    for (const [id, hash] of hashes) this.hashes.set(id, hash)
  }

  async getDocumentHash(id: string): Promise<string | undefined> {
    return this.hashes.get(id)
  }

  async getAllDocumentHashes(): Promise<Map<string, string>> {
    return new Map([...this.hashes].map(([id, hash]) => [hash, id]))
  }

  async *ids(): AsyncGenerator<string> {
    yield* this.nodes.keys()
  }

  #forget(id: string): void {
    this.nodes.delete(id)
    this.hashes.delete(id)
  }
}

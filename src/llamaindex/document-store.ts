/** Our document store as LlamaIndexTS's. Nodes come back as they went in, whichever of the five types they are. */
import type { BaseNode as CoreNode } from '@llamaindex/core/schema'
import type { BaseDocumentStore, RefDocInfo, Serializer } from '@llamaindex/core/storage/doc-store'
import type { StorageContext } from '../context/storage-context.ts'
import type { RefDocInfo as OwnRefDocInfo } from '../stores/contract.ts'
import type { BaseNode } from '../stores/node.ts'
import { setOwn } from '../stores/own-property.ts'
import type { Autosave } from './autosave.ts'
import type { Core } from './core.ts'
import { fromCore, toCore } from './core-nodes.ts'
import { keepInStructs } from './core-structs.ts'

export class DropInDocumentStore implements BaseDocumentStore {
  /** Asked for by the type only: nodes are not kept as JSON. */
  serializer: Serializer<Record<string, unknown>> = {
    toPersistence: (data) => data,
    fromPersistence: (data) => data,
  }
  readonly #storage: StorageContext
  readonly #core: Core
  readonly #autosave: Autosave

  constructor(storage: StorageContext, core: Core, autosave: Autosave) {
    this.#storage = storage
    this.#core = core
    this.#autosave = autosave
  }

  async docs(): Promise<Record<string, CoreNode>> {
    return this.#autosave.during(async () => {
      const ids: string[] = []
      for await (const id of this.#storage.docstore.ids()) ids.push(id)
      const docs: Record<string, CoreNode> = {}
      for (const node of await this.getNodes(ids)) setOwn(docs, node.id_, node)
      return docs
    })
  }

  async addDocuments(docs: CoreNode[], allowUpdate = true): Promise<void> {
    await this.#autosave.during(async () => {
      const nodes = await Promise.all(docs.map(fromCore))
      await this.#storage.docstore.addDocuments(nodes, { allowUpdate })
      this.#autosave.hold(nodes.filter(isSource).map(({ id_ }) => id_))
    })
  }

  async getDocument(docId: string, raiseError = true): Promise<CoreNode | undefined> {
    return this.#autosave.during(async () => {
      const { docstore } = this.#storage
      const node = raiseError
        ? await docstore.getDocument(docId)
        : await docstore.getDocument(docId, { raiseError })
      return node && toCore(node, this.#core)
    })
  }

  async getNode(nodeId: string, raiseError = true): Promise<CoreNode> {
    // The type knows no missing node.
    return (await this.getDocument(nodeId, raiseError)) as CoreNode
  }

  async getNodes(nodeIds: string[], raiseError = true): Promise<CoreNode[]> {
    return this.#autosave.during(async () => {
      const nodes = await this.#storage.docstore.getNodes(nodeIds, { raiseError })
      return nodes.map((node) => toCore(node, this.#core))
    })
  }

  async getNodeDict(nodeIds: Record<number, string>): Promise<Record<number, CoreNode>> {
    const nodes = await this.getNodes(Object.values(nodeIds))
    return Object.fromEntries(Object.keys(nodeIds).map((key, index) => [key, nodes[index]!]))
  }

  async documentExists(docId: string): Promise<boolean> {
    return this.#autosave.during(() => this.#storage.docstore.documentExists(docId))
  }

  async deleteDocument(docId: string, raiseError = true): Promise<void> {
    await this.#autosave.during(async () => {
      await keepInStructs(docId, this.#storage, this.#core)
      await this.#storage.docstore.deleteDocument(docId, { raiseError })
    })
  }

  async deleteRefDoc(refDocId: string, raiseError = true): Promise<void> {
    await this.#autosave.during(() => this.#storage.docstore.deleteRefDoc(refDocId, { raiseError }))
  }

  async setDocumentHash(docId: string, docHash: string): Promise<void> {
    await this.#autosave.during(() => this.#storage.docstore.setDocumentHash(docId, docHash))
  }

  async getDocumentHash(docId: string): Promise<string | undefined> {
    return this.#autosave.during(() => this.#storage.docstore.getDocumentHash(docId))
  }

  /** From hash to id. */
  async getAllDocumentHashes(): Promise<Record<string, string>> {
    return this.#autosave.during(async () =>
      Object.fromEntries(await this.#storage.docstore.getAllDocumentHashes()),
    )
  }

  async getRefDocInfo(refDocId: string): Promise<RefDocInfo | undefined> {
    return this.#autosave.during(async () => {
      const info = await this.#storage.docstore.getRefDocInfo(refDocId)
      return info && toCoreInfo(info)
    })
  }

  async getAllRefDocInfo(): Promise<Record<string, RefDocInfo>> {
    return this.#autosave.during(async () => {
      const all: Record<string, RefDocInfo> = {}
      for (const [id, info] of await this.#storage.docstore.getAllRefDocInfo())
        setOwn(all, id, toCoreInfo(info))
      return all
    })
  }

  /** Does nothing: the context saves by itself, and has a `persist()` that can be awaited. */
  persist(): void {}
}

/** What is to be cut into chunks. */
function isSource({ type, refDocId }: BaseNode): boolean {
  return refDocId === undefined && (type === 'DOCUMENT' || type === 'IMAGE_DOCUMENT')
}

function toCoreInfo({ nodeIds, metadata }: OwnRefDocInfo): RefDocInfo {
  return { nodeIds, extraInfo: metadata }
}

/** The document store that keeps its nodes in the journal: LlamaIndex's `SimpleDocumentStore`, without its losses. */
import { erased } from '../journal/erased.ts'
import type { JournalHandle } from '../journal/handle.ts'
import { VarveError } from '../errors.ts'
import { namespaceFolder } from '../log/names.ts'
import type { AddDocumentsOptions, DocumentStore, RaiseOption, RefDocInfo } from './contract.ts'
import { hashesSet, nodesAdded, nodesDeleted, refDocsDeleted, type AddedNode } from './document-events.ts'
import type { DocumentState } from './document-state.ts'
import { checkId, checkList, checkNamespace } from './ids.ts'
import { JournalStore } from './journal-store.ts'
import { checkMetadata } from './metadata.ts'
import { BaseNode } from './node.ts'
import { decodeNode, nodesAt } from './node-payload.ts'
import type { Metadata } from './relationships.ts'

export const defaultDocumentNamespace = 'docstore'

export class JournalDocumentStore extends JournalStore<DocumentState> implements DocumentStore {
  constructor(handle: JournalHandle, namespace = defaultDocumentNamespace) {
    super(handle, documentFolder(namespace), namespace)
  }

  get namespace(): string {
    return this.storedNamespace ?? defaultDocumentNamespace
  }

  /** Throws `VARVE_DUPLICATE_ID` if `allowUpdate` is false and an id is known; then, and on any bad input, nothing is added. */
  async addDocuments(
    nodes: readonly BaseNode[],
    { allowUpdate = true, storeText = true }: AddDocumentsOptions = {},
  ): Promise<void> {
    const checked = checkList(nodes, 'addDocuments()').map((node) => ({ node, metadata: checkNode(node) }))
    await this.change((state, append) => {
      if (!allowUpdate) refuseKnown(state, nodes)
      append(nodesAdded(withRefDocMetadata(state, checked, storeText)))
    })
  }

  async getDocument(id: string, options: RaiseOption & { raiseError: false }): Promise<BaseNode | undefined>
  async getDocument(id: string, options?: RaiseOption): Promise<BaseNode>
  async getDocument(id: string, { raiseError = true }: RaiseOption = {}): Promise<BaseNode | undefined> {
    const { folder } = this
    return this.read((state) => {
      const position = state.nodes.get(id)
      if (position) return decodeNode(id, this.handle.payload(this.folder, position), { folder, position })
      if (raiseError) throw this.#notFound(id)
      return undefined
    })
  }

  async getNode(id: string, options: RaiseOption & { raiseError: false }): Promise<BaseNode | undefined>
  async getNode(id: string, options?: RaiseOption): Promise<BaseNode>
  async getNode(id: string, options: RaiseOption = {}): Promise<BaseNode | undefined> {
    return this.getDocument(id, options)
  }

  async getNodes(ids: readonly string[], { raiseError = true }: RaiseOption = {}): Promise<BaseNode[]> {
    checkList(ids, 'getNodes()')
    return this.read((state) => {
      const found = ids.map((id) => ({ id, position: state.nodes.get(id) }))
      const missing = found.find(({ position }) => !position)
      if (missing && raiseError) throw this.#notFound(missing.id)
      const known = found.flatMap(({ id, position }) => (position ? [[id, position] as const] : []))
      return nodesAt(this.handle, this.folder, known)
    })
  }

  /** The nodes as they stand now, each read when it is called for, while the store is open. Those that are missing are left out. */
  async nodesLater(ids: readonly string[]): Promise<Map<string, () => BaseNode>> {
    const { folder, handle } = this
    return this.read((state) => {
      const found = ids.flatMap((id): [string, () => BaseNode][] => {
        const position = state.nodes.get(id)
        return position
          ? [[id, () => decodeNode(id, handle.payload(folder, position), { folder, position })]]
          : []
      })
      return new Map(found)
    })
  }

  async getNodeDict(ids: ReadonlyMap<number, string>): Promise<Map<number, BaseNode>> {
    const nodes = await this.getNodes([...ids.values()])
    return new Map([...ids.keys()].map((key, index) => [key, nodes[index]!]))
  }

  async documentExists(id: string): Promise<boolean> {
    return this.read((state) => state.nodes.has(id))
  }

  async deleteDocument(id: string, { raiseError = true }: RaiseOption = {}): Promise<void> {
    await this.change((state, append) => {
      const known = state.nodes.has(id) || state.records.has(id)
      if (!known && raiseError) throw notFound(id)
      if (known) append(nodesDeleted([id]))
    })
  }

  async deleteDocuments(ids: readonly string[]): Promise<void> {
    checkList(ids, 'deleteDocuments()')
    await this.change((state, append) => {
      append(nodesDeleted(ids.filter((id) => state.nodes.has(id) || state.records.has(id))))
    })
  }

  async deleteRefDoc(refDocId: string, { raiseError = true }: RaiseOption = {}): Promise<void> {
    await this.change((state, append) => {
      const refDoc = state.refDocs.get(refDocId)
      const known = refDoc !== undefined || state.records.has(refDocId)
      if (!known && raiseError)
        throw new VarveError('VARVE_REF_DOC_NOT_FOUND', `ref_doc_id ${refDocId} not found.`, { refDocId })
      if (!known) return
      append(refDocsDeleted([refDocId]))
      append(nodesDeleted([...(refDoc?.nodeIds ?? [])]))
    })
  }

  async getRefDocInfo(refDocId: string): Promise<RefDocInfo | undefined> {
    return this.read((state) => {
      const refDoc = state.refDocs.get(refDocId)
      return refDoc && toInfo(refDoc)
    })
  }

  async getAllRefDocInfo(): Promise<Map<string, RefDocInfo>> {
    return this.read(
      (state) => new Map(Array.from(state.refDocs.entries(), ([id, refDoc]) => [id, toInfo(refDoc)])),
    )
  }

  async refDocExists(refDocId: string): Promise<boolean> {
    return this.read((state) => state.refDocs.has(refDocId))
  }

  async setDocumentHash(id: string, hash: string): Promise<void> {
    await this.setDocumentHashes(new Map([[id, hash]]))
  }

  async setDocumentHashes(hashes: ReadonlyMap<string, string>): Promise<void> {
    for (const [id, hash] of hashes) {
      checkId(id, 'document id')
      if (typeof hash !== 'string') throw new TypeError(`The hash of document ${id} must be a string.`)
    }
    await this.change((_, append) => append(hashesSet(hashes)))
  }

  async getDocumentHash(id: string): Promise<string | undefined> {
    return this.read((state) => state.records.get(id)?.hash)
  }

  async getAllDocumentHashes(): Promise<Map<string, string>> {
    return this.read((state) => {
      const hashes = new Map<string, string>()
      for (const [id, { hash }] of state.records.entries()) if (hash !== undefined) hashes.set(hash, id)
      return hashes
    })
  }

  async *ids(): AsyncGenerator<string> {
    yield* await this.read((state) => [...state.nodes.keys()])
  }

  /** Of the past, it can be told whether an id was erased since. */
  #notFound(id: string): VarveError {
    const commit = this.handle.journal.erasedBy(id)
    return commit === undefined ? notFound(id) : erased({ commit, id })
  }
}

export function documentFolder(namespace: string): string {
  return checkNamespace(namespace) === defaultDocumentNamespace
    ? 'docstore'
    : namespaceFolder('docstore', namespace)
}

/** Answers the metadata as it will be stored. */
function checkNode(node: BaseNode): Metadata {
  if (!(node instanceof BaseNode))
    throw new TypeError('addDocuments() takes nodes: make them with new TextNode() or new Document().')
  checkId(node.id_, 'node id')
  if (node.refDocId !== undefined) checkId(node.refDocId, 'ref doc id')
  return checkMetadata(node.metadata, `metadata of node ${node.id_}`)
}

function refuseKnown(state: DocumentState, nodes: readonly BaseNode[]): void {
  const seen = new Set<string>()
  for (const { id_ } of nodes) {
    if (seen.has(id_) || state.nodes.has(id_))
      throw new VarveError('VARVE_DUPLICATE_ID', `node_id ${id_} already exists.`, { id: id_ })
    seen.add(id_)
  }
}

interface CheckedNode {
  node: BaseNode
  metadata: Metadata
}

/** A ref doc's metadata is the union of its nodes': each node brings what is not there yet, so that equal metadata is stored once. */
function withRefDocMetadata(
  state: DocumentState,
  nodes: readonly CheckedNode[],
  storeText: boolean,
): AddedNode[] {
  const known = new Map<string, Metadata>()
  // A node that leaves its ref doc may be its last one: what the ref doc had is forgotten then, in the midst of this event.
  const sources = new Map<string, string | undefined>()
  const isAnyMoving = nodes.some(({ node: { id_, refDocId } }) => {
    const before = sources.has(id_) ? sources.get(id_) : state.records.get(id_)?.refDocId
    sources.set(id_, refDocId)
    return before !== undefined && before !== refDocId
  })
  return nodes.map(({ node, metadata }) => {
    const { refDocId } = node
    if (refDocId === undefined) return { node, storeText, refDocMetadata: undefined }
    const before = known.get(refDocId) ?? state.refDocs.get(refDocId)?.metadata ?? {}
    const isNews =
      isAnyMoving ||
      Object.keys(metadata).some((key) => !Object.hasOwn(before, key) || !isSame(before[key], metadata[key]))
    known.set(refDocId, isNews ? { ...before, ...metadata } : before)
    return { node, storeText, refDocMetadata: isNews ? metadata : undefined }
  })
}

function isSame(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  const [keys, others] = [Object.keys(a), Object.keys(b)]
  if (keys.length !== others.length || Array.isArray(a) !== Array.isArray(b)) return false
  return keys.every((key) => Object.hasOwn(b, key) && isSame((a as Metadata)[key], (b as Metadata)[key]))
}

function toInfo({ nodeIds, metadata }: { nodeIds: Set<string>; metadata: Metadata }): RefDocInfo {
  return { nodeIds: [...nodeIds], metadata: structuredClone(metadata) }
}

function notFound(id: string): VarveError {
  return new VarveError('VARVE_NODE_NOT_FOUND', `doc_id ${id} not found.`, { id })
}

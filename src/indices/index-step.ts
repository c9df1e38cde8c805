/**
 * One change of an index, over all its stores, as one unit: what goes, what comes, and the struct. Everything that takes long (splitting,
 * embedding) has happened before.
 */
import { VarveError } from '../errors.ts'
import type { VectorStore } from '../stores/contract.ts'
import type { StructChange, StructView } from '../stores/index-struct.ts'
import type { BaseNode } from '../stores/node.ts'
import type { IndexStorage } from './index-storage.ts'
import type { LongWork } from './long-work.ts'
import { planRemoval, type Companions, type Removal, type RemovalRequest } from './node-removal.ts'
import { StoreCalls, type StoreCall } from './store-calls.ts'
import type { StructHandle } from './struct-handle.ts'
import { isVectorType } from './struct-types.ts'

export interface Addition {
  /** For the docstore, without vectors. */
  nodes: readonly BaseNode[]
  /** For the vector store, with vectors. */
  vectors: readonly BaseNode[]
  /** Asked while nobody else changes the stores; `view` is what the struct held before. */
  changes(view: StructView): StructChange[] | Promise<StructChange[]>
}

export interface IndexStep {
  removal?: RemovalRequest
  addition?: Addition
  /** Of source documents. */
  hashes?: ReadonlyMap<string, string>
}

export interface StepTarget {
  storage: IndexStorage
  struct: StructHandle
  /** Vectors are added to the first, and deleted from all. */
  vectorStores: readonly VectorStore[]
  /** Nodes given to the stores at a time. */
  insertBatchSize: number
  /** Asked while nobody else changes the stores. */
  plan: (request: PlanRequest) => Promise<StepPlan>
  companions: Companions
}

export interface PlanRequest {
  /** What the struct held before. */
  view: StructView
  /** What the index lets go, and what it takes in. */
  removed: ReadonlySet<string>
  addition: Addition | undefined
}

export interface StepPlan {
  changes: StructChange[]
  /** To stores that only this type of index has, removals first. */
  calls?: StoreCall[]
}

/**
 * Readers never see half of a step of at most `insertBatchSize` nodes. Of a larger one, all batches but the last are handed over before, so
 * that the stores can pass them on and memory stays flat; no index refers to them until the last one is in.
 */
export async function runStep(target: StepTarget, step: IndexStep, work: LongWork = {}): Promise<Removal> {
  const { storage, struct } = target
  return await storage.together(async () => {
    work.signal?.throwIfAborted()
    const view = await struct.fresh()
    const removal = await planStepRemoval(target, step, view)
    const { addition } = step
    const { changes, calls: ownCalls = [] } = await target.plan({ view, removed: removal.nodeIds, addition })
    const batches = batchesOf(target, addition)
    await deleteByRefDoc(target, step.removal)
    for (const batch of batches.slice(0, -1)) {
      await new AddedBatch(target, batch).alone()
      work.signal?.throwIfAborted()
      work.onProgress?.({ phase: 'store', done: batch.end, total: batches.at(-1)!.end })
    }

    const calls = new StoreCalls()
    addRemovalCalls(calls, target, { requested: step.removal?.nodeIds ?? [], ...removal })
    const last = batches.length > 0 ? new AddedBatch(target, batches.at(-1)!) : undefined
    last?.addCalls(calls)
    if (step.hashes !== undefined && step.hashes.size > 0) {
      calls.add(storage.docstore, () => storage.docstore.setDocumentHashes(step.hashes!))
    }
    for (const { store, call } of ownCalls) calls.add(store, call)
    calls.add(storage.indexStore, () => struct.change(changes))
    await calls.run()
    await struct.change(batches.flatMap((batch) => batch.renamed))
    if (last !== undefined) work.onProgress?.({ phase: 'store', done: last.end, total: last.end })
    return removal
  })
}

async function planStepRemoval(
  { storage, companions }: StepTarget,
  step: IndexStep,
  view: StructView,
): Promise<Removal> {
  const nothing = { nodeIds: new Set<string>(), vectorIds: [], documentIds: [], refDocIds: [] }
  if (step.removal === undefined) return nothing
  const readded = new Set(step.addition?.nodes.map((node) => node.id_))
  const replaced = new Set(step.hashes?.keys())
  return await planRemoval(storage, view, { ...step.removal, readded, replaced, companions })
}

/** A store that keeps the text, or cannot delete by id, is asked by source document, before anything is added to that document. */
async function deleteByRefDoc(
  { vectorStores }: StepTarget,
  removal: RemovalRequest | undefined,
): Promise<void> {
  for (const store of vectorStores.filter((each) => !deletesById(each))) {
    if (store.deleteNodes === undefined && removal?.nodeIds !== undefined) {
      const remedy = 'Delete whole source documents with deleteRefDoc().'
      throw new VarveError('VARVE_UNSUPPORTED_QUERY', 'The vector store cannot delete single vectors.', {
        remedy,
      })
    }
    for (const refDocId of removal?.refDocIds ?? []) await store.delete(refDocId)
  }
}

function addRemovalCalls(
  calls: StoreCalls,
  { storage: { docstore }, vectorStores }: StepTarget,
  removal: Removal & { requested: readonly string[] },
): void {
  for (const store of vectorStores) {
    const nodeIds = store.storesText ? removal.requested : deletesById(store) ? removal.vectorIds : []
    if (nodeIds.length > 0) calls.add(store, () => store.deleteNodes!({ nodeIds }))
  }
  for (const id of removal.refDocIds)
    calls.add(docstore, () => docstore.deleteRefDoc(id, { raiseError: false }))
  const ids = [...removal.documentIds]
  if (docstore.deleteDocuments === undefined) {
    for (const id of ids) calls.add(docstore, () => docstore.deleteDocument(id, { raiseError: false }))
  } else if (ids.length > 0) calls.add(docstore, () => docstore.deleteDocuments!(ids))
}

function deletesById(store: VectorStore): boolean {
  return !store.storesText && store.deleteNodes !== undefined
}

interface Batch {
  nodes: readonly BaseNode[]
  vectors: readonly BaseNode[]
  /** How many nodes are in with this batch. */
  end: number
  /** Changes for vectors that the store gave other ids than their nodes'; known when it answered. */
  renamed: StructChange[]
}

function batchesOf({ insertBatchSize: size }: StepTarget, addition: Addition | undefined): Batch[] {
  const { nodes = [], vectors = [] } = addition ?? {}
  const total = Math.max(nodes.length, vectors.length)
  return Array.from({ length: Math.ceil(total / size) }, (_, at) => {
    const [from, end] = [at * size, Math.min((at + 1) * size, total)]
    return { nodes: nodes.slice(from, end), vectors: vectors.slice(from, end), end, renamed: [] }
  })
}

class AddedBatch {
  readonly #target: StepTarget
  readonly #batch: Batch

  constructor(target: StepTarget, batch: Batch) {
    this.#target = target
    this.#batch = batch
  }

  get end(): number {
    return this.#batch.end
  }

  async alone(): Promise<void> {
    const calls = new StoreCalls()
    this.addCalls(calls)
    await calls.run()
  }

  addCalls(calls: StoreCalls): void {
    const { storage, vectorStores } = this.#target
    const { nodes, vectors } = this.#batch
    const store = vectorStores[0]
    if (store !== undefined && vectors.length > 0) {
      calls.add(store, async () => this.#noteIds(await store.add(vectors), store))
    }
    if (nodes.length > 0) calls.add(storage.docstore, () => storage.docstore.addDocuments(nodes))
  }

  #noteIds(ids: readonly string[], store: VectorStore): void {
    const { nodes, vectors, renamed } = this.#batch
    if (!isVectorType(this.#target.struct.lastSeen.type)) return
    if (store.storesText && nodes.length === 0) return
    vectors.forEach(({ id_ }, at) => {
      const vectorId = ids[at]
      if (vectorId === undefined || vectorId === id_) return
      renamed.push({ op: 'delete', field: 'nodesDict', key: id_ })
      renamed.push({ op: 'set', field: 'nodesDict', key: vectorId, value: id_ })
    })
  }
}

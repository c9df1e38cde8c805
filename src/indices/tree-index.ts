/**
 * An index of nodes under summaries under summaries: all leaves can be had, the roots, or the leaf that is reached by following what is most similar to a
 * question. Summaries come from a function of the caller; without it leaves stay roots. When a leaf goes, the summaries above it stay as they are, and go with
 * their last leaf.
 */
import { randomUUID } from 'node:crypto'
import { VarveError } from '../errors.ts'
import type { StructChange, StructView } from '../stores/index-struct.ts'
import { TextNode, type BaseNode } from '../stores/node.ts'
import {
  BaseIndex,
  newStruct,
  type IndexOptions,
  type NewIndexOptions,
  type PreparingWork,
} from './base-index.ts'
import { checkCount } from './check-count.ts'
import { withEmbedding } from './copy-node.ts'
import { withStorage } from './default-storage.ts'
import type { EmbedModel } from './embed-model.ts'
import { checkEmbedModel, rememberEmbedModel } from './embed-model-memory.ts'
import { embedNodes } from './embed-nodes.ts'
import type { Addition, PlanRequest, StepPlan } from './index-step.ts'
import type { LongWork } from './long-work.ts'
import type { Retriever, RetrieverOptions } from './retriever.ts'
import type { StructHandle } from './struct-handle.ts'
import { nodesAmong } from './struct-references.ts'
import { summarized, type Summarizer } from './summarizer.ts'
import { leafAdditions, leafRemovals, type NewParent, type TreeAdditions } from './tree-changes.ts'
import { gatherRoots, type TreeNode } from './tree-growth.ts'
import { TreeRetriever } from './tree-retriever.ts'
import { heightOf, rootsOf, withEmptyParents } from './tree-shape.ts'

export interface TreeIndexOptions extends IndexOptions {
  /** Makes the nodes above. */
  summarize?: Summarizer
  /** How many children a node has at most. Default 10. */
  numChildren?: number
  /** `false`: leaves stay roots. Default: `true` with `summarize`. */
  buildTree?: boolean
  /** Nodes are kept with a vector of it, and questions are asked with it. */
  embedModel?: EmbedModel
  /** Texts given to the model at a time. Default 64. */
  embedBatchSize?: number
  /** Makes the ids of summaries. Default `crypto.randomUUID`. */
  newId?: () => string
}

export type NewTreeIndexOptions = Omit<TreeIndexOptions, 'storageContext'> & NewIndexOptions

export interface LoadTreeIndexOptions extends TreeIndexOptions {
  acceptEmbedModel?: boolean
}

interface TreeAddition extends Addition {
  tree: TreeAdditions
}

export class TreeIndex extends BaseIndex {
  readonly #options: TreeIndexOptions
  readonly #numChildren: number
  readonly #embedBatchSize: number

  protected constructor(struct: StructHandle, options: TreeIndexOptions) {
    super(struct, options)
    this.#options = options
    this.#numChildren = checkNumChildren(options.numChildren ?? 10)
    this.#embedBatchSize = checkCount('embedBatchSize', options.embedBatchSize ?? 64)
  }

  /** Makes a new index of documents. */
  static async fromDocuments(
    documents: readonly BaseNode[],
    options: NewTreeIndexOptions = {},
  ): Promise<TreeIndex> {
    const index = await TreeIndex.#new(options)
    await index.addDocuments(documents, options)
    return index
  }

  /** Makes a new index of nodes, or of none. */
  static async init({ nodes = [], ...options }: NewTreeIndexOptions & { nodes?: readonly BaseNode[] } = {}) {
    const index = await TreeIndex.#new(options)
    await index.insertNodes(nodes, options)
    return index
  }

  /** For `loadIndexFromStorage`. */
  static async load(struct: StructHandle, options: LoadTreeIndexOptions): Promise<TreeIndex> {
    await checkEmbedModel(struct, options)
    return new TreeIndex(struct, options)
  }

  static async #new(given: NewTreeIndexOptions): Promise<TreeIndex> {
    const options = await withStorage(given)
    const fields = { allNodes: new Map(), rootNodes: new Map(), nodeIdToChildrenIds: new Map() }
    return new TreeIndex(newStruct({ type: 'tree', ...fields }, options), options)
  }

  override asRetriever(options: RetrieverOptions = {}): Retriever {
    const { docstore } = this.storageContext
    return new TreeRetriever({ docstore, struct: this.struct, embedModel: this.#options.embedModel }, options)
  }

  protected override async prepare(nodes: readonly BaseNode[], work: PreparingWork): Promise<TreeAddition> {
    const view = await this.struct.current()
    const known = nodesAmong(view, new Set(nodes.map(({ id_ }) => id_)))
    const leaves = nodes.filter(({ id_ }) => !known.has(id_))
    const { parents, made } = await this.#grow(view, leaves, work)
    const kept = await this.#embed([...nodes, ...made], work)
    const dimensions = kept.find(({ embedding }) => embedding !== undefined)?.embedding?.length
    return {
      nodes: kept,
      vectors: [],
      tree: { leafIds: nodes.map(({ id_ }) => id_), parents },
      changes: (now) => rememberEmbedModel(now, this.#options.embedModel, dimensions),
    }
  }

  async #grow(view: StructView, leaves: readonly BaseNode[], work: PreparingWork): Promise<Growth> {
    const { summarize, buildTree = true, newId = randomUUID } = this.#options
    const growth: Growth = { parents: [], made: [] }
    if (summarize === undefined || !buildTree || leaves.length === 0) return growth
    const nodes = new Map(leaves.map((leaf) => [leaf.id_, leaf]))
    const roots = [
      ...(await this.#stayingRoots(view, nodes, work)),
      ...leaves.map(({ id_ }) => ({ id: id_, height: 0 })),
    ]
    await gatherRoots(roots, this.#numChildren, async (children) => {
      work.signal?.throwIfAborted()
      const below = children.map(({ id }) => nodes.get(id)!)
      const summary = new TextNode({ id_: newId(), text: await summarized(summarize, below, work.signal) })
      nodes.set(summary.id_, summary)
      growth.made.push(summary)
      growth.parents.push({ id: summary.id_, childIds: children.map(({ id }) => id) })
      // How many there will be in the end shows only at the end.
      work.onProgress?.({ phase: 'summarize', done: growth.made.length, total: growth.made.length })
      return { id: summary.id_, height: Math.max(...children.map(({ height }) => height)) + 1 }
    })
    work.signal?.throwIfAborted()
    return growth
  }

  /** The roots that do not go in the same step; their nodes are added to `nodes`. */
  async #stayingRoots(
    view: StructView,
    nodes: Map<string, BaseNode>,
    { replacedDocIds }: PreparingWork,
  ): Promise<TreeNode[]> {
    const found = await this.storageContext.docstore.getNodes(rootsOf(view), { raiseError: false })
    const staying = found.filter(({ refDocId }) => refDocId === undefined || !replacedDocIds?.has(refDocId))
    for (const node of staying) nodes.set(node.id_, node)
    return staying.map(({ id_ }) => ({ id: id_, height: heightOf(view, id_) }))
  }

  async #embed(nodes: readonly BaseNode[], { onProgress, signal }: LongWork): Promise<BaseNode[]> {
    const { embedModel: model } = this.#options
    if (model === undefined) return [...nodes]
    const embedded = await embedNodes(nodes, { onProgress, signal, model, batchSize: this.#embedBatchSize })
    const embeddings = new Map(embedded.map(({ node, embedding }) => [node, embedding]))
    return nodes.map((node) => withEmbedding(node, embeddings.get(node)))
  }

  protected override companions(view: StructView, nodeIds: ReadonlySet<string>): ReadonlySet<string> {
    return withEmptyParents(view, nodeIds)
  }

  protected override async plan({ view, removed, addition }: PlanRequest): Promise<StepPlan> {
    const { docstore } = this.storageContext
    const { tree } = (addition as TreeAddition | undefined) ?? { tree: { leafIds: [], parents: [] } }
    const { changes, orphans } = leafAdditions(view, removed, tree)
    return {
      changes: [...leafRemovals(view, removed), ...changes, ...((await addition?.changes(view)) ?? [])],
      calls: orphans.map((id) => ({
        store: docstore,
        call: () => docstore.deleteDocument(id, { raiseError: false }),
      })),
    }
  }

  /** Never asked: `plan` sees to both sides. */
  protected override removalChanges(): StructChange[] {
    return []
  }
}

interface Growth {
  parents: NewParent[]
  made: BaseNode[]
}

function checkNumChildren(count: number): number {
  if (checkCount('numChildren', count) > 1) return count
  const remedy = 'Give 2 or more: with one child each, a tree would never end.'
  throw new VarveError('VARVE_BAD_OPTION', 'numChildren is 1.', { remedy })
}

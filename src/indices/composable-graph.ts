/** Indices under a root index, which holds their summaries: a question goes down to those whose summaries it meets. */
import { randomUUID } from 'node:crypto'
import { VarveError } from '../errors.ts'
import { IndexNode, type BaseNode } from '../stores/node.ts'
import type { BaseIndex, NewIndexOptions } from './base-index.ts'
import { ComposableGraphRetriever } from './composable-graph-retriever.ts'
import type { IndexStorage } from './index-storage.ts'
import { QueryEngine, type QueryEngineOptions } from './query-engine.ts'
import type { Retriever, RetrieverOptions } from './retriever.ts'

/** A class of indices, such as `SummaryIndex`. */
export interface RootIndexClass<O extends NewIndexOptions> {
  init(options: O & { nodes: readonly BaseNode[] }): Promise<BaseIndex>
}

/** What such a class takes, but for the nodes. */
type RootOptions<C extends RootIndexClass<never>> = Omit<NonNullable<Parameters<C['init']>[0]>, 'nodes'> &
  NewIndexOptions

export interface GraphOptions {
  /** Of the children, in their order. Default: the summaries they have. */
  indexSummaries?: readonly string[]
}

export interface GraphRetrieverOptions extends RetrieverOptions {
  /** Options for single indices by id, instead of those for all. */
  optionsOf?: ReadonlyMap<string, RetrieverOptions>
}

/** Finds an index of the graph. */
export type IndexFinder = (indexId: string) => Promise<BaseIndex>

export class ComposableGraph {
  readonly rootIndex: BaseIndex
  readonly #find: IndexFinder

  /** For `fromIndices` and `loadGraphFromStorage`. */
  constructor(rootIndex: BaseIndex, find: IndexFinder) {
    this.rootIndex = rootIndex
    this.#find = find
  }

  /** Makes a root index over others. Their summaries are kept with them, so that the graph can be loaded again. */
  static async fromIndices<C extends RootIndexClass<never>>(
    RootIndex: C,
    children: readonly BaseIndex[],
    given: GraphOptions & RootOptions<C>,
  ): Promise<ComposableGraph> {
    const { indexSummaries, ...options }: GraphOptions & NewIndexOptions = given
    const summaries = summariesOf(children, indexSummaries)
    const storage = storageOf(children, options.storageContext)
    const { newId = randomUUID } = options
    const nodes = children.map(({ indexId }, at) => indexNode(newId(), indexId, summaries[at]!))
    const root = await RootIndex.init({ ...options, storageContext: storage, nodes } as never)
    await storage.together(async () => {
      for (const [at, child] of children.entries()) {
        if (child.summary !== summaries[at]) await child.setSummary(summaries[at]!)
      }
    })
    return new ComposableGraph(root, async (indexId) => {
      const found = [root, ...children].find((index) => index.indexId === indexId)
      if (found !== undefined) return found
      throw new VarveError('VARVE_INDEX_NOT_FOUND', `There is no index '${indexId}' in this graph.`, {
        indexId,
      })
    })
  }

  get rootId(): string {
    return this.rootIndex.indexId
  }

  /** Without an id: the root. */
  async getIndex(indexId: string = this.rootId): Promise<BaseIndex> {
    return indexId === this.rootId ? this.rootIndex : await this.#find(indexId)
  }

  /** Descends through the root's hits that stand for indices. */
  asRetriever(options: GraphRetrieverOptions = {}): Retriever {
    const { optionsOf, ...forAll } = options
    return new ComposableGraphRetriever(this.rootIndex, {
      find: (indexId) => this.getIndex(indexId),
      optionsFor: (indexId) => optionsOf?.get(indexId) ?? forAll,
    })
  }

  asQueryEngine({ llm, prompt, ...options }: QueryEngineOptions & GraphRetrieverOptions): QueryEngine {
    return new QueryEngine(this.asRetriever(options), { llm, ...(prompt && { prompt }) })
  }
}

function summariesOf(children: readonly BaseIndex[], given: readonly string[] | undefined): string[] {
  if (given !== undefined && given.length !== children.length) {
    const fact = `There are ${given.length} indexSummaries for ${children.length} indices.`
    throw new VarveError('VARVE_BAD_OPTION', fact, { remedy: 'Give one for each.' })
  }
  return children.map((child, at) => {
    const summary = given?.[at] ?? child.summary
    if (typeof summary === 'string' && summary !== '') return summary
    const remedy = 'Pass { indexSummaries }, or call its setSummary(): a question finds an index by it.'
    throw new VarveError('VARVE_BAD_OPTION', `Index '${child.indexId}' has no summary.`, { remedy })
  })
}

function storageOf(children: readonly BaseIndex[], given: IndexStorage | undefined): IndexStorage {
  const storage = given ?? children[0]?.storageContext
  const stranger = children.find((child) => child.storageContext !== storage)
  if (storage !== undefined && stranger === undefined) return storage
  const fact =
    stranger === undefined
      ? 'A graph needs at least one index.'
      : `Index '${stranger.indexId}' is in another storage than the graph, where it could not be found again.`
  throw new VarveError('VARVE_BAD_OPTION', fact, { remedy: 'Give indices of one storage.' })
}

/** As LlamaIndex writes it: its source is the index. */
function indexNode(id_: string, indexId: string, text: string): IndexNode {
  return new IndexNode({
    id_,
    indexId,
    text,
    relationships: { SOURCE: { nodeId: indexId, nodeType: 'INDEX', metadata: {} } },
  })
}

/** Retriever options that choose nodes by what they are, for indices that have no vector store to ask. */
import { compileFilters } from '../stores/metadata-filters.ts'
import type { BaseNode } from '../stores/node.ts'
import type { RetrieverOptions } from './retriever.ts'

export class NodeSelection {
  readonly #nodeIds: ReadonlySet<string> | undefined
  readonly #docIds: ReadonlySet<string> | undefined
  readonly #matches: ((metadata: Record<string, unknown>) => boolean) | undefined

  constructor({ nodeIds, docIds, filters }: RetrieverOptions) {
    this.#nodeIds = nodeIds && new Set(nodeIds)
    this.#docIds = docIds && new Set(docIds)
    this.#matches = filters && compileFilters(filters)
  }

  /** Whether there is anything to choose by. */
  get isGiven(): boolean {
    return this.#nodeIds !== undefined || this.looksInside
  }

  /** Whether the node itself must be seen to decide. */
  get looksInside(): boolean {
    return this.#docIds !== undefined || this.#matches !== undefined
  }

  hasId(id: string): boolean {
    return this.#nodeIds?.has(id) ?? true
  }

  has(node: BaseNode): boolean {
    const { refDocId } = node
    if (this.#docIds !== undefined && (refDocId === undefined || !this.#docIds.has(refDocId))) return false
    return this.#matches?.(filterableMetadata(node)) ?? true
  }
}

/** Vector stores let filters ask for these, too. */
function filterableMetadata({ metadata, className, refDocId }: BaseNode): Record<string, unknown> {
  const source = refDocId ?? 'None'
  return { ...metadata, _node_type: className, doc_id: source, document_id: source, ref_doc_id: source }
}

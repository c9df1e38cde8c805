/** What a LlamaIndex directory says that does not fit together. Nothing is repaired; the owner is told. */
import { canonicalStructType } from '../stores/struct-types.ts'
import type { IndexStruct } from '../stores/index-struct.ts'
import type { LlamaIndexContent } from './llamaindex-content.ts'
import { fileNames } from './llamaindex-names.ts'

type Checked = Omit<LlamaIndexContent, 'warnings'>
type Warn = (file: string, message: string) => void

export function checkContent(content: Checked, warn: Warn): void {
  const { dialect, files, nodes, structs, vectors, refDocs } = content
  const docstore = dialect === 'python' ? fileNames.pythonDocstore : fileNames.typeScriptDocstore
  const nodeIds = new Set(nodes.ids())
  for (const struct of structs) {
    const missing = [...new Set(nodeIdsOf(struct))].filter((id) => !nodeIds.has(id))
    if (missing.length > 0) {
      const name = `Index ${struct.indexId} (${struct.type})`
      warn(fileNames.indexStore, `${name} names ${nodesText(missing)} that ${docstore} does not hold.`)
    }
  }
  checkVectors(content, nodeIds, warn)
  const missing = new Set(
    [...refDocs.values()].flatMap((refDoc) => refDoc.nodeIds.filter((id) => !nodeIds.has(id))),
  )
  if (missing.size > 0)
    warn(docstore, `Its source documents name ${nodesText([...missing])} that it does not hold.`)
  const hasContent = nodes.length > 0 || [...vectors.values()].some((records) => records.length > 0)
  const isThere = files.some(({ name }) => name === fileNames.indexStore)
  if (isThere && structs.length === 0 && hasContent) {
    warn(fileNames.indexStore, 'It holds no index, so none can be loaded; nodes or vectors are there.')
  }
}

function checkVectors({ structs, vectors }: Checked, nodeIds: ReadonlySet<string>, warn: Warn): void {
  const vectorIds = new Set([...vectors.values()].flatMap((records) => records.map(({ id }) => id)))
  const vectorStructs = structs.filter(({ type }) => vectorTypes.has(canonicalStructType(type)))
  for (const { indexId, nodesDict } of vectorStructs) {
    const named = keys(nodesDict)
    const missing = named.filter((id) => !vectorIds.has(id))
    if (missing.length > 0)
      warn(fileNames.indexStore, `Index ${indexId} names ${missing.length} vectors that no file holds.`)
  }
  const summaries = structs.filter(({ type }) => type === 'document_summary')
  const named = new Set([
    ...vectorStructs.flatMap(({ nodesDict }) => keys(nodesDict)),
    ...summaries.flatMap(({ summaryIdToNodeIds }) => keys(summaryIdToNodeIds)),
  ])
  const orphans = [...vectorIds].filter((id) => !named.has(id) && nodeIds.has(id))
  if (vectorStructs.length > 0 && orphans.length > 0) {
    warn(fileNames.indexStore, `No index names ${nodesText(orphans)} although their vectors are there.`)
  }
}

const vectorTypes = new Set(['vector_store', 'multimodal'])

/** Every node a struct of a known type refers to. */
function nodeIdsOf(struct: IndexStruct): string[] {
  switch (canonicalStructType(struct.type)) {
    case 'vector_store':
    case 'multimodal':
      return strings(values(struct.nodesDict))
    case 'list':
      return strings(struct.nodes as string[])
    case 'tree':
      return strings(values(struct.allNodes))
    case 'keyword_table':
    case 'kg':
      return values(struct.table).flatMap((members) => [...(members as Set<string>)])
    case 'document_summary':
      return [...keys(struct.nodeIdToSummaryId), ...keys(struct.summaryIdToNodeIds)]
    default:
      return []
  }
}

const values = (field: unknown): unknown[] => [...(field as Map<string, unknown>).values()]
const keys = (field: unknown): string[] => [...(field as Map<string, unknown>).keys()]
const strings = (items: unknown[]): string[] => items.filter((item) => typeof item === 'string')

function nodesText(ids: readonly string[]): string {
  const some = ids.slice(0, 3).join(', ')
  return `${ids.length} nodes (${ids.length > 3 ? `${some}, …` : some})`
}

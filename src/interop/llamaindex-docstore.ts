/** Reads `docstore.json` and `doc_store.json`: nodes, and what is remembered about them and their source documents. */
import { keysAsRead } from '../stores/float.ts'
import { setOwn } from '../stores/own-property.ts'
import { isPlainSpelling, takeSpelling } from '../stores/spelling.ts'
import { isObject } from './llamaindex-field.ts'
import { nodeFromJson } from './llamaindex-node.ts'
import { ReadNodes } from './read-nodes.ts'
import { badShape, membersOf, objectAt, stringsAt, unwrapText } from './llamaindex-shape.ts'
import type { BaseNode } from '../stores/node.ts'
import type { DocumentRecord, LlamaIndexDialect, RefDocRecord } from './llamaindex-content.ts'
import type { ValueReader } from './llamaindex-json.ts'

export interface DocstoreContent {
  namespace: string
  nodes: ReadNodes
  documentMetadata: Map<string, DocumentRecord>
  refDocs: Map<string, RefDocRecord>
}

export interface ReadContext {
  /** The file's name, for errors and warnings. */
  file: string
  dialect: LlamaIndexDialect
  warn: (message: string) => void
}

export const defaultNamespace = 'docstore'

interface Draft {
  nodes: ReadNodes
  documentMetadata: Map<string, DocumentRecord>
  refDocs?: Map<string, RefDocRecord>
}

const emptyDraft = (): Draft => ({ nodes: new ReadNodes(), documentMetadata: new Map() })

export function readDocstore(reader: ValueReader, context: ReadContext): DocstoreContent {
  const { file, warn } = context
  const drafts = new Map<string, Draft>()
  for (const collection of membersOf(reader, file, 'it')) {
    const [, namespace, part] = /^(.*)\/(data|metadata|ref_doc_info)$/s.exec(collection) ?? []
    if (namespace === undefined) {
      warn(`The collection "${collection}" is unknown, and was left out.`)
      continue
    }
    const draft = drafts.get(namespace) ?? emptyDraft()
    drafts.set(namespace, draft)
    if (part === 'data') readNodes(reader, draft.nodes, context)
    else if (part === 'metadata') readRecords(reader, draft.documentMetadata, context)
    else draft.refDocs = readRefDocs(reader, context)
  }
  reader.end()
  const [namespace, { nodes, documentMetadata, refDocs }] = chooseNamespace(drafts, warn)
  return { namespace, nodes, documentMetadata, refDocs: refDocs ?? refDocsOf(nodes) }
}

/** LlamaIndex's own, or the only one. */
function chooseNamespace(drafts: Map<string, Draft>, warn: ReadContext['warn']): [string, Draft] {
  const namespace = drafts.has(defaultNamespace) ? defaultNamespace : [...drafts.keys()][0]
  const others = [...drafts.keys()].filter((name) => name !== namespace)
  if (others.length > 0) warn(`It also holds the namespaces ${others.join(', ')}, which were left out.`)
  const draft = namespace === undefined ? undefined : drafts.get(namespace)
  return [namespace ?? defaultNamespace, draft ?? emptyDraft()]
}

/** As present versions begin: there is data. */
const nodeWithData = /^\{\s*"__data__"\s*:\s*"?\{/

function readNodes(reader: ValueReader, nodes: ReadNodes, context: ReadContext): void {
  const { file, warn } = context
  for (const id of membersOf(reader, file, 'the collection of nodes')) {
    const later = reader.objectLater?.(nodeWithData)
    const node = later ? () => nodeWithDataOf(id, later(), context) : nodeOf(id, reader.value(), context)
    if (node) nodes.set(id, node)
    else warn(`Node ${id} has no data, and was left out.`)
  }
}

function nodeWithDataOf(id: string, value: unknown, context: ReadContext): BaseNode {
  const node = nodeOf(id, value, context)
  if (node) return node
  throw badShape(context.file, `node ${id} has data twice`)
}

function nodeOf(id: string, value: unknown, { file, dialect }: ReadContext): BaseNode | undefined {
  const { __data__: wrapped, __type__: type } = objectAt(value, file, `node ${id}`)
  const data = unwrapText(wrapped, `${file} (node ${id})`)
  if (!isObject(data)) return undefined
  return nodeFromJson({ id, data, dialect, ...(typeof type === 'string' && { type }) })
}

function readRecords(reader: ValueReader, records: Map<string, DocumentRecord>, { file }: ReadContext): void {
  for (const id of membersOf(reader, file, 'the collection of metadata')) {
    const record: DocumentRecord = {}
    const extra: Record<string, unknown> = {}
    const value = objectAt(reader.value(), file, `the metadata of ${id}`)
    for (const key of keysAsRead(value)) {
      const part = value[key]
      if ((key === 'doc_hash' || key === 'docHash') && typeof part === 'string') record.hash = part
      else if ((key === 'ref_doc_id' || key === 'refDocId') && typeof part === 'string')
        record.refDocId = part
      else if (part !== null) setOwn(extra, key, part)
    }
    if (Object.keys(extra).length > 0) record.extra = takeSpelling(extra).value as Record<string, unknown>
    records.set(id, record)
  }
}

function readRefDocs(reader: ValueReader, { file }: ReadContext): Map<string, RefDocRecord> {
  const refDocs = new Map<string, RefDocRecord>()
  for (const id of membersOf(reader, file, 'the collection of ref docs')) {
    const value = objectAt(reader.value(), file, `ref doc ${id}`)
    const { node_ids, nodeIds, doc_ids, metadata, extraInfo, extra_info, ...extra } = value
    const ids = stringsAt(node_ids ?? nodeIds ?? doc_ids, file, `the list of nodes of ref doc ${id}`)
    const { value: plain, spelling } = takeSpelling(metadata ?? extraInfo ?? extra_info ?? {})
    refDocs.set(id, {
      // TypeScript lists a node again each time it is added again.
      nodeIds: [...new Set(ids)],
      metadata: objectAt(plain, file, `the metadata of ref doc ${id}`),
      ...(Object.keys(extra).length > 0 && { extra: takeSpelling(extra).value as Record<string, unknown> }),
      ...(!isPlainSpelling(spelling) && { spelling }),
    })
  }
  return refDocs
}

/** The first files of 0.6 have no such collection; what it would say stands in the nodes. */
function refDocsOf(nodes: Iterable<BaseNode>): Map<string, RefDocRecord> {
  const refDocs = new Map<string, RefDocRecord>()
  for (const { id_, refDocId, metadata } of nodes) {
    if (refDocId === undefined) continue
    const known = refDocs.get(refDocId) ?? { nodeIds: [], metadata: {} }
    refDocs.set(refDocId, { nodeIds: [...known.nodeIds, id_], metadata: { ...known.metadata, ...metadata } })
  }
  return refDocs
}

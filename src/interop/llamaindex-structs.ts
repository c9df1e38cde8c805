/** Reads `index_store.json`: the index structs of either dialect, and the nodes that TypeScript keeps inside them. */
import { fieldsOfType, type FieldKind, type IndexStruct } from '../stores/index-struct.ts'
import { keysAsRead } from '../stores/float.ts'
import { setOwn } from '../stores/own-property.ts'
import { takeSpelling } from '../stores/spelling.ts'
import { nodeInEntry } from './entry-nodes.ts'
import { isObject } from './llamaindex-field.ts'
import { badShape, membersOf, objectAt, stringsAt, unwrapText } from './llamaindex-shape.ts'
import type { BaseNode } from '../stores/node.ts'
import type { LlamaIndexDialect } from './llamaindex-content.ts'
import type { ReadContext } from './llamaindex-docstore.ts'
import type { ValueReader } from './llamaindex-json.ts'

export interface StructsContent {
  structs: IndexStruct[]
  /** Nodes that stood inside structs, by id. */
  nodes: Map<string, BaseNode>
}

const dialectOfCollection: Readonly<Record<string, LlamaIndexDialect>> = {
  'index_store/data': 'python',
  'docstore/data': 'typescript',
}

/** By dialect: both write into a file of this name. A dialect that is not in the file is not in the answer. */
export function readStructs(
  reader: ValueReader,
  context: Omit<ReadContext, 'dialect'>,
): Partial<Record<LlamaIndexDialect, StructsContent>> {
  const content: Partial<Record<LlamaIndexDialect, StructsContent>> = {}
  for (const collection of membersOf(reader, context.file, 'it')) {
    const dialect = Object.hasOwn(dialectOfCollection, collection)
      ? dialectOfCollection[collection]
      : undefined
    if (dialect === undefined) {
      context.warn(`The collection "${collection}" is unknown, and was left out.`)
      continue
    }
    content[dialect] = readCollection(reader, { ...context, dialect })
  }
  reader.end()
  return content
}

function readCollection(reader: ValueReader, context: ReadContext): StructsContent {
  const structs = new Map<string, IndexStruct>()
  const nodes = new Map<string, BaseNode>()
  for (const indexId of membersOf(reader, context.file, 'the collection of index structs')) {
    const place = { ...context, file: `${context.file} (index ${indexId})`, indexId, nodes }
    structs.set(indexId, toStruct(objectAt(reader.value(), context.file, `index ${indexId}`), place))
  }
  return { structs: [...structs.values()], nodes }
}

interface StructContext extends ReadContext {
  indexId: string
  nodes: Map<string, BaseNode>
}

/** Python wraps a struct as text beside its type; TypeScript writes it flat. */
function toStruct(value: Record<string, unknown>, context: StructContext): IndexStruct {
  const { file, indexId, warn } = context
  const isWrapped = Object.hasOwn(value, '__data__')
  const data = isWrapped ? objectAt(unwrapText(value.__data__, file), file, 'its data') : value
  const type = isWrapped ? value.__type__ : value.type
  if (typeof type !== 'string') throw badShape(file, 'it has no type')
  const fields = fieldsOfType(type)
  const struct: IndexStruct = { indexId, type }
  for (const key of keysAsRead(data)) {
    const field = fieldOf(key)
    if (field === 'type' && !isWrapped) continue
    if (field === 'indexId') {
      if (data[key] !== indexId)
        warn(`Index ${indexId} calls itself ${String(data[key])} inside; the first counts.`)
      continue
    }
    const kind = Object.hasOwn(fields, field) ? fields[field] : undefined
    setOwn(struct, field, kind ? toEntries(kind, data[key], { ...context, field }) : toUnknown(data[key]))
  }
  for (const [field, kind] of Object.entries(fields)) struct[field] ??= kind === 'list' ? [] : new Map()
  return struct
}

const pythonFields: Readonly<Record<string, string>> = {
  index_id: 'indexId',
  nodes_dict: 'nodesDict',
  doc_id_dict: 'docIdDict',
  embeddings_dict: 'embeddingsDict',
  all_nodes: 'allNodes',
  root_nodes: 'rootNodes',
  node_id_to_children_ids: 'nodeIdToChildrenIds',
  rel_map: 'relMap',
  embedding_dict: 'embeddingDict',
  summary_id_to_node_ids: 'summaryIdToNodeIds',
  node_id_to_summary_id: 'nodeIdToSummaryId',
  doc_id_to_summary_id: 'docIdToSummaryId',
  context_dict: 'contextDict',
}

function fieldOf(key: string): string {
  return Object.hasOwn(pythonFields, key) ? (pythonFields[key] ?? key) : key
}

const pythonNames = new Map(Object.entries(pythonFields).map(([name, field]) => [field, name]))

/** A field's name in Python's files. */
export function pythonFieldOf(field: string): string {
  return pythonNames.get(field) ?? field
}

function toEntries(kind: FieldKind, value: unknown, context: StructContext & { field: string }): unknown {
  const { file, field } = context
  if (kind === 'value') return takeSpelling(value).value
  if (kind === 'list') return stringsAt(value, file, field)
  if (value === null) return new Map()
  const object = objectAt(value, file, field)
  const entries = keysAsRead(object).map((key): [string, unknown] => {
    const member = object[key]
    if (kind === 'sets') return [key, new Set(stringsAt(member, file, `${field}, ${key}`))]
    return [key, field === 'nodesDict' ? toNodeId(key, member, context) : takeSpelling(member).value]
  })
  return new Map(entries)
}

/** TypeScript keeps the whole node where Python has its id. */
function toNodeId(key: string, member: unknown, { nodes }: StructContext): unknown {
  const node = nodeInEntry(key, member)
  if (!node) return takeSpelling(member).value
  nodes.set(node.id_, node)
  return node.id_
}

/** Of types and fields this version does not know: objects are maps, all else is kept as it is. */
function toUnknown(value: unknown): unknown {
  if (!isObject(value)) return takeSpelling(value).value
  return new Map(keysAsRead(value).map((key) => [key, takeSpelling(value[key]).value]))
}

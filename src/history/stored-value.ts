/** What a key holds in a state: as users know it, and as a plain tree that two can be compared by. */
import type { Position, StoreState } from '../journal/event.ts'
import type { Table } from '../journal/table.ts'
import { decodeMessage } from '../stores/chat-events.ts'
import type { ChatState } from '../stores/chat-state.ts'
import { chatFolder } from '../stores/chat-store.ts'
import type { ChatMessage, Triplet } from '../stores/contract.ts'
import type { DocumentState } from '../stores/document-state.ts'
import { hasTriplet, type GraphState } from '../stores/graph-state.ts'
import type { IndexState } from '../stores/index-state.ts'
import { toStruct } from '../stores/index-store.ts'
import { BaseNode } from '../stores/node.ts'
import { nodeToStored } from '../stores/node-codec.ts'
import { decodeNode } from '../stores/node-payload.ts'
import type { PropertyGraphState } from '../stores/property-graph-state.ts'
import { escapeText, fromStorable } from '../stores/storable.ts'
import { toFloats } from '../stores/vector-cache.ts'
import type { VectorState } from '../stores/vector-state.ts'
import type { HistoryKey } from './history-key.ts'

/** What a document store holds under one id. */
export interface StoredDocument {
  node?: BaseNode
  hash?: string
  refDocId?: string
  /** Of an id that nodes came from. */
  refDoc?: { nodeIds: string[]; metadata: Record<string, unknown> }
}

export interface StoredVector {
  vector: Float32Array
  refDocId?: string
  metadata?: Record<string, unknown>
}

export type ReadPayload = (position: Position) => Uint8Array

/** A `StoredDocument`, a `StoredVector`, an index struct, a triplet, the messages of a chat, or the fields of a node or relation of a property graph; `undefined`: nothing. */
export function valueOf(folder: string, state: StoreState, key: HistoryKey, payload: ReadPayload): unknown {
  switch (folder.split('/')[0]) {
    case 'docstore':
      return typeof key === 'string'
        ? documentOf(state as DocumentState, key, { folder, payload })
        : undefined
    case 'vector_store':
      return typeof key === 'string' ? vectorOf(state as VectorState, key, payload) : undefined
    case 'index_store': {
      const header = typeof key === 'string' ? (state as IndexState).structs.get(key) : undefined
      return header && toStruct(state as IndexState, key as string, header)
    }
    case 'graph_store':
      return isTriplet(key) && hasTriplet(state as GraphState, key) ? key : undefined
    case 'chat_store':
      return typeof key === 'string' ? chatOf(state as ChatState, key, payload) : undefined
    default:
      return graphValueOf(state as PropertyGraphState, key)
  }
}

/** Whether a state holds anything under a key. No payload is read for it. */
export function holds(folder: string, state: StoreState, key: HistoryKey): boolean {
  return entriesUnder(folder, state, key, (table, text) => table.has(text)).some(Boolean)
}

/** All that a state holds under a key, but payloads and an index struct's entries; `undefined`, `false`: nothing. */
export function rowsOf(folder: string, state: StoreState, key: HistoryKey): unknown[] {
  return entriesUnder(folder, state, key, (table, text) => table.get(text))
}

/** What each table answers that has entries under a key. */
function entriesUnder(
  folder: string,
  state: StoreState,
  key: HistoryKey,
  ask: <V>(table: Table<V>, text: string) => unknown,
): unknown[] {
  switch (folder.split('/')[0]) {
    case 'docstore': {
      const { nodes, records, refDocs } = state as DocumentState
      return typeof key === 'string' ? [ask(nodes, key), ask(records, key), ask(refDocs, key)] : []
    }
    case 'vector_store':
      return typeof key === 'string' ? [ask((state as VectorState).vectors, key)] : []
    case 'index_store':
      return typeof key === 'string' ? [ask((state as IndexState).structs, key)] : []
    case 'graph_store':
      return isTriplet(key) ? [hasTriplet(state as GraphState, key)] : []
    case 'chat_store':
      return typeof key === 'string' ? [ask((state as ChatState).chats, escapeText(key))] : []
    default:
      return [graphValueOf(state as PropertyGraphState, key)]
  }
}

function documentOf(
  { nodes, records, refDocs }: DocumentState,
  id: string,
  { folder, payload }: { folder: string; payload: ReadPayload },
): StoredDocument | undefined {
  const [position, record, refDoc] = [nodes.get(id), records.get(id), refDocs.get(id)]
  if (!position && !record && !refDoc) return undefined
  return {
    ...(position && { node: decodeNode(id, payload(position), { folder, position }) }),
    ...(record?.hash !== undefined && { hash: record.hash }),
    ...(record?.refDocId !== undefined && { refDocId: record.refDocId }),
    ...(refDoc && { refDoc: { nodeIds: [...refDoc.nodeIds], metadata: refDoc.metadata } }),
  }
}

function vectorOf({ vectors }: VectorState, id: string, payload: ReadPayload): StoredVector | undefined {
  const entry = vectors.get(id)
  if (!entry) return undefined
  const { position, refDocId, metadata } = entry
  return {
    vector: toFloats(payload(position)),
    ...(refDocId !== undefined && { refDocId }),
    ...(metadata && { metadata: metadata.metadata }),
  }
}

function chatOf({ chats }: ChatState, key: string, payload: ReadPayload): ChatMessage[] | undefined {
  return chats
    .get(escapeText(key))
    ?.map(
      (position) => decodeMessage(payload(position), { folder: chatFolder, position }).value as ChatMessage,
    )
}

function graphValueOf({ nodes, relations, triplets }: PropertyGraphState, key: HistoryKey): unknown {
  if (typeof key === 'string') return nodes.get(escapeText(key))?.value
  if (!isTriplet(key)) return relations.get(escapeText(key.relation))?.value
  return triplets.has(JSON.stringify(key.map(escapeText))) ? key : undefined
}

function isTriplet(key: HistoryKey): key is Triplet {
  return Array.isArray(key)
}

/** Objects, lists and plain values only. */
export function toTree(value: unknown): unknown {
  if (value instanceof BaseNode)
    return toTree({ id_: value.id_, ...(fromStorable(nodeToStored(value)) as object) })
  if (value instanceof Map)
    return Object.fromEntries(Array.from(value as Map<string, unknown>, ([key, each]) => [key, toTree(each)]))
  if (ArrayBuffer.isView(value)) return Array.from(value as Float32Array)
  // Sorted: the order in which members came means nothing.
  if (value instanceof Set) return Array.from(value as Set<string>).sort()
  if (Array.isArray(value)) return value.map(toTree)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, toTree(each)]))
}

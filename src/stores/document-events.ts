/**
 * What happens in a document store. Rows are lists; `null` stands for what is not there.
 *
 * | event               | row                                       | payload  |
 * |---------------------|-------------------------------------------|----------|
 * | `NodesAdded`        | id, hash, ref doc id, metadata it brings to the ref doc | the node, unless only its hash is kept |
 * | `NodesKept`         | id                                        | the node: nothing else changes |
 * | `NodesDeleted`      | id                                        |          |
 * | `RefDocsDeleted`    | ref doc id                                |          |
 * | `HashesSet`         | id, hash                                  |          |
 * | `RecordsSet`        | id, hash, ref doc id, unknown fields      |          |
 * | `RefDocsSet`        | ref doc id, node ids, metadata, unknown fields |     |
 *
 * The payload is the msgpack of a stored node (`node-codec`).
 */
import { encode } from '../journal/codec.ts'
import type { EventInput } from '../journal/event.ts'
import { listOf, orNull, text, tuple } from '../journal/shape.ts'
import type { BaseNode } from './node.ts'
import { nodeToStored } from './node-codec.ts'
import type { Metadata } from './relationships.ts'
import { metadataToStored, storedMetadata, treeToStored } from './stored-metadata.ts'
import type { Spelling } from './spelling.ts'

export type NodeRow = [id: string, hash: string | null, refDocId: string | null, refDocMetadata: unknown]
export type RecordRow = [id: string, hash: string | null, refDocId: string | null, extra: unknown]
export type RefDocRow = [refDocId: string, nodeIds: string[], metadata: unknown, extra: unknown]

export const documentRows = {
  NodesAdded: tuple(text, orNull(text), orNull(text), orNull(storedMetadata)),
  NodesKept: tuple(text),
  NodesDeleted: tuple(text),
  RefDocsDeleted: tuple(text),
  HashesSet: tuple(text, text),
  RecordsSet: tuple(text, orNull(text), orNull(text), orNull(storedMetadata)),
  RefDocsSet: tuple(text, listOf(text), storedMetadata, orNull(storedMetadata)),
}

export interface AddedNode {
  node: BaseNode
  /** What the ref doc does not have yet. */
  refDocMetadata: Metadata | undefined
  storeText: boolean
}

export function nodesAdded(nodes: readonly AddedNode[]): EventInput {
  return {
    type: 'NodesAdded',
    items: nodes.map(({ node, refDocMetadata, storeText }) => ({
      row: [
        node.id_,
        node.hash,
        node.refDocId ?? null,
        refDocMetadata ? metadataToStored(refDocMetadata) : null,
      ] satisfies NodeRow,
      ...(storeText ? { payload: encodeNode(node) } : {}),
    })),
  }
}

export function nodesKept(nodes: Iterable<{ id: string; payload: Uint8Array }>): EventInput {
  return { type: 'NodesKept', items: Array.from(nodes, ({ id, payload }) => ({ row: [id], payload })) }
}

export function encodeNode(node: BaseNode): Uint8Array {
  return encode(nodeToStored(node))
}

export function nodesDeleted(ids: readonly string[]): EventInput {
  return { type: 'NodesDeleted', items: ids.map((id) => ({ row: [id] })) }
}

export function refDocsDeleted(ids: readonly string[]): EventInput {
  return { type: 'RefDocsDeleted', items: ids.map((id) => ({ row: [id] })) }
}

export function hashesSet(hashes: Iterable<readonly [id: string, hash: string]>): EventInput {
  return { type: 'HashesSet', items: Array.from(hashes, ([id, hash]) => ({ row: [id, hash] })) }
}

export function recordsSet(records: Iterable<readonly [id: string, record: DocumentRecord]>): EventInput {
  const items = Array.from(records, ([id, { hash, refDocId, extra }]) => ({
    row: [id, hash ?? null, refDocId ?? null, extra ? treeToStored(extra) : null] satisfies RecordRow,
  }))
  return { type: 'RecordsSet', items }
}

export function refDocsSet(refDocs: Iterable<readonly [id: string, refDoc: RefDoc]>): EventInput {
  const items = Array.from(refDocs, ([id, { nodeIds, metadata, spelling, extra }]) => ({
    row: [
      id,
      [...nodeIds],
      metadataToStored(metadata, spelling),
      extra ? treeToStored(extra) : null,
    ] satisfies RefDocRow,
  }))
  return { type: 'RefDocsSet', items }
}

/** What is remembered of an id apart from the node: also of source documents, which are not kept whole. */
export interface DocumentRecord {
  hash?: string | undefined
  refDocId?: string | undefined
  /** Fields of another program that mean nothing here. */
  extra?: Record<string, unknown> | undefined
}

export interface RefDoc {
  nodeIds: ReadonlySet<string> | readonly string[]
  metadata: Metadata
  spelling?: Spelling
  extra?: Record<string, unknown> | undefined
}

/**
 * What a document store folds to: LlamaIndex's three collections, keyed by id. Nodes are positions in the log; the log is the storage.
 *
 * Invariant: a ref doc's node ids are those whose record names it; one without nodes is forgotten, with its record.
 */
import type { Position, StoreKind, StoredEvent } from '../journal/event.ts'
import { Table, type UndoLog, type ValueCodec } from '../journal/table.ts'
import { listOf, orNull, text, tuple } from '../journal/shape.ts'
import {
  documentRows,
  nodesDeleted,
  nodesKept,
  recordsSet,
  refDocsDeleted,
  refDocsSet,
  type DocumentRecord,
  type NodeRow,
  type RecordRow,
  type RefDocRow,
} from './document-events.ts'
import { inGroups } from './in-groups.ts'
import { plainPosition, positionFromPlain, positionToPlain, type PlainPosition } from './position-codec.ts'
import type { Metadata } from './relationships.ts'
import { plainSpelling, type Spelling } from './spelling.ts'
import {
  metadataFromStored,
  metadataToStored,
  storedMetadata,
  treeFromStored,
  treeToStored,
} from './stored-metadata.ts'

export interface RefDocState {
  nodeIds: Set<string>
  metadata: Metadata
  spelling: Spelling
  extra: Record<string, unknown> | undefined
}

export type DocumentState = {
  nodes: Table<Position>
  records: Table<DocumentRecord>
  refDocs: Table<RefDocState>
}

export const documentKind: StoreKind<DocumentState> = {
  initialState: (undo: UndoLog) => ({
    nodes: new Table(positionCodec, undo),
    records: new Table(recordCodec, undo),
    refDocs: new Table(refDocCodec, undo),
  }),
  rows: documentRows,
  evolve,
  *present(state, payload) {
    yield* inGroups(state.nodes.entries(), (group) =>
      nodesKept(group.map(([id, position]) => ({ id, payload: payload(position) }))),
    )
    yield* inGroups(state.records.entries(), recordsSet)
    yield* inGroups(state.refDocs.entries(), refDocsSet)
  },
  *clearing(state) {
    // First, so that no node has to be taken out of its ref doc.
    yield* inGroups([...state.refDocs.keys()], refDocsDeleted)
    yield* inGroups(new Set([...state.nodes.keys(), ...state.records.keys()]), nodesDeleted)
  },
}

function evolve(state: DocumentState, { type, items }: StoredEvent): void {
  for (const { row, position } of items) {
    switch (type) {
      case 'NodesAdded':
        addNode(state, row as NodeRow, position)
        break
      case 'NodesKept':
        state.nodes.set((row as [string])[0], position)
        break
      case 'NodesDeleted':
        deleteNode(state, (row as [string])[0])
        break
      case 'RefDocsDeleted':
        forget(state, (row as [string])[0])
        break
      case 'HashesSet': {
        const [id, hash] = row as [string, string]
        state.records.set(id, { ...state.records.get(id), hash })
        break
      }
      case 'RecordsSet': {
        const [id, hash, refDocId, extra] = row as RecordRow
        state.records.set(id, recordCodec.fromPlain([hash, refDocId, extra]))
        break
      }
      case 'RefDocsSet': {
        const [id, nodeIds, metadata, extra] = row as RefDocRow
        state.refDocs.set(id, refDocCodec.fromPlain([nodeIds, metadata, extra]))
        break
      }
    }
  }
}

function addNode(state: DocumentState, [id, hash, refDocId, metadata]: NodeRow, position: Position): void {
  const before = state.records.get(id)?.refDocId
  // First: who was its own source goes with it.
  if (before !== undefined && before !== refDocId) detach(state, id, before)
  if (position.length > 0) state.nodes.set(id, position)
  state.records.set(id, { hash: hash ?? undefined, refDocId: refDocId ?? undefined })
  if (refDocId === null) return
  if (!state.refDocs.has(refDocId))
    state.refDocs.set(refDocId, {
      nodeIds: new Set(),
      metadata: {},
      spelling: plainSpelling,
      extra: undefined,
    })
  attach(state, id, {
    refDocId,
    metadata: metadata === null ? undefined : metadataFromStored(metadata).metadata,
  })
}

function attach(
  state: DocumentState,
  id: string,
  { refDocId, metadata }: { refDocId: string; metadata: Metadata | undefined },
): void {
  const refDoc = state.refDocs.get(refDocId)!
  const isNew = !refDoc.nodeIds.has(id)
  if (!isNew && !metadata) return
  const before = refDoc.metadata
  state.refDocs.update(
    refDocId,
    (value) => {
      value.nodeIds.add(id)
      if (metadata) value.metadata = { ...value.metadata, ...metadata }
    },
    (value) => {
      if (isNew) value.nodeIds.delete(id)
      value.metadata = before
    },
  )
}

function deleteNode(state: DocumentState, id: string): void {
  const refDocId = state.records.get(id)?.refDocId
  state.nodes.delete(id)
  state.records.delete(id)
  if (refDocId !== undefined) detach(state, id, refDocId)
}

function detach(state: DocumentState, id: string, refDocId: string): void {
  const refDoc = state.refDocs.get(refDocId)
  if (!refDoc?.nodeIds.has(id)) return
  if (refDoc.nodeIds.size === 1) return forget(state, refDocId)
  const place = [...refDoc.nodeIds].indexOf(id)
  state.refDocs.update(
    refDocId,
    (value) => value.nodeIds.delete(id),
    (value) => (value.nodeIds = new Set([...value.nodeIds].toSpliced(place, 0, id))),
  )
}

function forget(state: DocumentState, refDocId: string): void {
  state.refDocs.delete(refDocId)
  state.records.delete(refDocId)
  state.nodes.delete(refDocId)
}

const positionCodec: ValueCodec<Position> = {
  shape: plainPosition,
  toPlain: positionToPlain,
  fromPlain: (plain) => positionFromPlain(plain as PlainPosition),
}

const recordCodec: ValueCodec<DocumentRecord> = {
  shape: tuple(orNull(text), orNull(text), orNull(storedMetadata)),
  toPlain: ({ hash, refDocId, extra }) => [
    hash ?? null,
    refDocId ?? null,
    extra ? treeToStored(extra) : null,
  ],
  fromPlain(plain) {
    const [hash, refDocId, extra] = plain as [string | null, string | null, unknown]
    return {
      hash: hash ?? undefined,
      refDocId: refDocId ?? undefined,
      ...(extra === null ? {} : { extra: extraFromStored(extra) }),
    }
  },
}

const refDocCodec: ValueCodec<RefDocState> = {
  shape: tuple(listOf(text), storedMetadata, orNull(storedMetadata)),
  toPlain: ({ nodeIds, metadata, spelling, extra }) => [
    [...nodeIds],
    metadataToStored(metadata, spelling),
    extra ? treeToStored(extra) : null,
  ],
  fromPlain(plain) {
    const [nodeIds, metadata, extra] = plain as [string[], unknown, unknown]
    return {
      nodeIds: new Set(nodeIds),
      extra: extra === null ? undefined : extraFromStored(extra),
      ...metadataFromStored(metadata),
    }
  },
  copy: (value) => ({ ...value, nodeIds: new Set(value.nodeIds) }),
}

function extraFromStored(extra: unknown): Record<string, unknown> {
  return treeFromStored(extra).value as Record<string, unknown>
}

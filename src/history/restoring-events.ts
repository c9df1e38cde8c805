/** Events that make some keys of a store hold what they held in another state, and leave all others alone. */
import { isDeepStrictEqual } from 'node:util'
import type { EventInput, StoreState } from '../journal/event.ts'
import type { Table } from '../journal/table.ts'
import { chatDifference } from '../stores/chat-difference.ts'
import { chatsBegun, chatsDeleted } from '../stores/chat-events.ts'
import type { ChatState } from '../stores/chat-state.ts'
import type { DocumentState } from '../stores/document-state.ts'
import { hasTriplet, pairsOf, type GraphState } from '../stores/graph-state.ts'
import { tripletsAdded, tripletsDeleted } from '../stores/graph-events.ts'
import { entriesChanged, structsAdded, structsDeleted } from '../stores/index-events.ts'
import type { IndexState } from '../stores/index-state.ts'
import { toStruct } from '../stores/index-store.ts'
import { nodesDeleted, nodesKept, recordsSet, refDocsDeleted, refDocsSet } from '../stores/document-events.ts'
import { inGroups } from '../stores/in-groups.ts'
import {
  graphNodesDeleted,
  graphNodesSet,
  relationsDeleted,
  relationsSet,
} from '../stores/property-graph-events.ts'
import type { PropertyGraphState } from '../stores/property-graph-state.ts'
import { escapeText } from '../stores/storable.ts'
import { structDifference, toFields } from '../stores/struct-difference.ts'
import { vectorsDeleted } from '../stores/vector-events.ts'
import { vectorKind, type VectorState } from '../stores/vector-state.ts'
import type { Triplet } from '../stores/contract.ts'
import { toText, type HistoryKey } from './history-key.ts'
import { toTree, valueOf, type ReadPayload } from './stored-value.ts'

interface Restoring<S extends StoreState = StoreState> {
  keys: readonly HistoryKey[]
  /** What the store holds now, and what the keys are to hold. */
  now: Held<S>
  past: Held<S>
}

interface Held<S extends StoreState> {
  state: S
  payload: ReadPayload
}

export function restoringEvents(folder: string, restoring: Restoring): Iterable<EventInput> {
  const { keys, now, past } = restoring
  const treeOf = ({ state, payload }: Held<StoreState>, key: HistoryKey): unknown =>
    toTree(valueOf(folder, state, key, payload))
  const differing = (): Restoring<never> => ({
    ...(restoring as Restoring<never>),
    keys: keys.filter((key) => !isDeepStrictEqual(treeOf(now, key), treeOf(past, key))),
  })
  switch (folder.split('/')[0]) {
    case 'docstore':
      return documents(differing())
    case 'vector_store':
      return vectors(differing())
    case 'index_store':
      return structs(differing())
    case 'graph_store':
      return triplets(restoring as Restoring<never>)
    case 'chat_store':
      return chats(differing())
    default:
      return propertyGraph(differing())
  }
}

/** A ref doc goes with the last of its nodes, and takes its own node along: whatever goes too far comes back. */
function* documents({ keys, now, past }: Restoring<DocumentState>): Generator<EventInput> {
  const ids = keys as readonly string[]
  const gone = ids.filter(
    (id) => lacks(past.state.nodes, now.state.nodes, id) || lacks(past.state.records, now.state.records, id),
  )
  const sources = gone.flatMap((id) => now.state.records.get(id)?.refDocId ?? [])
  const all = [...new Set([...ids, ...sources])]
  const dropped = all.filter((id) => lacks(past.state.refDocs, now.state.refDocs, id))
  yield* inGroups(dropped, refDocsDeleted)
  yield* inGroups(gone, nodesDeleted)
  const disturbed = new Set([...gone, ...sources, ...dropped])
  const isThere = (id: string): boolean =>
    !disturbed.has(id) && isDeepStrictEqual(now.state.nodes.get(id), past.state.nodes.get(id))
  const nodes = past.state.nodes.entriesOf(all).filter(([id]) => !isThere(id))
  yield* inGroups(nodes, (group) =>
    nodesKept(group.map(([id, position]) => ({ id, payload: past.payload(position) }))),
  )
  yield* inGroups(past.state.records.entriesOf(all), recordsSet)
  yield* inGroups(past.state.refDocs.entriesOf(all), refDocsSet)
}

function lacks(table: Table<unknown>, other: Table<unknown>, id: string): boolean {
  return other.has(id) && !table.has(id)
}

function* vectors({ keys, now, past }: Restoring<VectorState>): Generator<EventInput> {
  const ids = keys as readonly string[]
  yield* inGroups(
    ids.filter((id) => now.state.vectors.has(id)),
    vectorsDeleted,
  )
  const wanted = vectorKind.initialState({ entries: undefined })
  for (const [id, entry] of past.state.vectors.entriesOf(ids)) wanted.vectors.set(id, entry)
  yield* vectorKind.present(wanted, past.payload)
}

/** A struct is never rewritten because some of its entries differ. */
function* structs({
  keys,
  now: { state: now },
  past: { state: past },
}: Restoring<IndexState>): Generator<EventInput> {
  for (const indexId of keys as readonly string[]) {
    const [known, header] = [now.structs.get(indexId), past.structs.get(indexId)]
    if (known && known.type !== header?.type) yield structsDeleted([indexId])
    if (!header) continue
    const { indexId: _id, type, ...rest } = toStruct(past, indexId, header)
    const fields = toFields(type, rest)
    const same = known?.type === type ? known : undefined
    if (!same) yield structsAdded([{ indexId, type, fields: [...fields.kinds] }])
    yield* inGroups(structDifference(now, same, fields), (changes) => entriesChanged(indexId, changes))
  }
}

/** A subject's relations have an order, which walks with a limit show. */
function* triplets({
  keys,
  now: { state: now },
  past: { state: past },
}: Restoring<GraphState>): Generator<EventInput> {
  const touched = keys as readonly Triplet[]
  const isTouched = new Set(keys.map(toText))
  for (const subject of new Set(touched.map(([first]) => first))) {
    const of = (state: GraphState): Triplet[] =>
      pairsOf(state, subject).map(([relation, object]) => [subject, relation, object])
    const known = of(now)
    const left = known.filter((triplet) => !isTouched.has(toText(triplet)))
    const stays = new Set(
      [...left, ...of(past).filter((triplet) => isTouched.has(toText(triplet)))].map(toText),
    )
    const wanted = [...of(past), ...left.filter((triplet) => !hasTriplet(past, triplet))].filter((triplet) =>
      stays.has(toText(triplet)),
    )
    const kept = known.filter((triplet) => stays.has(toText(triplet)))
    const isPrefix = kept.every((triplet, index) => toText(triplet) === toText(wanted[index]!))
    yield* inGroups(
      isPrefix ? known.filter((triplet) => !stays.has(toText(triplet))) : known,
      tripletsDeleted,
    )
    yield* inGroups(isPrefix ? wanted.slice(kept.length) : wanted, tripletsAdded)
  }
}

function* chats({ keys, now, past }: Restoring<ChatState>): Generator<EventInput> {
  const payloads = ({ state, payload }: Held<ChatState>, key: string): Uint8Array[] | undefined =>
    state.chats.get(escapeText(key))?.map(payload)
  for (const key of keys as readonly string[]) {
    const [known, wanted] = [payloads(now, key), payloads(past, key)]
    if (!wanted) yield chatsDeleted([key])
    else {
      if (!known) yield chatsBegun([key])
      yield* chatDifference({ key, known: known ?? [], wanted })
    }
  }
}

function* propertyGraph({
  keys,
  now: { state: now },
  past: { state: past },
}: Restoring<PropertyGraphState>): Generator<EventInput> {
  const nodes = keys.filter((key) => typeof key === 'string')
  const edges = keys.filter((key): key is Triplet => Array.isArray(key))
  const relations = keys.flatMap((key) =>
    typeof key === 'object' && 'relation' in key ? [key.relation] : [],
  )
  const has = (state: PropertyGraphState, triplet: Triplet): boolean =>
    state.triplets.has(JSON.stringify(triplet.map(escapeText)))
  const gone = (name: 'nodes' | 'relations', all: readonly string[]): string[] =>
    all.filter((key) => now[name].has(escapeText(key)) && !past[name].has(escapeText(key)))
  const wanted = (name: 'nodes' | 'relations', all: readonly string[]) =>
    all.flatMap((key) => {
      const fields = past[name].get(escapeText(key))
      return fields ? [[key, fields] as const] : []
    })
  yield* inGroups(
    edges.filter((edge) => has(now, edge) && !has(past, edge)),
    tripletsDeleted,
  )
  yield* inGroups(gone('nodes', nodes), graphNodesDeleted)
  yield* inGroups(gone('relations', relations), relationsDeleted)
  yield* inGroups(wanted('nodes', nodes), graphNodesSet)
  yield* inGroups(wanted('relations', relations), relationsSet)
  yield* inGroups(
    edges.filter((edge) => has(past, edge) && !has(now, edge)),
    tripletsAdded,
  )
}

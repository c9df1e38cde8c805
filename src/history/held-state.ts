/** What the stores of a directory hold, asked of its files: without a context, a lock, or anything pending. */
import { namingErrors } from '../disk/disk-errors.ts'
import type { StoreState } from '../journal/event.ts'
import { Fold } from '../journal/fold.ts'
import type { Home } from '../journal/home.ts'
import { readPayloads } from '../journal/payload.ts'
import type { CommitLog } from '../journal/read-commit.ts'
import { keysOf as chatKeys, type ChatState } from '../stores/chat-state.ts'
import type { DocumentState } from '../stores/document-state.ts'
import { allTriplets, type GraphState } from '../stores/graph-state.ts'
import type { IndexState } from '../stores/index-state.ts'
import { allGraphTriplets, unescaped, type PropertyGraphState } from '../stores/property-graph-state.ts'
import { kindOf } from '../stores/store-kinds.ts'
import type { VectorState } from '../stores/vector-state.ts'
import type { HistoryKey } from './history-key.ts'
import type { ReadPayload } from './stored-value.ts'

export interface HeldState {
  state: StoreState
  payload: ReadPayload
}

/** Of one store, as of the last commit of `home`; a store that no commit names holds nothing. */
export async function heldState(home: Home, folder: string): Promise<HeldState> {
  return namingErrors(home.directory, async () => {
    const { state } = await new Fold(kindOf).load(folder, home.source(folder))
    return { state, payload: await payloadsOf(home, folder) }
  })
}

/** Reads payloads of one store, whose segments it opens. */
export async function payloadsOf({ files, catalog }: CommitLog, folder: string): Promise<ReadPayload> {
  const segments = catalog.stores.get(folder)?.segments.keys() ?? []
  await namingErrors(files.directory, () =>
    Promise.all(Array.from(segments, (segment) => files.open(folder, segment))),
  )
  return (position) => readPayloads([position], { files, folder, pending: () => undefined })[0]!
}

/** Every key that a state holds something under, in its order. */
export function keysIn(folder: string, state: StoreState): Iterable<HistoryKey> {
  switch (folder.split('/')[0]) {
    case 'docstore': {
      const { nodes, records, refDocs } = state as DocumentState
      return new Set([...nodes.keys(), ...records.keys(), ...refDocs.keys()])
    }
    case 'vector_store':
      return (state as VectorState).vectors.keys()
    case 'index_store':
      return (state as IndexState).structs.keys()
    case 'graph_store':
      return allTriplets(state as GraphState)
    case 'chat_store':
      return chatKeys(state as ChatState)
    default:
      return graphKeys(state as PropertyGraphState)
  }
}

function* graphKeys(state: PropertyGraphState): Generator<HistoryKey> {
  for (const [key] of unescaped(state.nodes)) yield key
  for (const [relation] of unescaped(state.relations)) yield { relation }
  yield* allGraphTriplets(state)
}

/** Which kind of store lives in which folder. */
import { VarveError } from '../errors.ts'
import type { StoreKind } from '../journal/event.ts'
import { chatKind } from './chat-state.ts'
import { documentKind } from './document-state.ts'
import { graphKind } from './graph-state.ts'
import { indexKind } from './index-state.ts'
import { propertyGraphKind } from './property-graph-state.ts'
import { vectorKind } from './vector-state.ts'

const kinds: Readonly<Record<string, unknown>> = {
  docstore: documentKind,
  index_store: indexKind,
  vector_store: vectorKind,
  graph_store: graphKind,
  property_graph_store: propertyGraphKind,
  chat_store: chatKind,
}

export function kindOf(folder: string): StoreKind {
  const [root = ''] = folder.split('/')
  const kind = Object.hasOwn(kinds, root) ? kinds[root] : undefined
  if (!kind)
    throw new VarveError('VARVE_NEWER', `There is a store '${folder}', of a kind this Varve does not know.`, {
      folder,
    })
  return kind as StoreKind
}

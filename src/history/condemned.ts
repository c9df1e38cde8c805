/** What an erase takes along, and which items of which events are about it. */
import type { Triplet } from '../stores/contract.ts'
import { toChange, type EntryChange, type EntryRow } from '../stores/index-events.ts'
import { metadataFromStored, treeFromStored } from '../stores/stored-metadata.ts'
import { unescapeText } from '../stores/storable.ts'
import { tripletKey } from '../stores/triplet-key.ts'
import { given, keywordKey, sourceOf, textsIn, type EraseSurvey, type GraphFields } from './erase-survey.ts'

export interface Condemned {
  /** Of nodes, vectors and source documents. */
  ids: ReadonlySet<string>
  /** Those with which all that came from them goes. */
  documents: ReadonlySet<string>
  /** Keywords and entities that were found in nothing else (`keywordKey`). */
  keywords: ReadonlySet<string>
  /** Triplets of knowledge graphs, as `tripletKey` spells them. */
  triplets: ReadonlySet<string>
  /** Of the property graph. */
  graphNodes: ReadonlySet<string>
  relations: ReadonlySet<string>
}

export function condemn(
  survey: EraseSurvey,
  { ids, documents }: Pick<Condemned, 'ids' | 'documents'>,
): Condemned {
  return {
    ids,
    documents,
    keywords: new Set(survey.keywords.onlyFrom(ids)),
    triplets: new Set(tripletsOnlyFrom(survey, ids)),
    graphNodes: new Set([...ids, ...survey.graphNodes.onlyFrom(ids)]),
    relations: new Set(survey.relations.onlyFrom(ids)),
  }
}

/** Where no struct says which node a triplet came from, a node under both its subject and its object did: as LlamaIndex files them. */
function* tripletsOnlyFrom(survey: EraseSurvey, ids: ReadonlySet<string>): Generator<string> {
  yield* survey.triplets.onlyFrom(ids)
  for (const [key, [subject, , object]] of survey.graphTriplets) {
    if (survey.triplets.of(key).size > 0) continue
    const both = Array.from(survey.entities.of(subject)).filter((id) => survey.entities.of(object).has(id))
    if (both.length > 0 && both.every((id) => ids.has(id) && id !== given)) yield key
  }
}

/** Fields whose keys are texts or places, not ids. */
const keysAreNoIds = new Set(['allNodes', 'rootNodes', 'table', 'relMap', 'embeddingDict', 'givenTriplets'])

export function isCondemnedRow(condemned: Condemned, folder: string, { type, row }: RowOf): boolean {
  const { ids, documents, graphNodes } = condemned
  const cells = row as unknown[]
  const [first, second, third] = cells
  switch (folder.split('/')[0]) {
    case 'docstore':
      if (type === 'RefDocsSet')
        return documents.has(first as string) || (second as string[]).some((id) => ids.has(id))
      return ids.has(first as string) || (isDocument(type) && documents.has(third as string))
    case 'vector_store':
      // Entities of a property graph have theirs under their own ids.
      return (
        ids.has(first as string) ||
        graphNodes.has(first as string) ||
        documents.has(second as string) ||
        // An entity's says where the entity was found first, as the entity does.
        (type === 'VectorsAdded' &&
          ids.has(sourceOf({ properties: metadataFromStored(cells[3]).metadata }) ?? ''))
      )
    case 'index_store':
      return (
        type === 'EntriesChanged' && isCondemnedChange(condemned, first as string, toChange(row as EntryRow))
      )
    case 'graph_store':
      return condemned.triplets.has(tripletKey(texts(cells))) || textsOf(cells[3]).some((id) => ids.has(id))
    case 'property_graph_store':
      return isCondemnedGraph(condemned, type, cells)
    default:
      return false
  }
}

interface RowOf {
  type: string
  row: unknown
}

function isDocument(type: string): boolean {
  return type === 'NodesAdded' || type === 'RecordsSet'
}

function isCondemnedChange(condemned: Condemned, indexId: string, change: EntryChange): boolean {
  const { ids } = condemned
  if (change.op === 'field' || change.op === 'drop') return false
  if ('key' in change && isCondemnedKey(condemned, indexId, change)) return true
  if ('member' in change) return ids.has(change.member)
  return 'value' in change && withoutCondemned(condemned, change, change.value) !== change.value
}

/** The key of an entry. */
export function isCondemnedKey(
  { ids, keywords, triplets }: Condemned,
  indexId: string,
  { field, key }: { field: string; key: string },
): boolean {
  if (field === 'table') return keywords.has(keywordKey(indexId, field, key))
  if (field === 'relMap') return keywords.has(keywordKey(indexId, 'table', key))
  if (field === 'embeddingDict' || field === 'givenTriplets') return triplets.has(key)
  return !keysAreNoIds.has(field) && ids.has(key)
}

/** The value of an entry or field; the very same if nothing of it is condemned, `undefined` if nothing is left of it. */
export function withoutCondemned(
  { ids, triplets }: Condemned,
  { field, ...rest }: { field: string; key?: string },
  value: unknown,
): unknown {
  if (field === 'relMap' && Array.isArray(value)) {
    const isKept = (pair: unknown): boolean =>
      !Array.isArray(pair) || !triplets.has(tripletKey([rest.key ?? '', ...pair] as unknown as Triplet))
    const left = value.filter(isKept)
    return left.length === value.length ? value : left.length > 0 ? left : undefined
  }
  return withoutIds(value, ids)
}

/** A tree without the ids in it. */
function withoutIds(tree: unknown, ids: ReadonlySet<string>): unknown {
  if (typeof tree === 'string') return ids.has(tree) ? undefined : tree
  if (typeof tree !== 'object' || tree === null || ArrayBuffer.isView(tree)) return tree
  if (!Array.from(textsIn(tree)).some((text) => ids.has(text))) return tree
  if (Array.isArray(tree)) {
    const left = tree.map((each) => withoutIds(each, ids)).filter((each) => each !== undefined)
    return left.length > 0 ? left : undefined
  }
  const left = Object.entries(tree)
    .filter(([key]) => !ids.has(key))
    .map(([key, value]) => [key, withoutIds(value, ids)] as const)
    .filter(([, value]) => value !== undefined)
  return left.length > 0 ? Object.fromEntries(left) : undefined
}

function isCondemnedGraph(condemned: Condemned, type: string, row: unknown[]): boolean {
  const { ids, graphNodes, relations } = condemned
  const key = unescapeText(row[0] as string)
  if (type.startsWith('Triplets')) {
    const triplet = texts(row)
    return isCondemnedEdge(condemned, triplet)
  }
  if (type.startsWith('GraphNodes')) {
    if (graphNodes.has(key)) return true
    if (type === 'GraphNodesDeleted') return false
    return ids.has(sourceOf(treeFromStored(row[1]).value as GraphFields) ?? '')
  }
  if (relations.has(key)) return true
  if (type === 'RelationsDeleted') return false
  return isCondemnedRelation(condemned, treeFromStored(row[1]).value as GraphFields)
}

export function isCondemnedRelation({ ids, graphNodes }: Condemned, fields: GraphFields): boolean {
  const ends = [fields.source_id, fields.target_id] as string[]
  return ends.some((id) => graphNodes.has(id)) || ids.has(sourceOf(fields) ?? '')
}

/** LlamaIndex's key of a relation is what it joins; the first files had the label alone. */
export function isCondemnedEdge({ graphNodes, relations }: Condemned, triplet: Triplet): boolean {
  const [source, , target] = triplet
  return (
    graphNodes.has(source) ||
    graphNodes.has(target) ||
    relations.has(triplet.join('_')) ||
    relations.has(JSON.stringify(triplet))
  )
}

function texts(row: readonly unknown[]): Triplet {
  return row.slice(0, 3).map((text) => unescapeText(text as string)) as unknown as Triplet
}

function textsOf(list: unknown): string[] {
  return Array.isArray(list) ? list.map((text) => unescapeText(text as string)) : []
}

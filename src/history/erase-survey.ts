/** What the whole log tells of where things came from: which nodes a document ever had, which nodes a keyword, a triplet or an entity was ever found in. */
import type { CommittedParts } from '../journal/catalog.ts'
import { readEvents, type ReadEvent } from '../journal/read-events.ts'
import { erasuresFolder } from '../log/names.ts'
import type { SegmentFiles } from '../log/segment-files.ts'
import type { Triplet } from '../stores/contract.ts'
import { toChange, type EntryRow } from '../stores/index-events.ts'
import { treeFromStored } from '../stores/stored-metadata.ts'
import { kindOf } from '../stores/store-kinds.ts'
import { unescapeText } from '../stores/storable.ts'
import { tripletKey } from '../stores/triplet-key.ts'
import { anyOf } from './sought-text.ts'

export interface PlacedEvent extends ReadEvent {
  folder: string
}

export type AllParts = ReadonlyMap<string, readonly CommittedParts[]>

/** Every event of every store, as far as it is not erased; where a store is asked about some rows only, of each the items whose rows these are, as bytes. */
export async function* allEvents(
  files: SegmentFiles,
  committed: AllParts,
  wantedIn: (store: string) => ((row: Uint8Array) => boolean) | undefined,
): AsyncGenerator<PlacedEvent> {
  for (const [folder, parts] of committed) {
    if (folder === erasuresFolder) continue
    const isWanted = wantedIn(storeIn(folder))
    const store = { folder, kind: kindOf(folder) }
    for await (const read of readEvents(store, files, parts, isWanted && { isWanted }))
      yield { folder, ...read }
  }
}

/** A folder is a store's, or that of one of its namespaces. */
function storeIn(folder: string): string {
  return folder.split('/')[0]!
}

/** By key, where it came from. */
class Sources {
  readonly #sources = new Map<string, Set<string>>()

  add(key: string, source: string): void {
    this.#sources.set(key, (this.#sources.get(key) ?? new Set()).add(source))
  }

  of(key: string): ReadonlySet<string> {
    return this.#sources.get(key) ?? new Set()
  }

  /** Those that came from these and from nothing else. */
  *onlyFrom(ids: ReadonlySet<string>): Generator<string> {
    for (const [key, sources] of this.#sources) if (isSubset(sources, ids)) yield key
  }
}

function isSubset(some: ReadonlySet<string>, all: ReadonlySet<string>): boolean {
  for (const each of some) if (!all.has(each)) return false
  return true
}

/** What came from no node: somebody gave it. No id is empty. */
export const given = ''

/** A keyword or an entity of one index. */
export function keywordKey(indexId: string, field: string, key: string): string {
  return JSON.stringify([indexId, field, key])
}

export class EraseSurvey {
  /** What there ever was, of any kind. */
  readonly ids = new Set<string>()
  /** From a source document to its nodes. */
  readonly nodesOf = new Map<string, Set<string>>()
  /** From a summary in a tree to what it sums up. */
  readonly children = new Sources()
  /** From a keyword or entity to its nodes. */
  readonly keywords = new Sources()
  /** From a triplet, as `tripletKey` spells it, to its nodes, as far as a struct says. */
  readonly triplets = new Sources()
  /** Of the entities of all knowledge graphs. */
  readonly entities = new Sources()
  /** Of a property graph. */
  readonly graphNodes = new Sources()
  readonly relations = new Sources()
  readonly types = new Map<string, string>()
  readonly graphTriplets = new Map<string, Triplet>()

  /** For who asks about some nodes and source documents. Of others it need not know the nodes and vectors. */
  static async of(
    files: SegmentFiles,
    committed: AllParts,
    asked: ReadonlySet<string>,
  ): Promise<EraseSurvey> {
    const survey = new EraseSurvey()
    const namesAsked = anyOf(asked)
    const isOfNodes = (store: string): boolean => store === 'docstore' || store === 'vector_store'
    for await (const { folder, event } of allEvents(files, committed, (store) =>
      isOfNodes(store) ? namesAsked : undefined,
    ))
      for (const { row } of event.items) survey.#note(storeIn(folder), event.type, row as unknown[])
    return survey
  }

  #note(store: string, type: string, row: unknown[]): void {
    if (store === 'docstore') this.#noteDocument(type, row)
    else if (store === 'vector_store' && type === 'VectorsAdded') this.#noteNode(row[0] as string, row[1])
    else if (store === 'index_store') this.#noteStruct(type, row)
    else if (store === 'graph_store' && type === 'TripletsAdded') {
      const triplet = (row as string[]).slice(0, 3).map(unescapeText) as unknown as Triplet
      this.graphTriplets.set(tripletKey(triplet), triplet)
    } else if (store === 'property_graph_store') this.#noteGraph(type, row)
  }

  #noteDocument(type: string, row: unknown[]): void {
    const id = row[0] as string
    if (type === 'NodesAdded' || type === 'RecordsSet') this.#noteNode(id, row[2])
    else if (type === 'RefDocsSet') for (const node of row[1] as string[]) this.#noteNode(node, id)
    else if (type === 'NodesKept' || type === 'HashesSet') this.#noteNode(id, undefined)
  }

  #noteNode(id: string, refDocId: unknown): void {
    this.ids.add(id)
    if (typeof refDocId !== 'string') return
    this.ids.add(refDocId)
    if (refDocId !== id) this.nodesOf.set(refDocId, (this.nodesOf.get(refDocId) ?? new Set()).add(id))
  }

  #noteStruct(type: string, row: unknown[]): void {
    const indexId = row[0] as string
    if (type === 'StructsAdded') this.types.set(indexId, row[1] as string)
    if (type !== 'EntriesChanged') return
    const change = toChange(row as EntryRow)
    const structType = this.types.get(indexId)
    if (change.op === 'add') {
      this.keywords.add(keywordKey(indexId, change.field, change.key), change.member)
      if (structType === 'kg') this.entities.add(change.key, change.member)
    } else if (change.op === 'set' && change.field === 'nodeIdToChildrenIds') {
      for (const child of textsIn(change.value)) this.children.add(change.key, child)
    } else if (change.op === 'set' && change.field === 'nodeTriplets') {
      for (const triplet of change.value as unknown[])
        if (Array.isArray(triplet)) this.triplets.add(tripletKey(triplet as unknown as Triplet), change.key)
    } else if (change.op === 'set' && change.field === 'givenTriplets') this.triplets.add(change.key, given)
  }

  #noteGraph(type: string, row: unknown[]): void {
    const key = unescapeText(row[0] as string)
    if (type !== 'GraphNodesSet' && type !== 'RelationsSet') return
    const fields = treeFromStored(row[1]).value as GraphFields
    const sources = type === 'GraphNodesSet' ? this.graphNodes : this.relations
    const isChunk = type === 'GraphNodesSet' && typeof fields.text === 'string' && fields.name === undefined
    const source = sourceOf(fields)
    sources.add(key, isChunk ? key : (source ?? given))
    if (type === 'RelationsSet') {
      // An entity notes only where it was found first, but every relation at it says where it was found, too.
      const [from, to] = [fields.source_id, fields.target_id] as [string, string]
      this.graphNodes.add(from, source ?? to)
      this.graphNodes.add(to, source ?? from)
    }
    const refDocId = fields.properties?.['ref_doc_id']
    if (isChunk) this.#noteNode(key, refDocId === 'None' ? undefined : refDocId)
  }
}

export interface GraphFields {
  text?: unknown
  name?: unknown
  source_id?: unknown
  target_id?: unknown
  properties?: Record<string, unknown> | undefined
}

/** LlamaIndex's name of the node that something was found in. */
export const sourceField = 'triplet_source_id'

/** Of an entity or relation, or of an entity's vector by its metadata. */
export function sourceOf({ properties }: Pick<GraphFields, 'properties'>): string | undefined {
  const source = properties?.[sourceField]
  return typeof source === 'string' ? source : undefined
}

/** All texts in a tree, keys of objects too. */
export function* textsIn(tree: unknown): Generator<string> {
  if (typeof tree === 'string') yield tree
  else if (Array.isArray(tree) || tree instanceof Set) for (const each of tree) yield* textsIn(each)
  else if (typeof tree === 'object' && tree !== null && !ArrayBuffer.isView(tree))
    for (const [key, value] of Object.entries(tree)) {
      yield key
      yield* textsIn(value)
    }
}

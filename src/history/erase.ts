/**
 * What erasing some documents or nodes means for each item of each store: which are about them, what must be set anew since it stood in the same
 * item, and what speaks of them still. It changes nothing; `journal/erasing.ts` does.
 */
import { VarveError } from '../errors.ts'
import type { ErasurePlan } from '../journal/erasing.ts'
import type { EventInput, Position, StoreState, StoredEvent } from '../journal/event.ts'
import type { Journal } from '../journal/journal.ts'
import { readPayloads } from '../journal/payload.ts'
import type { CommitLog } from '../journal/read-commit.ts'
import { allParts } from '../journal/store-source.ts'
import { tryDecode } from '../journal/codec.ts'
import { isObject } from '../journal/shape.ts'
import type { ErasedItems } from '../log/erasures.ts'
import type { DocumentState } from '../stores/document-state.ts'
import { kindOf } from '../stores/store-kinds.ts'
import { unescapeText } from '../stores/storable.ts'
import { condemn, isCondemnedRow, type Condemned } from './condemned.ts'
import { allEvents, EraseSurvey, textsIn, type AllParts, type PlacedEvent } from './erase-survey.ts'
import { fromText, storeOf, type HistoryKey, type KeyText } from './history-key.ts'
import { restoringEvents } from './restoring-events.ts'
import { scrubbingEvents } from './scrubbing-events.ts'
import { anyOf } from './sought-text.ts'
import { everyKey, touchedBy } from './touched-keys.ts'

export interface EraseRequest {
  /** Source documents, with everything that came from them: no trace of them is left. */
  refDocIds?: readonly string[] | undefined
  /** Nodes alone: what else speaks of them is told. */
  nodeIds?: readonly string[] | undefined
}

/** What still says something about what was erased. */
export interface Remaining {
  /** `overlap`: text next to it, or around it. `parent`: what sums it up. `mention`: its id. */
  kind: 'overlap' | 'parent' | 'mention'
  store: string
  key: HistoryKey
}

export interface FoundForErasure {
  /** `undefined`: nothing is left to erase. */
  plan: ErasurePlan | undefined
  refDocIds: string[]
  nodeIds: string[]
  /** How many items of each store. */
  items: { store: string; items: number }[]
  /** Nodes that are kept without their mentions. */
  rewritten: Remaining['key'][]
  remaining: Remaining[]
}

/** `present`: the same journal at its last commit, which nobody else uses. Throws `VARVE_REF_DOC_NOT_FOUND`, `VARVE_NODE_NOT_FOUND` for what never was. */
export async function findForErasure(
  log: CommitLog,
  request: EraseRequest,
  present: Journal,
): Promise<FoundForErasure> {
  const committed = await allParts(log)
  const survey = await EraseSurvey.of(
    log.files,
    committed,
    new Set([...(request.refDocIds ?? []), ...(request.nodeIds ?? [])]),
  )
  const refDocIds = knownIds(log, survey, request.refDocIds ?? [], 'VARVE_REF_DOC_NOT_FOUND')
  const asked = knownIds(log, survey, request.nodeIds ?? [], 'VARVE_NODE_NOT_FOUND')
  const isWhole = refDocIds.length > 0
  const owned = refDocIds.flatMap((id) => [...(survey.nodesOf.get(id) ?? [])])
  const others = await otherOwners(present, owned, new Set(refDocIds))
  const ids = new Set([...refDocIds, ...asked, ...owned.filter((id) => !others.has(id))])
  if (isWhole) addSummaries(survey, ids)
  const condemned = condemn(survey, { ids, documents: new Set(refDocIds) })
  const search = await new ErasureSearch(log, condemned, isWhole).run(committed)
  for (const id of owned) if (others.has(id)) search.remain('overlap', others.get(id)!, JSON.stringify(id))
  return {
    plan: search.frames.length > 0 ? search.plan(present) : undefined,
    refDocIds,
    nodeIds: Array.from(ids).filter((id) => !refDocIds.includes(id)),
    items: Array.from(search.counts, ([folder, items]) => ({ store: storeOf(folder, log.catalog), items })),
    rewritten: isWhole ? Array.from(search.mentioning) : [],
    remaining: search.remaining(),
  }
}

function knownIds(
  { files }: CommitLog,
  { ids }: EraseSurvey,
  asked: readonly string[],
  code: 'VARVE_REF_DOC_NOT_FOUND' | 'VARVE_NODE_NOT_FOUND',
): string[] {
  const unknown = asked.find((id) => !ids.has(id) && files.erasures.commitOfId(id) === undefined)
  if (unknown === undefined) return [...new Set(asked)]
  throw new VarveError(code, `Nothing in this history was ever called ${unknown}; nothing was erased.`, {
    id: unknown,
    remedy: 'Check the ids: history.log({ keys: true }) tells those of every commit.',
  })
}

/** Of some nodes those that belong to another source document by now, with the folder where they do. */
async function otherOwners(
  present: Journal,
  nodeIds: readonly string[],
  refDocIds: ReadonlySet<string>,
): Promise<Map<string, string>> {
  const owners = new Map<string, string>()
  for (const folder of nodeIds.length > 0 ? present.folders().keys() : []) {
    if (!folder.startsWith('docstore')) continue
    const { records } = (await present.load(folder)) as DocumentState
    for (const id of nodeIds) {
      const refDocId = records.get(id)?.refDocId
      if (refDocId !== undefined && !refDocIds.has(refDocId) && !refDocIds.has(id)) owners.set(id, folder)
    }
  }
  return owners
}

/** Summaries of what is erased and of nothing else, and summaries of these. */
function addSummaries({ children }: EraseSurvey, ids: Set<string>): void {
  for (let size = -1; size !== ids.size;) {
    size = ids.size
    for (const parent of children.onlyFrom(ids)) ids.add(parent)
  }
}

/** Ids as short as page numbers stand in many texts that do not mean them; so many ids are only looked for as whole texts. */
const tellingLength = 8
const mostTelling = 64

class ErasureSearch {
  readonly frames: ErasedItems[] = []
  readonly counts = new Map<string, number>()
  /** Nodes that stay, and whose relationships name what goes. */
  readonly mentioning = new Set<string>()
  readonly #log: CommitLog
  readonly #condemned: Condemned
  readonly #isWhole: boolean
  readonly #touched = new Map<string, Set<KeyText>>()
  readonly #remaining = new Map<string, Remaining>()
  /** Keys of items that are erased as a whole, though they are about something that stays. */
  readonly #bystanders = new Set<string>()
  readonly #telling: string[]
  readonly #mayName: (payload: Uint8Array) => boolean

  constructor(log: CommitLog, condemned: Condemned, isWhole: boolean) {
    this.#log = log
    this.#condemned = condemned
    this.#isWhole = isWhole
    this.#mayName = anyOf(condemned.ids)
    this.#telling =
      condemned.ids.size > mostTelling
        ? []
        : Array.from(condemned.ids).filter((id) => id.length >= tellingLength)
  }

  async run(committed: AllParts): Promise<this> {
    const { ids, documents, graphNodes } = this.#condemned
    const namesCondemned = anyOf(new Set([...ids, ...documents, ...graphNodes]))
    const wantedIn = (store: string) => (store === 'vector_store' ? namesCondemned : undefined)
    for await (const placed of allEvents(this.#log.files, committed, wantedIn)) this.#search(placed)
    return this
  }

  remain(kind: Remaining['kind'], folder: string, key: KeyText): void {
    const store = storeOf(folder, this.#log.catalog)
    const id = JSON.stringify([kind, store, key])
    if (!this.#remaining.has(id)) this.#remaining.set(id, { kind, store, key: fromText(key) })
  }

  remaining(): Remaining[] {
    return [...this.#remaining.values()]
  }

  plan(present: Journal): ErasurePlan {
    return {
      items: this.frames,
      ids: new Set([...this.#condemned.ids, ...this.#bystanders]),
      restating: (folder, without) => this.#restating(present, folder, without),
    }
  }

  #search({ folder, event, numbers, place }: PlacedEvent): void {
    const stored = this.#stored(folder, event)
    const touched = touchedBy(folder, event)
    const items: number[] = []
    for (const [at, { row }] of event.items.entries()) {
      const { keys } = touched[at]!
      const isAbout = isCondemnedRow(this.#condemned, folder, { type: event.type, row })
      const related = this.#related(folder, stored[at])
      if (isAbout || (related.length > 0 && this.#isWhole)) {
        items.push(numbers[at]!)
        if (keys !== everyKey) this.#touch(folder, keys)
      }
      if (isAbout || keys === everyKey) continue
      for (const kind of related) this.#noteRelated(kind, folder, row as [string])
      if (this.#mentions(row, related.length > 0 ? withoutRelationships(stored[at]) : stored[at]))
        for (const key of keys.slice(0, 1)) this.remain('mention', folder, key)
    }
    if (items.length === 0) return
    this.frames.push({ folder, segment: place.segment, offset: place.offset, items })
    this.counts.set(folder, (this.counts.get(folder) ?? 0) + items.length)
  }

  #noteRelated(kind: string, folder: string, [id]: [string]): void {
    this.mentioning.add(id)
    if (this.#isWhole) this.#bystanders.add(id)
    const key = JSON.stringify(id)
    if (kind === 'CHILD') this.remain('parent', folder, key)
    else if (!this.#isWhole)
      this.remain(kind === 'NEXT' || kind === 'PREVIOUS' ? 'overlap' : 'mention', folder, key)
  }

  /** What the payloads hold that can name what is condemned; a vector names nothing. */
  #stored(folder: string, { items }: StoredEvent): unknown[] {
    if (!folder.startsWith('docstore') && folder !== 'chat_store') return []
    const { files } = this.#log
    const pending = ({ length }: Position): Uint8Array | undefined =>
      length === 0 ? new Uint8Array(0) : undefined
    const payloads = readPayloads(
      items.map(({ position }) => position),
      { files, folder, pending },
    )
    return payloads.map((payload) => (this.#mayName(payload) ? tryDecode(payload) : undefined))
  }

  /** By which relationships a node names what is condemned. */
  #related(folder: string, stored: unknown): string[] {
    const isNode = folder !== 'chat_store' && isObject(stored)
    const relationships = isNode ? stored['relationships'] : undefined
    if (!isObject(relationships)) return []
    return Object.entries(relationships)
      .filter(([, related]) => this.#names(related))
      .map(([kind]) => unescapeText(kind))
  }

  /** Its id, or one of theirs: what metadata says in a relationship is a mention like any other. */
  #names(related: unknown): boolean {
    return (Array.isArray(related) ? related : [related]).some((info: unknown) => {
      const id = isObject(info) ? info['nodeId'] : undefined
      return typeof id === 'string' && this.#condemned.ids.has(unescapeText(id))
    })
  }

  #mentions(row: unknown, stored: unknown): boolean {
    const { ids } = this.#condemned
    const isMention = (text: string): boolean =>
      (text.length >= tellingLength && ids.has(text)) || this.#telling.some((id) => text.includes(id))
    for (const tree of [row, stored])
      for (const text of textsIn(tree)) if (isMention(unescapeText(text))) return true
    return false
  }

  #touch(folder: string, keys: readonly KeyText[]): void {
    const touched = this.#touched.get(folder) ?? new Set()
    this.#touched.set(folder, touched)
    for (const key of keys) touched.add(key)
  }

  /** What the store is to be is made of what it is, in memory; what differs from the log without the items is set anew. */
  async #restating(present: Journal, folder: string, without: StoreState): Promise<Iterable<EventInput>> {
    const state = await present.load(folder)
    const scrubbed = new Map<number, Uint8Array>()
    const payload = (position: Position): Uint8Array =>
      (position.segment === 0 && scrubbed.get(position.offset)) || present.payload(folder, position)
    const keys = new Set(this.#touched.get(folder))
    const scrubbing = {
      condemned: this.#condemned,
      touched: Array.from(keys, fromText),
      mentioning: this.#isWhole ? this.mentioning : new Set<string>(),
      payload,
    }
    for (const input of scrubbingEvents(folder, state, scrubbing)) {
      const event = inMemory(input, scrubbed)
      for (const each of touchedBy(folder, event))
        if (each.keys !== everyKey) each.keys.forEach((key) => keys.add(key))
      kindOf(folder).evolve(state, event)
    }
    return restoringEvents(folder, {
      keys: Array.from(keys, fromText),
      now: { state: without, payload: (position) => present.payload(folder, position) },
      past: { state, payload },
    })
  }
}

/** Those are told by themselves. */
function withoutRelationships(stored: unknown): unknown {
  return isObject(stored) ? { ...stored, relationships: undefined } : stored
}

/** An event with its payloads in memory: no segment has number 0. */
function inMemory({ type, items, dimensions }: EventInput, payloads: Map<number, Uint8Array>): StoredEvent {
  return {
    type,
    version: 1,
    ...(dimensions !== undefined && { dimensions }),
    items: items.map(({ row, payload = new Uint8Array(0) }) => {
      const offset = payloads.size + 1
      payloads.set(offset, payload)
      return { row, position: { segment: 0, offset, length: payload.length, crc: 0 } }
    }),
  }
}

/**
 * Every value that one key had, and who set each of its fields: a fold of the events that are about this key, and of no others.
 */
import { isDeepStrictEqual } from 'node:util'
import { toCommit, type Commit } from '../journal/commit.ts'
import type { StoredEvent } from '../journal/event.ts'
import { readEventsAt, type FramePlace, type ReadEvent } from '../journal/fold.ts'
import { readCommit, type CommitLog } from '../journal/read-commit.ts'
import { touchedIntervals, type TouchedFrames } from '../journal/touched-index.ts'
import { escapeText } from '../stores/storable.ts'
import { kindOf } from '../stores/store-kinds.ts'
import { changedPaths, leavesOf } from './changed-paths.ts'
import { eventsOfStore } from './commit-events.ts'
import { payloadsOf } from './held-state.ts'
import { folderOf, fromText, toText, type HistoryKey, type KeyText } from './history-key.ts'
import { toTree, valueOf } from './stored-value.ts'
import { everyKey, touchedBy, type TouchedItem } from './touched-keys.ts'

export interface Version {
  commit: Commit
  /** `undefined`: it was deleted. */
  value: unknown
}

/** The oldest first. A key that was never there has none. */
export async function* versionsOf(log: CommitLog, store: string, key: HistoryKey): AsyncGenerator<Version> {
  const folder = folderOf(store)
  let before: unknown
  for await (const { number, value } of valuesOf(log, folder, toText(key))) {
    const tree = toTree(value)
    if (changedPaths(before, tree).length === 0) continue
    before = tree
    yield { commit: toCommit(await readCommit(log, number)), value }
  }
}

export interface Blame {
  /** The field, as a JSON pointer: `/node/metadata/page`. */
  path: string
  /** Who set it last. */
  commit: Commit
}

/** The commit that set each field of what a key holds now; none if it holds nothing. */
export async function blameOf(log: CommitLog, store: string, key: HistoryKey): Promise<Blame[]> {
  let fields = new Map<string, { leaf: unknown; commit: Commit }>()
  for await (const { commit, value } of versionsOf(log, store, key)) {
    const before = fields
    fields = new Map()
    for (const [path, leaf] of value === undefined ? [] : leavesOf(toTree(value))) {
      const known = before.get(path)
      fields.set(path, known && isDeepStrictEqual(known.leaf, leaf) ? known : { leaf, commit })
    }
  }
  return Array.from(fields, ([path, { commit }]) => ({ path, commit }))
}

/** The value after each commit that is about the key. */
async function* valuesOf(
  log: CommitLog,
  folder: string,
  key: KeyText,
): AsyncGenerator<{ number: number; value: unknown }> {
  const state = kindOf(folder).initialState({ entries: undefined })
  const family = new Family(folder, key)
  const payload = await payloadsOf(log, folder)
  let number = 0
  for await (const { event, place } of eventsAbout(log, folder, family)) {
    const items = touchedBy(folder, event).filter((touched) => family.takes(touched, event))
    if (items.length === 0) continue
    if (number > 0 && number !== place.commit)
      yield { number, value: valueOf(folder, state, fromText(key), payload) }
    number = place.commit
    kindOf(folder).evolve(state, { ...event, items: items.map(({ item }) => item) })
  }
  if (number > 0) yield { number, value: valueOf(folder, state, fromText(key), payload) }
}

/** All events but those that are known not to be about the family, as it is when they are come to. */
async function* eventsAbout(log: CommitLog, folder: string, family: Family): AsyncGenerator<ReadEvent> {
  const isWanted = (row: Uint8Array): boolean => family.mayTake(row)
  const last = log.catalog.end.number
  let read = 0
  for (const { touched, to } of await touchedIntervals(log, folder)) {
    if (touched.after > read)
      yield* eventsOfStore(log, folder, { from: read + 1, to: touched.after, isWanted })
    const places = family.places(touched, read)
    yield* readEventsAt({ folder, kind: kindOf(folder) }, log.files, places, isWanted)
    read = Math.max(read, to)
  }
  if (read < last) yield* eventsOfStore(log, folder, { from: read + 1, to: last, isWanted })
}

/** A row that holds a text is not shorter. */
const leastRowBytes = 3
/** For more of them every frame is read, and every row looked into. */
const mostMembers = 16

/** A key, and those whose events bear on what it holds: a ref doc goes with the last of its nodes. */
class Family {
  readonly #folder: string
  readonly #key: KeyText
  /** Each with the texts that a row about it holds, as they may be spelled there. */
  readonly #members = new Map<KeyText, Spelled[][]>()

  constructor(folder: string, key: KeyText) {
    this.#folder = folder
    this.#key = key
    this.#add(key)
  }

  /** The frames of commits above a number that can be about one of them. */
  *places(touched: TouchedFrames, above: number): Generator<FramePlace> {
    let frame = this.#next(touched, touched.firstAfter(above))
    for (; frame < touched.count; frame = this.#next(touched, frame + 1)) yield touched.place(frame)
  }

  /** Told from its bytes: texts stand in a row as they are. What holds no text may be about anything. */
  mayTake(row: Uint8Array): boolean {
    if (row.length < leastRowBytes || this.#members.size > mostMembers) return true
    const bytes = Buffer.from(row.buffer, row.byteOffset, row.byteLength)
    return this.#has((spelled) => bytes.includes(spelled.bytes))
  }

  takes({ keys, item }: TouchedItem, { type }: StoredEvent): boolean {
    if (keys === everyKey) return true
    const [own, source] = keys
    if (this.#folder.startsWith('docstore')) {
      if (source === this.#key) this.#add(own!)
      if (type === 'RefDocsSet' && own === this.#key)
        for (const id of (item.row as [string, string[]])[1]) this.#add(toText(id))
    }
    return this.#members.has(own!)
  }

  #next(touched: TouchedFrames, from: number): number {
    if (this.#members.size > mostMembers) return from
    return Math.min(...Array.from(this.#members.values(), (texts) => nextWithAll(touched, texts, from)))
  }

  #add(member: KeyText): void {
    if (this.#members.has(member)) return
    const spellings = textsOf(fromText(member)).map((text) => [...new Set([text, escapeText(text)])])
    const spelled = spellings.map((texts) => texts.map((text) => ({ text, bytes: Buffer.from(text) })))
    this.#members.set(member, spelled)
  }

  #has(isThere: (spelled: Spelled) => boolean): boolean {
    for (const texts of this.#members.values())
      if (texts.every((spellings) => spellings.some(isThere))) return true
    return false
  }
}

interface Spelled {
  text: string
  bytes: Buffer
}

/** The first frame from one on in which each of the texts can stand, as one of its spellings. */
function nextWithAll(touched: TouchedFrames, texts: readonly Spelled[][], from: number): number {
  for (let at = from; ;) {
    const firsts = texts.map((spellings) => Math.min(...spellings.map(({ text }) => touched.next(text, at))))
    const next = Math.max(...firsts)
    if (next === at || next === Infinity) return next
    at = next
  }
}

/** What stands in a row that is about a key. */
function textsOf(key: HistoryKey): readonly string[] {
  if (typeof key === 'string') return [key]
  return 'relation' in key ? [key.relation] : key
}

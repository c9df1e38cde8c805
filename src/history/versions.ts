/**
 * Every value that one key had, and who set each of its fields: a fold of the events that are about this key, and of no others.
 */
import { isDeepStrictEqual } from 'node:util'
import { toCommit, type Commit } from '../journal/commit.ts'
import type { StoredEvent } from '../journal/event.ts'
import { readCommit, type CommitLog } from '../journal/read-commit.ts'
import { touchedIntervals } from '../journal/touched-index.ts'
import { escapeText } from '../stores/storable.ts'
import { kindOf } from '../stores/store-kinds.ts'
import { changedPaths, leavesOf } from './changed-paths.ts'
import { eventsOfStore, type CommitRange } from './commit-events.ts'
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
  const isWanted = (row: Uint8Array): boolean => family.mayTake(row)
  for await (const range of rangesToRead(log, folder, family)) {
    let number = 0
    for await (const { commit, event } of eventsOfStore(log, folder, { ...range, isWanted })) {
      const items = touchedBy(folder, event).filter((touched) => family.takes(touched, event))
      if (items.length === 0) continue
      if (number > 0 && number !== commit)
        yield { number, value: valueOf(folder, state, fromText(key), payload) }
      number = commit
      kindOf(folder).evolve(state, { ...event, items: items.map(({ item }) => item) })
    }
    if (number > 0) yield { number, value: valueOf(folder, state, fromText(key), payload) }
  }
}

/** All commits but those that are known not to have touched the family, as it is when they are come to. */
async function* rangesToRead(log: CommitLog, folder: string, family: Family): AsyncGenerator<CommitRange> {
  let read = 0
  for (const { after, to, mayTouch } of await touchedIntervals(log, folder)) {
    if (to <= read) continue
    if (after > read) yield { from: read + 1, to: after }
    const from = Math.max(after, read) + 1
    if (family.some(mayTouch)) yield { from, to }
    read = to
  }
  const last = log.catalog.end.number
  if (read < last) yield { from: read + 1, to: last }
}

/** A row that holds a text is not shorter. */
const leastRowBytes = 3
/** Rather than for more of them, rows are looked into. */
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

  some(mayTouch: (text: string) => boolean): boolean {
    return this.#has(({ text }) => mayTouch(text))
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

/** What stands in a row that is about a key. */
function textsOf(key: HistoryKey): readonly string[] {
  if (typeof key === 'string') return [key]
  return 'relation' in key ? [key.relation] : key
}

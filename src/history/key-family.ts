/** Some keys of a store, and those whose events bear on what they hold: which rows and which frames of the log can be about any of them. */
import type { StoredEvent, StoreState } from '../journal/event.ts'
import type { FramePlace } from '../journal/read-events.ts'
import type { TouchedFrames } from '../journal/touched-index.ts'
import type { DocumentState } from '../stores/document-state.ts'
import { fromText, toText, type HistoryKey, type KeyText } from './history-key.ts'
import { mostSought, SoughtText, toBuffer } from './sought-text.ts'
import { everyKey, type TouchedItem } from './touched-keys.ts'

/** A row that holds a text is not shorter. */
const leastRowBytes = 3

/** A ref doc goes with the last of its nodes, so these are of its family; and a node's ref doc, where the reading begins with a state: it goes with the node. */
export class KeyFamily {
  readonly #isDocstore: boolean
  /** Which nodes a ref doc has where the reading begins; `undefined`: everything is read from the first commit on. */
  readonly #start: DocumentState | undefined
  /** Each with the texts that a row about it holds. */
  readonly #members = new Map<KeyText, SoughtText[]>()

  constructor(folder: string, keys: Iterable<KeyText>, start?: StoreState) {
    this.#isDocstore = folder.startsWith('docstore')
    this.#start = this.#isDocstore ? (start as DocumentState | undefined) : undefined
    for (const key of keys) this.#add(key)
  }

  /** How many there are. */
  get size(): number {
    return this.#members.size
  }

  keys(): Iterable<KeyText> {
    return this.#members.keys()
  }

  /** What is read may bring new members. What came before that bears on them, too. */
  get canGrow(): boolean {
    return this.#isDocstore
  }

  /** The frames of commits from one number to another that can be about one of them. */
  *places(touched: TouchedFrames, { from, to }: { from: number; to: number }): Generator<FramePlace> {
    const wanted = new Uint8Array(touched.count)
    let marked = 0
    for (let frame = touched.firstAfter(from - 1); frame < touched.count; frame++) {
      if (marked < this.size) {
        for (const texts of Array.from(this.#members.values()).slice(marked)) mark(wanted, touched, texts)
        marked = this.size
      }
      if (wanted[frame] === 0) continue
      const place = touched.place(frame)
      if (place.commit > to) return
      yield place
    }
  }

  /** Told from its bytes: texts stand in a row as they are. What holds no text may be about anything. */
  mayTake(row: Uint8Array): boolean {
    if (row.length < leastRowBytes || this.size > mostSought) return true
    const bytes = toBuffer(row)
    for (const texts of this.#members.values()) if (texts.every((text) => text.mayBeIn(bytes))) return true
    return false
  }

  takes({ keys, item }: TouchedItem, { type }: StoredEvent): boolean {
    if (keys === everyKey) return true
    const [own, source] = keys
    if (source !== undefined && this.#members.has(source)) this.#add(own!)
    const isOwn = this.#members.has(own!)
    if (isOwn && this.#start && source !== undefined) this.#add(source)
    if (isOwn && type === 'RefDocsSet')
      for (const id of (item.row as [string, string[]])[1]) this.#add(toText(id))
    return isOwn
  }

  #add(member: KeyText): void {
    if (this.#members.has(member)) return
    const key = fromText(member)
    this.#members.set(
      member,
      textsOf(key).map((text) => new SoughtText(text)),
    )
    if (!this.#start) return
    const source = this.#start.records.get(key as string)?.refDocId
    if (source !== undefined) this.#add(toText(source))
    for (const id of this.#start.refDocs.get(key as string)?.nodeIds ?? []) this.#add(toText(id))
  }
}

/** The frames in which each of the texts can stand, as one of its spellings. */
function mark(wanted: Uint8Array, touched: TouchedFrames, texts: readonly SoughtText[]): void {
  const frames = texts.map(
    ({ spellings }) => new Set(spellings.flatMap((text) => [...touched.framesWith(text)])),
  )
  for (const frame of frames[0] ?? []) if (frames.every((some) => some.has(frame))) wanted[frame] = 1
}

/** What stands in a row that is about a key. */
function textsOf(key: HistoryKey): readonly string[] {
  if (typeof key === 'string') return [key]
  return 'relation' in key ? [key.relation] : key
}

/**
 * A map from key to a small value, changed in place: what every store's state is made of. It keeps three
 * layers, newest first: what changed lately, what is being written to a snapshot, and the snapshot it started
 * from. Every change can be undone, and tells those who asked which keys it touched.
 *
 * Invariants: an entry keeps the place it was first given until it is deleted; a layer that is frozen is
 * never changed again.
 */
import { VarveError } from '../errors.ts'
import { encode, tryDecode } from './codec.ts'
import type { Shape } from './shape.ts'
import type { LazySection } from './snapshot-pages.ts'
import { TableBase, TableBaseBuilder } from './table-base.ts'

/** How a value looks as plain msgpack data, and how to copy one that is changed in place. */
export interface ValueCodec<V> {
  toPlain(value: V): unknown
  /** Is given nothing but what is of this shape. */
  readonly shape: Shape
  fromPlain(plain: unknown): V
  /** Needed for values changed by `update`. */
  copy?(value: V): V
}

/** The way back from one change. Taken in the opposite order of the changes. */
export interface Undoable {
  undo(): void
}

/** Where changes leave their way back. Shared by all tables of one fold. */
export interface UndoLog {
  /** `undefined`: changes are not recorded (replay). */
  entries: Undoable[] | undefined
}

interface Entry<V> {
  /** `undefined`: deleted. */
  value: V | undefined
  order: number
  epoch: number
}

/** One for each entry that is set or deleted while changes are pending: a closure for each would weigh several times as much. */
class PutEntry<V> implements Undoable {
  readonly table: Table<V>
  readonly key: string
  readonly before: Entry<V> | undefined

  constructor(table: Table<V>, key: string, before: Entry<V> | undefined) {
    this.table = table
    this.key = key
    this.before = before
  }

  undo(): void {
    this.table.putBack(this.key, this.before)
  }
}

type Layer<V> = Map<string, Entry<V>>
type Source<V> = [key: string, entry: Entry<V> | undefined, at: number]

/** What a snapshot is made from, a slice at a time. */
export interface FrozenTable {
  /** Feeds the builder until `until()` says stop; true when all is in. */
  fill(until: () => boolean): boolean
  build(): Uint8Array
}

/** Entries copied before others get a turn. */
const sliceEntries = 2000

export async function builtInSlices(frozen: FrozenTable): Promise<Uint8Array> {
  for (let left = sliceEntries; !frozen.fill(() => left-- <= 0); left = sliceEntries)
    await new Promise((resume) => setImmediate(resume))
  return frozen.build()
}

export class Table<V> {
  #base = TableBase.empty
  #frozen: Map<string, Entry<V>> | undefined
  #recent = new Map<string, Entry<V>>()
  #nextOrder = 0
  #epoch = 0
  #size = 0
  readonly #codec: ValueCodec<V>
  readonly #undo: UndoLog
  readonly #followers = new Set<Set<string>>()

  constructor(codec: ValueCodec<V>, undo: UndoLog) {
    this.#codec = codec
    this.#undo = undo
  }

  get size(): number {
    return this.#size
  }

  /** The order of the next new key. */
  get nextOrder(): number {
    return this.#nextOrder
  }

  /** When a key was first set, counted from the table's beginning; `undefined` for an unknown key. */
  orderOf(key: string): number | undefined {
    const entry = this.#lookup(key)
    if (entry) return entry.value === undefined ? undefined : entry.order
    const at = this.#base.find(key)
    return at < 0 ? undefined : this.#base.order(at)
  }

  has(key: string): boolean {
    const entry = this.#lookup(key)
    return entry ? entry.value !== undefined : this.#base.find(key) >= 0
  }

  /** The value, which is not to be changed but through `update`. */
  get(key: string): V | undefined {
    const entry = this.#lookup(key)
    if (entry) return entry.value
    const at = this.#base.find(key)
    return at < 0 ? undefined : this.#fromBase(at)
  }

  set(key: string, value: V): void {
    const before = this.#lookup(key)
    const at = before ? -1 : this.#base.find(key)
    const known = before ? before.value !== undefined : at >= 0
    const order = !known ? this.#nextOrder++ : before ? before.order : this.#base.order(at)
    if (!known) this.#size++
    this.#put(key, before, { value, order, epoch: this.#epoch })
  }

  delete(key: string): boolean {
    const before = this.#lookup(key)
    if (before && before.value === undefined) return false
    const isInBase = this.#base.find(key) >= 0
    if (!before && !isInBase) return false
    // Where no layer below holds the key, nothing need say that it is gone: who never makes snapshots would keep that for ever.
    const isBelow = isInBase || this.#frozen?.has(key)
    this.#size--
    this.#put(key, before, isBelow ? { value: undefined, order: -1, epoch: this.#epoch } : undefined)
    return true
  }

  /** Changes a value in place; `inverse` must take the change back. Does nothing for an unknown key. */
  update(key: string, change: (value: V) => void, inverse: (value: V) => void): void {
    const value = this.#own(key)
    if (value === undefined) return
    change(value)
    this.#touched(key)
    this.#undo.entries?.push({
      undo: () => {
        const current = this.#own(key)
        if (current !== undefined) inverse(current)
        this.#touched(key)
      },
    })
  }

  /** For the undo log: the last change of this key is taken back. */
  putBack(key: string, before: Entry<V> | undefined): void {
    const now = this.#lookup(key)
    const isNow = this.has(key)
    this.#place(key, before)
    const wasThere = this.has(key)
    if (isNow) this.#size--
    if (wasThere) this.#size++
    else if (now) this.#nextOrder = now.order
    this.#touched(key)
  }

  *keys(): Generator<string> {
    for (const [key] of this.#sources(this.#recent, this.#frozen)) yield key
  }

  /** `prefix`: those whose key begins so; of others not even the key is made. */
  *entries({ prefix = '' } = {}): Generator<[string, V]> {
    for (const [key, entry, at] of this.#sources(this.#recent, this.#frozen, prefix))
      yield [key, entry ? entry.value! : this.#fromBase(at)]
  }

  /** Those of some keys, as far as they are there. */
  entriesOf(keys: Iterable<string>): [string, V][] {
    return Array.from(keys).flatMap((key) => {
      const value = this.get(key)
      return value === undefined ? [] : [[key, value] as [string, V]]
    })
  }

  /** The same as a table of its own: what happens to one is nothing to the other. What stands in a snapshot they share. */
  fork(undo: UndoLog): Table<V> {
    const other = new Table(this.#codec, undo)
    other.#base = this.#base
    other.#recent = new Map([...(this.#frozen ?? []), ...this.#recent])
    other.#nextOrder = this.#nextOrder
    other.#size = this.#size
    other.#epoch = ++this.#epoch // Neither changes in place what it had until now.
    return other
  }

  /** From now on, every key that changes is put into the set, too. */
  follow(touched: Set<string>): void {
    this.#followers.add(touched)
  }

  unfollow(touched: Set<string>): void {
    this.#followers.delete(touched)
  }

  /**
   * Starts from what a snapshot holds. Only for a table that nothing was put into. Throws `UnusableSnapshot` if that does not fit together, which `check` looks
   * at closely.
   */
  load(section: Uint8Array | LazySection): void {
    this.#base = new TableBase(section)
    this.#size = this.#base.count
    this.#nextOrder = this.#base.nextOrder
  }

  /** Throws `UnusableSnapshot` if what it was loaded from does not fit together. All of that must be there by now, and is held in one piece from now on. */
  check(): void {
    this.#base = this.#base.whole()
    this.#base.check()
  }

  /** Holds on to the present; changes go on above it. `thaw` or `settle` must follow. */
  freeze(): FrozenTable {
    if (this.#frozen) throw new TypeError('This table is frozen already.')
    this.#frozen = this.#recent
    this.#recent = new Map()
    this.#epoch++
    const pieces = piecesOf(this.#base, this.#frozen)
    const base = this.#base
    const builder = new TableBaseBuilder()
    const nextOrder = this.#nextOrder
    return {
      fill: (until) => {
        for (;;) {
          if (until()) return false
          const next = pieces.next()
          if (next.done) return true
          const piece = next.value
          if ('to' in piece) builder.addRun(base.run(piece.from, piece.to))
          else
            builder.add({
              key: piece.key,
              order: piece.order,
              value: encode(this.#codec.toPlain(piece.value)),
            })
        }
      },
      build: () => builder.build(nextOrder),
    }
  }

  /** Gives up a freeze. */
  thaw(): void {
    if (!this.#frozen) return
    for (const [key, entry] of this.#recent) this.#frozen.set(key, entry)
    this.#recent = this.#frozen
    this.#frozen = undefined
  }

  /** What was frozen now stands in these bytes, which `build` made. */
  settle(bytes: Uint8Array): void {
    this.#base = new TableBase(bytes)
    this.#frozen = undefined
  }

  /**
   * Whether a snapshot holds the same keys with the same values in the same order, and finds each: then it takes the place of what is here, so that the next
   * one costs what changed in between. The numbers of that order depend on what was rolled back. Throws `UnusableSnapshot` if it does not fit together.
   */
  adopt(bytes: Uint8Array): boolean {
    const base = new TableBase(bytes)
    base.check()
    let at = 0
    for (const piece of piecesOf(this.#base, this.#recent)) {
      if ('to' in piece) {
        const run = this.#base.run(piece.from, piece.to)
        if (!base.holdsRun(at, run)) return false
        at += run.hashes.length
      } else {
        const value = encode(this.#codec.toPlain(piece.value))
        if (!base.holdsEntry(at++, piece.key, value)) return false
      }
    }
    if (at !== base.count || !base.findsAll()) return false
    this.#epoch++
    this.#recent = new Map()
    this.#base = base
    this.#nextOrder = base.nextOrder
    return true
  }

  #lookup(key: string): Entry<V> | undefined {
    return this.#recent.get(key) ?? this.#frozen?.get(key)
  }

  /** `entry` `undefined`: none in the newest layer. */
  #put(key: string, before: Entry<V> | undefined, entry: Entry<V> | undefined): void {
    this.#place(key, entry)
    this.#touched(key)
    this.#undo.entries?.push(new PutEntry(this, key, before))
  }

  #place(key: string, entry: Entry<V> | undefined): void {
    if (entry) this.#recent.set(key, entry)
    else this.#recent.delete(key)
  }

  /** The value as one that may be changed in place: brought up from a lower layer if need be. */
  #own(key: string): V | undefined {
    const entry = this.#lookup(key)
    if (entry && (entry.epoch === this.#epoch || entry.value === undefined)) return entry.value
    const at = entry ? -1 : this.#base.find(key)
    if (!entry && at < 0) return undefined
    const value = entry ? this.#copy(entry.value!) : this.#fromBase(at)
    this.#recent.set(key, { value, order: entry ? entry.order : this.#base.order(at), epoch: this.#epoch })
    return value
  }

  /** Values are read one by one, when asked for; so a bad one is found when the log is not at hand any more to take its place. */
  #fromBase(at: number): V {
    const plain = tryDecode(this.#base.valueBytes(at))
    if (!this.#codec.shape(plain)) throw badEntry(this.#base.key(at))
    return this.#codec.fromPlain(plain)
  }

  #copy(value: V): V {
    if (!this.#codec.copy) throw new TypeError('Values of this table cannot be changed in place.')
    return this.#codec.copy(value)
  }

  #touched(key: string): void {
    for (const follower of this.#followers) follower.add(key)
  }

  /** Every live key that begins with the prefix, in order, with its entry, or its place in the base. */
  *#sources(recent: Layer<V>, frozen: Layer<V> | undefined, prefix = ''): Generator<Source<V>> {
    const base = this.#base
    const prefixBytes = Buffer.from(prefix)
    const seen = (key: string): Entry<V> | undefined => recent.get(key) ?? frozen?.get(key)
    const untouched = recent.size === 0 && !frozen?.size
    for (let at = 0; at < base.count; at++) {
      if (prefix !== '' && !base.keyBeginsWith(at, prefixBytes)) continue
      const key = base.key(at)
      const entry = untouched ? undefined : seen(key)
      if (!entry) yield [key, undefined, at]
      else if (entry.value !== undefined && entry.order === base.order(at)) yield [key, entry, at]
    }
    const added: [string, Entry<V>][] = []
    const lastOrder = base.count ? base.order(base.count - 1) : -1
    for (const layer of frozen ? [frozen, recent] : [recent]) {
      for (const [key, entry] of layer) {
        if (entry.value === undefined || entry.order <= lastOrder || !key.startsWith(prefix)) continue
        if (layer === frozen && recent.has(key)) continue
        added.push([key, entry])
      }
    }
    added.sort(([, a], [, b]) => a.order - b.order)
    for (const [key, entry] of added) yield [key, entry, -1]
  }
}

/** So many entries are copied in one step. */
const runEntries = 256

type Piece<V> = { from: number; to: number } | { key: string; order: number; value: V }

/** What is live, in order: runs of entries that are as in the base, and what stands above it. */
function* piecesOf<V>(base: TableBase, layer: Layer<V>): Generator<Piece<V>> {
  const lastOrder = base.count ? base.order(base.count - 1) : -1
  const covered: { at: number; key: string; entry: Entry<V> }[] = []
  const added: { key: string; order: number; value: V }[] = []
  for (const [key, entry] of layer) {
    const at = base.find(key)
    if (at >= 0) covered.push({ at, key, entry })
    if (entry.value !== undefined && entry.order > lastOrder)
      added.push({ key, order: entry.order, value: entry.value })
  }
  covered.sort((a, b) => a.at - b.at)
  let from = 0
  for (const { at, key, entry } of covered) {
    yield* runsOf(from, at)
    from = at + 1
    if (entry.value !== undefined && entry.order === base.order(at))
      yield { key, order: entry.order, value: entry.value }
  }
  yield* runsOf(from, base.count)
  yield* added.sort((a, b) => a.order - b.order)
}

function* runsOf(from: number, to: number): Generator<{ from: number; to: number }> {
  for (let at = from; at < to; at += runEntries) yield { from: at, to: Math.min(to, at + runEntries) }
}

function badEntry(key: string): VarveError {
  return new VarveError('VARVE_CORRUPT', `A snapshot holds an entry for '${key}' that no version wrote.`, {
    remedy: 'Remove the folder snapshots: it is a cache, and made again from the log.',
    key,
  })
}

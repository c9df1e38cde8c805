/**
 * A table as it stands in a snapshot: keys and values as bytes with a hash index over them, looked up without
 * making an object per key.
 *
 *     0   4  entries
 *     4   4  slots, a power of two
 *     8   8  next order
 *    16      slots    u32 each: entry number + 1, or 0
 *            hashes   u32 per entry
 *            orders   u32 per entry, ascending: when the key was first set
 *            ends     u32 pairs per entry: where its key and its value end in their region
 *            keys     UTF-8, then padded to 8
 *            values   msgpack
 */
import { padded } from '../log/frame.ts'
import { UnusableSnapshot, type LazySection } from './snapshot-pages.ts'

export interface BaseEntry {
  key: string
  order: number
  /** msgpack. */
  value: Uint8Array
}

/** Entries that stand next to each other, as bytes. */
interface TableRun {
  keys: Uint8Array
  values: Uint8Array
  /** Where the first of both begins; `ends` are counted as these are. */
  starts: [key: number, value: number]
  ends: Uint32Array
  hashes: Uint32Array
  orders: Uint32Array
}

/** Words that follow each other. */
interface Words {
  /** Where they begin. */
  at: number
  /** Empty while only looked at. */
  array: Uint32Array
}

interface Region {
  at: number
  length: number
  /** Empty while only looked at. */
  bytes: Buffer
}

const fixedBytes = 16
const fnvBasis = 0x811c9dc5
const fnvPrime = 0x01000193
const noBytes = Buffer.alloc(0)
const noWords = new Uint32Array(0)

export class TableBase {
  static readonly empty = new TableBase(noBytes)

  readonly count: number
  readonly nextOrder: number
  readonly #slotCount: number
  readonly #slots: Words
  readonly #hashes: Words
  readonly #orders: Words
  readonly #ends: Words
  readonly #keys: Region
  readonly #values: Region
  /** What lookups ask, piece by piece; `undefined`: everything is here. */
  readonly #lazy: LazySection | undefined

  /**
   * Views the bytes, which must begin at a multiple of 4 in their buffer; copies nothing. Throws `UnusableSnapshot` if they do not fit together, and so do
   * lookups. Of a section that is read when it is looked at, nothing but lookups may be asked.
   */
  constructor(section: Uint8Array | LazySection) {
    const bytes = section instanceof Uint8Array ? section : undefined
    this.#lazy = section instanceof Uint8Array ? undefined : section
    if (bytes && bytes.byteOffset % 4 !== 0) throw misfit('does not stand where words do')
    if (section.length > 0 && section.length < fixedBytes) throw misfit('is cut off')
    const fixed = section.length === 0 ? Buffer.alloc(fixedBytes) : this.#firstOf(section)
    this.count = fixed.readUInt32LE(0)
    this.#slotCount = fixed.readUInt32LE(4)
    this.nextOrder = Number(fixed.readBigUInt64LE(8))
    if (section.length > 0 && fixedBytes + (this.#slotCount + this.count * 4) * 4 > section.length)
      throw misfit('is cut off')
    let at = fixedBytes
    const words = (length: number): Words => {
      const array = bytes && length ? new Uint32Array(bytes.buffer, bytes.byteOffset + at, length) : noWords
      at += length * 4
      return { at: at - length * 4, array }
    }
    this.#slots = words(this.#slotCount)
    this.#hashes = words(this.count)
    this.#orders = words(this.count)
    this.#ends = words(this.count * 2)
    const [keyBytes, valueBytes] = this.#endOf(this.count - 1)
    if (at + padded(keyBytes) + valueBytes > section.length && this.count > 0) throw misfit('is cut off')
    const region = (length: number): Region => {
      const there = bytes && length ? Buffer.from(bytes.buffer, bytes.byteOffset + at, length) : noBytes
      return { at, length, bytes: there }
    }
    this.#keys = region(keyBytes)
    at += padded(keyBytes)
    this.#values = region(valueBytes)
    if (
      this.count &&
      (this.nextOrder > Number.MAX_SAFE_INTEGER || this.nextOrder <= this.order(this.count - 1))
    )
      throw misfit('has no next order')
  }

  /** The same in one piece, when all of the section was read. */
  whole(): TableBase {
    return this.#lazy ? new TableBase(this.#lazy.whole()) : this
  }

  /**
   * Throws `UnusableSnapshot` where a lookup would not end, or an entry would be another's. One look at each word: it costs less than the
   * checksum over them did.
   */
  check(): void {
    const { count } = this
    const [slots, ends, orders] = [this.#slots.array, this.#ends.array, this.#orders.array]
    if (count === 0) return
    let free = 0
    for (let slot = 0; slot < slots.length; slot++) {
      if (slots[slot] === 0) free++
      else if (slots[slot]! > count) throw misfit('names an entry that is not there')
    }
    if (free === 0 || (slots.length & (slots.length - 1)) !== 0)
      throw misfit('has slots that no search ends in')
    // The key's end and the value's in turn.
    for (let at = 2; at < ends.length; at++)
      if (ends[at]! < ends[at - 2]!) throw misfit('has entries that overlap')
    for (let entry = 1; entry < count; entry++)
      if (orders[entry]! <= orders[entry - 1]!) throw misfit('has entries out of order')
  }

  /** The entry number of a key, or -1. */
  find(key: string): number {
    if (this.count === 0 || typeof key !== 'string') return -1 // Callers without types ask for undefined.
    const hash = hashText(key)
    const mask = this.#slotCount - 1
    for (let tries = 0, slot = hash & mask; tries <= mask; tries++, slot = (slot + 1) & mask) {
      const entry = this.#word(this.#slots, slot) - 1
      if (entry < 0) return -1
      if (entry >= this.count) throw misfit('names an entry that is not there')
      if (this.#word(this.#hashes, entry) === hash && this.#isKey(entry, key)) return entry
    }
    throw misfit('has slots that no search ends in')
  }

  key(entry: number): string {
    return this.#keyBytes(entry).toString('utf8')
  }

  keyBeginsWith(entry: number, bytes: Uint8Array): boolean {
    const start = entry === 0 ? 0 : this.#word(this.#ends, entry * 2 - 2)
    const end = this.#word(this.#ends, entry * 2)
    const { keys, shift } = this.#keyAt(start, end)
    if (bytes.length > end - start) return false
    for (let i = 0; i < bytes.length; i++) if (bytes[i] !== keys[shift + i]) return false
    return true
  }

  order(entry: number): number {
    return this.#word(this.#orders, entry)
  }

  valueBytes(entry: number): Uint8Array {
    return this.#piece(this.#values, this.#endOf(entry - 1)[1], this.#endOf(entry)[1])
  }

  /** What stands under the entries from one number to before another. */
  run(from: number, to: number): TableRun {
    const ends = this.#ends.array
    const [key, value] = from === 0 ? [0, 0] : [ends[from * 2 - 2]!, ends[from * 2 - 1]!]
    return {
      keys: this.#keys.bytes.subarray(key, ends[to * 2 - 2]),
      values: this.#values.bytes.subarray(value, ends[to * 2 - 1]),
      starts: [key, value],
      ends: ends.subarray(from * 2, to * 2),
      hashes: this.#hashes.array.subarray(from, to),
      orders: this.#orders.array.subarray(from, to),
    }
  }

  /** Whether the same entries stand here from a number on. */
  holdsRun(at: number, other: TableRun): boolean {
    const count = other.hashes.length
    if (at + count > this.count) return false
    const own = this.run(at, at + count)
    const [ends, otherEnds] = [own.ends, other.ends]
    const [keyShift, valueShift] = [own.starts[0] - other.starts[0], own.starts[1] - other.starts[1]]
    for (let end = 0; end < count * 2; end += 2) {
      if (ends[end] !== otherEnds[end]! + keyShift) return false
      if (ends[end + 1] !== otherEnds[end + 1]! + valueShift) return false
    }
    if (!isSame(own.keys, other.keys) || !isSame(own.values, other.values)) return false
    return isSame(own.hashes, other.hashes)
  }

  holdsEntry(at: number, key: string, value: Uint8Array): boolean {
    if (at >= this.count || this.#hashes.array[at] !== hashText(key)) return false
    return this.#isKey(at, key) && this.#isValue(at, value)
  }

  /** Whether a search for the hash of each entry comes by it. */
  findsAll(): boolean {
    const [count, slots, hashes] = [this.count, this.#slots.array, this.#hashes.array]
    const mask = slots.length - 1
    for (let entry = 0; entry < count; entry++) {
      let slot = hashes[entry]! & mask
      while (slots[slot] !== entry + 1) {
        if (slots[slot] === 0) return false
        slot = (slot + 1) & mask
      }
    }
    return true
  }

  #keyBytes(entry: number): Buffer {
    return this.#piece(this.#keys, this.#endOf(entry - 1)[0], this.#endOf(entry)[0])
  }

  /** Where an entry's key and value end in their regions. */
  #endOf(entry: number): [key: number, value: number] {
    if (entry < 0) return [0, 0]
    return [this.#word(this.#ends, entry * 2), this.#word(this.#ends, entry * 2 + 1)]
  }

  #firstOf(section: Uint8Array | LazySection): Buffer {
    if (!(section instanceof Uint8Array)) return section.piece(0, fixedBytes)
    return Buffer.from(section.buffer, section.byteOffset, fixedBytes)
  }

  #word({ at, array }: Words, index: number): number {
    return this.#lazy ? this.#lazy.word(at + index * 4) : array[index]!
  }

  #piece(region: Region, from: number, to: number): Buffer {
    mustFit(region, from, to)
    return this.#lazy ? this.#lazy.piece(region.at + from, region.at + to) : region.bytes.subarray(from, to)
  }

  /** Where to look at a key, without a view of its own where there need be none. */
  #keyAt(start: number, end: number): { keys: Buffer; shift: number } {
    if (this.#lazy) return { keys: this.#piece(this.#keys, start, end), shift: 0 }
    mustFit(this.#keys, start, end)
    return { keys: this.#keys.bytes, shift: start }
  }

  /** Told one by one: of a text in ASCII no bytes have to be made. */
  #isKey(entry: number, key: string): boolean {
    const start = entry === 0 ? 0 : this.#word(this.#ends, entry * 2 - 2)
    const end = this.#word(this.#ends, entry * 2)
    const { keys, shift } = this.#keyAt(start, end)
    for (let i = 0; i < key.length; i++) {
      const unit = key.charCodeAt(i)
      if (unit >= 0x80) return isSame(keyBytes(key), keys.subarray(shift, shift + end - start))
      if (unit !== keys[shift + i]) return false
    }
    return key.length === end - start
  }

  /** One by one, too: most are short, and to view them would cost more than to look at them. */
  #isValue(entry: number, value: Uint8Array): boolean {
    const [ends, values] = [this.#ends.array, this.#values.bytes]
    const start = entry === 0 ? 0 : ends[entry * 2 - 1]!
    if (value.length !== ends[entry * 2 + 1]! - start) return false
    for (let i = 0; i < value.length; i++) if (value[i] !== values[start + i]) return false
    return true
  }
}

/** Collects entries, in ascending order, and lays them out. */
export class TableBaseBuilder {
  readonly #keys = newBytes()
  readonly #values = newBytes()
  readonly #ends = newWords()
  readonly #hashes = newWords()
  readonly #orders = newWords()

  add({ key, order, value }: BaseEntry): void {
    this.#keys.push(keyBytes(key))
    this.#values.push(value)
    this.#ends.push([this.#keys.length, this.#values.length])
    this.#hashes.push([hashText(key)])
    this.#orders.push([order])
  }

  /** The same for entries of another table, in one piece. */
  addRun({ keys, values, starts, ends, hashes, orders }: TableRun): void {
    const [keyShift, valueShift] = [this.#keys.length - starts[0], this.#values.length - starts[1]]
    this.#keys.push(keys)
    this.#values.push(values)
    this.#hashes.push(hashes)
    this.#orders.push(orders)
    const shifted = this.#ends.push(ends)
    for (let at = 0; at < shifted.length; at += 2) {
      shifted[at]! += keyShift
      shifted[at + 1]! += valueShift
    }
  }

  /** The size of `build`'s answer so far, in bytes. */
  get sizeBytes(): number {
    return this.#keys.length + this.#values.length + this.#hashes.length * 24 + fixedBytes
  }

  build(nextOrder: number): Uint8Array {
    const count = this.#hashes.length
    const slots = count === 0 ? 0 : 2 ** Math.ceil(Math.log2(count * 1.5 + 1))
    const wordsEnd = fixedBytes + (slots + count * 4) * 4
    const valuesStart = wordsEnd + padded(this.#keys.length)
    const bytes = new Uint8Array(valuesStart + this.#values.length)
    const view = new DataView(bytes.buffer)
    view.setUint32(0, count, true)
    view.setUint32(4, slots, true)
    view.setBigUint64(8, BigInt(nextOrder), true)
    const words = new Uint32Array(bytes.buffer, fixedBytes, slots + count * 4)
    const hashes = this.#hashes.all
    for (let entry = 0; entry < count; entry++) {
      let slot = hashes[entry]! & (slots - 1)
      while (words[slot] !== 0) slot = (slot + 1) & (slots - 1)
      words[slot] = entry + 1
    }
    words.set(hashes, slots)
    words.set(this.#orders.all, slots + count)
    words.set(this.#ends.all, slots + count * 2)
    bytes.set(this.#keys.all, wordsEnd)
    bytes.set(this.#values.all, valuesStart)
    return bytes
  }
}

/** Numbers of one size that grow at their end. */
class Growing<T extends Uint8Array | Uint32Array> {
  length = 0
  #room: T
  readonly #make: (length: number) => T

  constructor(make: (length: number) => T) {
    this.#make = make
    this.#room = make(1024)
  }

  get all(): T {
    return this.#room.subarray(0, this.length) as T
  }

  /** Answers where they stand now. */
  push(more: ArrayLike<number>): T {
    const at = this.length
    this.length += more.length
    if (this.length > this.#room.length) {
      const larger = this.#make(Math.max(this.#room.length * 2, this.length))
      larger.set(this.#room)
      this.#room = larger
    }
    this.#room.set(more, at)
    return this.#room.subarray(at, this.length) as T
  }
}

const newBytes = (): Growing<Uint8Array> => new Growing((length) => new Uint8Array(length))
const newWords = (): Growing<Uint32Array> => new Growing((length) => new Uint32Array(length))

/** Words may be compared as the bytes that they are made of. */
export function isSame(a: Uint8Array | Uint32Array, b: Uint8Array | Uint32Array): boolean {
  return Buffer.compare(bytesOf(a), bytesOf(b)) === 0
}

function bytesOf({ buffer, byteOffset, byteLength }: Uint8Array | Uint32Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength)
}

function mustFit({ length }: Region, from: number, to: number): void {
  if (from > to || to > length) throw misfit('has entries that overlap')
}

function misfit(fault: string): UnusableSnapshot {
  return new UnusableSnapshot(`a table ${fault}`)
}

function keyBytes(key: string): Buffer {
  return Buffer.from(key, 'utf8')
}

/** FNV-1a of its UTF-8, 32 bits: http://www.isthe.com/chongo/tech/comp/fnv/ */
export function hashText(text: string): number {
  let hash = fnvBasis
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i)
    if (unit >= 0x80) return hashBytes(keyBytes(text))
    hash = Math.imul(hash ^ unit, fnvPrime) // A byte of its own: none has to be made.
  }
  return hash >>> 0
}

function hashBytes(bytes: Uint8Array): number {
  let hash = fnvBasis
  for (let i = 0; i < bytes.length; i++) hash = Math.imul(hash ^ bytes[i]!, fnvPrime)
  return hash >>> 0
}

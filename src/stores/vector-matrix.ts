/**
 * The vectors of one namespace in memory, for exact search by cosine similarity. Rows lie in contiguous blocks in the order their ids were
 * first added, which is also how ties are broken: the earlier one is better. It knows neither nodes nor files.
 */
import { VarveError } from '../errors.ts'
import { BestHits } from './best-hits.ts'
import { dotProduct } from './dot-products.ts'
import { isNear, nearness, RowBlock, rowsAtOnce } from './row-block.ts'

export interface TopK {
  /** Best first. */
  ids: string[]
  /** Cosines, from -1 to 1, parallel to `ids`. Never NaN: with a vector of zeros, asked for or stored, it is 0 by definition. */
  similarities: number[]
}

interface Asked {
  direction: Float32Array
  norm: number
}

export class VectorMatrix {
  // Slot s is row s % rowsPerBlock of block s / rowsPerBlock. A deleted slot has no id. Slots ascend in the order of first adding, so a new
  // id never takes a deleted one's slot; compaction closes the gaps instead.
  #blocks: RowBlock[] = []
  #ids: (string | undefined)[] = []
  #norms: number[] = []
  readonly #slots = new Map<string, number>()
  #dimensions = 0
  readonly #blockBytes: number
  readonly #simdFromBytes: number | undefined

  /** The options are for tests. */
  constructor({
    blockBytes = 1024 * 1024 * 1024,
    simdFromBytes,
  }: { blockBytes?: number; simdFromBytes?: number } = {}) {
    this.#blockBytes = blockBytes
    this.#simdFromBytes = simdFromBytes
  }

  get size(): number {
    return this.#slots.size
  }

  /** 0 while it holds nothing: then any dimension is welcome. */
  get dimensions(): number {
    return this.#dimensions
  }

  has(id: string): boolean {
    return this.#slots.has(id)
  }

  /** A copy. */
  get(id: string): Float32Array | undefined {
    const slot = this.#slots.get(id)
    return slot === undefined ? undefined : this.#row(slot).slice()
  }

  /** Ids in the order they were first added. */
  ids(): IterableIterator<string> {
    return this.#slots.keys()
  }

  /** Adds a vector, or replaces that of a known id, which keeps its place in the order. */
  set(id: string, vector: ArrayLike<number>): void {
    if (!this.setIfFinite(id, toFloat32(vector))) throw badVector(vector.length, id)
  }

  /** The same, and whether it did: nothing can be found by NaN or infinity, nor in nothing. */
  setIfFinite(id: string, vector: Float32Array): boolean {
    const norm = normOf(vector)
    if (!Number.isFinite(norm)) return false
    this.#checkDimensions(vector.length, `The vector of '${id}'`)
    this.#put(id, vector, norm)
    return true
  }

  /** Adds many rows at once, all or none. */
  load(ids: readonly string[], matrix: Float32Array): void {
    if (ids.length === 0) return
    const dimensions = matrix.length / ids.length
    if (!Number.isInteger(dimensions))
      throw new TypeError(`${matrix.length} numbers are not ${ids.length} vectors.`)
    this.#checkDimensions(dimensions, 'A matrix')
    const row = (at: number) => matrix.subarray(at * dimensions, (at + 1) * dimensions)
    const norms = ids.map((id, at) => finiteNormOf(row(at), id))
    ids.forEach((id, at) => this.#put(id, row(at), norms[at]!))
  }

  /** Whether there was one. */
  delete(id: string): boolean {
    const slot = this.#slots.get(id)
    if (slot === undefined) return false
    this.#slots.delete(id)
    this.#ids[slot] = undefined
    if (this.size === 0) this.clear()
    else if (this.#ids.length > 64 && this.#ids.length > this.size * 1.5) this.#compact()
    return true
  }

  clear(): void {
    this.#blocks = []
    this.#ids = []
    this.#norms = []
    this.#slots.clear()
    this.#dimensions = 0
  }

  /**
   * The `k` vectors most similar to the query, of those whose id is accepted. Only ids that would be among the best are asked for: to look one up costs as much
   * as to score a vector. All are scored nearly, and whichever may be among the best then exactly.
   */
  topK(query: ArrayLike<number>, k: number, accept?: (id: string) => boolean): TopK {
    const asked = this.#asked(query)
    if (this.size === 0) return { ids: [], similarities: [] }
    const most = Math.max(0, Math.min(Math.floor(k) || 0, this.size))
    const slots = this.#nearest(asked, most, accept)
    const best = new BestHits(most)
    for (let from = 0; from < slots.length;) {
      const { count, scores } = this.#scoreRun(asked, slots, from)
      for (let i = 0; i < count; i++) best.offer(slots[from + i]!, scores[i]!)
      from += count
    }
    const hits = best.sorted()
    return {
      ids: hits.map(({ place }) => this.#ids[place]!),
      // Rounding may carry a cosine a hair beyond 1.
      similarities: hits.map(({ score }) => Math.max(-1, Math.min(1, score))),
    }
  }

  /** The cosine of each of these vectors, which must be there; as `topK` ranks them, so that rounding may carry one a hair beyond 1. */
  cosines(query: ArrayLike<number>, ids: readonly string[]): Float64Array<ArrayBuffer> {
    const asked = this.#asked(query)
    const slots = ids.map((id) => this.#slots.get(id)!)
    const found = new Float64Array(ids.length)
    for (let from = 0; from < slots.length;) {
      const { count, scores } = this.#scoreRun(asked, slots, from)
      found.set(scores, from)
      from += count
    }
    return found
  }

  #asked(query: ArrayLike<number>): Asked {
    const direction = toFloat32(query)
    const norm = finiteNormOf(direction)
    if (this.size > 0 && direction.length !== this.#dimensions)
      throw wrongDimensions('The query', direction.length, this.#dimensions)
    return { direction, norm }
  }

  /** Slots, ascending, among which are the best: scored nearly, none that is left out can be better than the worst of them. */
  #nearest(
    { direction, norm }: Asked,
    most: number,
    accept: ((id: string) => boolean) | undefined,
  ): number[] {
    const near = new BestHits(most)
    const margin = 2 * nearness(this.#dimensions)
    const found: { slot: number; score: number }[] = []
    const rows = new Int32Array(Math.min(this.#ids.length, this.#rowsPerBlock, rowsAtOnce))
    const products = new Float64Array(rows.length)
    for (const [at, block] of this.#blocks.entries()) {
      const first = at * this.#rowsPerBlock
      const end = Math.min(this.#rowsPerBlock, this.#ids.length - first)
      for (let from = 0; from < end; from += rows.length) {
        const count = this.#liveRows(first, from, rows)
        block.nearProducts(direction, rows.subarray(0, count), products)
        for (let i = 0; i < count; i++) {
          const slot = first + rows[i]!
          const scale = norm * this.#norms[slot]!
          const score = scale === 0 ? 0 : isNear(scale) ? products[i]! / scale : Infinity
          if (!near.wants(score + margin) || accept?.(this.#ids[slot]!) === false) continue
          found.push({ slot, score })
          if (score < Infinity) near.offer(slot, score)
        }
      }
    }
    return found.filter(({ score }) => near.wants(score + margin)).map(({ slot }) => slot)
  }

  /** The cosines of the slots from place `from` on, as far as they lie in one block. */
  #scoreRun(
    { direction, norm }: Asked,
    slots: readonly number[],
    from: number,
  ): { count: number; scores: Float64Array } {
    const at = Math.floor(slots[from]! / this.#rowsPerBlock)
    const first = at * this.#rowsPerBlock
    let end = from + 1
    while (end < slots.length && Math.floor(slots[end]! / this.#rowsPerBlock) === at) end++
    const rows = Int32Array.from({ length: end - from }, (_, i) => slots[from + i]! - first)
    const scores = new Float64Array(rows.length)
    this.#blocks[at]!.products(direction, rows, scores)
    for (const [i, row] of rows.entries()) {
      const scale = norm * this.#norms[first + row]!
      scores[i] = scale === 0 ? 0 : scores[i]! / scale
    }
    return { count: rows.length, scores }
  }

  /** Lists which of the next rows, from row `from` of the block that starts at slot `first`, hold a vector; answers how many. */
  #liveRows(first: number, from: number, rows: Int32Array): number {
    const end = Math.min(from + rows.length, this.#rowsPerBlock, this.#ids.length - first)
    let count = 0
    for (let row = from; row < end; row++) if (this.#ids[first + row] !== undefined) rows[count++] = row
    return count
  }

  get #rowsPerBlock(): number {
    return Math.max(1, Math.floor(this.#blockBytes / (4 * this.#dimensions)))
  }

  #row(slot: number): Float32Array {
    return this.#blocks[Math.floor(slot / this.#rowsPerBlock)]!.row(slot % this.#rowsPerBlock)
  }

  #put(id: string, row: Float32Array, norm: number): void {
    this.#dimensions ||= row.length
    let slot = this.#slots.get(id)
    if (slot === undefined) {
      slot = this.#ids.push(id) - 1
      this.#slots.set(id, slot)
      this.#makeRoomFor(slot)
    }
    this.#row(slot).set(row)
    this.#norms[slot] = norm
  }

  #makeRoomFor(slot: number): void {
    const block = (this.#blocks[Math.floor(slot / this.#rowsPerBlock)] ??= new RowBlock(
      this.#dimensions,
      this.#rowsPerBlock,
      { simdFromBytes: this.#simdFromBytes },
    ))
    block.makeRoom((slot % this.#rowsPerBlock) + 1)
  }

  /** Closes the gaps that deleted slots left, in order. */
  #compact(): void {
    let to = 0
    for (let from = 0; from < this.#ids.length; from++) {
      const id = this.#ids[from]
      if (id === undefined) continue
      if (from !== to) {
        this.#row(to).set(this.#row(from))
        this.#norms[to] = this.#norms[from]!
        this.#ids[to] = id
        this.#slots.set(id, to)
      }
      to++
    }
    this.#ids.length = to
    this.#norms.length = to
    this.#blocks.length = Math.ceil(to / this.#rowsPerBlock)
  }

  #checkDimensions(given: number, what: string): void {
    if (this.#dimensions !== 0 && given !== this.#dimensions)
      throw wrongDimensions(what, given, this.#dimensions)
  }
}

function toFloat32(vector: ArrayLike<number>): Float32Array {
  return vector instanceof Float32Array ? vector : Float32Array.from(vector)
}

/** The length of a vector. Squares of float32 fit a double, so it is finite exactly if all its numbers are; of an empty one it is NaN. */
function normOf(vector: Float32Array): number {
  return vector.length === 0 ? NaN : Math.sqrt(dotProduct(vector, vector))
}

function finiteNormOf(vector: Float32Array, id?: string): number {
  const norm = normOf(vector)
  if (!Number.isFinite(norm)) throw badVector(vector.length, id)
  return norm
}

function badVector(dimensions: number, id: string | undefined): VarveError {
  const whose = id === undefined ? 'The vector to search for' : `The vector of '${id}'`
  const fact = dimensions === 0 ? 'is empty.' : 'holds NaN, or a number beyond the range of float32.'
  return new VarveError('VARVE_BAD_VECTOR', `${whose} ${fact}`, id === undefined ? {} : { id })
}

function wrongDimensions(what: string, given: number, dimensions: number): VarveError {
  const fact = `${what} has ${given} dimensions, the vectors here have ${dimensions}.`
  return new VarveError('VARVE_WRONG_DIMENSIONS', fact, { given, dimensions })
}

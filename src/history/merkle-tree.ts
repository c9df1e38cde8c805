/**
 * The Merkle tree of RFC 6962, section 2.1, over hashes of leaves: its root, its two kinds of proof, and how each is verified (as RFC 9162 spells it
 * out for the same tree). It knows neither commits nor signatures.
 */
import { createHash } from 'node:crypto'

export const hashBytes = 32

type Hashes = readonly Uint8Array[]

/** Of the first `size` leaves. */
export function merkleRoot(leaves: Hashes, size = leaves.length): Uint8Array {
  return size === 0 ? createHash('sha256').digest() : subtreeHash(leaves, 0, size)
}

/** What it takes to get from leaf `index` to the root of the first `size` leaves: the leaf's sibling first. */
export function inclusionPath(leaves: Hashes, index: number, size: number): Uint8Array[] {
  const path: Uint8Array[] = []
  for (let from = 0, to = size; to - from > 1;) {
    const middle = from + splitOf(to - from)
    if (index < middle) {
      path.push(subtreeHash(leaves, middle, to))
      to = middle
    } else {
      path.push(subtreeHash(leaves, from, middle))
      from = middle
    }
  }
  return path.reverse()
}

/** What it takes to get to the root of the first `size` leaves, and to that of the first `old` of them, which is at least one. */
export function consistencyPath(leaves: Hashes, old: number, size: number): Uint8Array[] {
  const path: Uint8Array[] = []
  let from = 0
  for (let to = size; old < to;) {
    const middle = from + splitOf(to - from)
    if (old <= middle) {
      path.push(subtreeHash(leaves, middle, to))
      to = middle
    } else {
      path.push(subtreeHash(leaves, from, middle))
      from = middle
    }
  }
  // Whoever verifies knows the old root, so it is left out where it is a whole subtree.
  if (from > 0) path.push(subtreeHash(leaves, from, old))
  return path.reverse()
}

export interface InclusionClaim {
  leaf: Uint8Array
  index: number
  size: number
  root: Uint8Array
  path: Hashes
}

export function isIncluded({ leaf, index, size, root, path }: InclusionClaim): boolean {
  if (index >= size || ![leaf, root, ...path].every(isHash)) return false
  const climb = new Climb(index, size - 1)
  let hash = leaf
  for (const sibling of path) {
    const side = climb.step()
    if (side === undefined) return false
    hash = side === 'left' ? nodeHash(sibling, hash) : nodeHash(hash, sibling)
  }
  return climb.isAtRoot && isEqual(hash, root)
}

export interface ConsistencyClaim {
  old: { size: number; root: Uint8Array }
  size: number
  root: Uint8Array
  path: Hashes
}

export function isConsistent({ old, size, root, path }: ConsistencyClaim): boolean {
  if (old.size > size || ![old.root, root, ...path].every(isHash)) return false
  if (old.size === size) return path.length === 0 && isEqual(old.root, root)
  if (old.size === 0) return path.length === 0 && isEqual(old.root, merkleRoot([]))
  const [start, ...siblings] = isPowerOfTwo(old.size) ? [old.root, ...path] : path
  if (!start || path.length === 0) return false
  const climb = new Climb(old.size - 1, size - 1)
  climb.skipRightEdges()
  let [oldHash, hash] = [start, start]
  for (const sibling of siblings) {
    const side = climb.step()
    if (side === undefined) return false
    if (side === 'left') [oldHash, hash] = [nodeHash(sibling, oldHash), nodeHash(sibling, hash)]
    else hash = nodeHash(hash, sibling)
  }
  return climb.isAtRoot && isEqual(oldHash, old.root) && isEqual(hash, root)
}

/** The way up from one node: its place in its level, and that of the level's last node. Beyond 32 bits, so without shifts. */
class Climb {
  #at: number
  #last: number

  constructor(at: number, last: number) {
    this.#at = at
    this.#last = last
  }

  get isAtRoot(): boolean {
    return this.#last === 0
  }

  /** On which side the next sibling stands; `undefined`: there is none, this is the root. */
  step(): 'left' | 'right' | undefined {
    if (this.isAtRoot) return undefined
    const isRight = this.#at % 2 === 1
    const side = isRight || this.#at === this.#last ? 'left' : 'right'
    // The last node of an odd level has no sibling until it has become a right one.
    if (side === 'left' && !isRight) while (this.#at % 2 === 0 && this.#at > 0) this.#up()
    this.#up()
    return side
  }

  skipRightEdges(): void {
    while (this.#at % 2 === 1) this.#up()
  }

  #up(): void {
    this.#at = Math.floor(this.#at / 2)
    this.#last = Math.floor(this.#last / 2)
  }
}

function subtreeHash(leaves: Hashes, from: number, to: number): Uint8Array {
  if (to - from === 1) return leaves[from]!
  const middle = from + splitOf(to - from)
  return nodeHash(subtreeHash(leaves, from, middle), subtreeHash(leaves, middle, to))
}

function nodeHash(left: Uint8Array, right: Uint8Array): Uint8Array {
  return createHash('sha256').update(Uint8Array.of(1)).update(left).update(right).digest()
}

/** The largest power of two below `size`. */
function splitOf(size: number): number {
  let split = 1
  while (split * 2 < size) split *= 2
  return split
}

function isPowerOfTwo(size: number): boolean {
  return size === 1 || splitOf(size) * 2 === size
}

function isHash(bytes: Uint8Array): boolean {
  return bytes.length === hashBytes
}

function isEqual(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.from(a).equals(b)
}

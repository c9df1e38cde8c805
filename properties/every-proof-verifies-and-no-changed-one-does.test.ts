/** Of any tree, every proof verifies, and with any one bit of leaf, root or proof changed none does. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  consistencyPath,
  inclusionPath,
  isConsistent,
  isIncluded,
  merkleRoot,
} from '../src/history/merkle-tree.ts'
import { seededBytes } from '../test/support/seeded.ts'

const maxSize = 300
/** A tree, some of its sizes, a place in it, and a bit. */
const tree = fc.record({
  seed: fc.integer(),
  size: fc.integer({ min: 1, max: maxSize }),
  part: fc.double({ min: 0, max: 1, noNaN: true }),
  bit: fc.nat(),
})

function leavesOf(seed: number, size: number): Uint8Array[] {
  const fill = seededBytes(seed)
  return Array.from({ length: size }, () => {
    const leaf = new Uint8Array(32)
    fill(leaf)
    return leaf
  })
}

/** The same hashes with one bit of one of them changed. */
function flipped(hashes: readonly Uint8Array[], bit: number): Uint8Array[] {
  const copies = hashes.map((hash) => Uint8Array.from(hash))
  const at = bit % (copies.length * 256)
  copies[Math.floor(at / 256)]![Math.floor((at % 256) / 8)]! ^= 1 << (at % 8)
  return copies
}

test('that a leaf is in a tree', () => {
  fc.assert(
    fc.property(tree, ({ seed, size, part, bit }) => {
      const leaves = leavesOf(seed, size)
      const index = Math.min(size - 1, Math.floor(part * size))
      const [leaf, root] = [leaves[index]!, merkleRoot(leaves)]
      const path = inclusionPath(leaves, index, size)
      expect(isIncluded({ leaf, index, size, root, path })).toBe(true)
      const [wrongLeaf, wrongRoot, ...wrongPath] = flipped([leaf, root, ...path], bit)
      expect(isIncluded({ leaf: wrongLeaf!, index, size, root: wrongRoot!, path: wrongPath })).toBe(false)
      expect(isIncluded({ leaf, index, size, root, path: path.slice(1) })).toBe(size === 1)
      expect(isIncluded({ leaf, index, size, root, path: [...path, leaf] })).toBe(false)
      expect(isIncluded({ leaf, index: (index + 1) % size, size, root, path })).toBe(size === 1)
    }),
    { numRuns: 500 },
  )
})

test('that a tree goes on where another ended', () => {
  fc.assert(
    fc.property(tree, ({ seed, size, part, bit }) => {
      const leaves = leavesOf(seed, size)
      const oldSize = Math.max(1, Math.ceil(part * size))
      const old = { size: oldSize, root: merkleRoot(leaves, oldSize) }
      const root = merkleRoot(leaves)
      const path = consistencyPath(leaves, oldSize, size)
      expect(isConsistent({ old, size, root, path })).toBe(true)
      const [wrongOld, wrongRoot, ...wrongPath] = flipped([old.root, root, ...path], bit)
      const wrong = { old: { size: oldSize, root: wrongOld! }, size, root: wrongRoot!, path: wrongPath }
      expect(isConsistent(wrong)).toBe(false)
      expect(isConsistent({ old, size, root, path: [...path, root] })).toBe(false)
      if (path.length > 0) expect(isConsistent({ old, size, root, path: path.slice(1) })).toBe(false)
      const rewritten = flipped(leaves, bit % (oldSize * 256))
      const claim = {
        old,
        size,
        root: merkleRoot(rewritten),
        path: consistencyPath(rewritten, oldSize, size),
      }
      expect(isConsistent(claim)).toBe(false)
    }),
    { numRuns: 500 },
  )
})

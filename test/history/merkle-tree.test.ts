/** The vectors are those of Certificate Transparency, as github.com/transparency-dev/merkle publishes them (testonly/constants.go, proof/verify_test.go). */
import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import {
  consistencyPath,
  inclusionPath,
  isConsistent,
  isIncluded,
  merkleRoot,
  type ConsistencyClaim,
  type InclusionClaim,
} from '../../src/history/merkle-tree.ts'

const hex = (text: string): Uint8Array => Buffer.from(text, 'hex')

const inputs = [
  '',
  '00',
  '10',
  '2021',
  '3031',
  '40414243',
  '5051525354555657',
  '606162636465666768696a6b6c6d6e6f',
]
const leaves = inputs.map((input) =>
  createHash('sha256')
    .update(hex(`00${input}`))
    .digest(),
)
const emptyRoot = hex('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855')
const someHash = hex('abacaba000000000000000000000000000000000000000000060061e00123456')
const roots = [
  '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
  'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
  'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
  'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
  '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
  'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
  '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
].map(hex)

/** Leaves are counted from one, as there. */
const inclusions: { leaf: number; size: number; path: string[] }[] = [
  { leaf: 1, size: 1, path: [] },
  {
    leaf: 1,
    size: 8,
    path: [
      '96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7',
      '5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e',
      '6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4',
    ],
  },
  {
    leaf: 6,
    size: 8,
    path: [
      'bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b',
      'ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0',
      'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
    ],
  },
  { leaf: 3, size: 3, path: ['fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125'] },
  {
    leaf: 2,
    size: 5,
    path: [
      '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
      '5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e',
      'bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b',
    ],
  },
]

const consistencies: { old: number; size: number; path: string[] }[] = [
  { old: 1, size: 1, path: [] },
  {
    old: 1,
    size: 8,
    path: [
      '96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7',
      '5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e',
      '6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4',
    ],
  },
  {
    old: 6,
    size: 8,
    path: [
      '0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a',
      'ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0',
      'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
    ],
  },
  {
    old: 2,
    size: 5,
    path: [
      '5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e',
      'bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b',
    ],
  },
  {
    old: 6,
    size: 7,
    path: [
      '0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a',
      'b08693ec2e721597130641e8211e7eedccb4c26413963eee6c1e2ed16ffb1a5f',
      'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
    ],
  },
]

describe('the published vectors', () => {
  test('have the roots that this tree has', () => {
    expect(Buffer.from(merkleRoot([]))).toEqual(emptyRoot)
    for (const [index, root] of roots.entries())
      expect(Buffer.from(merkleRoot(leaves, index + 1))).toEqual(root)
  })

  test.each(inclusions)('leaf $leaf of $size has the published proof', ({ leaf, size, path }) => {
    expect(inclusionPath(leaves, leaf - 1, size)).toEqual(path.map(hex))
  })

  test.each(consistencies)('$old to $size has the published proof', ({ old, size, path }) => {
    expect(consistencyPath(leaves, old, size)).toEqual(path.map(hex))
  })

  describe.each(inclusions)('leaf $leaf of $size', ({ leaf, size, path }) => {
    const claim: InclusionClaim = {
      leaf: leaves[leaf - 1]!,
      index: leaf - 1,
      size,
      root: roots[size - 1]!,
      path: path.map(hex),
    }

    test('is included', () => {
      expect(isIncluded(claim)).toBe(true)
    })

    test.each(wrongInclusions(claim))('is not by way of %s', (_, wrong) => {
      expect(isIncluded({ ...claim, ...wrong })).toBe(false)
    })
  })

  describe.each(consistencies)('$old to $size', ({ old, size, path }) => {
    const claim: ConsistencyClaim = {
      old: { size: old, root: roots[old - 1]! },
      size,
      root: roots[size - 1]!,
      path: path.map(hex),
    }

    test('is consistent', () => {
      expect(isConsistent(claim)).toBe(true)
    })

    test.each(old === size ? [] : wrongConsistencies(claim))('is not by way of %s', (_, wrong) => {
      expect(isConsistent({ ...claim, ...wrong })).toBe(false)
    })
  })
})

test('of the empty tree everything is a continuation, and it has nothing to prove', () => {
  const claim = { old: { size: 0, root: emptyRoot }, size: 8, root: roots[7]!, path: [] }
  expect(isConsistent(claim)).toBe(true)
  expect(isConsistent({ ...claim, path: [someHash] })).toBe(false)
  expect(isConsistent({ ...claim, old: { size: 0, root: someHash } })).toBe(false)
})

test('sizes beyond 32 bits are counted right', () => {
  const siblings = Array.from({ length: 40 }, () => someHash)
  const up = siblings.reduce<Uint8Array>(
    (hash, sibling) => createHash('sha256').update(hex('01')).update(hash).update(sibling).digest(),
    leaves[0]!,
  )
  const claim = { leaf: leaves[0]!, index: 0, size: 2 ** 40, root: up, path: siblings }
  expect(isIncluded(claim)).toBe(true)
  expect(isIncluded({ ...claim, index: 2 ** 32 })).toBe(false)
  expect(isIncluded({ ...claim, size: 2 ** 40 + 1 })).toBe(false)
})

/** As the vectors' source bends them. */
function wrongInclusions(claim: InclusionClaim): [name: string, wrong: Partial<InclusionClaim>][] {
  const { index, size, root, path } = claim
  const wrong: [string, Partial<InclusionClaim>][] = [
    ['the next index', { index: index + 1 }],
    ['another index', { index: index ^ 2 }],
    ['a tree of twice the size', { size: size * 2 }],
    ['a tree of half the size', { size: Math.floor(size / 2) }],
    ['another leaf', { leaf: Buffer.from('WrongLeaf') }],
    ['the empty root', { root: emptyRoot }],
    ['some root', { root: someHash }],
    ['garbage at the end', { path: [...path, hex('')] }],
    ['the root at the end', { path: [...path, root] }],
    ['garbage at the start', { path: [hex(''), ...path] }],
    ['the root at the start', { path: [root, ...path] }],
    ...path.map((_, at): [string, Partial<InclusionClaim>] => [
      `a bit of hash ${at}`,
      { path: flipped(path, at, 8) },
    ]),
  ]
  if (index > 0) wrong.push(['the index before', { index: index - 1 }])
  if (path.length > 0) wrong.push(['one hash less', { path: path.slice(0, -1) }])
  if (path.length > 1) wrong.push(['one hash more', { path: [path[0]!, someHash, ...path.slice(1)] }])
  return wrong
}

function wrongConsistencies(claim: ConsistencyClaim): [name: string, wrong: Partial<ConsistencyClaim>][] {
  const { old, size, root, path } = claim
  return [
    ['a larger old size', { old: { ...old, size: old.size + 1 } }],
    ['a smaller old size', { old: { ...old, size: old.size - 1 } }],
    ['another old size', { old: { ...old, size: old.size ^ 2 } }],
    ['twice the size', { size: size * 2 }],
    ['half the size', { size: Math.floor(size / 2) }],
    ['another old root', { old: { ...old, root: Buffer.from('WrongRoot') } }],
    ['another root', { root: Buffer.from('WrongRoot') }],
    ['a bit of the old root', { old: { ...old, root: flipped([old.root], 0, 16)[0]! } }],
    ['a bit of the root', { root: flipped([root], 0, 16)[0]! }],
    ['roots that changed places', { root: old.root, old: { ...old, root } }],
    ['no hashes', { path: [] }],
    ['garbage at the end', { path: [...path, hex('')] }],
    ['the old root at the end', { path: [...path, old.root] }],
    ['the root at the end', { path: [...path, root] }],
    ['garbage at the start', { path: [hex(''), ...path] }],
    ['the old root at the start', { path: [old.root, ...path] }],
    ['the root at the start', { path: [root, ...path] }],
    ['the first hash twice', { path: [path[0]!, ...path] }],
    ['one hash less', { path: path.slice(0, -1) }],
    ...path.map((_, at): [string, Partial<ConsistencyClaim>] => [
      `a bit of hash ${at}`,
      { path: flipped(path, at, 16) },
    ]),
  ]
}

function flipped(path: readonly Uint8Array[], at: number, bit: number): Uint8Array[] {
  return path.map((hash, index) => {
    const copy = Uint8Array.from(hash)
    if (index === at) copy[0]! ^= bit
    return copy
  })
}

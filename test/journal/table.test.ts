import { describe, expect, test } from 'vitest'
import { anything } from '../../src/journal/shape.ts'
import { UnusableSnapshot } from '../../src/journal/snapshot-pages.ts'
import { Table, type UndoLog } from '../../src/journal/table.ts'

const codec = {
  shape: anything,
  toPlain: (value: number[]) => value,
  fromPlain: (plain: unknown) => plain as number[],
  copy: (value: number[]) => [...value],
}

function make(): { table: Table<number[]>; undo: UndoLog } {
  const undo: UndoLog = { entries: undefined }
  return { table: new Table(codec, undo), undo }
}

function snapshotOf(table: Table<number[]>): Uint8Array {
  const frozen = table.freeze()
  frozen.fill(() => false)
  table.thaw()
  return frozen.build()
}

/** A table that does not fit together is adopted no more than one that holds something else. */
function isAdopted(table: Table<number[]>, bytes: Uint8Array): boolean {
  try {
    return table.adopt(bytes)
  } catch (error) {
    expect(error).toBeInstanceOf(UnusableSnapshot)
    return false
  }
}

describe('a table', () => {
  test('keeps keys in the order they were first set, and a deleted key comes back last', () => {
    const { table } = make()
    for (const key of ['a', 'b', 'c']) table.set(key, [1])
    table.set('a', [2])
    table.delete('b')
    table.set('b', [3])
    expect([...table.entries()]).toEqual([
      ['a', [2]],
      ['c', [1]],
      ['b', [3]],
    ])
    expect(table.size).toBe(3)
  })

  test('tells those whose key begins with a text, whichever layer they stand in', () => {
    const { table } = make()
    for (const key of ['1/a', '1/b', '11/a', '2/ü', '2/üx']) table.set(key, [1])
    const { table: loaded } = make()
    loaded.load(snapshotOf(table))
    loaded.set('1/c', [2])
    const frozen = loaded.freeze()
    loaded.set('1/a', [3])
    loaded.delete('1/b')
    loaded.set('1/d', [4])
    const keys = (prefix: string): string[] => [...loaded.entries({ prefix })].map(([key]) => key)
    expect([...loaded.entries({ prefix: '1/' })]).toEqual([
      ['1/a', [3]],
      ['1/c', [2]],
      ['1/d', [4]],
    ])
    expect([keys('2/ü'), keys('2/üx'), keys('3'), keys('')]).toEqual([
      ['2/ü', '2/üx'],
      ['2/üx'],
      [],
      ['1/a', '11/a', '2/ü', '2/üx', '1/c', '1/d'],
    ])
    frozen.fill(() => false)
  })

  test('holds any key, __proto__ included', () => {
    const { table } = make()
    const keys = ['__proto__', 'constructor', '', '../../x', 'ü', '😀']
    for (const [index, key] of keys.entries()) table.set(key, [index])
    const { table: loaded } = make()
    loaded.load(snapshotOf(table))
    expect([...loaded.entries()]).toEqual(keys.map((key, index) => [key, [index]]))
    for (const [index, key] of keys.entries()) expect(loaded.get(key)).toEqual([index])
  })

  test('is the same bytes whether made anew or from a snapshot below what changed since', () => {
    const change = (table: Table<number[]>): void => {
      for (const at of [0, 1, 255, 256, 700, 999]) table.delete(`key ${at}`)
      for (const at of [2, 257, 998]) table.set(`key ${at}`, [at, at])
      table.update(
        'key 300',
        (value) => void value.push(1),
        (value) => void value.pop(),
      )
      for (const name of ['key 700', 'new', 'key 0']) table.set(name, [7])
      table.delete('new')
    }
    const [above, anew] = [make().table, make().table]
    for (const table of [above, anew]) for (let at = 0; at < 1000; at++) table.set(`key ${at}`, [at])
    const frozen = above.freeze()
    frozen.fill(() => false)
    above.settle(frozen.build())
    change(above)
    change(anew)
    const { table: loaded } = make()
    loaded.load(snapshotOf(above))
    expect([...loaded.entries()]).toEqual([...anew.entries()])
    expect(Buffer.from(snapshotOf(above)).equals(snapshotOf(anew))).toBe(true)
    for (const [key, value] of anew.entries()) expect(loaded.get(key)).toEqual(value)
    expect(loaded.has('key 999')).toBe(false)
  })

  test('takes every change back, in reverse', () => {
    const { table, undo } = make()
    table.set('a', [1])
    table.set('b', [2])
    undo.entries = []
    table.update(
      'a',
      (value) => value.push(9),
      (value) => void value.pop(),
    )
    table.delete('a')
    table.set('a', [5])
    table.set('c', [6])
    for (const change of undo.entries.splice(0).reverse()) change.undo()
    expect([...table.entries()]).toEqual([
      ['a', [1]],
      ['b', [2]],
    ])
    expect(table.nextOrder).toBe(2)
  })

  test('goes on changing while it is frozen, and what was frozen does not', () => {
    const { table } = make()
    table.set('a', [1])
    table.set('b', [2])
    const frozen = table.freeze()
    table.update(
      'a',
      (value) => value.push(7),
      () => {},
    )
    table.delete('b')
    table.set('c', [3])
    while (!frozen.fill(() => false)) continue
    const bytes = frozen.build()
    table.settle(bytes)
    const { table: loaded } = make()
    loaded.load(bytes)
    expect([...loaded.entries()]).toEqual([
      ['a', [1]],
      ['b', [2]],
    ])
    expect([...table.entries()]).toEqual([
      ['a', [1, 7]],
      ['c', [3]],
    ])
  })

  test('goes two ways from a fork on, that know nothing of each other', () => {
    const { table, undo } = make()
    const { table: below } = make()
    for (const key of ['below', 'gone']) below.set(key, [1])
    table.load(snapshotOf(below))
    table.set('above', [2])
    table.freeze()
    table.delete('gone')
    table.set('recent', [2])
    const fork = table.fork({ entries: undefined })
    const push = (of: Table<number[]>, key: string, value: number): void =>
      of.update(
        key,
        (list) => list.push(value),
        (list) => list.pop(),
      )
    undo.entries = []
    for (const key of ['below', 'above', 'recent']) push(table, key, 3)
    table.set('new', [3])
    for (const key of ['below', 'above', 'recent']) push(fork, key, 4)
    fork.delete('above')
    fork.set('gone', [4])
    const held = (of: Table<number[]>): unknown => [[...of.entries()], of.size, of.nextOrder]
    const forked = [
      [
        ['below', [1, 4]],
        ['recent', [2, 4]],
        ['gone', [4]],
      ],
      3,
      5,
    ]
    expect(held(table)).toEqual([
      [
        ['below', [1, 3]],
        ['above', [2, 3]],
        ['recent', [2, 3]],
        ['new', [3]],
      ],
      4,
      5,
    ])
    expect(held(fork)).toEqual(forked)
    for (const change of undo.entries.reverse()) change.undo()
    expect([...table.entries()]).toEqual([
      ['below', [1]],
      ['above', [2]],
      ['recent', [2]],
    ])
    expect(held(fork)).toEqual(forked)
  })

  test('adopts a snapshot that holds the same, and goes on above it', () => {
    const { table: replayed } = make()
    const { table: written } = make()
    written.set('rolled back', [0])
    written.delete('rolled back')
    const both = (change: (table: Table<number[]>) => void): void => {
      change(replayed)
      change(written)
    }
    both((table) => {
      for (let at = 0; at < 600; at++) table.set(`key ${at}`, [at])
    })
    expect(replayed.adopt(snapshotOf(written))).toBe(true)
    both((table) => {
      table.delete('key 7')
      table.set('key 8', [-8])
      table.set('ü', [1])
      table.set('key 7', [7])
    })
    expect(replayed.adopt(snapshotOf(written))).toBe(true)
    expect([...replayed.entries()]).toEqual([...written.entries()])
    expect(replayed.nextOrder).toBe(written.nextOrder)
  })

  test.each<[difference: string, change: (table: Table<number[]>) => void]>([
    ['another value', (table) => table.set('key 3', [0])],
    ['a key more', (table) => table.set('more', [0])],
    ['a key less', (table) => void table.delete('key 299')],
    [
      'another order',
      (table) => {
        table.delete('key 3')
        table.set('key 3', [3])
      },
    ],
    ['a value that stands above what was adopted', (table) => table.set('above', [0])],
  ])('adopts none with %s, and stays what it is', (_, change) => {
    const { table } = make()
    for (let at = 0; at < 300; at++) table.set(`key ${at}`, [at])
    expect(table.adopt(snapshotOf(table))).toBe(true)
    table.set('above', [1])
    const { table: other } = make()
    other.load(snapshotOf(table))
    change(other)
    const before = [...table.entries()]
    expect(table.adopt(snapshotOf(other))).toBe(false)
    expect([...table.entries()]).toEqual(before)
  })

  test('adopts none in which it would not find its keys', () => {
    const { table } = make()
    for (const key of ['a', 'b', 'c']) table.set(key, [1])
    const bytes = snapshotOf(table)
    const slots = new Uint32Array(bytes.buffer, bytes.byteOffset + 16, 8)
    slots[slots.findIndex((entry) => entry > 0)] = 0
    expect(table.adopt(bytes)).toBe(false)
  })

  test.each([
    { place: 'what stands above', isBase: false },
    { place: 'what was adopted', isBase: true },
  ])('adopts none with a bit of a key, a value, an end or a hash changed in $place', ({ isBase }) => {
    const keys = ['a', 'key', 'kez', 'ü', 'aé', '', 'a longer key that goes on']
    const fill = (): Table<number[]> => {
      const { table } = make()
      for (const [at, key] of keys.entries()) table.set(key, [at, 70_000])
      return table
    }
    const good = snapshotOf(fill())
    const view = new DataView(good.buffer, good.byteOffset, good.byteLength)
    const hashes = 16 + view.getUint32(4, true) * 4
    const ends = hashes + keys.length * 8
    const keysStart = ends + keys.length * 8
    const keysEnd = keysStart + view.getUint32(keysStart - 8, true)
    const bytes = [...good.keys()].filter(
      (at) =>
        (at >= hashes && at < hashes + keys.length * 4) ||
        (at >= ends && at < keysEnd) ||
        at >= Math.ceil(keysEnd / 8) * 8,
    )
    expect(bytes.length).toBeGreaterThan(150)
    for (const at of bytes) {
      for (let bit = 0; bit < 8; bit++) {
        const table = fill()
        if (isBase) expect(table.adopt(snapshotOf(table))).toBe(true)
        const bad = new Uint8Array(good)
        bad[at]! ^= 1 << bit
        expect(isAdopted(table, bad), `bit ${bit} of byte ${at}`).toBe(false)
      }
    }
  })

  test('tells followers which keys were touched', () => {
    const { table } = make()
    const touched = new Set<string>()
    table.set('before', [0])
    table.follow(touched)
    table.set('a', [1])
    table.delete('before')
    table.unfollow(touched)
    table.set('after', [1])
    expect([...touched]).toEqual(['a', 'before'])
  })

  test('refuses to be frozen twice, and bytes that are no snapshot', () => {
    const { table } = make()
    table.freeze()
    expect(() => table.freeze()).toThrow(TypeError)
    expect(() =>
      make().table.load(new Uint8Array([9, 0, 0, 0, 255, 255, 255, 255, 0, 0, 0, 0, 0, 0, 0, 0])),
    ).toThrow(UnusableSnapshot)
  })

  test('refuses bytes that cannot be viewed as words where they stand', () => {
    const { table } = make()
    table.set('a', [1])
    const bytes = snapshotOf(table)
    const shifted = new Uint8Array(bytes.length + 2).subarray(2)
    shifted.set(bytes)
    expect(() => make().table.load(shifted)).toThrow(UnusableSnapshot)
  })
})

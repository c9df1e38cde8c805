/** Bytes that meet every checksum and that no writer made. */
import { crc32 } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { StorageContext } from '../../src/context/storage-context.ts'
import type { MemoryDisk } from '../../src/disk/memory-disk.ts'
import { VarveError } from '../../src/errors.ts'
import { decode, encode } from '../../src/journal/codec.ts'
import { Journal } from '../../src/journal/journal.ts'
import { TableBaseBuilder } from '../../src/journal/table-base.ts'
import { padded } from '../../src/log/frame.ts'
import { edit } from '../support/damage.ts'
import { directory, event, journalOf, putSeal, type Handmade } from '../support/handmade-journal.ts'
import { put, toyKind, toyOptions } from '../support/toy-store.ts'

function open(disk: MemoryDisk): Promise<StorageContext> {
  return StorageContext.fromDefaults({ persistDir: directory, disk, onWarning: () => {} })
}

/** What reading everything throws. */
async function faultOf(handmade: Handmade): Promise<VarveError> {
  const disk = journalOf(handmade)
  try {
    await using storage = await open(disk)
    await storage.docstore.getNode('a', { raiseError: false })
    await storage.indexStore.indexStructs()
    await storage.vectorStore.query({ queryEmbedding: [1] })
    await storage.graphStore.getRelMap()
  } catch (error) {
    if (error instanceof VarveError) return error
    throw error
  }
  throw new Error('Nothing was found wrong with it.')
}

const place = { store: 'docstore', commit: 1, segment: 1, offset: 64 }
const added = ['a', 'hash', null, null]

describe('an event', () => {
  test.each<[fault: string, events: Handmade['events'], fields: object]>([
    ['a row that is no msgpack', [{ ...event('NodesKept', []), rows: [Uint8Array.of(0xc1)] }], { item: 0 }],
    ['a row that is no list', [event('NodesKept', [null])], { item: 0 }],
    ['a row of too few', [event('NodesAdded', [added, ['b']])], { item: 1 }],
    ['a row of too many', [event('NodesKept', [['a', 'b']])], { item: 0 }],
    ['a number for an id', [event('NodesKept', [[5]])], { item: 0 }],
    ['a text for a list of ids', [event('RefDocsSet', [['doc', 'abc', {}, null]])], { item: 0 }],
    ['a list for metadata', [event('NodesAdded', [['a', null, 'doc', [1]]])], { item: 0 }],
    ['a head that is none', [{ ...event('NodesKept', [['a']]), head: encode({ type: 'NodesKept' }) }], {}],
    [
      'dimensions, but no matrix',
      [{ ...event('NodesKept', [['a']]), head: encode(['NodesKept', 1, 5]) }],
      {},
    ],
  ])('with %s is VARVE_CORRUPT, naming the place', async (_, events, fields) => {
    const error = await faultOf({ folder: 'docstore', events })
    expect(error).toMatchObject({ code: 'VARVE_CORRUPT', fields: { ...place, ...fields } })
    expect(error.message).toContain('docstore, segment 1, offset 64')
    expect(error.message).toContain('in commit 1')
  })

  test('of an unknown type is VARVE_NEWER', async () => {
    const error = await faultOf({ folder: 'docstore', events: [event('NodesSung', [['a']])] })
    expect(error).toMatchObject({ code: 'VARVE_NEWER', fields: { store: 'docstore' } })
  })

  test('whose vectors are not as long as its head says is VARVE_CORRUPT', async () => {
    const vector = event('VectorsAdded', [['a', null, null, null]], {
      payload: new Uint8Array(8),
      dimensions: 3,
    })
    const error = await faultOf({ folder: 'vector_store/default', events: [vector] })
    expect(error).toMatchObject({ code: 'VARVE_CORRUPT', fields: { item: 0 } })
    expect(error.message).toContain('has not 3 dimensions')
  })

  test('with vectors but no matrix is VARVE_CORRUPT', async () => {
    const vector = event('VectorsAdded', [['a', null, null, null]], { payload: new Uint8Array(6) })
    const error = await faultOf({ folder: 'vector_store/default', events: [vector] })
    expect(error).toMatchObject({ code: 'VARVE_CORRUPT', fields: { offset: 64 } })
  })

  test.each([
    ['a value into a field of sets', ['i', 'set', 'table', 'k', 5]],
    ['a member into a field of values', ['i', 'add', 'map', 'k', 'n']],
  ])('that puts %s is VARVE_CORRUPT', async (_, row) => {
    const fields = [
      ['table', 'sets'],
      ['map', 'map'],
    ]
    const struct = event('StructsAdded', [['i', 'mine', fields]])
    const error = await faultOf({ folder: 'index_store', events: [struct, event('EntriesChanged', [row])] })
    expect(error).toMatchObject({ code: 'VARVE_CORRUPT', cause: expect.any(TypeError) as unknown })
    expect(error.message).toContain('EntriesChanged does not fit what came before it')
  })
})

describe('what `evolve` throws', () => {
  const bug = new TypeError('a bug of ours')
  const failing = {
    ...toyKind,
    evolve: () => {
      throw bug
    },
  }

  test('comes through as it is when an event is new, and is VARVE_CORRUPT with it as cause when it was read', async () => {
    const options = toyOptions()
    const writer = await Journal.open(directory, options)
    await put(writer, 'docstore', { a: 1 })
    await writer.persist()
    const journal = await Journal.open(directory, { ...options, kindOf: () => failing })
    await expect(journal.load('docstore')).rejects.toMatchObject({ code: 'VARVE_CORRUPT', cause: bug })
    await expect(
      put(Journal.inMemory({ ...options, kindOf: () => failing }), 'docstore', { a: 1 }),
    ).rejects.toBe(bug)
    await journal.close()
    await writer.close()
  })

  test('when changes of another process are taken up leaves none of them taken up by half', async () => {
    const options = toyOptions()
    const writer = await Journal.open(directory, options)
    await put(writer, 'docstore', { a: 1 })
    await put(writer, 'index_store', { a: 1 })
    await writer.persist()
    let isBroken = false
    const kind = {
      ...toyKind,
      evolve: (...[state, read]: Parameters<typeof toyKind.evolve>) => {
        if (isBroken && read.items.some(({ row }) => (row as unknown[])[0] === 'bad')) throw bug
        toyKind.evolve(state, read)
      },
    }
    const reader = await Journal.open(directory, { ...options, kindOf: () => kind })
    await reader.load('docstore')
    await reader.load('index_store')
    await put(writer, 'docstore', { b: 2 })
    await put(writer, 'index_store', { bad: 2 })
    await writer.persist()
    isBroken = true
    const keys = async (folder: string): Promise<string[]> => [
      ...(await reader.load(folder))['values']!.keys(),
    ]
    await expect(reader.refresh()).rejects.toMatchObject({ code: 'VARVE_CORRUPT', fields: { commit: 2 } })
    expect([await keys('docstore'), await keys('index_store')]).toEqual([['a'], ['a']])
    isBroken = false
    await reader.refresh()
    expect([await keys('docstore'), await keys('index_store')]).toEqual([
      ['a', 'b'],
      ['a', 'bad'],
    ])
    await reader.close()
    await writer.close()
  })
})

describe('a commit', () => {
  const events = [event('NodesKept', [['a']])]
  const withPart =
    (change: (part: unknown[]) => unknown) =>
    (head: unknown[]): unknown =>
      head.with(6, (head[6] as unknown[][]).map(change))

  test.each<[fault: string, change: (head: unknown[]) => unknown]>([
    ['a folder outside', withPart((part) => part.with(0, '../x'))],
    ['a part before the beginning', withPart((part) => part.with(2, -64))],
    ['a part without end', withPart((part) => part.with(3, Number.NaN))],
    ['a part beyond all numbers', withPart((part) => part.with(3, 2 ** 60))],
    ['a part that ends before it begins', withPart((part) => part.with(3, 8))],
    ['a part of half a digest', withPart((part) => part.with(5, new Uint8Array(16)))],
    ['a part of null', withPart(() => null)],
    ['a time that no calendar has', (head) => head.with(4, 9e15)],
    ['a previous commit that is no hash', (head) => head.with(3, 'zero')],
    ['too much in its head', (head) => [...head, 1]],
    ['a head of another kind', () => [{ toString: 1 }]],
  ])('with %s is VARVE_CORRUPT, naming the place', async (_, commitHead) => {
    const error = await faultOf({ folder: 'docstore', events, commitHead })
    expect(error).toMatchObject({
      code: 'VARVE_CORRUPT',
      fields: { store: 'commits', segment: 1, offset: 64 },
    })
  })

  test.each<[fault: string, row: unknown]>([
    ['a note of null', null],
    ['a message that is no text', { message: 5 }],
    ['a number of its own', { number: 99 }],
    ['a name for a folder outside', { names: { '../x': 'x' } }],
  ])('with %s is VARVE_CORRUPT, naming the place', async (_, row) => {
    const error = await faultOf({ folder: 'docstore', events, commitRow: encode(row) })
    expect(error).toMatchObject({
      code: 'VARVE_CORRUPT',
      fields: { store: 'commits', segment: 1, offset: 64 },
    })
    expect(error.message).toContain('commit 1')
  })

  test('of a later version is VARVE_NEWER', async () => {
    const error = await faultOf({ folder: 'docstore', events, commitHead: (head) => head.with(1, 2) })
    expect(error).toMatchObject({ code: 'VARVE_NEWER' })
  })
})

describe('a seal', () => {
  const hash = new Uint8Array(32)
  test.each<[fault: string, head: unknown]>([
    ['of nothing', null],
    ['of too little', ['Seal', 1, 1]],
    ['of a negative length', ['Seal', 1, 1, -1, 1, hash]],
    ['without a hash', ['Seal', 1, 1, 200, 1, null]],
    ['that is a commit', ['Commit', 1, 1, 200, 1, hash]],
  ])('%s is VARVE_CORRUPT, naming the place', async (_, head) => {
    const disk = journalOf({ folder: 'docstore', events: [event('NodesKept', [['a']])] })
    putSeal(disk, head)
    await expect(open(disk)).rejects.toMatchObject({
      code: 'VARVE_CORRUPT',
      fields: { store: 'commits', segment: 2, offset: 64 },
    })
  })
})

describe('a node', () => {
  test.each<[fault: string, payload: Uint8Array]>([
    ['that is no msgpack', Uint8Array.of(0xc1)],
    ['that is nothing', encode(null)],
    ['that is a number', encode(5)],
    ['whose text is a number', encode({ text: 5 })],
    ['whose embedding is no whole number of numbers', encode({ embedding: new Uint8Array(7) })],
    ['whose relation has no id', encode({ relationships: { SOURCE: {} } })],
    ['whose inner node is none', encode({ obj: { id: 'b', node: 5 } })],
  ])('%s is VARVE_CORRUPT, naming the place', async (_, payload) => {
    const error = await faultOf({ folder: 'docstore', events: [event('NodesAdded', [added], { payload })] })
    expect(error).toMatchObject({ code: 'VARVE_CORRUPT', fields: { store: 'docstore', segment: 1, id: 'a' } })
    expect(error.message).toMatch(/docstore, segment 1, offset \d+: node a /)
  })
})

describe('a snapshot', () => {
  const contents: Record<string, [key: string, value: unknown][]> = {
    nodes: [],
    records: [['a', ['from the snapshot', null, null]]],
    refDocs: [],
  }
  const events = [event('HashesSet', [['a', 'hash']])]

  function table(entries: [key: string, value: unknown][]): Buffer {
    const builder = new TableBaseBuilder()
    for (const [order, [key, value]] of entries.entries()) builder.add({ key, order, value: encode(value) })
    return Buffer.from(builder.build(entries.length))
  }

  type Change = (tables: Record<string, Buffer>) => void

  /** What is answered by who only looks, and by who changes something, and needs all of the snapshot for that. */
  const hashes = async (change: Change, { whole = true } = {}): Promise<[string, string][]> => {
    const tables = Object.fromEntries(
      Object.entries(contents).map(([name, entries]) => [name, table(entries)]),
    )
    change(tables)
    const snapshots = { docstore: new Map(Object.entries(tables)) }
    await using storage = await open(journalOf({ folder: 'docstore', events, snapshots }))
    expect(await storage.docstore.getDocumentHash('unknown')).toBeUndefined()
    if (whole) await storage.docstore.deleteDocument('unknown', { raiseError: false })
    return [...(await storage.docstore.getAllDocumentHashes())]
  }

  test('is read where it is whole', async () => {
    expect(await hashes(() => {})).toEqual([['from the snapshot', 'a']])
  })

  test.each<[fault: string, change: (records: Buffer) => unknown]>([
    ['no free slot', (records) => [0, 1, 2, 3].map((slot) => records.writeUInt32LE(1, 16 + slot * 4))],
    ['slots of entries that are not there', (records) => records.writeUInt32LE(9, 16)],
    ['fewer slots than there are', (records) => records.writeUInt32LE(3, 4)],
    ['more slots than bytes', (records) => records.writeUInt32LE(0x40000000, 4)],
    ['more entries than bytes', (records) => records.writeUInt32LE(0x10000000, 0)],
    ['a next order that was given away', (records) => records.writeBigUInt64LE(0n, 8)],
    ['a next order beyond all numbers', (records) => records.writeBigUInt64LE(2n ** 60n, 8)],
    ['values that end behind it', (records) => records.writeUInt32LE(5000, records.indexOf('a') - 4)],
    [
      'values that end in the next table',
      (records) => records.writeUInt32LE(records.length - 56 + 8, records.indexOf('a') - 4),
    ],
  ])('of a table with %s is a miss', async (_, change) => {
    const changed = (tables: Record<string, Buffer>): void => void change(tables['records']!)
    expect(await hashes(changed)).toEqual([['hash', 'a']])
    // Who only looks need not come by the fault.
    expect([[['hash', 'a']], [['from the snapshot', 'a']]]).toContainEqual(
      await hashes(changed, { whole: false }),
    )
  })

  test.each([
    ['overlap', -16, 7],
    ['change places', -20, 0],
  ])('of a table whose entries %s is a miss', async (_, at, word) => {
    const found = await hashes((tables) => {
      tables['records'] = table([
        ['a', ['x', null, null]],
        ['b', ['y', null, null]],
      ])
      tables['records'].writeUInt32LE(word, tables['records'].indexOf('ab') + at)
    })
    expect(found).toEqual([['hash', 'a']])
  })

  test('of a table with a number of slots that is no power of two is a miss', async () => {
    const found = await hashes((tables) => {
      const records = tables['records']!
      records.writeUInt32LE(5, 4)
      // The fifth slot takes its room from the padding behind the key, so that all else stays where it belongs.
      const [slots, key] = [records.subarray(0, 32), records.subarray(32, records.indexOf('a') + 1)]
      tables['records'] = Buffer.concat([slots, Buffer.alloc(4), key, Buffer.alloc(3), records.subarray(56)])
    })
    expect(found).toEqual([['hash', 'a']])
  })

  test('without its tables is a miss', async () => {
    await using storage = await open(
      journalOf({ folder: 'docstore', events, snapshots: { docstore: new Map() } }),
    )
    expect(await storage.docstore.getDocumentHash('a')).toBe('hash')
  })

  test.each<[fault: string, change: (place: [string, number, number]) => unknown]>([
    ['begins behind the end', (place) => (place[1] += 1 << 20)],
    ['ends behind the end', (place) => (place[2] += 1 << 20)],
    ['begins between words', (place) => (place[1] += 2)],
  ])('with a section that %s is a miss', async (_, change) => {
    const tables = Object.entries(contents).map(([name, entries]) => [name, table(entries)] as const)
    const disk = journalOf({ folder: 'docstore', events, snapshots: { docstore: new Map(tables) } })
    edit(disk, `${directory}/snapshots/0000000001~docstore.snap`, (file) => {
      const [end, pages] = [24 + file.readUInt32LE(16), padded(24 + file.readUInt32LE(16))]
      const description = decode(file.subarray(24, end)) as unknown[]
      change((description[4] as [string, number, number][]).find(([name]) => name === 'records')!)
      const head = Buffer.concat([file.subarray(0, 24), encode(description)])
      head.writeUInt32LE(head.length - 24, 16)
      const whole = Buffer.concat([
        head,
        Buffer.alloc(padded(head.length) - head.length),
        file.subarray(pages),
      ])
      const start = whole.length - (file.length - pages) + padded(file.readUInt32LE(20) * 4)
      whole.writeUInt32LE(crc32(whole.subarray(16, start)), 12)
      return whole
    })
    for (const isWhole of [false, true]) {
      await using storage = await open(disk)
      if (isWhole) await storage.docstore.deleteDocument('unknown', { raiseError: false })
      expect(await storage.docstore.getDocumentHash('a')).toBe('hash')
    }
  })

  test.each(['docstore', 'journal'])('of %s with a description that is none is a miss', async (subject) => {
    const disk = journalOf({ folder: 'docstore', events, snapshots: { [subject]: new Map() } })
    const path = `${directory}/snapshots/0000000001~${subject}.snap`
    for (const description of [Buffer.from('c1', 'hex'), encode(5), encode([null, 1, 2, 3, 4])]) {
      const file = Buffer.alloc(64)
      file.set(disk.peek(path).subarray(0, 16))
      file.writeUInt32LE(description.length, 16)
      file.set(description, 24)
      file.writeUInt32LE(crc32(file.subarray(16)), 12)
      disk.put(path, file)
      await using storage = await open(disk)
      expect(await storage.docstore.getDocumentHash('a')).toBe('hash')
    }
  })

  test.each([
    ['is nothing', null],
    ['has too little', ['hash']],
    ['has a number for a hash', [5, null, null]],
  ])('with an entry that %s is VARVE_CORRUPT when it is asked for, and says what to do', async (_, value) => {
    await expect(hashes((tables) => (tables['records'] = table([['a', value]])))).rejects.toThrow(
      expect.objectContaining({
        code: 'VARVE_CORRUPT',
        message: expect.stringContaining(
          "entry for 'a' that no version wrote. Remove the folder snapshots",
        ) as string,
      }) as Error,
    )
  })

  test('with a position beyond the file is VARVE_CORRUPT when the node is asked for', async () => {
    const tables = Object.fromEntries(
      Object.entries(contents).map(([name, entries]) => [name, table(entries)]),
    )
    tables['nodes'] = table([['a', [1, 2 ** 50, 2 ** 50, 1]]])
    const snapshots = { docstore: new Map(Object.entries(tables)) }
    await using storage = await open(journalOf({ folder: 'docstore', events, snapshots }))
    await expect(storage.docstore.getNode('a')).rejects.toMatchObject({ code: 'VARVE_CORRUPT' })
  })
})

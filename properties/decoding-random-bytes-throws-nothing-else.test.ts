/**
 * Random, mutated and hostile bytes in any file's place: opening, reading and writing answer or throw a `VarveError`, allocate no more than a small multiple of what
 * is there, end, and leave `Object.prototype` alone.
 */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { MemoryDisk } from '../src/disk/memory-disk.ts'
import { StorageContext, TextNode, VarveError } from '../src/index.ts'
import { encode } from '../src/journal/codec.ts'
import { TableBaseBuilder } from '../src/journal/table-base.ts'
import {
  directory,
  event,
  header,
  journalOf,
  manifest,
  type Handmade,
} from '../test/support/handmade-journal.ts'

const folders = [
  'docstore',
  'index_store',
  'vector_store/default',
  'graph_store',
  'property_graph_store',
  'chat_store',
] as const
type Folder = (typeof folders)[number]

const addedNode = event('NodesAdded', [['a', null, null, null]], { payload: encode({}) })
const deletedNode: Handmade = { folder: 'docstore', events: [event('NodesDeleted', [['a']])] }

/** Opens, reads everything, and writes. Answers what was thrown. */
async function use(disk: MemoryDisk): Promise<unknown[]> {
  const thrown: unknown[] = []
  const attempt = async (work: () => Promise<unknown>): Promise<void> => {
    try {
      await work()
    } catch (error) {
      thrown.push(error)
    }
  }
  await attempt(async () => {
    await using storage = await StorageContext.fromDefaults({
      persistDir: directory,
      disk,
      onWarning: () => {},
    })
    const { docstore, indexStore, vectorStore, graphStore, propertyGraphStore, chatStore } = storage
    await attempt(() => docstore.getAllRefDocInfo())
    await attempt(() => docstore.getNode('a', { raiseError: false }))
    await attempt(() => docstore.getAllDocumentHashes())
    await attempt(() => indexStore.indexStructs())
    await attempt(() => vectorStore.query({ queryEmbedding: [1], similarityTopK: 3 }))
    await attempt(() => graphStore.getRelMap())
    await attempt(() => propertyGraphStore.getTriplets())
    await attempt(() => propertyGraphStore.get())
    await attempt(() => storage.toDict())
    await attempt(() => propertyGraphStore.getTriplets({ ids: ['a'] }))
    await attempt(async () => {
      for (const key of await chatStore.getKeys()) await chatStore.getMessages(key)
    })
    await attempt(async () => {
      for await (const _ of storage.commits()) continue
    })
    await attempt(async () => {
      await docstore.addDocuments([new TextNode({ id_: 'new', text: '' })])
      await storage.persist()
    })
  })
  return thrown
}

const prototypeNames = Object.getOwnPropertyNames(Object.prototype).sort()

async function expectOnlyVarveErrors(disk: MemoryDisk): Promise<void> {
  const thrown = await use(disk)
  for (const error of thrown) if (!(error instanceof VarveError)) throw error
  expect(Object.getOwnPropertyNames(Object.prototype).sort()).toEqual(prototypeNames)
  expect(({} as Record<string, unknown>)['polluted']).toBeUndefined()
}

const paths = [
  'varve.json',
  'LOCK',
  'commits/0000000001.log',
  ...folders.map((folder) => `${folder}/0000000001.log`),
  ...['journal', ...folders].map((subject) => `snapshots/0000000001~${subject.replace('/', '~')}.snap`),
]

const anyBytes = fc.oneof(
  fc.uint8Array({ maxLength: 400 }),
  fc.json().map((text) => Buffer.from(text)),
  fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.concat([header('docstore'), bytes])),
)

/** Types that events have, so that what follows is taken for their rows. */
const types = [
  'NodesAdded',
  'NodesKept',
  'NodesDeleted',
  'RefDocsDeleted',
  'HashesSet',
  'RecordsSet',
  'RefDocsSet',
  'StructsAdded',
  'StructsDeleted',
  'EntriesChanged',
  'VectorsAdded',
  'VectorsDeleted',
  'VectorsCleared',
  'TripletsAdded',
  'TripletsDeleted',
  'GraphNodesSet',
  'RelationsSet',
]
const plain = fc.jsonValue({ maxDepth: 3 })
const row = fc.oneof(
  plain.map(encode),
  fc.array(plain, { maxLength: 5 }).map((values) => encode(['a', ...values])),
  fc.uint8Array({ maxLength: 60 }),
)
const head = fc.oneof(
  { weight: 5, arbitrary: fc.constantFrom(...types).map((type) => encode([type, 1])) },
  { weight: 1, arbitrary: fc.constantFrom(...types).map((type) => encode([type, 1, 1])) },
  { weight: 1, arbitrary: plain.map(encode) },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 40 }) },
)

test('random bytes in the place of any file', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.constantFrom(...paths), anyBytes), { maxLength: 6 }),
      async (files) => {
        const disk = new MemoryDisk()
        disk.put(`${directory}/varve.json`, manifest)
        for (const [path, bytes] of files) disk.put(`${directory}/${path}`, bytes)
        await expectOnlyVarveErrors(disk)
      },
    ),
    { numRuns: 300 },
  )
}, 120_000)

test('heads, rows and payloads of any form, with every checksum right', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...folders),
      head,
      fc.array(row, { minLength: 1, maxLength: 3 }),
      fc.oneof(fc.uint8Array({ maxLength: 60 }), plain.map(encode)),
      fc.option(row, { nil: undefined }),
      async (folder, eventHead, rows, payload, commitRow) => {
        await expectOnlyVarveErrors(
          journalOf({ folder, events: [{ head: eventHead, rows, payload }], commitRow }),
        )
      },
    ),
    { numRuns: 300 },
  )
}, 120_000)

test('catalogs of any form, with their checksum right, are a miss', async () => {
  await fc.assert(
    fc.asyncProperty(fc.oneof(fc.uint8Array({ maxLength: 80 }), plain.map(encode)), async (section) => {
      const disk = journalOf({ ...deletedNode, snapshots: { journal: new Map([['journal', section]]) } })
      expect(await use(disk)).toEqual([])
    }),
    { numRuns: 200 },
  )
})

test.each(greedy())('a payload of %s is a VarveError', async (_, payload) => {
  await expectOnlyVarveErrors(journalOf({ folder: 'docstore', events: [{ ...addedNode, payload }] }))
})

/** Rows that a writer makes, of every type, with the payload that goes with them. */
const honest: Record<Folder, { type: string; row: unknown[]; dimensions?: number }[]> = {
  docstore: [
    { type: 'NodesAdded', row: ['a', 'hash', 'doc', { page: 1 }] },
    { type: 'NodesKept', row: ['a'] },
    { type: 'NodesDeleted', row: ['a'] },
    { type: 'RefDocsDeleted', row: ['doc'] },
    { type: 'HashesSet', row: ['a', 'hash'] },
    { type: 'RecordsSet', row: ['a', 'hash', 'doc', { extra: 1 }] },
    { type: 'RefDocsSet', row: ['doc', ['a', 'b'], { '\uf8ff': [{ x: 0 }, ['-/x'], [['', 'x']]] }, null] },
  ],
  index_store: [
    {
      type: 'StructsAdded',
      row: [
        'i',
        'keyword_table',
        [
          ['table', 'sets'],
          ['nodes', 'list'],
          ['map', 'map'],
        ],
      ],
    },
    { type: 'StructsDeleted', row: ['i'] },
    { type: 'EntriesChanged', row: ['i', 'field', 'new', 'map'] },
    { type: 'EntriesChanged', row: ['i', 'drop', 'map'] },
    { type: 'EntriesChanged', row: ['i', 'set', 'map', 'k', { v: 1 }] },
    { type: 'EntriesChanged', row: ['i', 'set', 'table', 'k', 5] },
    { type: 'EntriesChanged', row: ['i', 'delete', 'map', 'k'] },
    { type: 'EntriesChanged', row: ['i', 'add', 'table', 'k', 'n'] },
    { type: 'EntriesChanged', row: ['i', 'add', 'map', 'k', 'n'] },
    { type: 'EntriesChanged', row: ['i', 'remove', 'table', 'k', 'n'] },
    { type: 'EntriesChanged', row: ['i', 'append', 'nodes', 'n'] },
    { type: 'EntriesChanged', row: ['i', 'withdraw', 'nodes', 'n'] },
    { type: 'EntriesChanged', row: ['i', 'replace', 'summary', null, 'text'] },
  ],
  'vector_store/default': [
    { type: 'VectorsAdded', row: ['a', 'doc', 'TextNode', { page: 1 }], dimensions: 1 },
    { type: 'VectorsAdded', row: ['b', null, null, null], dimensions: 2 },
    { type: 'VectorsDeleted', row: ['a'] },
    { type: 'VectorsCleared', row: [] },
  ],
  graph_store: [
    { type: 'TripletsAdded', row: ['s', 'r', 'o'] },
    { type: 'TripletsDeleted', row: ['s', 'r', 'o'] },
  ],
  chat_store: [
    { type: 'ChatsBegun', row: ['c'] },
    { type: 'MessagesAdded', row: ['c', null] },
    { type: 'MessagesAdded', row: ['c', 0] },
    { type: 'MessagesDeleted', row: ['c', 0] },
    { type: 'ChatsDeleted', row: ['c'] },
  ],
  property_graph_store: [
    { type: 'GraphNodesSet', row: ['n', { label: 'entity', name: 'n', properties: {} }] },
    { type: 'GraphNodesDeleted', row: ['n'] },
    { type: 'RelationsSet', row: ['r', { label: 'r', source_id: 'n', target_id: 'n', properties: {} }] },
    { type: 'RelationsDeleted', row: ['r'] },
    { type: 'TripletsAdded', row: ['n', 'r', 'n'] },
    { type: 'TripletsDeleted', row: ['n', 'r', 'n'] },
  ],
}

/** Changed at one place, however deep, or not at all. */
function nearly(value: unknown): fc.Arbitrary<unknown> {
  const here = [
    fc.constant(value),
    fc.constantFrom(null, -1, 2 ** 60, Number.NaN, 1.5, '', '__proto__', true, 2n ** 70n, new Uint8Array(3)),
    plain,
  ]
  if (typeof value !== 'object' || value === null) return fc.oneof(...here)
  const members = Object.entries(value).map(([key, member]) =>
    nearly(member).map((changed) =>
      Array.isArray(value) ? value.with(Number(key), changed) : { ...value, [key]: changed },
    ),
  )
  const sizes = Array.isArray(value) ? [fc.constant([...value, null]), fc.constant(value.slice(0, -1))] : []
  return fc.oneof(...here, ...sizes, ...members)
}

const history = fc.constantFrom(...folders).chain((folder) =>
  fc.record({
    folder: fc.constant(folder),
    events: fc.array(
      fc.constantFrom(...honest[folder]).chain(({ type, row: whole, dimensions }) =>
        fc
          .oneof({ weight: 2, arbitrary: fc.constant(whole) }, { weight: 1, arbitrary: nearly(whole) })
          .map((changed) =>
            event(type, [changed], {
              payload: dimensions === undefined ? encode({}) : new Uint8Array(dimensions * 4).fill(1),
              ...(dimensions !== undefined && { dimensions }),
            }),
          ),
      ),
      { minLength: 1, maxLength: 6 },
    ),
  }),
)

test('events that are nearly those of a writer', async () => {
  await fc.assert(
    fc.asyncProperty(history, async (handmade) => expectOnlyVarveErrors(journalOf(handmade))),
    { numRuns: 600 },
  )
}, 120_000)

const node = {
  class: 'IndexNode',
  className: 'Other',
  text: 'text',
  metadata: { a: 1 },
  relationships: { SOURCE: { nodeId: 's', metadata: {} } },
  excludedEmbedMetadataKeys: ['a'],
  startCharIdx: 1,
  embedding: new Uint8Array(16),
  textEmbedding32: new Uint8Array(8),
  obj: { id: 'b', node: { text: 'inner' } },
  imageResource: { data: new Uint8Array(3), url: 'u' },
  floats: ['-/metadata/a'],
  keyOrders: [['/metadata', 'a']],
  carriedHash: ['x', 'y'],
}

test('nodes that are nearly those of a writer', async () => {
  await fc.assert(
    fc.asyncProperty(nearly(node), async (stored) => {
      const events = [{ ...addedNode, payload: encode(stored) }]
      await expectOnlyVarveErrors(journalOf({ folder: 'docstore', events }))
    }),
    { numRuns: 300 },
  )
}, 120_000)

test('commits that are nearly those of a writer', async () => {
  const note = { message: 'm', actor: 'a', metadata: { x: 1 }, names: { docstore: 'docstore' } }
  const part = ['docstore', 1, 64, 216, 1, new Uint8Array(32)]
  const head = ['Commit', 1, 1, new Uint8Array(32), 0, 'data', [part]]
  await fc.assert(
    fc.asyncProperty(nearly(note), fc.option(nearly(head)), async (row, changed) => {
      const commitHead = changed === null ? undefined : () => changed
      await expectOnlyVarveErrors(journalOf({ ...deletedNode, commitRow: encode(row), commitHead }))
    }),
    { numRuns: 300 },
  )
}, 120_000)

/** What each table of the document store holds for one key. */
const entries: Record<string, unknown> = {
  nodes: [1, 64, 10, 5],
  records: ['hash', 'doc', null],
  refDocs: [['a'], { page: 1 }, null],
}

function table(value: unknown): Uint8Array {
  const builder = new TableBaseBuilder()
  for (const [order, key] of ['a', 'b', 'c'].entries()) builder.add({ key, order, value: encode(value) })
  return builder.build(3)
}

function snapshotOf(tables: Record<string, Uint8Array>): Handmade {
  return { ...deletedNode, snapshots: { docstore: new Map(Object.entries(tables)) } }
}

test('tables of any words, with their checksum right, are a miss or hold VarveErrors', async () => {
  const word = fc.oneof(fc.nat(8), fc.constantFrom(0xffffffff, 0x80000000, 0x7fffffff))
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...Object.keys(entries)),
      fc.array(fc.tuple(fc.nat(60), word), { minLength: 1, maxLength: 4 }),
      async (name, words) => {
        const tables = Object.fromEntries(
          Object.entries(entries).map(([each, value]) => [each, table(value)]),
        )
        const bytes = Buffer.from(tables[name]!)
        for (const [at, value] of words) if (at * 4 + 4 <= bytes.length) bytes.writeUInt32LE(value, at * 4)
        await expectOnlyVarveErrors(journalOf(snapshotOf({ ...tables, [name]: bytes })))
      },
    ),
    { numRuns: 300 },
  )
}, 120_000)

test('values in tables that are nearly those of a writer', async () => {
  await fc.assert(
    fc.asyncProperty(fc.record(mapped(entries, nearly)), async (values) => {
      await expectOnlyVarveErrors(journalOf(snapshotOf(mapped(values, table))))
    }),
    { numRuns: 300 },
  )
}, 120_000)

function mapped<T>(values: Record<string, unknown>, map: (value: unknown) => T): Record<string, T> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, map(value)]))
}

const mebibyte = 1024 * 1024

test.each(greedy())('%s, with every checksum right, costs no more than it is', async (_, bytes) => {
  const before = highestMemory()
  for (const place of [{ head: bytes }, { rows: [bytes] }, { payload: bytes }])
    await use(journalOf({ folder: 'docstore', events: [{ ...addedNode, ...place }] }))
  await use(journalOf({ folder: 'docstore', events: [addedNode], commitRow: bytes }))
  expect((highestMemory() - before) / mebibyte).toBeLessThan(64)
})

/** What promises more than there is, or goes deep. */
function greedy(): [what: string, bytes: Uint8Array][] {
  return [
    ['an array of 4 billion', Buffer.from('ddffffffff', 'hex')],
    ['an array of 33 million', Buffer.from('dd01ffffff', 'hex')],
    ['arrays of 33 million in each other', Buffer.from('dd01ffffff'.repeat(100), 'hex')],
    ['arrays of 65,535 in each other', Buffer.from('dcffff'.repeat(3000), 'hex')],
    [
      'arrays that all claim what is left',
      Buffer.concat([Buffer.from('dd0000f000'.repeat(4000), 'hex'), Buffer.alloc(62_000)]),
    ],
    ['maps of 4 billion in each other', Buffer.from('dfffffffff'.repeat(100), 'hex')],
    ['bytes of 4 billion', Buffer.from('c6ffffffff', 'hex')],
    ['a string of 4 billion', Buffer.from('dbffffffff', 'hex')],
    ['an extension of 4 billion', Buffer.from('c9ffffffff01', 'hex')],
    ['arrays in each other, 100,000 deep', Buffer.alloc(100_000, 0x91)],
    ['maps in each other, 100,000 deep', Buffer.alloc(100_000, 0x81)],
  ]
}

/** The most that was ever in use: what was freed since counts, too. */
function highestMemory(): number {
  return process.resourceUsage().maxRSS * 1024
}

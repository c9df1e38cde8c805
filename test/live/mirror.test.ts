// Whoever follows `changes()` from the start, however slowly, has what the follower has.
import { expect, test } from 'vitest'
import { MemoryDisk } from '../../src/disk/memory-disk.ts'
import {
  TextNode,
  type Change,
  type SimpleVectorStore,
  type StorageContext,
  type VarveError,
} from '../../src/index.ts'
import { seededRandom } from '../support/seeded.ts'
import { addNode, follow, pause, until, write } from './support.ts'

const runs = process.env['CI'] ? 30 : 8
const firstSeed = Math.floor(Math.random() * 1e6)
console.log(`mirror.test.ts: seeds ${firstSeed} to ${firstSeed + runs - 1}`)

type Below = (count: number) => number

/** The keys that somebody knows of who was told nothing but changes. Who comes to a commit late may not be told of what was erased since, but that it was. */
class Mirror {
  readonly numbers: number[] = []
  readonly faults: string[] = []
  readonly #keys = new Map<string, Set<string>>()

  take({ commit, stores }: Change): void {
    this.numbers.push(commit.number)
    for (const { store, added, changed, removed } of stores) {
      const keys = this.#keys.get(store) ?? new Set()
      this.#keys.set(store, keys)
      const fault = (what: string, key: unknown): void =>
        void this.faults.push(`commit ${commit.number} ${what} ${store} ${JSON.stringify(key)}`)
      for (const key of added) if (!addTo(keys, key)) fault('adds again', key)
      for (const key of changed) if (!keys.has(JSON.stringify(key))) fault('changes what is not there', key)
      for (const key of removed)
        if (!keys.delete(JSON.stringify(key))) fault('removes what is not there', key)
    }
  }

  of(store: string): string[] {
    return Array.from(this.#keys.get(store) ?? [], (key) => JSON.parse(key) as string).toSorted()
  }
}

function addTo(keys: Set<string>, key: unknown): boolean {
  const text = JSON.stringify(key)
  return !keys.has(text) && keys.add(text).has(text)
}

/** Reads on, with pauses, until the signal says so. */
function mirrorOf(follower: StorageContext, signal: AbortSignal, pauseMs: () => number | undefined): Mirror {
  const mirror = new Mirror()
  const read = async (): Promise<void> => {
    for await (const change of follower.changes({ from: 'start', signal })) {
      mirror.take(change)
      const ms = pauseMs()
      if (ms !== undefined) await pause(ms)
    }
  }
  read().catch((error: unknown) => mirror.faults.push(String(error)))
  return mirror
}

function writes(writer: StorageContext, below: Below): (() => Promise<unknown>)[] {
  const id = (): string => `n${below(8)}`
  const source = (): string => `s${below(3)}`
  const make = (): TextNode =>
    new TextNode({
      id_: id(),
      text: `text ${below(1000)}`,
      embedding: [below(9), 1],
      ...(below(2) === 0 && { relationships: { SOURCE: { nodeId: source(), metadata: {} } } }),
    })
  return [
    () => writer.docstore.addDocuments([make()]),
    () => writer.docstore.deleteDocument(id(), { raiseError: false }),
    () => writer.docstore.deleteRefDoc(source(), { raiseError: false }),
    async () => {
      const node = make()
      await writer.vectorStore.delete(node.id_)
      await writer.vectorStore.add([node])
    },
    () => writer.graphStore.upsertTriplet(`g${below(3)}`, 'is', `h${below(3)}`),
    () => writer.graphStore.delete(`g${below(3)}`, 'is', `h${below(3)}`),
    () =>
      writer.indexStore.addIndexStruct({
        indexId: `i${below(2)}`,
        type: 'list',
        nodes: Array.from({ length: below(3) }, id),
      }),
    () => writer.indexStore.deleteIndexStruct(`i${below(2)}`),
  ]
}

async function ids(storage: StorageContext): Promise<string[]> {
  const all: string[] = []
  for await (const id of storage.docstore.ids()) all.push(id)
  return all.toSorted()
}

async function unlessErased(asking: Promise<unknown>): Promise<void> {
  await asking.catch((error: VarveError) => {
    if (error.code !== 'VARVE_ERASED') throw error
  })
}

test.each(Array.from({ length: runs }, (_, at) => firstSeed + at))(
  'of random writes, erases and questions to the history, seed %i',
  { timeout: 60_000 },
  async (seed) => {
    const random = seededRandom(seed)
    const below: Below = (count) => Math.floor(random() * count)
    const disk = new MemoryDisk()
    const writer = await write(disk)
    for (let at = 0; at < 8; at++) await addNode(writer, `n${at}`) // Only what was there can be erased.
    const follower = await follow(disk, { poll: 2 })
    const stop = new AbortController()
    const mirrors = [() => undefined, () => 0, () => below(12)].map((ms) =>
      mirrorOf(follower, stop.signal, ms),
    )
    await pause(20)
    const some = writes(writer, below)
    for (let step = 0; step < 60; step++) {
      for (let count = below(4); count >= 0; count--) await some[below(some.length)]!()
      await writer.persist()
      if (below(12) === 0) await writer.history.erase({ nodeIds: [`n${below(8)}`], reason: 'on request' })
      if (below(8) === 0) await unlessErased(follower.history.log().next())
      if (below(4) === 0)
        await unlessErased(follower.docstore.getDocument(`n${below(8)}`, { raiseError: false }))
      if (below(3) === 0) await pause(below(10))
    }
    const last = await addNode(writer, 'last')
    const isOver = (mirror: Mirror): boolean => mirror.faults.length > 0 || mirror.numbers.at(-1) === last
    await until(() => mirrors.every(isOver))
    const vectors = await (follower.vectorStore as SimpleVectorStore).ids()
    for (const mirror of mirrors) {
      expect(mirror.faults).toEqual([])
      expect(mirror.numbers).toEqual(Array.from({ length: last }, (_, at) => at + 1))
      const nodes = mirror.of('docstore').filter((id) => !id.startsWith('s'))
      expect(nodes).toEqual((await ids(follower)).filter((id) => !id.startsWith('s')))
      expect(mirror.of('vector_store/default')).toEqual(vectors.toSorted())
      const structs = await follower.indexStore.indexStructs()
      expect(mirror.of('index_store')).toEqual(structs.map(({ indexId }) => indexId).toSorted())
    }
    stop.abort()
    await follower.close()
    await writer.close()
  },
)

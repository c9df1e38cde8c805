/** A journal in memory with all that a verifier can meet: five stores, three sessions of which one was killed, early writes, a rollback, snapshots. */
import { MemoryDisk } from '../../src/disk/memory-disk.ts'
import { kindOf } from '../../src/stores/store-kinds.ts'
import type { Commit } from '../../src/journal/commit.ts'
import type { EventInput } from '../../src/journal/event.ts'
import { Home } from '../../src/journal/home.ts'
import { Journal } from '../../src/journal/journal.ts'
import type { JournalOptions } from '../../src/journal/journal-options.ts'
import { FrameReader, isFault, type ReadFrame } from '../../src/log/frame-reader.ts'
import { makeDirectoryDurable } from '../../src/log/durable-directory.ts'
import { namespaceFolder } from '../../src/log/names.ts'
import type { Part } from '../../src/log/part.ts'
import { nodesAdded, nodesDeleted } from '../../src/stores/document-events.ts'
import { tripletsAdded } from '../../src/stores/graph-events.ts'
import { entriesChanged, structsAdded } from '../../src/stores/index-events.ts'
import { Document } from '../../src/stores/node.ts'
import { vectorsAdded } from '../../src/stores/vector-events.ts'
import { seededBytes } from '../support/seeded.ts'

export const directory = '/data/storage'
const dimensions = 4
export const oddNamespace = 'Größe/über alles'
export const oddFolder = namespaceFolder('vector_store', oddNamespace)
const limits = {
  spillBytes: 3000,
  splitBytes: 4000,
  segmentBytes: 40_000,
  snapshotRowsBytes: 1500,
  catalogCommits: 4,
}

export function sampleOptions(disk: MemoryDisk, options: Partial<JournalOptions> = {}): JournalOptions {
  let time = Date.UTC(2026, 0, 1)
  return {
    disk,
    kindOf,
    durability: 'commit',
    clock: () => new Date((time += 60_000)),
    random: seededBytes(disk.operations + 1),
    onWarning: () => {},
    limits,
    ...options,
  }
}

export async function append(journal: Journal, folder: string, event: EventInput): Promise<void> {
  await journal.load(folder)
  await journal.write(folder, (_, add) => add(event))
}

export function nodes(ids: readonly string[], words = 5): EventInput {
  const added = ids.map((id) => ({
    node: new Document({
      id_: id,
      text: `${id} says ${'something '.repeat(words)}`,
      metadata: { source: id },
    }),
    refDocMetadata: undefined,
    storeText: true,
  }))
  return nodesAdded(added)
}

export function vectors(ids: readonly string[]): EventInput {
  const matrix = Float32Array.from({ length: ids.length * dimensions }, (_, at) => at + 0.5)
  const infos = ids.map((id) => ({ id, refDocId: id, className: undefined, metadata: undefined }))
  return vectorsAdded(infos, matrix, dimensions)
}

export function numbered(prefix: string, count: number, from = 1): string[] {
  return Array.from({ length: count }, (_, index) => `${prefix}${from + index}`)
}

/** Ten commits. The one at the end is of a session that ended in order, unless `open`. */
export async function sampleJournal({ open = false } = {}): Promise<{ disk: MemoryDisk; journal: Journal }> {
  const disk = new MemoryDisk()
  await makeDirectoryDurable(disk, directory)
  const first = await Journal.open(directory, sampleOptions(disk))
  await append(first, 'docstore', nodes(numbered('a', 8)))
  await append(first, 'vector_store/default', vectors(numbered('a', 8)))
  await first.persist({ message: 'first import', actor: 'ingest', metadata: { files: 8 } })
  await append(
    first,
    'index_store',
    structsAdded([{ indexId: 'i', type: 'vector_store', fields: [['nodes_dict', 'map']] }]),
  )
  const entries = numbered('a', 8).map((key) => ({
    op: 'set' as const,
    field: 'nodes_dict',
    key,
    value: key,
  }))
  await append(first, 'index_store', entriesChanged('i', entries))
  await first.persist({ message: 'build the index' })
  await append(first, 'docstore', nodesDeleted(['a3']))
  await first.persist({ message: 'a3 is outdated', actor: 'reviewer' })
  await first.close()

  const killed = disk.asProcess({ pid: 7 })
  const second = await Journal.open(directory, sampleOptions(killed))
  // Large enough to be written early, in segments of their own.
  for (let from = 1; from <= 40; from += 10)
    await append(second, 'docstore', nodes(numbered('b', 10, from), 20))
  await second.persist({ message: 'bulk load' })
  await append(
    second,
    'graph_store',
    tripletsAdded([
      ['a1', 'cites', 'b1'],
      ['a2', 'cites', 'b2'],
    ]),
  )
  await append(second, oddFolder, vectors(numbered('o', 3)))
  second.name(oddFolder, oddNamespace)
  await second.persist()
  killed.kill()

  const journal = await Journal.open(directory, sampleOptions(disk.asProcess({ pid: 8 })))
  for (let from = 1; from <= 40; from += 10)
    await append(journal, 'docstore', nodes(numbered('x', 10, from), 20))
  await journal.rollback()
  for (let at = 1; at <= 5; at++) {
    await append(journal, 'docstore', nodes(numbered(`c${at}-`, 3), 10))
    await append(journal, 'property_graph_store', tripletsAdded([[`s${at}`, 'knows', `t${at}`]]))
    await journal.persist({ message: `day ${at}`, actor: 'cron' })
  }
  if (!open) await journal.close()
  return { disk, journal }
}

/** Where things stand in a journal that is whole. */
export class Places {
  readonly disk: MemoryDisk
  readonly commits: Awaited<ReturnType<Home['commit']>>[] = []
  readonly offsets: { segment: number; offset: number }[] = []
  #home!: Home

  private constructor(disk: MemoryDisk) {
    this.disk = disk
  }

  static async of(disk: MemoryDisk): Promise<Places> {
    const places = new Places(disk)
    const home = (places.#home = (await Home.open(disk, directory))!)
    const { offsets, end } = home.catalog
    for (let number = 1; number <= end.number; number++) {
      places.commits.push(await home.commit(number))
      places.offsets.push({ segment: offsets[number * 2 - 2]!, offset: offsets[number * 2 - 1]! })
    }
    return places
  }

  part(commit: number, folder: string, nth = 0): Part {
    return this.commits[commit - 1]!.parts.filter((part) => part.folder === folder)[nth]!
  }

  path(folder: string, segment: number): string {
    return this.#home.files.path(folder, segment)
  }

  /** The frames of a part, with where each one's cells begin. */
  async frames({ folder, segment, from, to }: Part): Promise<(ReadFrame & { rowOffsets: number[] })[]> {
    const file = await this.disk.openToRead(this.path(folder, segment))
    const frames: (ReadFrame & { rowOffsets: number[] })[] = []
    for (let offset = from; offset < to;) {
      const frame = await new FrameReader(file).read(offset, to)
      if (isFault(frame)) throw new Error(frame.fault)
      let cell = offset + frame.hashed.length
      const rowOffsets = frame.items.map(({ row }) => {
        const start = cell + 24
        cell = start + row.length
        return start
      })
      frames.push({ ...frame, rowOffsets })
      offset += frame.sizeBytes
    }
    return frames
  }
}

export function edit(disk: MemoryDisk, path: string, change: (bytes: Uint8Array) => Uint8Array | void): void {
  const bytes = Uint8Array.from(disk.peek(path))
  disk.put(path, change(bytes) ?? bytes)
}

export function flip(disk: MemoryDisk, path: string, offset: number): void {
  edit(disk, path, (bytes) => void (bytes[offset]! ^= 0x10))
}

/** All that a journal holds: of every store its tables, payloads included, and its commits without their hashes. */
export async function contentsOf(
  disk: MemoryDisk,
  where: string,
): Promise<{ commits: Omit<Commit, 'hash'>[]; stores: Map<string, Map<string, string>> }> {
  const journal = await Journal.open(where, sampleOptions(disk))
  const commits: Omit<Commit, 'hash'>[] = []
  for await (const { hash: _, ...commit } of journal.commits()) commits.push(commit)
  const stores = new Map<string, Map<string, string>>()
  for (const folder of journal.folders().keys()) {
    const state = await journal.load(folder)
    const found = new Map<string, string>()
    for (const [name, table] of Object.entries(state)) {
      for (const [key, value] of table.entries()) found.set(`${name} ${key}`, shown(journal, folder, value))
    }
    stores.set(folder, found)
  }
  await journal.close()
  return { commits, stores }
}

/** Values as text, with the bytes that a position stands for in its place: positions differ from journal to journal. */
function shown(journal: Journal, folder: string, value: unknown): string {
  return JSON.stringify(value, (key, member: unknown) => {
    if (member instanceof Map) return [...member]
    if (member instanceof Set) return [...member]
    if (typeof member === 'object' && member !== null && 'crc' in member) {
      return Buffer.from(journal.payload(folder, member as never)).toString('hex')
    }
    return member
  })
}

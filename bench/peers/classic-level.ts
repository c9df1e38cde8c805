/** classic-level: LevelDB with a sublevel for each kind, one synced batch an operation. */
import { join } from 'node:path'
import { ClassicLevel } from 'classic-level'
import type { Contestant, Store } from '../contestant.ts'
import { floats, packed, unpacked, type Packed } from './packed.ts'

export const contestant: Contestant<Packed> = {
  note: 'LevelDB; three sublevels, one batch with `sync`; a load is one batch for every 1,000 nodes; no vector search',
  keeps: 'durable',
  own: packed,
  async open(directory) {
    const database = new ClassicLevel<string, Buffer>(join(directory, 'level'), { valueEncoding: 'buffer' })
    const store = new LevelStore(database)
    await store.opened()
    return store
  },
}

const synced = { sync: true }
const nothing = Buffer.alloc(0)

class LevelStore implements Store<Packed> {
  readonly concurrent = true
  readonly #database: ClassicLevel<string, Buffer>
  readonly #documents
  readonly #vectors
  readonly #entries

  constructor(database: ClassicLevel<string, Buffer>) {
    this.#database = database
    this.#documents = database.sublevel<string, Buffer>('documents', { valueEncoding: 'buffer' })
    this.#vectors = database.sublevel<string, Buffer>('vectors', { valueEncoding: 'buffer' })
    this.#entries = database.sublevel<string, Buffer>('entries', { valueEncoding: 'buffer' })
  }

  async opened(): Promise<void> {
    for (const level of [this.#database, this.#documents, this.#vectors, this.#entries]) await level.open()
  }

  async load(batches: Iterable<Packed[]>): Promise<void> {
    for (const nodes of batches) await this.put(nodes)
  }

  put(nodes: Packed[]): Promise<void> {
    const batch = this.#database.batch()
    for (const { id, node, vector } of nodes) {
      batch.put(id, node(), { sublevel: this.#documents })
      batch.put(id, vector, { sublevel: this.#vectors })
      batch.put(`bench ${id}`, nothing, { sublevel: this.#entries })
    }
    return batch.write(synced)
  }

  delete(ids: string[]): Promise<void> {
    const batch = this.#database.batch()
    for (const id of ids) {
      batch.del(id, { sublevel: this.#documents })
      batch.del(id, { sublevel: this.#vectors })
      batch.del(`bench ${id}`, { sublevel: this.#entries })
    }
    return batch.write(synced)
  }

  /** Synchronously, which for a single key is faster than a thread of the pool. */
  get(id: string): object {
    return unpacked(this.#documents.getSync(id)!)
  }

  async readAll(): Promise<{ nodes: object[]; vectors: number }> {
    const nodes = (await this.#documents.values().all()).map(unpacked)
    const vectors = (await this.#vectors.values().all()).map(floats)
    return { nodes, vectors: vectors.length }
  }

  async close(): Promise<void> {
    await this.#database.close()
  }
}

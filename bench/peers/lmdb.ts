/** lmdb-js: a memory-mapped B+ tree with three databases, one transaction an operation. */
import { join } from 'node:path'
import { open, type Database, type RootDatabase } from 'lmdb'
import type { Contestant, Store } from '../contestant.ts'
import { floats, packed, unpacked, type Packed } from './packed.ts'

export const contestant: Contestant<Packed> = {
  note: 'three databases, one transaction, then `flushed`, which is its fdatasync; no vector search, no checksums',
  keeps: 'durable',
  own: packed,
  open: async (directory) => new LmdbStore(open({ path: join(directory, 'lmdb') })),
}

class LmdbStore implements Store<Packed> {
  readonly concurrent = true
  readonly #root: RootDatabase
  readonly #documents: Database<Buffer, string>
  readonly #vectors: Database<Buffer, string>
  readonly #entries: Database<string, string[]>

  constructor(root: RootDatabase) {
    this.#root = root
    this.#documents = root.openDB('documents', { encoding: 'binary' })
    this.#vectors = root.openDB('vectors', { encoding: 'binary' })
    this.#entries = root.openDB('entries', { encoding: 'string' })
  }

  load(batches: Iterable<Packed[]>): Promise<void> {
    return this.#durably(() => {
      for (const nodes of batches) this.#putAll(nodes)
    })
  }

  put(nodes: Packed[]): Promise<void> {
    return this.#durably(() => this.#putAll(nodes))
  }

  delete(ids: string[]): Promise<void> {
    return this.#durably(() => {
      for (const id of ids) {
        this.#documents.removeSync(id)
        this.#vectors.removeSync(id)
        this.#entries.removeSync(['bench', id])
      }
    })
  }

  get(id: string): object {
    return unpacked(this.#documents.get(id)!)
  }

  async readAll(): Promise<{ nodes: object[]; vectors: number }> {
    const nodes = Array.from(this.#documents.getRange(), ({ value }) => unpacked(value))
    const vectors = Array.from(this.#vectors.getRange(), ({ value }) => floats(value))
    return { nodes, vectors: vectors.length }
  }

  async close(): Promise<void> {
    await this.#root.close()
  }

  async #durably(change: () => void): Promise<void> {
    await this.#root.transaction(change)
    await this.#root.flushed
  }

  #putAll(nodes: Packed[]): void {
    for (const { id, node, vector } of nodes) {
      this.#documents.putSync(id, node())
      this.#vectors.putSync(id, vector)
      this.#entries.putSync(['bench', id], id)
    }
  }
}

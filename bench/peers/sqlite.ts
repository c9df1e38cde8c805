/** better-sqlite3: three tables that share a node's integer key, in WAL mode, synced at every commit. */
import { join } from 'node:path'
import Sqlite, { type Database, type Statement } from 'better-sqlite3'
import type { Contestant, Store } from '../contestant.ts'
import { floats, packed, unpacked, type Packed } from './packed.ts'

export const contestant: Contestant<Packed> = {
  note: 'WAL, synchronous = FULL; three tables, one transaction; no vector search, no checksums; its calls block',
  keeps: 'durable',
  own: packed,
  open: async (directory) => new SqliteStore(new Sqlite(join(directory, 'bench.sqlite'))),
}

const schema = `
  CREATE TABLE IF NOT EXISTS documents (key INTEGER PRIMARY KEY, id TEXT UNIQUE, node BLOB);
  CREATE TABLE IF NOT EXISTS vectors (key INTEGER PRIMARY KEY, vector BLOB);
  CREATE TABLE IF NOT EXISTS entries (index_id TEXT, key INTEGER, PRIMARY KEY (index_id, key)) WITHOUT ROWID;
`

class SqliteStore implements Store<Packed> {
  readonly concurrent = true
  readonly #database: Database
  readonly #get: Statement<[string], { key: number; node: Buffer }>
  readonly #changes: Record<
    'document' | 'vector' | 'entry' | 'noDocument' | 'noVector' | 'noEntry',
    Statement
  >

  constructor(database: Database) {
    this.#database = database
    database.pragma('journal_mode = WAL')
    database.pragma('synchronous = FULL')
    database.exec(schema)
    this.#get = database.prepare('SELECT key, node FROM documents WHERE id = ?')
    this.#changes = {
      document: database.prepare(
        'INSERT INTO documents (id, node) VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET node = excluded.node RETURNING key',
      ),
      vector: database.prepare('INSERT OR REPLACE INTO vectors VALUES (?, ?)'),
      entry: database.prepare("INSERT OR REPLACE INTO entries VALUES ('bench', ?)"),
      noDocument: database.prepare('DELETE FROM documents WHERE id = ? RETURNING key'),
      noVector: database.prepare('DELETE FROM vectors WHERE key = ?'),
      noEntry: database.prepare("DELETE FROM entries WHERE index_id = 'bench' AND key = ?"),
    }
  }

  async load(batches: Iterable<Packed[]>): Promise<void> {
    this.#database.transaction(() => {
      for (const nodes of batches) this.#putAll(nodes)
    })()
  }

  async put(nodes: Packed[]): Promise<void> {
    this.#database.transaction(() => this.#putAll(nodes))()
  }

  async delete(ids: string[]): Promise<void> {
    this.#database.transaction(() => {
      for (const id of ids) {
        const { key } = this.#changes.noDocument.get(id) as { key: number }
        this.#changes.noVector.run(key)
        this.#changes.noEntry.run(key)
      }
    })()
  }

  get(id: string): object {
    return unpacked(this.#get.get(id)!.node)
  }

  async readAll(): Promise<{ nodes: object[]; vectors: number }> {
    const all = (column: string, table: string) =>
      this.#database.prepare<[], Buffer>(`SELECT ${column} FROM ${table}`).pluck().iterate()
    const nodes = Array.from(all('node', 'documents'), unpacked)
    const vectors = Array.from(all('vector', 'vectors'), floats)
    return { nodes, vectors: vectors.length }
  }

  async close(): Promise<void> {
    this.#database.close()
  }

  #putAll(nodes: Packed[]): void {
    for (const { id, node, vector } of nodes) {
      const { key } = this.#changes.document.get(id, node()) as { key: number }
      this.#changes.vector.run(key, vector)
      this.#changes.entry.run(key)
    }
  }
}

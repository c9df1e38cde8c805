/** LanceDB: one table with all of a node in a row, and a B-tree over the ids. */
import { join } from 'node:path'
import { connect, Index, type Connection, type Table } from '@lancedb/lancedb'
import * as arrow from 'apache-arrow'
import type { Contestant, Store } from '../contestant.ts'
import { dimensions } from '../nodes.ts'
import { packed, unpacked, type Packed } from './packed.ts'

export const contestant: Contestant<Packed> = {
  note: 'one row a node, one version of the table an operation, and nothing is synced; a load is one version for every 1,000 nodes, then a B-tree over the ids; exact search. 32 callers at once wait for minutes, since its merges conflict',
  keeps: 'not synced',
  own: packed,
  async open(directory) {
    const connection = await connect(join(directory, 'lance'))
    const known = await connection.tableNames()
    return new LanceStore(
      connection,
      known.includes('nodes') ? await connection.openTable('nodes') : undefined,
    )
  },
}

class LanceStore implements Store<Packed> {
  readonly #connection: Connection
  #table: Table | undefined

  constructor(connection: Connection, table: Table | undefined) {
    this.#connection = connection
    this.#table = table
  }

  async load(batches: Iterable<Packed[]>): Promise<void> {
    for (const nodes of batches) {
      const rows = rowsOf(nodes)
      if (this.#table === undefined) this.#table = await this.#connection.createTable('nodes', rows)
      else await this.#table.add(rows)
    }
    await this.#table!.createIndex('id', { config: Index.btree() })
  }

  async put(nodes: Packed[]): Promise<void> {
    const rows = rowsOf(nodes)
    await this.#table!.mergeInsert('id').whenMatchedUpdateAll().whenNotMatchedInsertAll().execute(rows)
  }

  async delete(ids: string[]): Promise<void> {
    await this.#table!.delete(`id IN (${ids.map((id) => `'${id}'`).join(', ')})`)
  }

  async get(id: string): Promise<object> {
    const [row] = await this.#table!.query().where(`id = '${id}'`).select(['node']).limit(1).toArray()
    return unpacked((row as { node: Uint8Array }).node)
  }

  async readAll(): Promise<{ nodes: object[]; vectors: number }> {
    const all: arrow.Table = await this.#table!.query().toArrow()
    const nodes = Array.from(all.getChild('node')!, (node) => unpacked(node as Uint8Array))
    const vectors = Array.from(all.getChild('vector')!, (vector) =>
      (vector as { toArray(): Float32Array }).toArray(),
    )
    return { nodes, vectors: vectors.length }
  }

  async topTen(vector: Float32Array): Promise<string[]> {
    const hits = await this.#table!.vectorSearch(vector)
      .distanceType('cosine')
      .select(['id', '_distance'])
      .limit(10)
      .toArray()
    return hits.map(({ id }: { id: string }) => id)
  }

  async close(): Promise<void> {
    this.#table?.close()
    this.#connection.close()
  }
}

function rowsOf(nodes: Packed[]): arrow.Table {
  const matrix = new Float32Array(nodes.length * dimensions)
  for (const [at, { vector }] of nodes.entries())
    matrix.set(new Float32Array(vector.buffer, vector.byteOffset, dimensions), at * dimensions)
  const floats = arrow.makeData({ type: new arrow.Float32(), data: matrix })
  const item = new arrow.Field('item', new arrow.Float32(), true)
  const vectors = arrow.makeData({
    type: new arrow.FixedSizeList(dimensions, item),
    length: nodes.length,
    child: floats,
  })
  const texts = (all: string[]) => arrow.vectorFromArray(all, new arrow.Utf8())
  return new arrow.Table({
    id: texts(nodes.map(({ id }) => id)),
    index_id: texts(nodes.map(() => 'bench')),
    node: arrow.vectorFromArray(
      nodes.map(({ node }) => node()),
      new arrow.Binary(),
    ),
    vector: new arrow.Vector([vectors]),
  })
}

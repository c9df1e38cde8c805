/** What the machine can do: the payload's bytes and nothing else, appended to one file, synced, and read where nobody has to look for them. */
import { closeSync, fdatasyncSync, fstatSync, openSync, readFileSync, readSync, writevSync } from 'node:fs'
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import type { Contestant, Store } from '../contestant.ts'
import { nodeAt, vectorBytes } from '../nodes.ts'
import { payloadOf } from '../payload.ts'

const nodeBytes = 1200

export const contestant: Contestant<Buffer> = {
  note: 'no store: plain append + fdatasync of the payload, plain reads; a query reads a matrix in memory once',
  keeps: 'durable',
  own: payloadOf,
  open: async (directory) => new PlainFile(join(directory, 'plain')),
}

class PlainFile implements Store<Buffer> {
  readonly concurrent = true
  readonly #path: string
  readonly #file: number
  readonly #size: number
  #matrix: Buffer | undefined

  constructor(path: string) {
    this.#path = path
    this.#file = openSync(path, 'a+')
    this.#size = fstatSync(this.#file).size
  }

  async load(batches: Iterable<Buffer[]>): Promise<void> {
    for (const payloads of batches) writevSync(this.#file, payloads)
    fdatasyncSync(this.#file)
  }

  put(payloads: Buffer[]): Promise<void> {
    return this.load([payloads])
  }

  delete(ids: string[]): Promise<void> {
    return this.load([[Buffer.from(ids.join(''))]])
  }

  get(id: string): object {
    const node = Buffer.allocUnsafe(nodeBytes)
    readSync(this.#file, node, 0, nodeBytes, Number.parseInt(id.slice(0, 8), 16) % (this.#size - nodeBytes))
    return node
  }

  async readAll(): Promise<{ nodes: object[]; vectors: number }> {
    return { nodes: [readFileSync(this.#path)], vectors: 0 }
  }

  /** A search for what is not there reads all, as fast as the machine can. */
  async topTen(): Promise<string[]> {
    this.#matrix ??= Buffer.alloc((this.#size / payloadOf(nodeAt(0)).length) * vectorBytes, 2)
    this.#matrix.indexOf(1)
    return []
  }

  hashAll(algorithm: 'sha256' | 'crc32'): void {
    const bytes = readFileSync(this.#path)
    if (algorithm === 'crc32') crc32(bytes)
    else createHash(algorithm).update(bytes).digest()
  }

  async close(): Promise<void> {
    closeSync(this.#file)
  }
}

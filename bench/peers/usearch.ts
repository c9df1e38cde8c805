/** USearch's exact search: one thread over a matrix in memory, and no store at all. */
import { readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import type * as USearch from 'usearch'
import type { Contestant, Store } from '../contestant.ts'
import { dimensions, type Node } from '../nodes.ts'

export const contestant: Contestant<Node> = {
  note: 'no store: `exactSearch` with one thread over a matrix in memory; its answers are rows',
  keeps: 'vectors only',
  own: (node) => node,
  open: async (directory) => new Matrix(join(directory, 'matrix')),
}

class Matrix implements Store<Node> {
  readonly #path: string
  #matrix: Float32Array | undefined

  constructor(path: string) {
    this.#path = path
  }

  async load(batches: Iterable<Node[]>): Promise<void> {
    writeFileSync(this.#path, '')
    for (const nodes of batches)
      writeFileSync(this.#path, Buffer.concat(nodes.map(({ embedding }) => Buffer.from(embedding.buffer))), {
        flag: 'a',
      })
  }

  async topTen(vector: Float32Array): Promise<string[]> {
    const { exactSearch, MetricKind } = usearch()
    this.#matrix ??= new Float32Array(readFileSync(this.#path).buffer)
    const { keys } = exactSearch(this.#matrix, vector, dimensions, 10, MetricKind.Cos, 1)
    return Array.from(keys, String)
  }

  async close(): Promise<void> {}
}

/** Its ES module finds its own binary only where a stack trace has a certain form. */
function usearch(): typeof USearch {
  return createRequire(import.meta.url)('usearch') as typeof USearch
}

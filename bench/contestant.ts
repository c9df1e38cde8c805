/** What every store under test can be asked. One that lacks a method leaves out the jobs that need it, and its `note` says why. */
import type { Node } from './nodes.ts'

export interface Contestant<Own = unknown> {
  /** How it keeps a node durable, and what of the job it cannot do. */
  note: string
  /** `durable`: what it acknowledged is on the disk. Others are shown and not ranked where that matters. */
  keeps: 'durable' | 'not synced' | 'vectors only'
  /** Not counted: the node as its users have it in memory. */
  own(node: Node): Own
  open(directory: string): Promise<Store<Own>>
}

/** A directory of documents, each with its vector and its entry in an index. */
export interface Store<Own = unknown> {
  /** Everything at once: one atomic step, if it can. */
  load?(batches: Iterable<Own[]>): Promise<void>
  /** Adds or replaces, in one atomic step. */
  put?(nodes: Own[]): Promise<void>
  /** `put` may be called while another is under way. */
  readonly concurrent?: true
  delete?(ids: string[]): Promise<void>
  /** The node, decoded, without its vector. */
  get?(id: string): Promise<object> | object
  /** All nodes, decoded, and how many vectors are in memory as floats by then. */
  readAll?(): Promise<{ nodes: object[]; vectors: number }>
  /** The ids nearest by cosine, exactly. */
  topTen?(vector: Float32Array): Promise<string[]>
  /** Only of the bound: every byte read and hashed. */
  hashAll?(algorithm: 'sha256' | 'crc32'): void
  close(): Promise<void>
}

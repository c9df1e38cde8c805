/** A node for stores of keys and bytes: everything but its vector in msgpack, and the vector as it is in memory. */
import { pack, unpack } from 'msgpackr'
import type { Node } from '../nodes.ts'

export interface Packed {
  id: string
  node: () => Buffer
  vector: Buffer
}

export function packed({ embedding, ...fields }: Node): Packed {
  return { id: fields.id, node: () => pack(fields), vector: Buffer.from(embedding.buffer) }
}

export function unpacked(bytes: Uint8Array): object {
  return unpack(bytes) as object
}

/** A copy, since float32 must be aligned. */
export function floats(bytes: Uint8Array): Float32Array {
  return new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length))
}

/** What must be on disk at the least: each node's msgpack once, and its vector in float32. */
import { encodeNode } from '../src/stores/document-events.ts'
import type { Node } from './nodes.ts'
import { textNode } from './text-node.ts'

export function payloadOf({ embedding, ...fields }: Node): Buffer {
  return Buffer.concat([encodeNode(textNode(fields)), Buffer.from(embedding.buffer)])
}

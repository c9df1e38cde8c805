/** What must be on disk at the least: each node's msgpack once, and its vector in float32. */
import { TextNode } from 'varve'
import { encodeNode } from '../src/stores/document-events.ts'
import { dimensions, nodeAt } from './nodes.ts'

export function payloadBytes(places: Iterable<number>): number {
  let bytes = 0
  for (const at of places) bytes += nodeBytes(nodeAt(at)) + dimensions * Float32Array.BYTES_PER_ELEMENT
  return bytes
}

/** Without its vector, which another store keeps. */
function nodeBytes({ id_, text, metadata, relationships, startCharIdx, endCharIdx }: TextNode): number {
  return encodeNode(new TextNode({ id_, text, metadata, relationships, startCharIdx, endCharIdx })).length
}

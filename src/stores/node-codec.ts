/**
 * A node as the tree that a row or payload holds in msgpack, and back, losing nothing. The id is not in it: it stands in the row.
 * This is part of the public format. A field that has its class's default, or is empty, is left out.
 *
 * | key | holds |
 * |---|---|
 * | `class` | `ImageNode`, `IndexNode`, `Node`, `Document`, `ImageDocument`; absent: `TextNode` |
 * | `className` | the name of another class that was read as `class` |
 * | `text` `mimetype` `metadataTemplate` `metadataSeparator` `textTemplate` `image` `imagePath` `imageUrl` `imageMimetype` `indexId` | text |
 * | `startCharIdx` `endCharIdx` | number |
 * | `excludedEmbedMetadataKeys` `excludedLlmMetadataKeys` | list of text |
 * | `embedding` `textEmbedding` | binary: float64, little endian; or the same with the suffix `32`: float32 |
 * | `metadata` `extra` | tree |
 * | `relationships` | from `SOURCE` … to `{ nodeId, nodeType, metadata, hash, extra }` or a list of them; empty metadata left out |
 * | `textResource` `imageResource` `audioResource` `videoResource` | `{ text, path, url, mimetype, embeddings, extra }` and `data`: binary |
 * | `obj` | `{ value: tree }`, or `{ id, node }` |
 * | `floats` | JSON pointers of integral numbers that are floats; `-` before the pointer: minus zero |
 * | `keyOrders` | lists of a JSON pointer and the keys there, in their order |
 * | `carriedHash` | a hash another program gave, and the hash that the content had then |
 *
 * Text and keys are escaped as `storable.ts` says.
 */
import { VarveError } from '../errors.ts'
import { nodeClasses, type BaseNode, type NodeClassName } from './node.ts'
import { decodeFields, isStoredNode } from './node-decode.ts'
import { encodeFields } from './node-encode.ts'
import { escapeText, unescapeText } from './storable.ts'
import { spellingFromStored, spellingToStored } from './spelling-codec.ts'
import type { StoredNode } from './node-fields.ts'

export type { StoredNode }

/** A node in a node in a node …: more is a cycle. */
const maxNesting = 64

export function nodeToStored(node: BaseNode): StoredNode {
  return store(node, 0)
}

function store(node: BaseNode, depth: number): StoredNode {
  if (depth > maxNesting) {
    throw new VarveError('VARVE_BAD_METADATA', `A node's obj nests more than ${maxNesting} nodes.`, {
      id: node.id_,
    })
  }
  const { fields, negativeZeros } = encodeFields(node, (nested) => store(nested, depth + 1))
  const { floats, keyOrders } = spellingToStored(node.spelling, negativeZeros)
  const { baseClassName, className, carriedHash } = node
  return {
    ...(baseClassName !== 'TextNode' && { class: baseClassName }),
    ...(className !== baseClassName && { className: escapeText(className) }),
    ...fields,
    ...(floats.length > 0 && { floats }),
    ...(keyOrders.length > 0 && { keyOrders }),
    ...(carriedHash && { carriedHash: [escapeText(carriedHash.hash), carriedHash.of] }),
  }
}

/** Throws `VARVE_CORRUPT`. */
export function nodeFromStored(id: string, stored: unknown): BaseNode {
  try {
    return restore(id, stored)
  } catch (cause) {
    if (cause instanceof VarveError) throw cause
    throw new VarveError('VARVE_CORRUPT', `Node ${id} is stored in a form that no version wrote.`, {
      id,
      cause,
    })
  }
}

function restore(id: string, stored: unknown): BaseNode {
  if (!isStoredNode(stored)) throw new TypeError('This is no node.')
  const name = (stored.class ?? 'TextNode') as NodeClassName
  const className = stored.className === undefined ? name : unescapeText(stored.className as string)
  const NodeClass = Object.hasOwn(nodeClasses, name) ? nodeClasses[name] : nodeClasses.TextNode
  const carried = stored.carriedHash as [string, string] | undefined
  return new NodeClass({
    id_: id,
    className,
    spelling: spellingFromStored({
      floats: (stored.floats ?? []) as string[],
      keyOrders: (stored.keyOrders ?? []) as string[][],
    }),
    ...(carried && { carriedHash: { hash: unescapeText(carried[0]), of: carried[1] } }),
    ...decodeFields(stored, nodeFromStored),
  })
}

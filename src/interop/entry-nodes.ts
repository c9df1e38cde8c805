/**
 * Nodes that stand whole in a vector index's entry: LlamaIndexTS finds them there by their vectors, also when its document store never had them, or has them no more. Python
 * has an id there, and finds nothing that is not in the document store.
 */
import type { IndexStruct } from '../stores/index-struct.ts'
import type { BaseNode } from '../stores/node.ts'
import { isObject } from './llamaindex-field.ts'
import { nodeFromJson } from './llamaindex-node.ts'

/** The node that an entry holds; `undefined` if it is an id, or nothing. */
export function nodeInEntry(vectorId: string, entry: unknown): BaseNode | undefined {
  if (!isObject(entry)) return undefined
  const id = typeof entry.id_ === 'string' && entry.id_ !== '' ? entry.id_ : vectorId
  return nodeFromJson({ id, data: entry, dialect: 'typescript' })
}

interface NodesAndStructs {
  structs: IndexStruct[]
  nodes: Iterable<BaseNode> & { readonly length: number }
  nodeOf: (id: string) => BaseNode | undefined
  hasNode: (id: string) => boolean
}

/** The same content with these nodes in its document store, and their ids in the entries. A node that is in the document store already counts. */
export function withEntryNodes<C extends NodesAndStructs>(content: C): C {
  const added = new Map<string, BaseNode>()
  const structs = content.structs.map((struct) => withIds(struct, (node) => added.set(node.id_, node)))
  for (const id of added.keys()) if (content.hasNode(id)) added.delete(id)
  if (added.size === 0) return { ...content, structs }
  const { nodes, nodeOf, hasNode } = content
  return {
    ...content,
    structs,
    nodes: {
      length: nodes.length + added.size,
      *[Symbol.iterator]() {
        yield* nodes
        yield* added.values()
      },
    },
    nodeOf: (id) => nodeOf(id) ?? added.get(id),
    hasNode: (id) => hasNode(id) || added.has(id),
  }
}

function withIds(struct: IndexStruct, found: (node: BaseNode) => void): IndexStruct {
  const { nodesDict } = struct
  if (!(nodesDict instanceof Map)) return struct
  const entries = Array.from(nodesDict as Map<string, unknown>, ([vectorId, entry]): [string, unknown] => {
    const node = nodeInEntry(vectorId, entry)
    if (node) found(node)
    return [vectorId, node?.id_ ?? entry]
  })
  return { ...struct, nodesDict: new Map(entries) }
}

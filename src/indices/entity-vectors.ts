/** The vectors of a property graph's entities, under their ids in the vector store: made of what LlamaIndex embeds, and kept as it keeps them. */
import type { IndexStore, LabelledNode, VectorStore } from '../stores/contract.ts'
import type { StructView } from '../stores/index-struct.ts'
import { TextNode, type BaseNode } from '../stores/node.ts'
import { pythonRepr } from '../stores/python-repr.ts'
import { withEmbedding } from './copy-node.ts'
import { embedNodes, type EmbedNodesOptions } from './embed-nodes.ts'
import type { StoreCall } from './store-calls.ts'
import { idOf } from './property-graph-nodes.ts'
import { namespaceOf, referredByOthers } from './struct-references.ts'

/** By id. */
export async function embedEntities(
  entities: readonly LabelledNode[],
  options: EmbedNodesOptions,
): Promise<Map<string, BaseNode>> {
  const texts = entities.map((entity) => new TextNode({ id_: idOf(entity), text: textOf(entity) }))
  const vectors = new Map(
    (await embedNodes(texts, options)).map(({ node, embedding }) => [node.id_, embedding]),
  )
  const described = entities.map((entity, at) => {
    const { id_, text } = texts[at]!
    const metadata = { vector_source_id: id_, ...entity.properties }
    return withEmbedding(new TextNode({ id_, text, metadata }), vectors.get(id_))
  })
  return new Map(described.map((node) => [node.id_, node]))
}

/** Python's `str` of an entity. */
function textOf({ name = '', properties }: LabelledNode): string {
  return Object.keys(properties).length === 0 ? name : `${name} (${pythonRepr(properties)})`
}

export interface EntityVectorRequest {
  view: StructView
  indexStore: IndexStore
  /** Entities that go. */
  gone: ReadonlySet<string>
  added: ReadonlyMap<string, BaseNode>
}

/** A vector that is there stays as it is, as its entity does. One that another index has under the same id is left alone. */
export async function planEntityVectors(
  store: VectorStore,
  { view, indexStore, gone, added }: EntityVectorRequest,
): Promise<StoreCall[]> {
  const { indexId } = view
  const others = await referredByOthers(indexStore, { indexId, namespace: namespaceOf(view), ids: gone })
  const nodeIds = [...gone].filter((id) => !others.vectors.has(id))
  const known = await vectorsAmong(store, added)
  const nodes = [...added.values()].filter(({ id_ }) => gone.has(id_) || !known.has(id_))
  return [
    ...(nodeIds.length > 0 && store.deleteNodes
      ? [{ store, call: () => store.deleteNodes!({ nodeIds }) }]
      : []),
    ...(nodes.length > 0 ? [{ store, call: () => store.add(nodes) }] : []),
  ]
}

/** Which of them the store has: vector stores can be asked for similar vectors only. */
async function vectorsAmong(store: VectorStore, nodes: ReadonlyMap<string, BaseNode>): Promise<Set<string>> {
  const [first] = nodes.values()
  if (first === undefined) return new Set()
  const nodeIds = [...nodes.keys()]
  const query = { queryEmbedding: first.getEmbedding(), similarityTopK: nodeIds.length, nodeIds }
  return new Set((await store.query(query)).ids)
}

/** LlamaIndexTS's nodes as ours, and back as instances of the caller's own classes, with every field they had, unknown ones too. */
import type { BaseNode as CoreNode, ObjectType } from '@llamaindex/core/schema'
import { nodeFromJson } from '../interop/llamaindex-node.ts'
import { checkTree } from '../stores/metadata.ts'
import { setOwn } from '../stores/own-property.ts'
import {
  ImageDocument,
  ImageNode,
  IndexNode,
  TextNode,
  type BaseNode,
  type NodeClassName,
} from '../stores/node.ts'
import type { Core } from './core.ts'

type Fields = Record<string, unknown>

/** Waits only if the node holds a `Blob`, whose bytes cannot be had at once. */
export async function fromCore(node: CoreNode): Promise<BaseNode> {
  const { image, ...fields } = node.toJSON() as Fields
  const stored = image instanceof Blob ? await blobToStored(image) : imageToStored(image)
  const data = checkTree(stored === undefined ? fields : { ...fields, image: stored }, `node ${node.id_}`)
  return nodeFromJson({ id: node.id_, data: data as Fields, dialect: 'typescript' })
}

/** All that a vector store needs of a node. */
export function vectorFromCore(node: CoreNode): TextNode {
  const { sourceNode } = node
  return new TextNode({
    id_: node.id_,
    embedding: node.getEmbedding(),
    metadata: node.metadata,
    className: classNames[node.type],
    ...(sourceNode && { relationships: { SOURCE: { nodeId: sourceNode.nodeId, metadata: {} } } }),
  })
}

export function toCore(node: BaseNode, { jsonToNode }: Pick<Core, 'jsonToNode'>): CoreNode {
  const fields = fieldsOf(node)
  const core = jsonToNode(fields, (node.type === 'MULTIMODAL' ? 'TEXT' : node.type) as ObjectType)
  // Its constructors drop what they do not know, and a 0 where a place stands.
  for (const [field, value] of Object.entries(fields)) if (value !== undefined) setOwn(core, field, value)
  core.hash = node.hash
  return core
}

const classNames: Readonly<Record<ObjectType, NodeClassName>> = {
  TEXT: 'TextNode',
  IMAGE: 'ImageNode',
  INDEX: 'IndexNode',
  DOCUMENT: 'Document',
  IMAGE_DOCUMENT: 'ImageDocument',
}

function fieldsOf(node: BaseNode): Fields {
  const { extra, embedding } = node
  const { image, ...unknown } = extra
  return {
    id_: node.id_,
    metadata: node.metadata,
    excludedEmbedMetadataKeys: node.excludedEmbedMetadataKeys,
    excludedLlmMetadataKeys: node.excludedLlmMetadataKeys,
    relationships: relationshipsOf(node),
    embedding: embedding && Array.from(embedding),
    text: node.text,
    textTemplate: node.textTemplate,
    startCharIdx: node.startCharIdx,
    endCharIdx: node.endCharIdx,
    metadataSeparator: node.metadataSeparator,
    ...(node instanceof IndexNode && { indexId: node.indexId }),
    ...((node instanceof ImageNode || node instanceof ImageDocument) && {
      image: node.image ?? imageFromStored(image) ?? node.imageUrl ?? node.imagePath,
    }),
    ...unknown,
  }
}

function relationshipsOf({ relationships }: BaseNode): Fields {
  const plain = ({ extra, ...info }: { extra?: Fields }): Fields => ({ ...info, ...extra })
  return Object.fromEntries(
    Object.entries(relationships).map(([name, related]) => [
      name,
      Array.isArray(related) ? related.map(plain) : plain(related ?? {}),
    ]),
  )
}

/** An image that is no text is kept among the fields of a node that mean nothing to us. */
type StoredImage = { url: string } | { blob: string; type: string }

async function blobToStored(image: Blob): Promise<StoredImage> {
  return { blob: Buffer.from(await image.arrayBuffer()).toString('base64'), type: image.type }
}

function imageToStored(image: unknown): unknown {
  return image instanceof URL ? ({ url: image.href } satisfies StoredImage) : image
}

function imageFromStored(stored: unknown): unknown {
  if (typeof stored !== 'object' || stored === null) return stored
  const { url, blob, type } = stored as { url?: string; blob?: string; type?: string }
  if (url !== undefined) return new URL(url)
  if (blob !== undefined) return new Blob([Buffer.from(blob, 'base64')], { type: type ?? '' })
  return stored
}

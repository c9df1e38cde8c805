/**
 * Nodes: LlamaIndex's documents and chunks, with every field its classes have, and unknown ones kept. This file is the one door to them;
 * each kind has a file of its own.
 */
import { Document, ImageDocument, Node } from './media-node.ts'
import { ImageNode, IndexNode, TextNode } from './text-node.ts'
import type { NodeClassName } from './base-node.ts'

export { BaseNode, type CarriedHash, type Embedding, type NodeClassName, type NodeInit } from './base-node.ts'
export { Document, ImageDocument, Node, type ImageDocumentInit, type MediaNodeInit } from './media-node.ts'
export { ImageNode, IndexNode, TextNode } from './text-node.ts'
export type { ImageNodeInit, IndexNodeInit, TextNodeInit } from './text-node.ts'
export { MetadataMode } from './metadata-text.ts'
export { NodeRelationship, ObjectType } from './relationships.ts'
export type { Metadata, RelatedNodeInfo, Relationships } from './relationships.ts'
export type { MediaResource } from './media-resource.ts'

/** By the name that files use. */
export const nodeClasses = {
  TextNode,
  ImageNode,
  IndexNode,
  Node,
  Document,
  ImageDocument,
} as const satisfies Record<NodeClassName, unknown>

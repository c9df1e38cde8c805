/** How nodes refer to each other, in LlamaIndexTS's names. Python's codes (`"1"` …) are known to `interop/` only. */

export const NodeRelationship = {
  SOURCE: 'SOURCE',
  PREVIOUS: 'PREVIOUS',
  NEXT: 'NEXT',
  PARENT: 'PARENT',
  CHILD: 'CHILD',
} as const
export type NodeRelationship = keyof typeof NodeRelationship

export const ObjectType = {
  TEXT: 'TEXT',
  IMAGE: 'IMAGE',
  INDEX: 'INDEX',
  DOCUMENT: 'DOCUMENT',
  IMAGE_DOCUMENT: 'IMAGE_DOCUMENT',
  MULTIMODAL: 'MULTIMODAL',
} as const
export type ObjectType = keyof typeof ObjectType

export type Metadata = Record<string, unknown>

export interface RelatedNodeInfo {
  nodeId: string
  /** One of `ObjectType`, or any other string that a file held. */
  nodeType?: string
  metadata: Metadata
  hash?: string
  /** Fields this version does not know, kept as they came. */
  extra?: Record<string, unknown>
}

/** CHILD has a list, the others one. Keys beyond `NodeRelationship` are kept. */
export type Relationships = { [relationship in NodeRelationship]?: RelatedNodeInfo | RelatedNodeInfo[] } & {
  [unknown: string]: RelatedNodeInfo | RelatedNodeInfo[] | undefined
}

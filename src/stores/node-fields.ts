/** The fields of the node classes, and what kind of value each holds. A field that is not in this table is not stored. */
import type { Storable } from './storable.ts'

export type StoredNode = { [field: string]: Storable }
export type FieldKind =
  | 'text'
  | 'number'
  | 'names'
  | 'vector'
  | 'metadata'
  | 'relationships'
  | 'resource'
  | 'object'

export const fieldKinds: Readonly<Record<string, FieldKind>> = {
  text: 'text',
  mimetype: 'text',
  startCharIdx: 'number',
  endCharIdx: 'number',
  metadata: 'metadata',
  excludedEmbedMetadataKeys: 'names',
  excludedLlmMetadataKeys: 'names',
  relationships: 'relationships',
  metadataTemplate: 'text',
  metadataSeparator: 'text',
  textTemplate: 'text',
  image: 'text',
  imagePath: 'text',
  imageUrl: 'text',
  imageMimetype: 'text',
  textEmbedding: 'vector',
  indexId: 'text',
  obj: 'object',
  textResource: 'resource',
  imageResource: 'resource',
  audioResource: 'resource',
  videoResource: 'resource',
  embedding: 'vector',
  extra: 'metadata',
}

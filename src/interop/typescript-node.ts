/** A node as LlamaIndexTS 0.12.1 writes it: its own fields in the order of their constructors, its type, its hash. */
import { matchesHash } from '../stores/matches-hash.ts'
import { typeScriptHash } from '../stores/node-hash.ts'
import { ImageDocument, ImageNode, IndexNode, Node, TextNode, type BaseNode } from '../stores/node.ts'
import { keysAsRead } from '../stores/float.ts'
import type { RelatedNodeInfo } from '../stores/node.ts'
import { keysAsSpelled, pointerTo, type Spelling } from '../stores/spelling.ts'
import { objectOf, spelled } from './python-spelled.ts'
import { VectorNumbers } from './vector-numbers.ts'

type Tree = Record<string, unknown>

/** It has no class for media; of those their text is a node, and more than text has no place. */
export function typeScriptType(node: BaseNode): string {
  return node.baseClassName === 'Node' ? 'TEXT' : node.type
}

export function nodeToTypeScript(node: BaseNode, { embedding = true } = {}): Tree {
  const { spelling, startCharIdx, endCharIdx } = node
  const image = imageOf(node)
  const fields: Tree = {
    id_: node.id_,
    metadata: spelled(node.metadata, spelling, '/metadata'),
    excludedEmbedMetadataKeys: [...node.excludedEmbedMetadataKeys],
    excludedLlmMetadataKeys: [...node.excludedLlmMetadataKeys],
    relationships: relationshipsOf(node),
    ...(embedding && node.embedding && { embedding: new VectorNumbers(Float32Array.from(node.embedding)) }),
    text: node.text,
    textTemplate: node.textTemplate,
    ...(startCharIdx === 0 ? {} : { startCharIdx, endCharIdx }),
    metadataSeparator: node.metadataSeparator,
    // Its constructor takes no place at the beginning; what has one got it later.
    ...(startCharIdx === 0 ? { startCharIdx, endCharIdx } : {}),
    ...(node instanceof IndexNode && { indexId: node.indexId }),
    ...(image !== undefined && { image }),
  }
  return { ...fields, ...unknownOf(node, fields), type: typeScriptType(node), hash: hashForTypeScript(node) }
}

/** By which it finds a document unchanged. */
function hashForTypeScript(node: BaseNode): string {
  const { text, metadata, metadataSeparator, startCharIdx, endCharIdx, hash, carriedHash } = node
  // Its own formula has changed; what it once wrote stands.
  if (carriedHash && hash === carriedHash.hash && isTypeScriptHash(hash)) return hash
  const image = imageOf(node)
  return typeScriptHash({
    type: typeScriptType(node),
    text,
    metadata,
    metadataSeparator,
    ...(startCharIdx ? { startCharIdx } : {}),
    ...(endCharIdx ? { endCharIdx } : {}),
    ...(image !== undefined && { image }),
  })
}

/** The hash that says to LlamaIndexTS what a stored hash said to whoever stored it. */
export function translatedHash(hash: string, node: BaseNode | undefined): string {
  return node && !isTypeScriptHash(hash) && matchesHash(node, hash) ? hashForTypeScript(node) : hash
}

/** Base64 of 32 bytes; Python writes hexadecimal. */
export function isTypeScriptHash(hash: string): boolean {
  return /^[A-Za-z0-9+/]{43}=$/.test(hash)
}

/** Whether it holds more than LlamaIndexTS has fields for. */
export function hasMedia(node: BaseNode): boolean {
  if (!(node instanceof Node)) return false
  const { imageResource, audioResource, videoResource } = node
  const isImageDocument = node instanceof ImageDocument
  return Boolean((!isImageDocument && imageResource) || audioResource || videoResource)
}

function imageOf(node: BaseNode): string | undefined {
  if (!(node instanceof ImageNode || node instanceof ImageDocument)) return undefined
  return node.image ?? node.imageUrl ?? node.imagePath ?? ''
}

/** Fields that it does not know are written beside its own: it ignores them, and we find them again. */
function unknownOf(node: BaseNode, known: Tree): Tree {
  const { metadataTemplate, mimetype } = node as TextNode | Node
  const extra = spelled(node.extra, node.spelling, '/extra') as Tree
  const others: Tree = {
    ...(metadataTemplate !== defaults.metadataTemplate && { metadataTemplate }),
    ...(mimetype !== undefined && mimetype !== defaults.mimetype && { mimetype }),
  }
  for (const key of keysAsRead(extra)) if (key !== '__type__') others[key] = extra[key]
  return Object.fromEntries(Object.entries(others).filter(([key]) => !Object.hasOwn(known, key)))
}

const defaults = new TextNode({ id_: '' })

function relationshipsOf({ relationships, spelling }: BaseNode): Tree {
  const at = '/relationships'
  const names = keysAsSpelled(relationships, at, spelling).filter((name) => relationships[name] !== undefined)
  return objectOf(
    names.map((name) => {
      const related = relationships[name]!
      const here = pointerTo(at, name)
      const value = Array.isArray(related)
        ? related.map((info, index) => infoOf(info, spelling, pointerTo(here, index)))
        : infoOf(related, spelling, here)
      return [name, value] as const
    }),
  )
}

function infoOf(info: RelatedNodeInfo, spelling: Spelling, at: string): Tree {
  const { nodeId, nodeType, metadata, hash, extra = {} } = info
  return {
    nodeId,
    ...(nodeType !== undefined && { nodeType }),
    metadata: spelled(metadata, spelling, `${at}/metadata`),
    ...(hash !== undefined && { hash }),
    ...(spelled(extra, spelling, `${at}/extra`) as Tree),
  }
}

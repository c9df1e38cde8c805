/**
 * The hashes LlamaIndex gives nodes, by which it sees whether a document changed. Python has one formula for text and one for media
 * (since 0.12 for documents too); TypeScript has its own. They know no node classes, only what they cover.
 */
import { hash } from 'node:crypto'
import { pythonRepr } from './python-repr.ts'
import { encodeWtf8, isWellFormed } from './wtf8.ts'
import type { MediaResource } from './media-resource.ts'
import type { Metadata } from './relationships.ts'
import type { Spelling } from './spelling.ts'

function sha256Hex(content: string | Uint8Array): string {
  const isPlain = typeof content !== 'string' || isWellFormed(content)
  return hash('sha256', isPlain ? content : encodeWtf8(content), 'hex')
}

/** Python: text nodes, index nodes, and documents before 0.12. */
export function pythonTextHash(text: string, metadata: Metadata, spelling: Spelling): string {
  return sha256Hex(text + pythonRepr(metadata, { spelling, pointer: '/metadata' }))
}

export interface HashedImage {
  text: string
  image?: string
  imagePath?: string
  imageUrl?: string
}

/** Python: image nodes. Their metadata does not count. */
export function pythonImageHash({ text, image, imagePath, imageUrl }: HashedImage): string {
  return sha256Hex([image, imagePath, imageUrl, text].map((part) => part || 'None').join('-'))
}

/** In the order they are hashed. */
export interface HashedMedia {
  /** All metadata, through the node's template. */
  metadataStr: string
  audioResource?: MediaResource
  imageResource?: MediaResource
  textResource?: MediaResource
  videoResource?: MediaResource
}

export interface MediaHashOptions {
  /** What an empty text counts as. Before 2026 it counted as nothing. */
  emptyText?: string
}

/** Python: `Node`, and documents since 0.12. */
export function pythonMediaHash(
  media: HashedMedia,
  { emptyText = '<empty_string>' }: MediaHashOptions = {},
): string {
  const { metadataStr, audioResource, imageResource, textResource, videoResource } = media
  const resources = [audioResource, imageResource, textResource, videoResource]
  const hashes = resources.flatMap((resource) => (resource ? [resourceHash(resource, emptyText)] : []))
  return sha256Hex([...(metadataStr ? [metadataStr] : []), ...hashes].join('-'))
}

function resourceHash({ text, data, path, url }: MediaResource, emptyText: string): string {
  const bits = [
    text === '' ? emptyText : (text ?? ''),
    data ? sha256Hex(asBase64(data)) : '',
    path === undefined ? '' : sha256Hex(path),
    url === undefined ? '' : sha256Hex(url),
  ].join('')
  return bits === '' ? '' : sha256Hex(bits)
}

/** Python keeps media in base64, and leaves bytes alone that already look like it. */
function asBase64(data: Uint8Array): string {
  const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength)
  const text = bytes.toString('latin1')
  return text.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(text) ? text : bytes.toString('base64')
}

export interface TypeScriptHashed {
  /** `TEXT`, `DOCUMENT`, … */
  type: string
  text: string
  metadata: Metadata
  metadataSeparator: string
  startCharIdx?: number
  endCharIdx?: number
  /** Of image nodes. */
  image?: string
}

/** LlamaIndexTS, all classes. */
export function typeScriptHash({ image, ...node }: TypeScriptHashed): string {
  const lines = Object.keys(node.metadata)
    .sort()
    .map((key) => `${key}: ${javaScriptText(node.metadata[key])}`)
  const metadataStr = lines.join(node.metadataSeparator).trim()
  const content = `${metadataStr}\n\n${node.text}`.trim()
  const places = `startCharIdx=${node.startCharIdx} endCharIdx=${node.endCharIdx}`
  const textHash = sha256Base64(`type=${node.type}${places}${content}`)
  return image === undefined ? textHash : sha256Base64(textHash + sha256Base64(image))
}

function sha256Base64(text: string): string {
  return hash('sha256', text, 'base64')
}

/** What a template string makes of a value; an object with a hostile or missing `toString` is no reason to fail. */
function javaScriptText(value: unknown): string {
  try {
    return String(value)
  } catch {
    return ''
  }
}

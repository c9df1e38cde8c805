/**
 * Whether a stored hash says "this very document", whoever computed it: Python now, Python before its media nodes (0.12), or LlamaIndexTS.
 * So a document that was imported is not taken for a changed one.
 */
import { pythonMediaHash, pythonTextHash, typeScriptHash } from './node-hash.ts'
import { checkMetadata } from './metadata.ts'
import { ImageNode, Node, type BaseNode, type Metadata } from './node.ts'

export function matchesHash(document: BaseNode, storedHash: string): boolean {
  return matchesAnyHash(document, new Set([storedHash]))
}

export function matchesAnyHash(document: BaseNode, storedHashes: ReadonlySet<string>): boolean {
  return candidates(document).some((hash) => storedHashes.has(hash()))
}

/** Each is computed only if the ones before it differ. */
function candidates(node: BaseNode): (() => string)[] {
  const { text, spelling } = node
  const metadata = checkMetadata(node.metadata, `node ${node.id_}: metadata`)
  return [
    () => node.hash,
    () => pythonTextHash(text, metadata, spelling),
    ...(node instanceof Node ? mediaHashes(node) : []),
    ...typeScriptHashes(node, metadata),
  ]
}

/** With `emptyText` as it was before 2026. The text resource of a document with an empty text is absent, or there and empty. */
function mediaHashes(node: Node): (() => string)[] {
  const { audioResource, imageResource, textResource, videoResource } = node
  const media = { metadataStr: node.getMetadataStr('ALL'), audioResource, imageResource, videoResource }
  return [
    () => pythonMediaHash({ ...media, textResource }, { emptyText: '' }),
    () => pythonMediaHash({ ...media, textResource: { text: node.text } }),
  ]
}

/** The numbers are what one version of 2024 wrote for the types. */
const typeNames: Readonly<Record<string, readonly string[]>> = {
  TEXT: ['TEXT', '1'],
  IMAGE: ['IMAGE', '2'],
  INDEX: ['INDEX', '3'],
  DOCUMENT: ['DOCUMENT', '4'],
  IMAGE_DOCUMENT: ['IMAGE_DOCUMENT', '5'],
}

function typeScriptHashes(node: BaseNode, metadata: Metadata): (() => string)[] {
  const { text, metadataSeparator, startCharIdx, endCharIdx } = node
  const image = node instanceof ImageNode ? node.image : undefined
  return (typeNames[node.type] ?? []).map(
    (type) => () =>
      typeScriptHash({
        type,
        text,
        metadata,
        metadataSeparator,
        startCharIdx,
        endCharIdx,
        ...(image !== undefined && { image }),
      }),
  )
}

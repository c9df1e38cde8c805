/** Images among documents become nodes of their own; everything else is cut as ever. */
import { randomUUID } from 'node:crypto'
import { ImageDocument, ImageNode, type BaseNode } from '../stores/node.ts'
import type { DocumentSplitter, NodeParser } from './node-parser.ts'

export function keepingImages(
  parser: NodeParser | DocumentSplitter,
  newId: () => string = randomUUID,
): NodeParser {
  const parse = async (document: BaseNode): Promise<BaseNode[]> =>
    typeof parser === 'function' ? await parser([document]) : await parser.split(document)
  return async (documents) => {
    const nodes = await Promise.all(
      documents.map(async (document) =>
        document instanceof ImageDocument ? [imageNodeOf(document, newId())] : await parse(document),
      ),
    )
    return nodes.flat()
  }
}

function imageNodeOf(document: ImageDocument, id_: string): ImageNode {
  const { text, metadata, image, imagePath, imageUrl, imageMimetype, embedding } = document
  const { excludedEmbedMetadataKeys, excludedLlmMetadataKeys } = document
  return new ImageNode({
    id_,
    text,
    metadata,
    excludedEmbedMetadataKeys,
    excludedLlmMetadataKeys,
    image,
    imagePath,
    imageUrl,
    imageMimetype,
    embedding,
    relationships: { SOURCE: document.asRelatedNodeInfo() },
  })
}

/** Nodes of media resources, one of which is text. Since LlamaIndex 0.12 documents are such nodes. */
import { BaseNode, type NodeClassName, type NodeInit } from './base-node.ts'
import { pythonMediaHash } from './node-hash.ts'
import type { MediaResource } from './media-resource.ts'
import type { ObjectType } from './relationships.ts'

export interface MediaNodeInit extends NodeInit {
  /** Short for a `textResource`; ignored if that is given, or if it is empty. */
  text?: string
  textResource?: MediaResource
  imageResource?: MediaResource
  audioResource?: MediaResource
  videoResource?: MediaResource
}

/** Text and media together. */
export class Node extends BaseNode {
  textResource?: MediaResource
  imageResource?: MediaResource
  audioResource?: MediaResource
  videoResource?: MediaResource
  /** Like `startCharIdx`, only of documents from before 0.12 or from TypeScript. */
  mimetype?: string

  constructor(init: MediaNodeInit = {}) {
    super(init)
    this.textResource = init.textResource ?? (init.text ? { text: init.text } : undefined)
    this.imageResource = init.imageResource
    this.audioResource = init.audioResource
    this.videoResource = init.videoResource
    this.mimetype = init.mimetype
  }

  get type(): ObjectType {
    return 'MULTIMODAL'
  }

  get baseClassName(): NodeClassName {
    return 'Node'
  }

  get text(): string {
    return this.textResource?.text ?? ''
  }

  set text(text: string) {
    this.textResource = { ...this.textResource, text }
  }

  protected computeHash(): string {
    const { audioResource, imageResource, textResource, videoResource } = this
    const metadataStr = this.getMetadataStr('ALL')
    return pythonMediaHash({ metadataStr, audioResource, imageResource, textResource, videoResource })
  }
}

/** What a reader loaded, before it is cut into nodes. */
export class Document extends Node {
  override get type(): ObjectType {
    return 'DOCUMENT'
  }

  override get baseClassName(): NodeClassName {
    return 'Document'
  }
}

export interface ImageDocumentInit extends MediaNodeInit {
  /** In base64, or the bytes. Short for an `imageResource`, like the others here; ignored if that is given. */
  image?: string | Uint8Array
  imagePath?: string
  imageUrl?: string
  imageMimetype?: string
}

export class ImageDocument extends Document {
  constructor(init: ImageDocumentInit = {}) {
    super(init)
    this.imageResource ??= imageResourceOf(init)
  }

  override get type(): ObjectType {
    return 'IMAGE_DOCUMENT'
  }

  override get baseClassName(): NodeClassName {
    return 'ImageDocument'
  }

  /** In base64. */
  get image(): string | undefined {
    const data = this.imageResource?.data
    return data && Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('base64')
  }

  get imagePath(): string | undefined {
    return this.imageResource?.path
  }

  get imageUrl(): string | undefined {
    return this.imageResource?.url
  }

  get imageMimetype(): string | undefined {
    return this.imageResource?.mimetype
  }
}

function imageResourceOf({
  image,
  imagePath,
  imageUrl,
  imageMimetype,
}: ImageDocumentInit): MediaResource | undefined {
  if (image === undefined && imagePath === undefined && imageUrl === undefined) return undefined
  const data = typeof image === 'string' ? Uint8Array.from(Buffer.from(image, 'base64')) : image
  return {
    ...(data && { data }),
    ...(imagePath !== undefined && { path: imagePath }),
    ...(imageUrl !== undefined && { url: imageUrl }),
    ...(imageMimetype !== undefined && { mimetype: imageMimetype }),
  }
}

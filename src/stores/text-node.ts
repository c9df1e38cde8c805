/** Nodes of text: chunks, images with a text, and stand-ins for other things. */
import { BaseNode, type Embedding, type NodeClassName, type NodeInit } from './base-node.ts'
import { pythonImageHash, pythonTextHash } from './node-hash.ts'
import type { ObjectType } from './relationships.ts'

export interface TextNodeInit extends NodeInit {
  text?: string
}

export class TextNode extends BaseNode {
  text: string
  mimetype: string

  constructor(init: TextNodeInit = {}) {
    super(init)
    this.text = init.text ?? ''
    this.mimetype = init.mimetype ?? 'text/plain'
  }

  get type(): ObjectType {
    return 'TEXT'
  }

  get baseClassName(): NodeClassName {
    return 'TextNode'
  }

  protected computeHash(): string {
    return pythonTextHash(this.text, this.plainMetadata(), this.spelling)
  }
}

export interface ImageNodeInit extends TextNodeInit {
  /** In base64. */
  image?: string
  imagePath?: string
  imageUrl?: string
  imageMimetype?: string
  textEmbedding?: Embedding
}

export class ImageNode extends TextNode {
  image?: string
  imagePath?: string
  imageUrl?: string
  imageMimetype?: string
  textEmbedding?: Embedding

  constructor(init: ImageNodeInit = {}) {
    super(init)
    this.image = init.image
    this.imagePath = init.imagePath
    this.imageUrl = init.imageUrl
    this.imageMimetype = init.imageMimetype
    this.textEmbedding = init.textEmbedding
  }

  override get type(): ObjectType {
    return 'IMAGE'
  }

  override get baseClassName(): NodeClassName {
    return 'ImageNode'
  }

  protected override computeHash(): string {
    return pythonImageHash(this)
  }
}

export interface IndexNodeInit extends TextNodeInit {
  indexId?: string
  /** A node, or anything that can be metadata. */
  obj?: unknown
}

/** Stands for an index, a node or another thing inside an index. */
export class IndexNode extends TextNode {
  indexId: string
  obj: unknown

  constructor(init: IndexNodeInit = {}) {
    super(init)
    this.indexId = init.indexId ?? ''
    this.obj = init.obj
  }

  override get type(): ObjectType {
    return 'INDEX'
  }

  override get baseClassName(): NodeClassName {
    return 'IndexNode'
  }
}

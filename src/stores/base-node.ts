/** What all nodes have in common: LlamaIndex's fields in TypeScript's spelling, relations, hash, and what is kept though unknown. */
import { randomUUID } from 'node:crypto'
import {
  contentText,
  defaultMetadataSeparator,
  defaultMetadataTemplate,
  defaultTextTemplate,
  metadataText,
} from './metadata-text.ts'
import { checkMetadata } from './metadata.ts'
import { plainSpelling, type Spelling } from './spelling.ts'
import type { MetadataMode } from './metadata-text.ts'
import type {
  Metadata,
  NodeRelationship,
  ObjectType,
  RelatedNodeInfo,
  Relationships,
} from './relationships.ts'

export type NodeClassName = 'TextNode' | 'ImageNode' | 'IndexNode' | 'Node' | 'Document' | 'ImageDocument'

export type Embedding = number[] | Float32Array

/** A hash that another program gave a node, and what `hash` was then: it counts as long as that has not changed. */
export interface CarriedHash {
  readonly hash: string
  readonly of: string
}

export interface NodeInit {
  /** Default: a random UUID. */
  id_?: string
  embedding?: Embedding
  metadata?: Metadata
  excludedEmbedMetadataKeys?: string[]
  excludedLlmMetadataKeys?: string[]
  relationships?: Relationships
  metadataTemplate?: string
  metadataSeparator?: string
  textTemplate?: string
  mimetype?: string
  startCharIdx?: number
  endCharIdx?: number
  /** The name of a class that is none of these, kept. */
  className?: string
  /** Fields this version does not know, kept. */
  extra?: Record<string, unknown>
  spelling?: Spelling
  carriedHash?: CarriedHash
}

export abstract class BaseNode {
  id_: string
  embedding?: Embedding
  metadata: Metadata
  excludedEmbedMetadataKeys: string[]
  excludedLlmMetadataKeys: string[]
  relationships: Relationships
  metadataTemplate: string
  metadataSeparator: string
  textTemplate: string
  startCharIdx?: number
  endCharIdx?: number
  extra: Record<string, unknown>
  // Neither is content: out of the way of whoever lists, copies or compares a node's fields.
  #className: string | undefined
  #spelling: Spelling
  #carriedHash: CarriedHash | undefined

  constructor(init: NodeInit = {}) {
    this.id_ = init.id_ ?? randomUUID()
    this.embedding = init.embedding
    this.metadata = init.metadata ?? {}
    this.excludedEmbedMetadataKeys = init.excludedEmbedMetadataKeys ?? []
    this.excludedLlmMetadataKeys = init.excludedLlmMetadataKeys ?? []
    this.relationships = init.relationships ?? {}
    this.metadataTemplate = init.metadataTemplate ?? defaultMetadataTemplate
    this.metadataSeparator = init.metadataSeparator ?? defaultMetadataSeparator
    this.textTemplate = init.textTemplate ?? defaultTextTemplate
    this.startCharIdx = init.startCharIdx
    this.endCharIdx = init.endCharIdx
    this.extra = init.extra ?? {}
    this.#className = init.className
    this.#spelling = init.spelling ?? plainSpelling
    this.#carriedHash = init.carriedHash
  }

  abstract get type(): ObjectType
  abstract get text(): string
  abstract set text(text: string)
  /** Which of this module's classes this is; the same whatever a minifier calls them. */
  abstract get baseClassName(): NodeClassName
  /** Python's formula for this class, from the content as it is now. */
  protected abstract computeHash(): string

  get className(): string {
    return this.#className ?? this.baseClassName
  }

  /** How numbers and key orders were spelled where this node came from. */
  get spelling(): Spelling {
    return this.#spelling
  }

  get carriedHash(): CarriedHash | undefined {
    return this.#carriedHash
  }

  /** What `refresh` compares: the carried hash while the content it belongs to stands, else this content's own. */
  get hash(): string {
    const now = this.computeHash()
    return this.#carriedHash?.of === now ? this.#carriedHash.hash : now
  }

  /** Takes over the hash that another program gave exactly this content. */
  carryHash(hash: string): void {
    const of = this.computeHash()
    this.#carriedHash = hash === of ? undefined : { hash, of }
  }

  get nodeId(): string {
    return this.id_
  }

  get refDocId(): string | undefined {
    return this.sourceNode?.nodeId
  }

  get sourceNode(): RelatedNodeInfo | undefined {
    return this.#related('SOURCE')
  }

  get prevNode(): RelatedNodeInfo | undefined {
    return this.#related('PREVIOUS')
  }

  get nextNode(): RelatedNodeInfo | undefined {
    return this.#related('NEXT')
  }

  get parentNode(): RelatedNodeInfo | undefined {
    return this.#related('PARENT')
  }

  get childNodes(): RelatedNodeInfo[] | undefined {
    const children = this.relationships.CHILD
    return children === undefined || Array.isArray(children) ? children : [children]
  }

  #related(relationship: NodeRelationship): RelatedNodeInfo | undefined {
    const related = this.relationships[relationship]
    return Array.isArray(related) ? related[0] : related
  }

  /** The text, with the metadata that the mode shows before it. */
  getContent(mode: MetadataMode = 'NONE'): string {
    const metadataStr = this.getMetadataStr(mode).trim()
    return metadataStr === '' ? this.text : contentText(this.textTemplate, metadataStr, this.text)
  }

  /** Whether `getContent(mode)` is more than the empty text. */
  hasContent(mode: MetadataMode = 'NONE'): boolean {
    const showsText = this.textTemplate === '' || this.textTemplate === defaultTextTemplate
    return (showsText && this.text !== '') || this.getContent(mode) !== ''
  }

  getText(): string {
    return this.text
  }

  setContent(text: string): void {
    this.text = text
  }

  getMetadataStr(mode: MetadataMode = 'ALL'): string {
    if (mode === 'NONE') return ''
    const excludedKeys = {
      ALL: [],
      EMBED: this.excludedEmbedMetadataKeys,
      LLM: this.excludedLlmMetadataKeys,
    }[mode]
    return metadataText(this.plainMetadata(), {
      template: this.metadataTemplate,
      separator: this.metadataSeparator,
      excludedKeys,
      spelling: this.spelling,
    })
  }

  getEmbedding(): Embedding {
    if (this.embedding === undefined) throw new TypeError(`Node ${this.id_} has no embedding.`)
    return this.embedding
  }

  /** The metadata as it will be stored, and so as it is hashed: a date is a text, what is undefined is absent. */
  protected plainMetadata(): Metadata {
    return checkMetadata(this.metadata, `node ${this.id_}: metadata`)
  }

  asRelatedNodeInfo(): RelatedNodeInfo {
    return { nodeId: this.id_, nodeType: this.type, metadata: { ...this.metadata }, hash: this.hash }
  }
}

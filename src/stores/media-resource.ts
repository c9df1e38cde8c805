/** One piece of media of a `Node`: text, image, audio or video, as bytes, as a path, as a URL. */
export interface MediaResource {
  text?: string
  /** The raw bytes. LlamaIndex drops them when it persists; Varve keeps them. */
  data?: Uint8Array
  path?: string
  url?: string
  mimetype?: string
  /** Vectors by kind (`dense`, `sparse`), as they came. */
  embeddings?: unknown
  /** Fields this version does not know, kept as they came. */
  extra?: Record<string, unknown>
}

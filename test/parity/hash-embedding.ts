/** The embedding model of the other programs: eight numbers of a text's SHA-256, which a float32 holds exactly. */
import { createHash } from 'node:crypto'
import type { EmbedModel } from 'varve'

export const hashEmbedding: EmbedModel = {
  id: 'sha256',
  dimensions: 8,
  embed: async (texts) => texts.map(vectorOf),
}

function vectorOf(text: string): Float32Array {
  const digest = createHash('sha256').update(text).digest()
  return Float32Array.from({ length: 8 }, (_, at) => digest.readUInt16BE(at * 2) / 65536 - 0.5)
}

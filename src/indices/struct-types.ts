/** Which struct types are indices of vectors. */
import { canonicalStructType } from '../stores/struct-types.ts'

/** A vector index of text and images; its images have vectors in the namespace `image`. */
export const multimodalType = 'multimodal'

export function isVectorType(type: string): boolean {
  return type === multimodalType || canonicalStructType(type) === 'vector_store'
}

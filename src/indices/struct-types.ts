/** Which struct types are indices of vectors. Before 0.7 each vector database had a type of its own, all with the same fields. */

/** A vector index of text and images; its images have vectors in the namespace `image`. */
export const multimodalType = 'multimodal'

const pastTypes =
  'dict simple_dict weaviate pinecone qdrant lancedb milvus chroma myscale clickhouse opensearch dashvector ' +
  'chatgpt_retrieval_plugin deeplake epsilla vectara postgresml'

const vectorTypes = new Set(['vector_store', multimodalType, ...pastTypes.split(' ')])

export function isVectorType(type: string): boolean {
  return vectorTypes.has(type)
}

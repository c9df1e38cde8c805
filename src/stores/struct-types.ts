/**
 * LlamaIndex's names for the types of index structs. Up to 0.6, and in TypeScript to the end, a vector index was named after the store that
 * kept its vectors; all these have the fields of `vector_store` and load as vector indexes. The name itself is kept as it came.
 */
const vectorTypes = new Set([
  'simple_dict',
  'dict',
  'faiss',
  'weaviate',
  'pinecone',
  'qdrant',
  'lancedb',
  'milvus',
  'chroma',
  'myscale',
  'clickhouse',
  'opensearch',
  'dashvector',
  'chatgpt_retrieval_plugin',
  'deeplake',
  'epsilla',
  'vectara',
  'postgresml',
])

/** The name of today for a type: a key of `structFields`, or the type itself. */
export function canonicalStructType(type: string): string {
  return vectorTypes.has(type) ? 'vector_store' : type
}

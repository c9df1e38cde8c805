/** The names of LlamaIndex's files, and what a directory's names say about it. */

export const fileNames = {
  pythonDocstore: 'docstore.json',
  typeScriptDocstore: 'doc_store.json',
  indexStore: 'index_store.json',
  graphStore: 'graph_store.json',
  propertyGraphStore: 'property_graph_store.json',
  chatStore: 'chat_store.json',
  /** Python's before 0.8, and TypeScript's. */
  vectorStore: 'vector_store.json',
} as const

export const defaultVectorNamespace = 'default'

const suffix = `__${fileNames.vectorStore}`
const fixedNames: ReadonlySet<string> = new Set(Object.values(fileNames))

export function isLlamaIndexName(name: string): boolean {
  return fixedNames.has(name) || name.endsWith(suffix)
}

/** The namespace of a vector store's file: all before the last `__vector_store.json`, so it may hold `__` itself. */
export function vectorNamespaceOf(name: string): string | undefined {
  if (name === fileNames.vectorStore) return defaultVectorNamespace
  return name.endsWith(suffix) ? name.slice(0, -suffix.length) : undefined
}

/** Python takes what stands before the first `__` for the namespace, and finds the file by it. `undefined` where that fails, or where the name is more than a name. */
export function vectorFileName(namespace: string): string | undefined {
  const name = namespace + suffix
  const isFound = name.split('__')[0] === namespace
  // oxlint-disable-next-line no-control-regex -- no file system takes them all
  const isPlain = !/[/\\:*?"<>|\u0000-\u001f\ud800-\udfff]/u.test(name) && Buffer.byteLength(name) <= 255
  return isFound && isPlain ? name : undefined
}

/** What the beginning of a JSON file of another name gives away. */
export function remarkOnStart(start: string): string | undefined {
  if (/^\s*\{\s*"index_struct(_id)?"/.test(start)) {
    return 'It is an index that LlamaIndex 0.5 or older saved in one file, a form that is not read.'
  }
  const [, key] = /^\s*\{\s*"([^"]*)"/.exec(start) ?? []
  const usual = key === undefined ? undefined : usualNames.find(([pattern]) => pattern.test(key))?.[1]
  return usual && `It looks like a ${usual} under another name, and was not read. Rename it to be read.`
}

const usualNames: readonly (readonly [RegExp, string])[] = [
  [/^docstore\/(data|metadata|ref_doc_info)$/, fileNames.pythonDocstore],
  [/^index_store\/data$/, fileNames.indexStore],
  [/^(embedding_dict|embeddingDict)$/, fileNames.vectorStore],
  [/^graph_dict$/, fileNames.graphStore],
]

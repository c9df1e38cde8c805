/**
 * Reads a directory that LlamaIndex persisted, in Python (0.6 to 0.14) or TypeScript (2023 to 0.12.1): everything in it, or an error that
 * names the damaged file. It changes nothing there. What is missing or does not fit together is a warning.
 */
import { VarveError } from '../errors.ts'
import { readChats } from './llamaindex-chats.ts'
import { checkContent } from './llamaindex-checks.ts'
import { LlamaIndexFiles } from './llamaindex-files.ts'
import { defaultNamespace, readDocstore, type DocstoreContent } from './llamaindex-docstore.ts'
import { readGraph, readPropertyGraph, tripletsOf } from './llamaindex-graphs.ts'
import { fileNames, isLlamaIndexName, remarkOnStart, vectorNamespaceOf } from './llamaindex-names.ts'
import { readStructs, type StructsContent } from './llamaindex-structs.ts'
import { readRecords, readVectors, type VectorsContent } from './llamaindex-vectors.ts'
import { ReadNodes } from './read-nodes.ts'
import type { Disk } from '../disk/disk.ts'
import type {
  LlamaIndexContent,
  LlamaIndexDialect,
  LlamaIndexWarning,
  VectorRecord,
} from './llamaindex-content.ts'
import type { Triplet } from '../stores/contract.ts'

export interface ReadProgress {
  bytes: number
  totalBytes: number
  /** The file that is being read. */
  phase?: string
}

export interface ReadOptions {
  onProgress?: ((progress: ReadProgress) => void) | undefined
  signal?: AbortSignal | undefined
}

/** `undefined` if nothing of LlamaIndex's stands there. */
export async function readLlamaIndexDirectory(
  disk: Disk,
  directory: string,
): Promise<LlamaIndexContent | undefined> {
  return withLlamaIndexDirectory(disk, directory, {}, async (content) => {
    if (!content) return undefined
    const vectors = Array.from(content.vectors, ([name, records]) => [name, readRecords(records)] as const)
    return { ...content, nodes: content.nodes.kept(), vectors: new Map(vectors) }
  })
}

/** The same, with nodes and vectors that are read when they are asked for, while `work` runs: so they need not be in memory. */
export async function withLlamaIndexDirectory<T>(
  disk: Disk,
  directory: string,
  { onProgress, signal }: ReadOptions,
  work: (content: LlamaIndexContent | undefined) => Promise<T>,
): Promise<T> {
  const status = await disk.stat(directory)
  if (status?.kind !== 'directory') return work(undefined)
  const files = new LlamaIndexFiles(disk, directory, await disk.list(directory))
  const totalBytes = onProgress ? await files.sizeOf(isLlamaIndexName) : 0
  files.onPiece = (phase, bytes) => {
    signal?.throwIfAborted()
    onProgress?.({ phase: `reading ${phase}`, bytes, totalBytes })
  }
  const warnings: LlamaIndexWarning[] = []
  const warn: Warn = (file, message) => void warnings.push({ file, message })
  try {
    await remarkOnOthers(files, warn)
    if (!files.names.some(isLlamaIndexName)) {
      if (warnings.length > 0) throw tooOld(warnings)
      return await work(undefined)
    }
    return await work({ ...(await readContent(files, warn)), warnings })
  } finally {
    await files.close()
  }
}

type Warn = (file: string, message: string) => void

async function readContent(files: LlamaIndexFiles, warn: Warn): Promise<Omit<LlamaIndexContent, 'warnings'>> {
  const about = (file: string) => ({ file, warn: (message: string) => warn(file, message) })
  const open = (file: string) => files.reader(file)

  const { indexStore, graphStore, propertyGraphStore, chatStore } = fileNames
  const allStructs = files.has(indexStore) ? readStructs(await open(indexStore), about(indexStore)) : {}
  const allVectors = new Map<string, VectorsContent>()
  for (const file of files.names.filter((name) => vectorNamespaceOf(name) !== undefined)) {
    if (isFaiss(await files.start(file, 2)))
      warn(file, 'It is an index of FAISS, not JSON; its vectors were left out.')
    else allVectors.set(file, readVectors(await open(file), about(file)))
  }

  const dialect = chooseDialect(piecesOf(files, allStructs, allVectors), warn)
  const docstoreFile = dialect === 'python' ? fileNames.pythonDocstore : fileNames.typeScriptDocstore
  const isContext = files.names.some((name) => isLlamaIndexName(name) && name !== chatStore)
  if (isContext && !files.has(docstoreFile)) warn(docstoreFile, 'It is missing: there are no nodes.')
  if (isContext && !files.has(indexStore)) warn(indexStore, 'It is missing: there is no index to load.')
  const docstore = files.has(docstoreFile)
    ? readDocstore(await open(docstoreFile), { ...about(docstoreFile), dialect })
    : emptyDocstore()
  const { structs, nodes } = allStructs[dialect] ?? { structs: [], nodes: new Map() }
  const graph = files.has(graphStore) ? readGraph(await open(graphStore), about(graphStore)) : []
  const propertyGraph = files.has(propertyGraphStore)
    ? readPropertyGraph(await files.bytes(propertyGraphStore), about(propertyGraphStore))
    : undefined

  const chats = files.has(chatStore) ? readChats(await files.bytes(chatStore), about(chatStore)) : undefined

  addNodesOfStructs(docstore, nodes, warn)
  const content = {
    dialect,
    files: files.read,
    namespace: docstore.namespace,
    nodes: docstore.nodes,
    documentMetadata: docstore.documentMetadata,
    refDocs: docstore.refDocs,
    structs,
    vectors: vectorsByNamespace(allVectors, dialect, warn),
    graph: graph.length > 0 ? graph : graphOfStructs(structs, warn),
    ...(propertyGraph && { propertyGraph }),
    ...(chats && { chats }),
  }
  checkContent(content, warn)
  return content
}

const emptyDocstore = (): DocstoreContent => ({
  namespace: defaultNamespace,
  nodes: new ReadNodes(),
  documentMetadata: new Map(),
  refDocs: new Map(),
})

/** Which files, or parts of files, each dialect has here. */
function piecesOf(
  files: LlamaIndexFiles,
  structs: Partial<Record<LlamaIndexDialect, StructsContent>>,
  vectors: ReadonlyMap<string, VectorsContent>,
): Record<LlamaIndexDialect, string[]> {
  const of = (dialect: LlamaIndexDialect, docstore: string, collection: string) => [
    ...(files.has(docstore) ? [docstore] : []),
    ...(structs[dialect] ? [`${fileNames.indexStore} ("${collection}")`] : []),
    ...[...vectors].filter(([, content]) => content.dialect === dialect).map(([file]) => file),
  ]
  return {
    python: of('python', fileNames.pythonDocstore, 'index_store/data'),
    typescript: of('typescript', fileNames.typeScriptDocstore, 'docstore/data'),
  }
}

/** Both may have written here, over each other in part. The one with more of its pieces counts; at a tie Python's, which saves all at once. */
function chooseDialect(
  { python, typescript }: Record<LlamaIndexDialect, string[]>,
  warn: Warn,
): LlamaIndexDialect {
  const kinds = (pieces: string[]) => new Set(pieces.map((piece) => piece.replace(/^.*__/, ''))).size
  const dialect = kinds(typescript) > kinds(python) ? 'typescript' : 'python'
  const [winner, others] = dialect === 'python' ? ['Python', typescript] : ['TypeScript', python]
  for (const piece of others) {
    const [file = ''] = piece.split(' ')
    warn(
      file,
      `LlamaIndex for Python and for TypeScript both wrote here; ${winner} counts, ${piece} was left out.`,
    )
  }
  return dialect
}

function vectorsByNamespace(
  all: ReadonlyMap<string, VectorsContent>,
  dialect: LlamaIndexDialect,
  warn: Warn,
): Map<string, VectorRecord[]> {
  const byNamespace = new Map<string, VectorRecord[]>()
  for (const [file, content] of all) {
    if (content.dialect !== undefined && content.dialect !== dialect) continue
    const namespace = vectorNamespaceOf(file)
    // The names are sorted, so the old name of the default namespace comes last.
    if (!namespace) warn(file, 'Its namespace has no name; its vectors were left out.')
    else if (byNamespace.has(namespace))
      warn(file, `There is a newer file of the namespace ${namespace}; this was left out.`)
    else byNamespace.set(namespace, content.vectors)
  }
  return byNamespace
}

function addNodesOfStructs(docstore: DocstoreContent, nodes: StructsContent['nodes'], warn: Warn): void {
  const added = [...nodes.values()].filter(({ id_ }) => !docstore.nodes.has(id_))
  for (const node of added) docstore.nodes.set(node.id_, node)
  if (added.length > 0) {
    warn(
      fileNames.indexStore,
      `${added.length} nodes stand only in its indices; they were added to the document store.`,
    )
  }
}

/** Before 0.6.13 or so a knowledge graph stood in its index. Python moves it, too, when it loads such an index. */
function graphOfStructs(structs: StructsContent['structs'], warn: Warn): Triplet[] {
  const triplets = structs.flatMap(({ type, relMap }) => {
    if (type !== 'kg' || !(relMap instanceof Map)) return []
    const warnOfIndex = (message: string) => warn(fileNames.indexStore, message)
    return [...relMap].flatMap(([subject, pairs]) => tripletsOf(String(subject), pairs, warnOfIndex))
  })
  if (triplets.length > 0)
    warn(fileNames.graphStore, `It has no triplets; ${triplets.length} were taken from the index.`)
  return triplets
}

/** FAISS keeps its own files under LlamaIndex's name for vector stores. */
function isFaiss([first, second]: Uint8Array): boolean {
  return first === 0x49 && second === 0x78
}

/** Files of other names that LlamaIndex may have written are looked at, not read. */
async function remarkOnOthers(files: LlamaIndexFiles, warn: Warn): Promise<void> {
  for (const name of files.names.filter((other) => other.endsWith('.json') && !isLlamaIndexName(other))) {
    const start = Buffer.from(await files.start(name, 256)).toString('latin1')
    const remark = remarkOnStart(start)
    if (remark !== undefined) warn(name, remark)
  }
}

function tooOld(warnings: readonly LlamaIndexWarning[]): VarveError {
  const [{ file, message }] = warnings as [LlamaIndexWarning]
  const remedy = 'Rename it, if it is only misnamed; else build the index anew, in an empty directory.'
  return new VarveError('VARVE_NOT_STORAGE', `${file}: ${message}`, { remedy, file, warnings })
}

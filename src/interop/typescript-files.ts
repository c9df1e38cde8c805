/** The files of a persist directory as LlamaIndexTS 0.12.1 writes them, without what would keep it from loading the rest. */
import { constants } from 'node:buffer'
import { VarveError } from '../errors.ts'
import type { IndexStruct } from '../stores/index-struct.ts'
import { plainSpelling } from '../stores/spelling.ts'
import { canonicalStructType } from '../stores/struct-types.ts'
import { nodeInEntry } from './entry-nodes.ts'
import type { Omission } from './export-report.ts'
import type { TextFile } from './json-file.ts'
import { typeScriptStyle } from './json-styles.ts'
import { isObject } from './llamaindex-field.ts'
import type { VectorRecord } from './llamaindex-content.ts'
import type { StorageContent } from './llamaindex-dict.ts'
import { defaultVectorNamespace, fileNames } from './llamaindex-names.ts'
import { JsonInString, jsonPieces, Members, membersOf } from './members.ts'
import { spelled } from './python-spelled.ts'
import { hasMedia, nodeToTypeScript, translatedHash, typeScriptType } from './typescript-node.ts'
import { VectorNumbers } from './vector-numbers.ts'

type Omit = (omission: Omission) => void
type Entry = readonly [key: string, value: unknown]

export function typeScriptFiles(content: StorageContent, omit: Omit): TextFile[] {
  omitOthers(content, omit)
  const structs = content.structs.filter((struct) => isKnown(struct, omit))
  const vectors = usableVectors(content, structs, omit)
  const file = (name: string, tree: unknown): TextFile => ({
    name,
    pieces: jsonPieces(tree, typeScriptStyle),
  })
  return [
    file(fileNames.typeScriptDocstore, docstoreTree(content)),
    file(fileNames.indexStore, indexStoreTree(content, structs)),
    file(fileNames.vectorStore, vectorStoreTree(vectors)),
  ]
}

/** It reads each file as one string, and V8 has a longest one. */
export function checkReadable(name: string, characters: number, limit = constants.MAX_STRING_LENGTH): void {
  if (characters <= limit) return
  const fact = `${name} would have more than ${limit} characters, the longest string that Node.js can hold, and LlamaIndexTS reads a file as one string.`
  const remedy = 'Nothing was left there. Export for Python, or keep less in one directory.'
  throw new VarveError('VARVE_TOO_LARGE', fact, { remedy, file: name, limit })
}

/** In the order in which its calls first touch them: chunks have their source looked up before their hash is set. */
function docstoreTree({ namespace, nodes, documentMetadata, refDocs, nodeOf }: StorageContent): Members {
  const [firstNode] = nodes
  const data = membersOf(nodes, (node) => [
    node.id_,
    new Members([
      ['__data__', new JsonInString(nodeToTypeScript(node))],
      ['__type__', typeScriptType(node)],
    ]),
  ])
  const metadata = membersOf(documentMetadata, ([id, { hash, refDocId, extra = {} }]) => {
    const docHash = hash === undefined ? undefined : translatedHash(hash, nodeOf(id))
    return [id, { docHash, refDocId, ...(spelled(extra, plainSpelling) as object) }]
  })
  const infos = membersOf(
    refDocs,
    ([id, { nodeIds, metadata: extraInfo, spelling = plainSpelling, extra = {} }]) => [
      id,
      { nodeIds, extraInfo: spelled(extraInfo, spelling), ...(spelled(extra, plainSpelling) as object) },
    ],
  )
  const isChunkFirst =
    firstNode !== undefined && firstNode.refDocId !== undefined && firstNode.type === 'TEXT'
  const all: [string, Members, boolean][] = [
    ['data', data, firstNode !== undefined],
    ['metadata', metadata, documentMetadata.size > 0],
    ['ref_doc_info', infos, refDocs.size > 0],
  ]
  if (isChunkFirst) all.push(all.splice(1, 1)[0]!)
  const filled = all.filter(([, , hasEntries]) => hasEntries)
  return new Members(filled.map(([name, collection]) => [`${namespace}/${name}`, collection]))
}

/** Its name for a vector index, and the one other that it reads. */
const types: Readonly<Record<string, string>> = { vector_store: 'simple_dict', list: 'list' }

function isKnown({ indexId, type }: IndexStruct, omit: Omit): boolean {
  if (Object.hasOwn(types, canonicalStructType(type))) return true
  omit({
    what: `index ${indexId} (${type})`,
    reason: 'LlamaIndexTS reads no index of this type, and none at all from a directory that has one.',
  })
  return false
}

function indexStoreTree({ nodeOf }: StorageContent, structs: readonly IndexStruct[]): Members {
  if (structs.length === 0) return new Members([])
  return new Members([
    ['docstore/data', membersOf(structs, (struct) => [struct.indexId, structTree(struct, nodeOf)])],
  ])
}

/** Python's `docIdDict` and `embeddingsDict` mean nothing, there neither. */
function structTree(
  { indexId, type, summary, nodes, nodesDict, ...rest }: IndexStruct,
  nodeOf: NodeOf,
): Members {
  const { docIdDict: _, embeddingsDict: __, ...others } = rest
  const entries: Entry[] = [
    ['indexId', indexId],
    ...(typeof summary === 'string' ? [['summary', summary] as const] : []),
    ...(nodesDict instanceof Map
      ? [['nodesDict', nodesTree(nodesDict as Map<string, unknown>, nodeOf)] as const]
      : []),
    ...(nodes === undefined ? [] : [['nodes', nodes] as const]),
    ...Object.entries(others),
    ['type', types[canonicalStructType(type)]],
  ]
  return new Members(entries)
}

type NodeOf = StorageContent['nodeOf']

/** It keeps whole nodes where Python has their ids. */
function nodesTree(nodesDict: ReadonlyMap<string, unknown>, nodeOf: NodeOf): Members {
  return new Members({
    *[Symbol.iterator]() {
      for (const [key, entry] of nodesDict) {
        const node = nodeInEntry(key, entry) ?? nodeOf(String(entry))
        if (node) yield [key, nodeToTypeScript(node, { embedding: false })]
      }
    },
  })
}

/** A search of LlamaIndexTS ends in an error at a vector whose node its index does not hold. */
function usableVectors(
  { vectors, hasNode }: StorageContent,
  structs: readonly IndexStruct[],
  omit: Omit,
): VectorRecord[] {
  const records = vectors.get(defaultVectorNamespace) ?? []
  const dicts = structs.flatMap(({ nodesDict }) =>
    nodesDict instanceof Map ? [nodesDict as Map<string, unknown>] : [],
  )
  const isThere = (entry: unknown): boolean => isObject(entry) || hasNode(String(entry))
  const missing = dicts.flatMap((dict) => [...dict.values()].filter((entry) => !isThere(entry)))
  if (missing.length > 0)
    omit({
      what: `${missing.length} entries of indices (${missing.slice(0, 3).join(', ')})`,
      reason: 'The nodes that they name are not in the docstore.',
    })
  if (dicts.length === 0) return records
  const isNamed = ({ id }: VectorRecord): boolean =>
    dicts.some((dict) => dict.has(id) && isThere(dict.get(id)))
  const usable = records.filter(isNamed)
  if (usable.length < records.length)
    omit({
      what: `${records.length - usable.length} vectors of the namespace ${defaultVectorNamespace}`,
      reason: 'No index holds their nodes, and LlamaIndexTS fails in a search that finds one.',
    })
  return usable
}

function vectorStoreTree(records: readonly VectorRecord[]): Members {
  const sourced = records.filter(({ refDocId }) => refDocId !== undefined)
  const described = records.filter(({ metadata }) => metadata !== undefined)
  return new Members([
    [
      'embeddingDict',
      membersOf(records, ({ id, vector, numerals }) => [id, new VectorNumbers(vector, numerals)]),
    ],
    ['textIdToRefDocId', membersOf(sourced, ({ id, refDocId }) => [id, refDocId])],
    [
      'metadataDict',
      membersOf(described, ({ id, metadata, spelling = plainSpelling }) => [id, spelled(metadata, spelling)]),
    ],
  ])
}

function omitOthers({ nodes, vectors, graph, propertyGraph, chats }: StorageContent, omit: Omit): void {
  for (const [namespace, { length }] of vectors)
    if (namespace !== defaultVectorNamespace && length > 0)
      omit({
        what: `namespace ${namespace} (${length} vectors)`,
        reason: 'LlamaIndexTS keeps one vector store.',
      })
  if (graph.length > 0)
    omit({ what: `graph (${graph.length} triplets)`, reason: 'LlamaIndexTS has no graph store.' })
  if (propertyGraph) {
    const { length } = propertyGraph.triplets
    omit({ what: `property graph (${length} triplets)`, reason: 'LlamaIndexTS has no property graph store.' })
  }
  if (chats.length > 0)
    omit({ what: `${chats.length} chats`, reason: 'LlamaIndexTS keeps no chats in a directory.' })
  let media = 0
  for (const node of nodes) if (hasMedia(node)) media++
  if (media > 0) omit({ what: `media of ${media} nodes`, reason: 'LlamaIndexTS keeps their text only.' })
}

/** The files of a persist directory as LlamaIndex for Python writes them in 2026. */
import { matchesHash } from '../stores/matches-hash.ts'
import { structFields } from '../stores/index-struct.ts'
import type { BaseNode } from '../stores/node.ts'
import { canonicalStructType } from '../stores/struct-types.ts'
import type { Omission } from './export-report.ts'
import type { TextFile } from './json-file.ts'
import type { DocumentRecord } from './llamaindex-content.ts'
import type { StorageContent } from './llamaindex-dict.ts'
import { isTypeScriptHash } from './typescript-node.ts'
import { defaultVectorNamespace, fileNames, vectorFileName } from './llamaindex-names.ts'
import { jsonPieces, type JsonStyle } from './members.ts'
import { pydanticStyle, pythonStyle } from './json-styles.ts'
import {
  docstoreToPython,
  graphStoreToPython,
  indexStoreToPython,
  propertyGraphToPython,
  vectorStoreToPython,
} from './python-trees.ts'

/** Of which nothing but the type is Python's own. */
const otherTypes = ['sql', 'pandas']
const knownTypes = new Set([...Object.keys(structFields), ...otherTypes])

export function pythonFiles(content: StorageContent, omit: (omission: Omission) => void): TextFile[] {
  const { propertyGraph } = content
  const file = (name: string, tree: unknown, style: JsonStyle = pythonStyle): TextFile => ({
    name,
    pieces: jsonPieces(tree, style),
  })
  const structs = content.structs
    .map((struct) => ({ ...struct, type: canonicalStructType(struct.type) }))
    .filter(({ indexId, type }) => {
      if (knownTypes.has(type)) return true
      const reason = 'Python knows no index of this type, and loads no index from a directory that has one.'
      omit({ what: `index ${indexId} (${type})`, reason })
      return false
    })
  // Python always has these two.
  const vectors = new Map([[defaultVectorNamespace, []], ['image', []], ...content.vectors])
  return [
    file(
      fileNames.pythonDocstore,
      docstoreToPython({ ...content, documentMetadata: withPythonHashes(content) }),
    ),
    file(fileNames.indexStore, indexStoreToPython(structs)),
    file(fileNames.graphStore, graphStoreToPython(content.graph)),
    ...(propertyGraph
      ? [file(fileNames.propertyGraphStore, propertyGraphToPython(propertyGraph), pydanticStyle)]
      : []),
    ...[...vectors].flatMap(([namespace, records]) => {
      const name = vectorFileName(namespace)
      if (name !== undefined) return [file(name, vectorStoreToPython(records))]
      const reason = 'The name cannot be part of a file name that Python finds.'
      omit({ what: `namespace ${namespace} (${records.length} vectors)`, reason })
      return []
    }),
  ]
}

/** A hash that LlamaIndexTS gave a document says to Python that it has changed; what says that it has not is Python's own. */
function withPythonHashes({ documentMetadata, nodeOf }: StorageContent): StorageContent['documentMetadata'] {
  const toPython = (id: string, record: DocumentRecord): DocumentRecord => {
    const { hash } = record
    const node = hash !== undefined && isTypeScriptHash(hash) ? nodeOf(id) : undefined
    return node && matchesHash(node, hash!) ? { ...record, hash: ownHash(node) } : record
  }
  return new Map(Array.from(documentMetadata, ([id, record]) => [id, toPython(id, record)]))
}

function ownHash({ hash, carriedHash }: BaseNode): string {
  return carriedHash?.hash === hash ? carriedHash.of : hash
}

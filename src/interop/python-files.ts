/** The files of a persist directory as LlamaIndex for Python writes them in 2026. */
import { structFields } from '../stores/index-struct.ts'
import { canonicalStructType } from '../stores/struct-types.ts'
import type { Omission } from './export-report.ts'
import type { TextFile } from './json-file.ts'
import type { StorageContent } from './llamaindex-dict.ts'
import { defaultVectorNamespace, fileNames, vectorFileName } from './llamaindex-names.ts'
import { jsonPieces, type JsonStyle } from './members.ts'
import { pydanticStyle, pythonStyle } from './python-json.ts'
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
    file(fileNames.pythonDocstore, docstoreToPython(content)),
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

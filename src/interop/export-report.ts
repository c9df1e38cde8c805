/** What an export wrote, and what its format has no place for, as data. */
import type { LlamaIndexDialect } from './llamaindex-content.ts'

export interface ExportedFile {
  name: string
  sizeBytes: number
}

/** Something that is in the storage and not in the export. */
export interface Omission {
  /** By name: `index T (tree)`, `namespace image`, … */
  what: string
  reason: string
}

export interface ExportReport {
  to: string
  format: LlamaIndexDialect
  files: ExportedFile[]
  nodes: number
  indices: number
  /** By namespace. */
  vectors: Record<string, number>
  triplets: number
  omitted: Omission[]
}

export interface ExportProgress {
  /** The file that is being written. */
  phase: string
  /** Written so far, in all files. */
  bytes: number
}

/** `importLlamaIndex`: a LlamaIndex directory as a journal with one commit, which is written while it is made. */
import { asVarveError, namingErrors } from '../disk/disk-errors.ts'
import { VarveError } from '../errors.ts'
import { withLlamaIndexDirectory, type ReadProgress } from '../interop/llamaindex-directory.ts'
import type {
  LlamaIndexContent,
  LlamaIndexDialect,
  LlamaIndexFile,
  LlamaIndexWarning,
} from '../interop/llamaindex-content.ts'
import type { Commit } from '../journal/commit.ts'
import { Journal } from '../journal/journal.ts'
import { appendContent, importNote } from './imported-directory.ts'
import { journalOptions, refuseOthers, type OpenOptions } from './open-journal.ts'
import { openShared, release } from './shared-journals.ts'

export interface ImportOptions extends Pick<
  OpenOptions,
  'disk' | 'durability' | 'clock' | 'random' | 'networkFileSystem'
> {
  /** A new or empty directory. Default: beside the JSON, which stays untouched, and from then on does not count any more. */
  to?: string | undefined
  onProgress?: ((progress: ReadProgress) => void) | undefined
  /** Stops the work, which then rejects with the signal's reason; nothing counts that was written. */
  signal?: AbortSignal | undefined
}

export interface ImportReport {
  from: string
  to: string
  /** Who wrote it. */
  dialect: LlamaIndexDialect
  files: LlamaIndexFile[]
  nodes: number
  indices: { indexId: string; type: string }[]
  /** By namespace. */
  vectors: Record<string, number>
  triplets: number
  /** What does not fit together, what could not be placed, and what was left out. */
  warnings: LlamaIndexWarning[]
  /** `undefined` if there was nothing in the files. */
  commit: Commit | undefined
}

/**
 * Reads a directory that LlamaIndex wrote, in Python or TypeScript, and commits it as number 1. Fields that nothing here knows are kept. The files are not changed.
 * Throws `VARVE_NOT_FOUND` if nothing of LlamaIndex's stands there, `VARVE_NOT_STORAGE` for a target that is not empty, `VARVE_BAD_FILE` for a damaged file, by name.
 */
export async function importLlamaIndex(from: string, options: ImportOptions = {}): Promise<ImportReport> {
  const { to = from, onProgress, signal } = options
  const warnings: LlamaIndexWarning[] = []
  const opening = journalOptions({
    ...options,
    onWarning: (message) => void warnings.push({ file: to, message }),
  })
  const { disk } = opening
  // What an import that did not come to its end left there is in nobody's way.
  if (to !== from) await namingErrors(to, () => refuseOthers(disk, to, false))
  const journal = await openShared(disk, to, () => Journal.open(to, opening))
  try {
    if (journal.exists || journal.hasStagedCommits || journal.hasPendingChanges) throw alreadyJournal(to)
    return await withLlamaIndexDirectory(disk, from, { onProgress, signal }, async (content) => {
      if (!content) {
        const fact = `Nothing of LlamaIndex's stands in ${from}.`
        throw new VarveError('VARVE_NOT_FOUND', fact, { remedy: 'Check the path.', directory: from })
      }
      try {
        await appendContent(
          journal,
          content,
          (message) => void warnings.push({ file: from, message }),
          signal,
        )
        signal?.throwIfAborted()
        const commit = await journal.persist(importNote(content), 'import')
        return { from, to, ...foundIn(content), warnings: [...content.warnings, ...warnings], commit }
      } catch (error) {
        await journal.rollback()
        throw error
      }
    })
  } catch (error) {
    throw asVarveError(error, to)
  } finally {
    await release(journal)
  }
}

function alreadyJournal(to: string): VarveError {
  return new VarveError('VARVE_NOT_STORAGE', `${to} holds a journal already, or is just becoming one.`, {
    remedy: 'Give the path of a new or empty directory.',
    directory: to,
  })
}

type Found = Pick<ImportReport, 'dialect' | 'files' | 'nodes' | 'indices' | 'vectors' | 'triplets'>

function foundIn({
  dialect,
  files,
  nodes,
  structs,
  vectors,
  graph,
  propertyGraph,
}: LlamaIndexContent): Found {
  const graphTriplets = propertyGraph?.tree.triplets
  return {
    dialect,
    files,
    nodes: nodes.length,
    indices: structs.map(({ indexId, type }) => ({ indexId, type })),
    vectors: Object.fromEntries(Array.from(vectors, ([namespace, { length }]) => [namespace, length])),
    triplets: graph.length + (Array.isArray(graphTriplets) ? graphTriplets.length : 0),
  }
}

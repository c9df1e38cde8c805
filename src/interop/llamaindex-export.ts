/**
 * Writes a directory that LlamaIndex, in Python or TypeScript, loads as if it had written it. Each file is written piece by piece; the directory comes into being in
 * one step, when all of it is there and durable. What the format has no place for is left out, and said.
 */
import { asVarveError, isDiskFull } from '../disk/disk-errors.ts'
import type { Disk } from '../disk/disk.ts'
import { VarveError } from '../errors.ts'
import { makeDirectoryDurable } from '../log/durable-directory.ts'
import { claimTarget, removeFiles, settleTarget } from '../log/new-directory.ts'
import { withEntryNodes } from './entry-nodes.ts'
import type { ExportedFile, ExportProgress, ExportReport, Omission } from './export-report.ts'
import { writeTextFile, type TextFile } from './json-file.ts'
import type { LlamaIndexDialect } from './llamaindex-content.ts'
import type { StorageContent } from './llamaindex-dict.ts'
import { pythonFiles } from './python-files.ts'
import { checkReadable, typeScriptFiles } from './typescript-files.ts'

export interface ExportOptions {
  /** A new or empty directory. */
  to: string
  format: LlamaIndexDialect
  onProgress?: ((progress: ExportProgress) => void) | undefined
  /** Stops the work, which then rejects with the signal's reason and leaves nothing behind. */
  signal?: AbortSignal | undefined
}

/** `from` is the directory of the storage, if it has one. */
export async function writeExport(
  disk: Disk,
  from: string | undefined,
  given: StorageContent,
  { to, format, onProgress, signal }: ExportOptions,
): Promise<ExportReport> {
  if (format !== 'python' && format !== 'typescript')
    throw new VarveError('VARVE_BAD_OPTION', `There is no format '${String(format)}'.`, {
      remedy: "Choose 'python' or 'typescript'.",
      format,
    })
  const content = format === 'python' ? withEntryNodes(given) : given
  const omitted: Omission[] = []
  const filesFor = format === 'python' ? pythonFiles : typeScriptFiles
  const all = filesFor(content, (omission) => omitted.push(omission))
  const check = format === 'python' ? () => {} : checkReadable
  const unfinished = await claimTarget(disk, from, to)
  try {
    const files = await writeFiles(disk, unfinished, all, { onProgress, signal, check })
    await settleTarget(disk, unfinished, to)
    return { to, format, files, ...countsOf(content), omitted }
  } catch (error) {
    await removeFiles(disk, unfinished)
    throw isDiskFull(error) ? diskFull(error, to) : asVarveError(error, to)
  }
}

interface WriteOptions extends Pick<ExportOptions, 'onProgress' | 'signal'> {
  /** Throws if a file of so many characters is of no use. */
  check: (name: string, characters: number) => void
}

async function writeFiles(
  disk: Disk,
  directory: string,
  files: readonly TextFile[],
  { onProgress, signal, check }: WriteOptions,
): Promise<ExportedFile[]> {
  const written: ExportedFile[] = []
  let before = 0
  await makeDirectoryDurable(disk, directory)
  for (const file of files) {
    const done = await writeTextFile(disk, directory, file, (characters, bytes) => {
      signal?.throwIfAborted()
      check(file.name, characters)
      onProgress?.({ phase: file.name, bytes: before + bytes })
    })
    before += done.sizeBytes
    written.push(done)
  }
  await disk.syncDirectory(directory)
  return written
}

function countsOf({
  nodes,
  structs,
  vectors,
  graph,
  propertyGraph,
}: StorageContent): Pick<ExportReport, 'nodes' | 'indices' | 'vectors' | 'triplets'> {
  return {
    nodes: nodes.length,
    indices: structs.length,
    vectors: Object.fromEntries(Array.from(vectors, ([namespace, { length }]) => [namespace, length])),
    triplets: graph.length + (propertyGraph?.triplets.length ?? 0),
  }
}

function diskFull(cause: unknown, to: string): VarveError {
  const remedy = 'Nothing was left there. Free some space, and export again.'
  return new VarveError('VARVE_DISK_FULL', `The disk of ${to} is full.`, { remedy, cause, path: to })
}

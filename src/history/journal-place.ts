/** Finds the journal of a directory, even one whose manifest is damaged, or says why there is none. Reads only. */
import type { Disk } from '../disk/disk.ts'
import { namingErrors } from '../disk/disk-errors.ts'
import { VarveError } from '../errors.ts'
import { isLlamaIndexName } from '../interop/llamaindex-names.ts'
import { journalIdBytes, readManifest, type Manifest } from '../journal/manifest.ts'
import { commitsFolder, joinPath, manifestName, parseSegmentName, segmentName } from '../log/names.ts'
import { segmentFault, segmentHeaderBytes } from '../log/segment.ts'
import { emptyIfMissing, SegmentFiles } from '../log/segment-files.ts'

export interface JournalPlace {
  files: SegmentFiles
  /** `undefined`: damaged or missing. */
  manifest: Manifest | undefined
  manifestFault: string | undefined
}

/**
 * Throws `VARVE_NOT_FOUND` where no journal is, `VARVE_NOT_A_DIRECTORY`, `VARVE_NEWER`; `VARVE_CORRUPT` where neither the manifest nor any
 * segment of the commit log can be read.
 */
export async function findJournal(disk: Disk, directory: string): Promise<JournalPlace> {
  return namingErrors(directory, async () => {
    await mustBeDirectory(disk, directory)
    const { manifest, fault } = await manifestOrFault(disk, directory)
    const hasCommits = (await commitSegments(disk, directory)).length > 0
    if (!manifest && !fault && !hasCommits) throw await noJournal(disk, directory)
    const id = manifest ? journalIdBytes(manifest) : await idInSegments(disk, directory)
    if (!id) throw unreadable(joinPath(directory, manifestName))
    return { files: new SegmentFiles({ disk, directory, journalId: id }), manifest, manifestFault: fault }
  })
}

function unreadable(path: string): VarveError {
  const fact = `Neither ${path} nor any segment of the commit log can be read.`
  return new VarveError('VARVE_CORRUPT', fact, { path })
}

async function mustBeDirectory(disk: Disk, directory: string): Promise<void> {
  const status = await disk.stat(directory)
  if (!status) throw missing(directory)
  if (status.kind !== 'directory')
    throw new VarveError('VARVE_NOT_A_DIRECTORY', `${directory} is not a directory.`, { directory })
}

async function manifestOrFault(
  disk: Disk,
  directory: string,
): Promise<{ manifest: Manifest | undefined; fault: string | undefined }> {
  try {
    const manifest = await readManifest(disk, directory)
    if (manifest) return { manifest, fault: undefined }
    const hasCommits = (await commitSegments(disk, directory)).length > 0
    return { manifest, fault: hasCommits ? 'it is missing' : undefined }
  } catch (error) {
    const isDamaged = error instanceof VarveError ? error.code === 'VARVE_CORRUPT' : hasCode(error, 'EIO')
    if (!isDamaged) throw error
    return { manifest: undefined, fault: 'it cannot be read' }
  }
}

async function commitSegments(disk: Disk, directory: string): Promise<number[]> {
  const names = await disk.list(joinPath(directory, commitsFolder)).catch(emptyIfMissing)
  return names.map(parseSegmentName).filter((number) => number !== undefined)
}

/** Every segment knows the journal it belongs to. */
async function idInSegments(disk: Disk, directory: string): Promise<Uint8Array | undefined> {
  for (const number of await commitSegments(disk, directory)) {
    const file = await disk.openToRead(joinPath(directory, commitsFolder, segmentName(number)))
    try {
      const header = await file.read(0, segmentHeaderBytes)
      const journalId = header.slice(16, 32)
      if (!segmentFault(header, { journalId, folder: commitsFolder, number })) return journalId
    } catch (error) {
      if (!hasCode(error, 'EIO')) throw error
    } finally {
      await file.close()
    }
  }
  return undefined
}

function missing(directory: string): VarveError {
  return new VarveError('VARVE_NOT_FOUND', `There is no directory ${directory}.`, {
    remedy: 'Check the path.',
    directory,
  })
}

async function noJournal(disk: Disk, directory: string): Promise<VarveError> {
  const names = await disk.list(directory)
  if (!names.some(isLlamaIndexName))
    return new VarveError('VARVE_NOT_FOUND', `There is no journal in ${directory}.`, {
      remedy: 'Check the path: a journal has a varve.json.',
      directory,
    })
  return new VarveError('VARVE_NOT_FOUND', `${directory} holds LlamaIndex's files, and no journal yet.`, {
    remedy: 'The first persist() of a context that opened it makes one.',
    directory,
  })
}

function hasCode(error: unknown, code: string): boolean {
  return (error as NodeJS.ErrnoException).code === code
}

/** The files that a directory was converted from: an erase does not reach them, but can remove them. */
import type { Disk } from '../disk/disk.ts'
import type { ImportedReach } from '../history/erase-report.ts'
import type { LlamaIndexFile } from '../interop/llamaindex-content.ts'
import { readCommits, type CommitLog } from '../journal/read-commit.ts'
import { fields, isObject, listOf, text, count } from '../journal/shape.ts'
import { joinPath } from '../log/names.ts'
import { hashFile } from './imported-directory.ts'

const isFile = fields({
  name: text,
  sizeBytes: count,
  modifiedMs: (value) => typeof value === 'number',
  sha256: text,
})

/** As import commits recorded them. */
export async function importedFiles(log: CommitLog): Promise<LlamaIndexFile[]> {
  const found = new Map<string, LlamaIndexFile>()
  for await (const { summary } of readCommits(log, 1, log.catalog.end.number)) {
    const files = summary.kind === 'import' ? summary.note.metadata?.['files'] : undefined
    if (!listOf((file) => isObject(file) && isFile(file))(files)) continue
    for (const file of files as LlamaIndexFile[]) if (isWithin(file.name)) found.set(file.name, file)
  }
  return [...found.values()]
}

/** A commit may say anything; nothing outside the directory is touched. */
function isWithin(name: string): boolean {
  return name.split(/[\\/]/).every((part) => part !== '' && part !== '.' && part !== '..')
}

/** Removes only what is what was imported: whoever changed a file since may need it. */
export async function reachImported(
  disk: Disk,
  directory: string,
  { files, remove }: { files: readonly LlamaIndexFile[]; remove: boolean },
): Promise<ImportedReach> {
  const reach: ImportedReach = { removed: [], notReached: [] }
  for (const { name, sizeBytes, sha256 } of files) {
    const path = joinPath(directory, name)
    const status = await disk.stat(path)
    if (!status) continue
    const isSame =
      status.kind === 'file' && status.sizeBytes === sizeBytes && (await hashFile(disk, path)) === sha256
    if (remove && isSame) {
      await disk.unlink(path)
      reach.removed.push(name)
    } else reach.notReached.push({ name, isChanged: !isSame })
  }
  for (const folder of new Set(
    reach.removed.map((name) => joinPath(directory, ...name.split('/').slice(0, -1))),
  ))
    await disk.syncDirectory(folder)
  return reach
}

/** Finds the folders of stores in a directory, whether any commit names them or not. */
import { isStoreFolder, joinPath } from './names.ts'
import type { SegmentFiles } from './segment-files.ts'

/** Folders that can be a store's, and those of its namespaces. */
export async function storeFolders(files: SegmentFiles): Promise<string[]> {
  const found: string[] = []
  for (const name of await namesIn(files, '')) {
    if (!isStoreFolder(name)) continue
    const below = await namesIn(files, name)
    found.push(name, ...below.map((inner) => `${name}/${inner}`).filter(isStoreFolder))
  }
  return found
}

async function namesIn({ disk, directory }: SegmentFiles, folder: string): Promise<string[]> {
  const path = folder ? joinPath(directory, folder) : directory
  return (await disk.stat(path))?.kind === 'directory' ? disk.list(path) : []
}

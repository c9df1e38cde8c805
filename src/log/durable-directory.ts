/** Makes directories whose names outlive the power, whoever made part of the way before. */
import type { Disk } from '../disk/disk.ts'
import { parentOf } from './names.ts'

/**
 * Makes a directory, each missing parent first, and every name durable before the next is made. So of what a
 * killed process left, only the name of the lowest directory may be unsynced.
 */
export async function makeDirectoryDurable(disk: Disk, directory: string): Promise<void> {
  const missing: string[] = []
  let standing = directory
  for (; !(await disk.stat(standing)); standing = parentOf(standing)) missing.push(standing)
  if (missing.length > 0) await syncName(disk, standing)
  for (const path of missing.toReversed()) {
    await disk.makeDirectory(path)
    await syncName(disk, path)
  }
}

/** Makes the name of a directory durable. Where the parent is not ours to open, it was not us who made it. */
export async function syncName(disk: Disk, directory: string): Promise<void> {
  await disk.syncDirectory(parentOf(directory)).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EACCES' && error.code !== 'EPERM') throw error
  })
}

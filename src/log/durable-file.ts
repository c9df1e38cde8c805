/** Puts a small file in its place, whole and durable, or leaves what stood there. */
import type { Disk } from '../disk/disk.ts'
import { parentOf } from './names.ts'

export async function replaceFile(disk: Disk, path: string, text: string): Promise<void> {
  const temporary = `${path}.new`
  await unlinkIfThere(disk, temporary)
  await createFile(disk, temporary, text)
  await disk.rename(temporary, path)
  await disk.syncDirectory(parentOf(path))
}

/**
 * Puts a small file in its place, whole and durable, unless one stands there: answers whether it did. Two who
 * try at once, each with a nonce of its own, are in nobody's way, and one of them wins.
 */
export async function placeFile(disk: Disk, path: string, text: string, nonce: string): Promise<boolean> {
  const temporary = `${path}.${nonce}`
  await unlinkIfThere(disk, temporary)
  await createFile(disk, temporary, text)
  try {
    await disk.link(temporary, path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    return false
  } finally {
    await unlinkIfThere(disk, temporary)
  }
  await disk.syncDirectory(parentOf(path))
  return true
}

/** Rejects with `EEXIST` if anything stands there. Its name is not durable yet. */
export async function createFile(disk: Disk, path: string, text: string): Promise<void> {
  const file = await disk.create(path)
  try {
    await file.write([Buffer.from(text)], 0)
    await file.sync()
  } finally {
    await file.close()
  }
}

async function unlinkIfThere(disk: Disk, path: string): Promise<void> {
  await disk.unlink(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error
  })
}

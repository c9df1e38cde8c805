/** Puts a small file in its place, whole and durable, or leaves what stood there. */
import type { Disk } from '../disk/disk.ts'
import { parentOf } from './names.ts'

export async function replaceFile(disk: Disk, path: string, text: string): Promise<void> {
  const temporary = `${path}.new`
  await disk.unlink(temporary).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error
  })
  await createFile(disk, temporary, text)
  await disk.rename(temporary, path)
  await disk.syncDirectory(parentOf(path))
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

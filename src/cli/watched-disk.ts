/** A disk that shows how much was read and written: the progress of work that has no other measure. */
import type { Disk, ReadableFile, WritableFile } from '../disk/disk.ts'
import { showBytes } from './progress.ts'
import type { Terminal } from './terminal.ts'

export function watchedDisk(disk: Disk, terminal: Terminal): Disk {
  const read = showBytes(terminal, 'reading')
  const written = showBytes(terminal, 'writing')
  const noted = (bytes: Uint8Array): Uint8Array => {
    read(bytes.length)
    return bytes
  }
  const readable = (file: ReadableFile): ReadableFile => ({
    size: () => file.size(),
    read: async (offset, length) => noted(await file.read(offset, length)),
    readNow: (offset, length) => noted(file.readNow(offset, length)),
    close: () => file.close(),
  })
  const writable = (file: WritableFile): WritableFile => ({
    ...readable(file),
    write: async (chunks, offset) => {
      await file.write(chunks, offset)
      written(chunks.reduce((sum, { length }) => sum + length, 0))
    },
    sync: () => file.sync(),
  })
  const watched: Partial<Disk> = {
    openToRead: async (path) => readable(await disk.openToRead(path)),
    openToWrite: async (path) => writable(await disk.openToWrite(path)),
    create: async (path) => writable(await disk.create(path)),
  }
  return new Proxy(disk, {
    get: (_, name: keyof Disk): unknown => watched[name] ?? (disk[name] as () => unknown).bind(disk),
  })
}

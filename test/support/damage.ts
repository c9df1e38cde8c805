/** Hurts a journal's files on a `MemoryDisk`, byte by byte. */
import type { MemoryDisk } from '../../src/disk/memory-disk.ts'
import { headerBytes, padded, tableEntryBytes } from '../../src/log/frame.ts'
import { segmentHeaderBytes } from '../../src/log/segment.ts'

export function segmentPath(directory: string, folder: string, number = 1): string {
  return `${directory}/${folder}/${String(number).padStart(10, '0')}.log`
}

/** Where the frames of a whole segment stand. */
export function framesOf(
  bytes: Uint8Array,
): { offset: number; end: number; rows: number; payloads: number }[] {
  const file = Buffer.from(bytes)
  const frames = []
  for (let offset = segmentHeaderBytes; offset + headerBytes <= file.length;) {
    const [items, head, rows, payloads] = [8, 12, 16, 20].map((at) => file.readUInt32LE(offset + at)) as [
      number,
      number,
      number,
      number,
    ]
    const rowsStart = offset + headerBytes + padded(head) + items * tableEntryBytes
    const end = rowsStart + padded(rows) + padded(payloads)
    frames.push({ offset, end, rows: rowsStart, payloads: rowsStart + padded(rows) })
    offset = end
  }
  return frames
}

export function edit(disk: MemoryDisk, path: string, change: (bytes: Buffer) => Uint8Array | void): void {
  const bytes = Buffer.from(disk.peek(path))
  disk.put(path, change(bytes) ?? bytes)
}

export function flip(disk: MemoryDisk, path: string, offset: number, bit = 3): void {
  edit(disk, path, (bytes) => {
    bytes[offset]! ^= 1 << bit
  })
}

export function cut(disk: MemoryDisk, path: string, length: number): void {
  edit(disk, path, (bytes) => bytes.subarray(0, length))
}

export function append(disk: MemoryDisk, path: string, more: Uint8Array): void {
  edit(disk, path, (bytes) => Buffer.concat([bytes, more]))
}

/** Every file below a directory. */
export async function filesUnder(disk: MemoryDisk, directory: string): Promise<string[]> {
  const found: string[] = []
  for (const name of await disk.list(directory)) {
    const path = `${directory}/${name}`
    const kind = (await disk.stat(path))?.kind
    if (kind === 'directory') found.push(...(await filesUnder(disk, path)))
    else if (kind === 'file') found.push(path)
  }
  return found
}

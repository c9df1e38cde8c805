/**
 * Reads a file from front to back, a large piece at a time, and does not stop at a bad sector: what the disk cannot read comes back as
 * zeros, which meet no checksum, and is remembered.
 */
import type { ReadableFile } from '../disk/disk.ts'

/** What is read at once: little of a file that may be small, twice as much each time it goes on. */
const firstWindowBytes = 64 * 1024
const lastWindowBytes = 1024 * 1024
const sectorBytes = 4096

export class SteadyFile {
  readonly #file: ReadableFile
  readonly #unreadable: { from: number; to: number }[] = []
  #window: Buffer = Buffer.alloc(0)
  #windowOffset = 0
  #windowBytes = firstWindowBytes
  #seen = 0

  constructor(file: ReadableFile) {
    this.#file = file
  }

  size(): Promise<number> {
    return this.#file.size()
  }

  /** The size, or the limit: asked no more once the file was seen to reach so far. */
  async sizeWithin(limit: number): Promise<number> {
    if (this.#seen < limit) this.#seen = await this.#file.size()
    return Math.min(this.#seen, limit)
  }

  close(): Promise<void> {
    return this.#file.close()
  }

  /** Up to `length` bytes; fewer at the end of the file. */
  async read(offset: number, length: number): Promise<Buffer> {
    const from = offset - this.#windowOffset
    if (from >= 0 && from + length <= this.#window.length) return this.#window.subarray(from, from + length)
    if (length > this.#windowBytes) return this.#readAround(offset, length)
    this.#window = await this.#readAround(offset, this.#windowBytes)
    this.#windowOffset = offset
    this.#windowBytes = Math.min(this.#windowBytes * 2, lastWindowBytes)
    return this.#window.subarray(0, length)
  }

  /** Whether the disk failed to read anything between these offsets. */
  failedWithin(from: number, to: number): boolean {
    return this.#unreadable.some((hole) => hole.from < to && hole.to > from)
  }

  async #readAround(offset: number, length: number): Promise<Buffer> {
    const whole = await this.#readOrNothing(offset, length)
    if (whole) return whole
    const end = Math.min(offset + length, await this.#file.size())
    const bytes = Buffer.alloc(Math.max(0, end - offset))
    for (let at = offset; at < end;) {
      const next = Math.min(end, (Math.floor(at / sectorBytes) + 1) * sectorBytes)
      const sector = await this.#readOrNothing(at, next - at)
      if (sector) bytes.set(sector, at - offset)
      else this.#unreadable.push({ from: at, to: next })
      at = next
    }
    return bytes
  }

  async #readOrNothing(offset: number, length: number): Promise<Buffer | undefined> {
    try {
      const { buffer, byteOffset, byteLength } = await this.#file.read(offset, length)
      return Buffer.from(buffer, byteOffset, byteLength)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EIO') return undefined
      throw error
    }
  }
}

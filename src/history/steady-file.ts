/**
 * Reads a file from front to back, a large piece at a time, with the next piece on its way meanwhile, and does not stop at a bad sector: what the disk
 * cannot read comes back as zeros, which meet no checksum, and is remembered.
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
  /** What stands right behind the window. */
  #ahead: Promise<Buffer> | undefined
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

  async close(): Promise<void> {
    await this.#ahead?.catch(() => undefined) // Nobody came to it.
    await this.#file.close()
  }

  /** What is in memory already, all of it or nothing. */
  held(offset: number, length: number): Buffer | undefined {
    const from = offset - this.#windowOffset
    if (from < 0 || from + length > this.#window.length) return undefined
    return this.#window.subarray(from, from + length)
  }

  /** Up to `length` bytes; fewer at the end of the file. */
  async read(offset: number, length: number): Promise<Buffer> {
    return this.held(offset, length) ?? (await this.#goOn(offset, length)) ?? this.#jump(offset, length)
  }

  /** Whether the disk failed to read anything between these offsets. */
  failedWithin(from: number, to: number): boolean {
    return this.#unreadable.some((hole) => hole.from < to && hole.to > from)
  }

  /** With what was read ahead, if that is enough. */
  async #goOn(offset: number, length: number): Promise<Buffer | undefined> {
    const end = this.#windowOffset + this.#window.length
    if (!this.#ahead || offset < this.#windowOffset || offset + length > end + this.#windowBytes)
      return undefined
    const ahead = await this.#ahead
    if (offset + length > end + ahead.length) return undefined
    // The window stays: what was looked at in part may be asked for whole.
    if (offset < end)
      return Buffer.concat([this.#window.subarray(offset - this.#windowOffset), ahead], length)
    this.#turnTo(end, ahead)
    return this.held(offset, length)
  }

  async #jump(offset: number, length: number): Promise<Buffer> {
    if (length > this.#windowBytes) return this.#readAround(offset, length)
    this.#turnTo(offset, await this.#readAround(offset, this.#windowBytes))
    return this.#window.subarray(0, length)
  }

  #turnTo(offset: number, window: Buffer): void {
    const isWhole = window.length === this.#windowBytes
    this.#window = window
    this.#windowOffset = offset
    this.#windowBytes = Math.min(this.#windowBytes * 2, lastWindowBytes)
    this.#ahead = isWhole ? this.#readAround(offset + window.length, this.#windowBytes) : undefined
    this.#ahead?.catch(() => undefined) // Whoever comes to it is told.
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

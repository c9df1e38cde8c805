/**
 * The pages of a snapshot: each is read when something in it is looked at, and checked against its checksum then; memory holds no others. Their file
 * stays open until all are read, or they are closed.
 */
import { crc32 } from 'node:zlib'
import type { ReadableFile } from '../disk/disk.ts'
import { VarveError } from '../errors.ts'

export const pageBytes = 16 * 1024

/** So many pages are read at once by who wants all. */
const pagesAtOnce = 64

/** A section of which no more is read than what is looked at. */
export interface LazySection {
  readonly length: number
  /** The word at a multiple of 4. Throws `UnusableSnapshot`, and so does `piece`. */
  word(at: number): number
  piece(from: number, to: number): Buffer
  /** All of it, after `readAll`. */
  whole(): Uint8Array
}

/** Something in a snapshot is not what was written there: the state must be loaded without it. It reaches no user as long as that can be done. */
export class UnusableSnapshot extends VarveError {
  constructor(fault: string, cause?: unknown) {
    super('VARVE_CORRUPT', `A snapshot cannot be used: ${fault}.`, {
      remedy: 'Remove the folder snapshots: it is a cache, and made again from the log.',
      fault,
      cause,
    })
  }
}

export class SnapshotPages {
  readonly #file: ReadableFile
  readonly #start: number
  readonly #sizeBytes: number
  readonly #checksums: Uint32Array
  /** `undefined`: not read. */
  readonly #pages: (Buffer | undefined)[]
  #unread: number
  #whole: Uint8Array | undefined
  #closing: Promise<void> | undefined

  constructor(
    file: ReadableFile,
    { start, sizeBytes, checksums }: { start: number; sizeBytes: number; checksums: Uint32Array },
  ) {
    this.#file = file
    this.#start = start
    this.#sizeBytes = sizeBytes
    this.#checksums = checksums
    this.#pages = Array.from(checksums, () => undefined)
    this.#unread = checksums.length
  }

  section(offset: number, length: number): LazySection {
    return {
      length,
      word: (at) => this.#page(Math.floor((offset + at) / pageBytes)).readUInt32LE((offset + at) % pageBytes),
      piece: (from, to) => this.#piece(offset + from, offset + to),
      whole: () => this.#whole!.subarray(offset, offset + length),
    }
  }

  /** Reads what is left. Throws `UnusableSnapshot`. */
  async readAll(): Promise<void> {
    const count = this.#pages.length
    for (let page = this.#nextUnread(0); page < count; page = this.#nextUnread(page)) {
      const [from, to] = this.#range(page, Math.min(page + pagesAtOnce, count))
      const bytes = await this.#file.read(this.#start + from, to - from).catch((error) => {
        throw new UnusableSnapshot('it cannot be read', error)
      })
      this.#take(from, to, bytes)
    }
    this.#whole ??= Buffer.concat(this.#pages as Buffer[])
  }

  close(): Promise<void> {
    this.#closing ??= this.#file.close().catch(() => undefined) // Nothing was written: there is nothing to be told.
    return this.#closing
  }

  #piece(from: number, to: number): Buffer {
    const page = Math.floor(from / pageBytes)
    const start = page * pageBytes
    if (to <= start + pageBytes) return this.#page(page).subarray(from - start, to - start)
    const pages = Array.from({ length: Math.ceil(to / pageBytes) - page }, (_, at) => this.#page(page + at))
    return Buffer.concat(pages).subarray(from - start, to - start)
  }

  #page(page: number): Buffer {
    return this.#pages[page] ?? this.#readPage(page)
  }

  #readPage(page: number): Buffer {
    const [from, to] = this.#range(page, page + 1)
    let bytes: Uint8Array
    try {
      bytes = this.#file.readNow(this.#start + from, to - from)
    } catch (error) {
      throw new UnusableSnapshot('it cannot be read', error)
    }
    this.#take(from, to, bytes)
    return this.#pages[page]!
  }

  /** Takes in what was read of some pages. */
  #take(from: number, to: number, bytes: Uint8Array): void {
    if (bytes.length !== to - from) throw new UnusableSnapshot('it is cut off')
    for (let at = 0; at < bytes.length; at += pageBytes) {
      const page = (from + at) / pageBytes
      const piece = bytes.subarray(at, at + pageBytes)
      if (crc32(piece) !== this.#checksums[page])
        throw new UnusableSnapshot(`its page ${page} does not match its checksum`)
      if (this.#pages[page]) continue
      this.#pages[page] = Buffer.from(piece.buffer, piece.byteOffset, piece.length)
      this.#unread--
    }
    if (this.#unread === 0) void this.close()
  }

  #nextUnread(page: number): number {
    while (this.#pages[page]) page++
    return page
  }

  #range(page: number, end: number): [from: number, to: number] {
    return [page * pageBytes, Math.min(end * pageBytes, this.#sizeBytes)]
  }
}

/**
 * The pages of a snapshot: each is read when something in it is looked at, and checked against its checksum then. Their file stays open until all
 * are read, or they are closed.
 */
import { crc32 } from 'node:zlib'
import type { ReadableFile } from '../disk/disk.ts'
import { VarveError } from '../errors.ts'

export const pageBytes = 16 * 1024

/** So many pages are read at once by who wants all. */
const pagesAtOnce = 64

/** A section whose bytes are zeros until they are needed. */
export interface LazySection {
  bytes: Uint8Array
  /** To be called before a range of `bytes` is looked at, as it is counted there. Throws `UnusableSnapshot`. */
  need: (from: number, to: number) => void
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
  readonly #checksums: Uint32Array
  readonly #bytes: Uint8Array
  /** By page, 1 if it was read. */
  readonly #isRead: Uint8Array
  #unread: number
  #closing: Promise<void> | undefined

  constructor(
    file: ReadableFile,
    { start, sizeBytes, checksums }: { start: number; sizeBytes: number; checksums: Uint32Array },
  ) {
    this.#file = file
    this.#start = start
    this.#checksums = checksums
    this.#bytes = new Uint8Array(sizeBytes) // The system gives memory to it when it is written to.
    this.#isRead = new Uint8Array(checksums.length)
    this.#unread = checksums.length
  }

  section(offset: number, length: number): LazySection {
    return {
      bytes: this.#bytes.subarray(offset, offset + length),
      need: (from, to) => this.#need(offset + from, offset + to),
    }
  }

  /** Reads what is left. Throws `UnusableSnapshot`. */
  async readAll(): Promise<void> {
    const pages = this.#isRead.length
    for (let page = this.#nextUnread(0); page < pages; page = this.#nextUnread(page)) {
      const [from, to] = this.#range(page, Math.min(page + pagesAtOnce, pages))
      const bytes = await this.#file.read(this.#start + from, to - from).catch((error) => {
        throw new UnusableSnapshot('it cannot be read', error)
      })
      this.#take(from, to, bytes)
    }
  }

  close(): Promise<void> {
    this.#closing ??= this.#file.close().catch(() => undefined) // Nothing was written: there is nothing to be told.
    return this.#closing
  }

  #need(from: number, to: number): void {
    if (this.#unread === 0) return
    const end = Math.min(Math.ceil(to / pageBytes), this.#isRead.length)
    for (let page = Math.floor(from / pageBytes); page < end; page++)
      if (!this.#isRead[page]) this.#readPage(page)
  }

  #readPage(page: number): void {
    const [from, to] = this.#range(page, page + 1)
    let bytes: Uint8Array
    try {
      bytes = this.#file.readNow(this.#start + from, to - from)
    } catch (error) {
      throw new UnusableSnapshot('it cannot be read', error)
    }
    this.#take(from, to, bytes)
  }

  /** Takes in what was read of some pages. */
  #take(from: number, to: number, bytes: Uint8Array): void {
    if (bytes.length !== to - from) throw new UnusableSnapshot('it is cut off')
    for (let at = 0; at < bytes.length; at += pageBytes) {
      const page = (from + at) / pageBytes
      const piece = bytes.subarray(at, at + pageBytes)
      if (crc32(piece) !== this.#checksums[page])
        throw new UnusableSnapshot(`its page ${page} does not match its checksum`)
      if (this.#isRead[page]) continue
      this.#bytes.set(piece, from + at)
      this.#isRead[page] = 1
      this.#unread--
    }
    if (this.#unread === 0) void this.close()
  }

  #nextUnread(page: number): number {
    while (this.#isRead[page]) page++
    return page
  }

  #range(page: number, end: number): [from: number, to: number] {
    return [page * pageBytes, Math.min(end * pageBytes, this.#bytes.length)]
  }
}

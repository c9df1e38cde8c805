/**
 * Bytes in pages that clones share until one of them writes: cloning a file costs its page table, so a test
 * can take 200,000 images of a disk. Knows nothing of files.
 */
import { hash } from 'node:crypto'

const pageBytes = 1024

interface Page {
  /**
   * Whoever may write in place. A clone gives both sides a new identity, so that neither owns what they
   * share.
   */
  readonly owner: object
  readonly bytes: Uint8Array
}

export class Pages {
  /**
   * A missing page is all zeros. Bytes beyond the size are zero in every page, so growing needs no clearing.
   */
  #pages: (Page | undefined)[] = []
  #owner: object = {}
  #size = 0
  #digest: string | undefined

  get size(): number {
    return this.#size
  }

  clone(): Pages {
    const twin = new Pages()
    twin.#pages = this.#pages.slice()
    twin.#size = this.#size
    twin.#digest = this.#digest
    this.#owner = {}
    return twin
  }

  /** Equal for equal bytes. Clones share it until one of them is written to. */
  get digest(): string {
    this.#digest ??= hash('sha1', this.read(0, this.#size), 'base64')
    return this.#digest
  }

  /** Up to `length` bytes: fewer at the end. Always a copy. */
  read(offset: number, length: number): Uint8Array {
    const end = Math.min(this.#size, offset + length)
    const bytes = new Uint8Array(Math.max(0, end - offset))
    for (let at = offset; at < end;) {
      const within = at % pageBytes
      const count = Math.min(pageBytes - within, end - at)
      const page = this.#pages[(at - within) / pageBytes]
      if (page) bytes.set(page.bytes.subarray(within, within + count), at - offset)
      at += count
    }
    return bytes
  }

  /** Writes and, beyond the end, grows; a gap reads as zeros. */
  write(offset: number, bytes: Uint8Array): void {
    this.#digest = undefined
    for (let done = 0; done < bytes.length;) {
      const within = (offset + done) % pageBytes
      const count = Math.min(pageBytes - within, bytes.length - done)
      this.#ownPage((offset + done - within) / pageBytes).set(bytes.subarray(done, done + count), within)
      done += count
    }
    if (bytes.length > 0) this.#size = Math.max(this.#size, offset + bytes.length)
  }

  /** Cuts, or grows with zeros. */
  resize(size: number): void {
    if (size === this.#size) return
    this.#digest = undefined
    if (size < this.#size) {
      this.#pages.length = Math.ceil(size / pageBytes)
      const within = size % pageBytes
      if (within > 0 && this.#pages.at(-1)) this.#ownPage(this.#pages.length - 1).fill(0, within)
    }
    this.#size = size
  }

  #ownPage(index: number): Uint8Array {
    const page = this.#pages[index]
    if (page?.owner === this.#owner) return page.bytes
    const bytes = new Uint8Array(pageBytes)
    if (page) bytes.set(page.bytes)
    while (this.#pages.length < index) this.#pages.push(undefined)
    this.#pages[index] = { owner: this.#owner, bytes }
    return bytes
  }
}

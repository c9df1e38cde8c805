/** Reads the files of a LlamaIndex directory, whole or piece by piece, and keeps a record of each: name, size, time, SHA-256. Writes nothing. */
import { constants } from 'node:buffer'
import { createHash } from 'node:crypto'
import { VarveError } from '../errors.ts'
import type { Disk, ReadableFile } from '../disk/disk.ts'
import { asVarveError, namingErrors } from '../disk/disk-errors.ts'
import { pieceBytes } from './json-cursor.ts'
import { isUtf8Json } from './json-encoding.ts'
import { JsonReader } from './llamaindex-json.ts'
import type { LlamaIndexFile } from './llamaindex-content.ts'

export class LlamaIndexFiles {
  readonly read: LlamaIndexFile[] = []
  readonly names: readonly string[]
  /** Told of every piece that was read, with the bytes so far, in all files. */
  onPiece: (name: string, bytes: number) => void = () => {}
  #bytes = 0
  readonly #open: ReadableFile[] = []
  readonly #disk: Disk
  readonly #directory: string

  constructor(disk: Disk, directory: string, names: readonly string[]) {
    this.#disk = disk
    this.#directory = directory
    this.names = names
  }

  has(name: string): boolean {
    return this.names.includes(name)
  }

  async sizeOf(isCounted: (name: string) => boolean): Promise<number> {
    let sum = 0
    for (const name of this.names.filter(isCounted))
      sum += (await this.#disk.stat(this.#path(name)))?.sizeBytes ?? 0
    return sum
  }

  async bytes(name: string): Promise<Uint8Array> {
    const status = await namingErrors(this.#path(name), () => this.#disk.stat(this.#path(name)))
    if (status?.kind !== 'file')
      throw new VarveError('VARVE_BAD_FILE', `${name} is not a file.`, { file: name })
    if (status.sizeBytes > constants.MAX_LENGTH) throw tooLarge(name, status.sizeBytes)
    const bytes = await namingErrors(this.#path(name), () =>
      this.#readUpTo(name, Infinity, (length) => this.#passed(name, length)),
    )
    const sha256 = createHash('sha256').update(bytes).digest('hex')
    this.read.push({ name, sizeBytes: bytes.length, modifiedMs: status.modifiedMs, sha256 })
    return bytes
  }

  /** A reader of a file of any size, which holds a window of it. The file stays open until `close()`. */
  async reader(name: string): Promise<JsonReader> {
    const status = await namingErrors(this.#path(name), () => this.#disk.stat(this.#path(name)))
    if (status?.kind !== 'file')
      throw new VarveError('VARVE_BAD_FILE', `${name} is not a file.`, { file: name })
    const file = await namingErrors(this.#path(name), () => this.#disk.openToRead(this.#path(name)))
    this.#open.push(file)
    const sizeBytes = await namingErrors(this.#path(name), () => file.size())
    if (!isUtf8Json(file.readNow(0, 4))) return new JsonReader(await this.bytes(name), name)
    const hash = createHash('sha256')
    let at = 0
    const readNow = (offset: number, length: number): Uint8Array => {
      const bytes = namingNow(this.#path(name), () => file.readNow(offset, length))
      if (bytes.length < length) throw becameShorter(name)
      return bytes
    }
    let isRead = false
    const readOn = (wanted: number): Uint8Array => {
      if (isRead) return new Uint8Array(0)
      const piece = readNow(at, Math.min(wanted, sizeBytes - at))
      at += piece.length
      hash.update(piece)
      this.#passed(name, piece.length)
      if (at < sizeBytes) return piece
      isRead = true
      this.read.push({ name, sizeBytes, modifiedMs: status.modifiedMs, sha256: hash.digest('hex') })
      return piece
    }
    return new JsonReader(readOn(pieceBytes), name, {
      readOn,
      readAgain: (offset, length) => {
        this.#passed(name, length)
        return readNow(offset, length)
      },
      skipped: (length) => void (this.#bytes -= length),
    })
  }

  async close(): Promise<void> {
    for (const file of this.#open.splice(0)) await file.close()
  }

  #passed(name: string, bytes: number): void {
    this.#bytes += bytes
    this.onPiece(name, this.#bytes)
  }

  /** The first bytes of any file, without a record. */
  async start(name: string, length: number): Promise<Uint8Array> {
    return namingErrors(this.#path(name), async () => {
      const status = await this.#disk.stat(this.#path(name))
      return status?.kind === 'file' ? this.#readUpTo(name, length) : new Uint8Array()
    })
  }

  async #readUpTo(name: string, limit: number, onPiece?: (length: number) => void): Promise<Uint8Array> {
    const file = await this.#disk.openToRead(this.#path(name))
    try {
      const bytes = new Uint8Array(Math.min(await file.size(), limit))
      for (let at = 0; at < bytes.length;) {
        const piece = await file.read(at, Math.min(pieceBytes, bytes.length - at))
        if (piece.length === 0) throw becameShorter(name)
        bytes.set(piece, at)
        at += piece.length
        onPiece?.(piece.length)
      }
      return bytes
    } finally {
      await file.close()
    }
  }

  #path(name: string): string {
    return `${this.#directory}/${name}`
  }
}

/** The same for a read without a turn of the event loop. */
function namingNow<T>(path: string, read: () => T): T {
  try {
    return read()
  } catch (cause) {
    throw asVarveError(cause, path)
  }
}

function becameShorter(name: string): VarveError {
  return new VarveError('VARVE_BAD_FILE', `${name} became shorter while it was read.`, { file: name })
}

function tooLarge(name: string, sizeBytes: number): VarveError {
  const fact = `${name} has ${sizeBytes} bytes; this Node.js reads files of at most ${constants.MAX_LENGTH}.`
  return new VarveError('VARVE_TOO_LARGE', fact, { remedy: '', file: name, sizeBytes })
}

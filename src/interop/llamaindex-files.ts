/** Reads the files of a LlamaIndex directory whole, and keeps a record of each: name, size, time, SHA-256. Writes nothing. */
import { constants } from 'node:buffer'
import { createHash } from 'node:crypto'
import { VarveError } from '../errors.ts'
import type { Disk } from '../disk/disk.ts'
import type { LlamaIndexFile } from './llamaindex-content.ts'

const pieceBytes = 16 * 2 ** 20

export class LlamaIndexFiles {
  readonly read: LlamaIndexFile[] = []
  readonly names: readonly string[]
  /** Told of every piece that was read, with the bytes so far, in all files. */
  onPiece: (name: string, bytes: number) => void = () => {}
  #bytes = 0
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
    const status = await naming(name, () => this.#disk.stat(this.#path(name)))
    if (status?.kind !== 'file')
      throw new VarveError('VARVE_BAD_FILE', `${name} is not a file.`, { file: name })
    if (status.sizeBytes > constants.MAX_LENGTH) throw tooLarge(name, status.sizeBytes)
    const bytes = await naming(name, () => this.#readUpTo(name, Infinity))
    const sha256 = createHash('sha256').update(bytes).digest('hex')
    this.read.push({ name, sizeBytes: bytes.length, modifiedMs: status.modifiedMs, sha256 })
    return bytes
  }

  /** The first bytes of any file, without a record. */
  async start(name: string, length: number): Promise<Uint8Array> {
    return naming(name, async () => {
      const status = await this.#disk.stat(this.#path(name))
      return status?.kind === 'file' ? this.#readUpTo(name, length) : new Uint8Array()
    })
  }

  async #readUpTo(name: string, limit: number): Promise<Uint8Array> {
    const file = await this.#disk.openToRead(this.#path(name))
    try {
      const bytes = new Uint8Array(Math.min(await file.size(), limit))
      for (let at = 0; at < bytes.length;) {
        const piece = await file.read(at, Math.min(pieceBytes, bytes.length - at))
        if (piece.length === 0)
          throw new VarveError('VARVE_BAD_FILE', `${name} became shorter while it was read.`, { file: name })
        bytes.set(piece, at)
        at += piece.length
        this.#bytes += piece.length
        this.onPiece(name, this.#bytes)
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

/** What the operating system refuses, with the file's name. */
async function naming<T>(name: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read()
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    if (cause instanceof VarveError || typeof code !== 'string') throw cause
    const isForbidden = code === 'EACCES' || code === 'EPERM'
    throw new VarveError(isForbidden ? 'VARVE_PERMISSION' : 'VARVE_IO', `${name} cannot be read (${code}).`, {
      remedy: isForbidden ? undefined : 'Nothing was changed. Check the disk, and open again.',
      cause,
      file: name,
    })
  }
}

function tooLarge(name: string, sizeBytes: number): VarveError {
  const fact = `${name} has ${sizeBytes} bytes; this Node.js reads files of at most ${constants.MAX_LENGTH}.`
  return new VarveError('VARVE_TOO_LARGE', fact, { remedy: '', file: name, sizeBytes })
}

/**
 * Opens the segments of one journal, each once, and believes none whose header is not what its place says.
 */
import type { Disk, ReadableFile } from '../disk/disk.ts'
import { VarveError } from '../errors.ts'
import { Erasures } from './erasures.ts'
import { joinPath, parseSegmentName, segmentName } from './names.ts'
import { segmentFault, segmentHeaderBytes, type SegmentFault } from './segment.ts'

export type Glance<T> = { seen: T; fault?: undefined } | { seen?: undefined; fault: SegmentFault }

export class SegmentFiles {
  readonly disk: Disk
  readonly directory: string
  readonly journalId: Uint8Array
  /** What was erased, as far as is known: all who read these segments skip it. */
  erasures = new Erasures()
  readonly #open = new Map<string, Promise<ReadableFile>>()
  readonly #ready = new Map<string, { folder: string; segment: number; file: ReadableFile }>()

  constructor({ disk, directory, journalId }: { disk: Disk; directory: string; journalId: Uint8Array }) {
    this.disk = disk
    this.directory = directory
    this.journalId = journalId
  }

  path(folder: string, segment: number): string {
    return joinPath(this.directory, folder, segmentName(segment))
  }

  /** The numbers of the segments that stand in a folder, ascending. */
  async numbers(folder: string): Promise<number[]> {
    const names = await this.disk.list(joinPath(this.directory, folder)).catch(emptyIfMissing)
    return names.map(parseSegmentName).filter((number) => number !== undefined)
  }

  /** Throws `VARVE_CORRUPT` if the segment is missing or is not the one that belongs here. */
  async open(folder: string, segment: number): Promise<ReadableFile> {
    const path = this.path(folder, segment)
    let opening = this.#open.get(path)
    if (!opening) {
      opening = this.#openOrThrow(folder, segment)
      this.#open.set(path, opening)
      opening.then(
        (file) => this.#ready.set(path, { folder, segment, file }),
        () => this.#open.delete(path),
      )
    }
    return opening
  }

  /** The file if it is open already: for reads without a turn of the event loop. */
  opened(folder: string, segment: number): ReadableFile | undefined {
    return this.#ready.get(this.path(folder, segment))?.file
  }

  /** Opens all that is open in others of the same directory. */
  async openAll(others: SegmentFiles): Promise<void> {
    for (const { folder, segment } of others.#ready.values()) await this.open(folder, segment)
  }

  /**
   * One look at a segment that perhaps no commit names, or what is wrong with its header. It is not kept
   * open: such a segment may be removed, and then its number may come back with other bytes. Throws
   * `VARVE_NEWER`.
   */
  async glance<T>(
    folder: string,
    segment: number,
    look: (file: ReadableFile) => Promise<T>,
  ): Promise<Glance<T>> {
    const opened = await this.#openChecked(folder, segment)
    if (!opened.file) return { fault: opened }
    try {
      return { seen: await look(opened.file) }
    } finally {
      await opened.file.close()
    }
  }

  /** The same for a segment whose header is damaged. */
  async glanceAtDamaged<T>(
    folder: string,
    segment: number,
    look: (file: ReadableFile) => Promise<T>,
  ): Promise<T | undefined> {
    const file = await this.disk.openToRead(this.path(folder, segment)).catch(undefinedIfMissing)
    try {
      return file && (await look(file))
    } finally {
      await file?.close()
    }
  }

  unusable(folder: string, segment: number, { fault, kind }: SegmentFault): VarveError {
    const path = this.path(folder, segment)
    const fields = { path, store: folder, segment, fault, kind }
    return new VarveError('VARVE_CORRUPT', `Segment ${path} cannot be used: ${fault}.`, fields)
  }

  /** Removes a segment that no commit names. It may be gone already. */
  async remove(folder: string, segment: number): Promise<void> {
    const path = this.path(folder, segment)
    const opening = this.#open.get(path)
    this.#open.delete(path)
    this.#ready.delete(path)
    await opening?.then(
      (file) => file.close(),
      () => {},
    )
    await this.disk.unlink(path).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error
    })
  }

  async close(): Promise<void> {
    const opening = [...this.#open.values()]
    this.#open.clear()
    this.#ready.clear()
    for (const settled of await Promise.allSettled(opening))
      if (settled.status === 'fulfilled') await settled.value.close()
  }

  async #openOrThrow(folder: string, segment: number): Promise<ReadableFile> {
    const opened = await this.#openChecked(folder, segment)
    if (opened.file) return opened.file
    throw this.unusable(folder, segment, opened)
  }

  async #openChecked(
    folder: string,
    segment: number,
  ): Promise<
    { file: ReadableFile; fault?: undefined; kind?: undefined } | (SegmentFault & { file?: undefined })
  > {
    const path = this.path(folder, segment)
    const file = await this.disk.openToRead(path).catch(undefinedIfMissing)
    if (!file) return { kind: 'missing', fault: 'missing' }
    const fault = segmentFault(await file.read(0, segmentHeaderBytes), {
      journalId: this.journalId,
      folder,
      number: segment,
    })
    if (!fault) return { file }
    await file.close()
    if (fault.kind === 'newer')
      throw new VarveError('VARVE_NEWER', `Segment ${path} was written by a newer Varve: ${fault.fault}.`, {
        path,
      })
    return fault
  }
}

function undefinedIfMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code === 'ENOENT') return undefined
  throw error
}

export function emptyIfMissing(error: NodeJS.ErrnoException): string[] {
  if (error.code === 'ENOENT') return []
  throw error
}

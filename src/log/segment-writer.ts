/**
 * Puts bytes into segments, creating them with their headers, and remembers what a sync has to reach: files,
 * and the directories of new ones.
 */
import type { WritableFile } from '../disk/disk.ts'
import { joinPath } from './names.ts'
import { encodeSegmentHeader, segmentHeaderBytes } from './segment.ts'
import type { SegmentFiles } from './segment-files.ts'

export interface SegmentWrite {
  folder: string
  segment: number
  offset: number
  chunks: Uint8Array[]
}

const adoptedAtOnceBytes = 1024 * 1024

export class SegmentWriter {
  readonly #files: SegmentFiles
  readonly #session: Uint8Array
  readonly #open = new Map<string, Promise<WritableFile>>()
  readonly #folders = new Set<string>()
  #dirtyFiles = new Set<string>()
  #dirtyDirectories = new Set<string>()

  constructor(files: SegmentFiles, session: Uint8Array) {
    this.#files = files
    this.#session = session
  }

  async write({ folder, segment, offset, chunks }: SegmentWrite): Promise<void> {
    const path = this.#files.path(folder, segment)
    const file = await this.#file(path, { folder, create: offset === segmentHeaderBytes })
    try {
      if (offset !== segmentHeaderBytes) return await file.write(chunks, offset)
      const header = encodeSegmentHeader({
        journalId: this.#files.journalId,
        session: this.#session,
        folder,
        number: segment,
      })
      await file.write([header, ...chunks], 0)
    } finally {
      this.#dirtyFiles.add(path) // Afterwards: a sync that runs meanwhile does not reach these bytes.
    }
  }

  /**
   * The next sync reaches these bytes and the segment's name too: whoever wrote them may have died before its own did. They are
   * written again, as they are, and with the first frame the header: after a sync that failed the operating system shows what the
   * disk lacks, and would not write it. `to` is left out for all there is.
   */
  async adopt(folder: string, segment: number, { from, to }: { from: number; to?: number }): Promise<void> {
    const path = this.#files.path(folder, segment)
    const file = await this.#file(path, { folder, create: false })
    const end = to ?? (await file.size())
    for (let at = from === segmentHeaderBytes ? 0 : from; at < end; at += adoptedAtOnceBytes)
      await file.write([await file.read(at, Math.min(adoptedAtOnceBytes, end - at))], at)
    this.#dirtyFiles.add(path)
    this.#adoptFolder(folder)
  }

  /** Makes everything written before the call durable, all in parallel. */
  async sync(): Promise<void> {
    const [files, directories] = [this.#dirtyFiles, this.#dirtyDirectories]
    this.#dirtyFiles = new Set()
    this.#dirtyDirectories = new Set()
    await Promise.all([
      ...[...files].map(async (path) => (await this.#open.get(path))?.sync()),
      ...[...directories].map((directory) => this.#files.disk.syncDirectory(directory)),
    ])
  }

  /** Removes a segment that no commit names. */
  async remove(folder: string, segment: number): Promise<void> {
    const path = this.#files.path(folder, segment)
    const file = this.#open.get(path)
    this.#open.delete(path)
    this.#dirtyFiles.delete(path)
    await (await file)?.close()
    await this.#files.remove(folder, segment)
  }

  async close(): Promise<void> {
    const opening = [...this.#open.values()]
    this.#open.clear()
    for (const settled of await Promise.allSettled(opening))
      if (settled.status === 'fulfilled') await settled.value.close()
  }

  #file(path: string, how: { folder: string; create: boolean }): Promise<WritableFile> {
    let opening = this.#open.get(path)
    if (!opening) {
      opening = how.create ? this.#create(path, how.folder) : this.#files.disk.openToWrite(path)
      this.#open.set(path, opening)
      opening.catch(() => this.#open.delete(path))
    }
    return opening
  }

  async #create(path: string, folder: string): Promise<WritableFile> {
    await this.#ensureFolder(folder)
    const file = await this.#files.disk.create(path)
    this.#dirtyDirectories.add(joinPath(this.#files.directory, folder))
    return file
  }

  async #ensureFolder(folder: string): Promise<void> {
    if (this.#folders.has(folder)) return
    await this.#files.disk.makeDirectory(joinPath(this.#files.directory, folder))
    this.#adoptFolder(folder)
    this.#folders.add(folder)
  }

  /** A folder that stands there may be a dead writer's, with a name that was never synced. */
  #adoptFolder(folder: string): void {
    let path = this.#files.directory
    for (const name of folder.split('/')) {
      this.#dirtyDirectories.add(path)
      path = joinPath(path, name)
    }
    this.#dirtyDirectories.add(path)
  }
}

/** Writes that follow each other in one segment, as one. */
export function joined(writes: SegmentWrite[]): SegmentWrite[] {
  const result: SegmentWrite[] = []
  const ends = new Map<string, { write: SegmentWrite; end: number }>()
  for (const write of writes) {
    const key = `${write.folder}/${write.segment}`
    const last = ends.get(key)
    const size = write.chunks.reduce((sum, chunk) => sum + chunk.length, 0)
    if (last?.end === write.offset) {
      last.write.chunks.push(...write.chunks)
      last.end += size
    } else {
      result.push(write)
      ends.set(key, { write, end: write.offset + size })
    }
  }
  return result
}

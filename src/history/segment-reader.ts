/** Opens segments for reading whatever their headers say, and says what is wrong with them. Of each folder one file is open at a time. */
import type { SegmentFiles } from '../log/segment-files.ts'
import { segmentFault, segmentHeaderBytes, type SegmentFault } from '../log/segment.ts'
import { VarveError } from '../errors.ts'
import { SteadyFile } from './steady-file.ts'

export interface OpenedSegment {
  /** Missing if there is none, or if it is another segment in this one's place. */
  file: SteadyFile | undefined
  fault: SegmentFault | undefined
}

export class SegmentReader {
  readonly files: SegmentFiles
  readonly #open = new Map<string, { segment: number; opened: OpenedSegment }>()

  constructor(files: SegmentFiles) {
    this.files = files
  }

  /** Throws `VARVE_NEWER`. */
  async open(folder: string, segment: number): Promise<OpenedSegment> {
    const known = this.#open.get(folder)
    if (known?.segment === segment) return known.opened
    await this.close(folder)
    const opened = await this.#openChecked(folder, segment)
    this.#open.set(folder, { segment, opened })
    return opened
  }

  async closeAll(): Promise<void> {
    for (const folder of this.#open.keys()) await this.close(folder)
  }

  /** What is open of one folder. */
  async close(folder: string): Promise<void> {
    const file = this.#open.get(folder)?.opened.file
    this.#open.delete(folder)
    await file?.close()
  }

  async #openChecked(folder: string, segment: number): Promise<OpenedSegment> {
    const path = this.files.path(folder, segment)
    const opening = this.files.disk.openToRead(path)
    const raw = await opening.catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined
      throw error
    })
    if (!raw) return { file: undefined, fault: { kind: 'missing', fault: 'it is missing' } }
    const file = new SteadyFile(raw)
    const header = await file.read(0, segmentHeaderBytes)
    const fault = segmentFault(header, { journalId: this.files.journalId, folder, number: segment })
    if (fault?.kind !== 'newer' && fault?.kind !== 'foreign') return { file, fault }
    await file.close()
    if (fault.kind === 'foreign') return { file: undefined, fault }
    throw new VarveError('VARVE_NEWER', `Segment ${path} was written by a newer Varve: ${fault.fault}.`, {
      path,
    })
  }
}
